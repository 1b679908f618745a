// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launch of an SNP guest up to its initial memory, and its end: the context
 * that the firmware has of it, LAUNCH_START and LAUNCH_UPDATE.
 *
 * By "SEV Secure Nested Paging Firmware ABI Specification" (AMD 56860), section
 * "Guest Launch".
 */
#include <linux/highmem.h>
#include <linux/kvm_host.h>
#include <linux/psp-sev.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/snp_host.h>

#include "svm.h"

static_assert(sizeof(struct kvm_sev_snp_launch_start) == 64);
static_assert(sizeof(struct kvm_sev_snp_launch_update) == 64);

/* "Guest Policy" */
#define POLICY_ABI_MINOR	GENMASK_ULL(7, 0)
#define POLICY_ABI_MAJOR	GENMASK_ULL(15, 8)
#define POLICY_SMT		BIT_ULL(16)
#define POLICY_ONE		BIT_ULL(17)
#define POLICY_DEBUG		BIT_ULL(19)

#define POLICY_NEEDED		(POLICY_SMT | POLICY_ONE)
#define POLICY_KNOWN		(POLICY_ABI_MINOR | POLICY_ABI_MAJOR | \
				 POLICY_NEEDED | POLICY_DEBUG)

/**
 * snp_guest_init() - What SNP asks of KVM_SEV_INIT2 beside SEV-ES.
 * @kvm: the VM
 * @error: set to the firmware's status, if it is asked
 *
 * Context: may sleep, with kvm->lock held; before sev_guest_init().
 * Return: 0; or an error of snp_platform_init().
 */
int snp_guest_init(struct kvm *kvm, int *error)
{
	mutex_init(&to_kvm_svm(kvm)->sev_info.snp.request_lock);
	return snp_platform_init(error);
}

static void *create_context(int *error)
{
	struct sev_data_snp_addr cmd;
	void *context;
	int ret;

	context = snp_alloc_firmware_page(GFP_KERNEL_ACCOUNT);
	if (!context)
		return ERR_PTR(snp_firmware_answers() ? -ENOMEM : -EBUSY);

	cmd.address = __psp_pa(context);
	ret = snp_do_cmd(SEV_CMD_SNP_GCTX_CREATE, &cmd, error);
	if (ret) {
		snp_free_firmware_page(context);
		return ERR_PTR(ret);
	}
	return context;
}

/*
 * Its ASID is free then, as far as the firmware is concerned.  If that fails
 * the page stays a context, and is lost.
 */
static int destroy_context(void *context)
{
	struct sev_data_snp_addr cmd = { .address = __psp_pa(context) };
	int ret;

	down_read(&sev_deactivate_lock);
	ret = snp_do_cmd(SEV_CMD_SNP_DECOMMISSION, &cmd, NULL);
	up_read(&sev_deactivate_lock);

	snp_free_firmware_page(context);
	return ret;
}

static int start(void *context, const struct kvm_sev_snp_launch_start *params,
		 int *error)
{
	struct sev_data_snp_launch_start cmd = {
		.gctx_paddr = __psp_pa(context),
		.policy = params->policy,
	};

	static_assert(sizeof(cmd.gosvw) == sizeof(params->gosvw));
	memcpy(cmd.gosvw, params->gosvw, sizeof(cmd.gosvw));
	return snp_do_cmd(SEV_CMD_SNP_LAUNCH_START, &cmd, error);
}

static int activate(struct kvm_sev_info *sev, void *context, int *error)
{
	struct sev_data_snp_activate cmd = {
		.gctx_paddr = __psp_pa(context),
		.asid = sev->asid,
	};
	int ret;

	ret = snp_do_cmd(SEV_CMD_SNP_ACTIVATE, &cmd, error);
	/* Lost pages have the ASID: no guest gets it any more. */
	if (ret == -EIO && *error == SEV_RET_INAVLID_CONFIG)
		sev->snp.asid_lost = true;
	return ret;
}

static bool start_is_valid(const struct kvm_sev_snp_launch_start *params)
{
	return !params->flags && !(params->policy & ~POLICY_KNOWN) &&
	       (params->policy & POLICY_NEEDED) == POLICY_NEEDED;
}

/**
 * snp_launch_start() - KVM_SEV_SNP_LAUNCH_START.
 * @kvm: the VM
 * @argp: the command, with a struct kvm_sev_snp_launch_start; the firmware's
 *	status is set, 0 if it has not refused
 *
 * Context: may sleep, with kvm->lock held.
 * Return: 0; -ENOTTY if it is no SNP guest; -EFAULT; -EINVAL if it has been
 * started, for flags and for the policy; -ENOMEM; -EIO with the firmware's
 * status in @argp; or another error of snp_do_cmd().  Nothing has been started
 * then.
 */
int snp_launch_start(struct kvm *kvm, struct kvm_sev_cmd *argp)
{
	struct kvm_sev_info *sev = &to_kvm_svm(kvm)->sev_info;
	struct kvm_sev_snp_launch_start params;
	int error = 0, ret;
	void *context;

	lockdep_assert_held(&kvm->lock);
	argp->error = 0;

	if (!sev_snp_guest(kvm))
		return -ENOTTY;
	if (copy_from_user(&params, u64_to_user_ptr(argp->data), sizeof(params)))
		return -EFAULT;
	if (sev->snp.context || !start_is_valid(&params))
		return -EINVAL;

	context = create_context(&error);
	ret = PTR_ERR_OR_ZERO(context);
	if (ret)
		goto out;
	ret = start(context, &params, &error);
	if (!ret)
		ret = activate(sev, context, &error);
	if (ret) {
		destroy_context(context);
		goto out;
	}

	sev->snp.context = context;
	sev->snp.policy = params.policy;
out:
	if (ret == -EIO)
		argp->error = error;
	return ret;
}

/**
 * snp_launch_add_page() - Make a page the guest's, with what is in it.
 * @kvm: the VM, being launched
 * @pfn: the page, the host's
 * @gpa: where the guest has it
 * @type: SNP_PAGE_TYPE_*
 * @error: set to the firmware's status, 0 if there is none
 *
 * On success it is assigned, validated, mutable and in the guest's measurement.
 * On failure it is the host's again; if not even that can be had it is lost,
 * and the VM is dead, so that nobody uses it.
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM; -EIO if the RMP or the firmware refuses; or another error
 * of snp_do_cmd().
 */
int snp_launch_add_page(struct kvm *kvm, kvm_pfn_t pfn, gpa_t gpa, int type,
			int *error)
{
	struct kvm_sev_info *sev = &to_kvm_svm(kvm)->sev_info;
	struct sev_data_snp_launch_update cmd = {
		.gctx_paddr = __psp_pa(sev->snp.context),
		.page_type = type,
		.address = __sme_set(PFN_PHYS(pfn)),
	};
	int ret;

	*error = 0;
	ret = rmp_make_private(pfn, gpa, PG_LEVEL_4K, sev->asid, true);
	/* To user space -EFAULT is its own memory. */
	if (ret)
		return ret == -ENOMEM ? ret : -EIO;
	ret = snp_do_cmd(SEV_CMD_SNP_LAUNCH_UPDATE, &cmd, error);
	if (ret != -EIO)
		*error = 0;
	if (ret && snp_reclaim_page(pfn)) {
		get_page(pfn_to_page(pfn));
		sev->snp.asid_lost = true;
		kvm_vm_dead(kvm);
	}
	return ret;
}

/* Of one LAUNCH_UPDATE, for the pages of which the rest is the same. */
struct update {
	int type;
	int error;
	/* A page for the table that a refused CPUID page would have to have. */
	void *cpuid;
	bool cpuid_refused;
};

/* The firmware has left in the page what it would accept. */
static void save_cpuid(struct update *u, struct page *page)
{
	void *va;

	if (u->type != SNP_PAGE_TYPE_CPUID || u->error != SEV_RET_INVALID_PARAM)
		return;

	va = kmap_local_page(page);
	memcpy(u->cpuid, va, PAGE_SIZE);
	kunmap_local(va);
	u->cpuid_refused = true;
}

static int populate_page(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn,
			 struct page *src, void *opaque)
{
	struct update *u = opaque;
	bool assigned;
	int level, ret;

	ret = snp_lookup_rmpentry(pfn, &assigned, &level);
	if (ret)
		return ret;
	if (assigned)
		return -EEXIST;

	if (src)
		copy_highpage(pfn_to_page(pfn), src);
	ret = snp_launch_add_page(kvm, pfn, gfn_to_gpa(gfn), u->type, &u->error);
	if (ret && !kvm->vm_dead)
		save_cpuid(u, pfn_to_page(pfn));
	return ret;
}

static bool update_is_valid(const struct kvm_sev_snp_launch_update *params)
{
	if (params->flags || !params->len || !PAGE_ALIGNED(params->len))
		return false;

	switch (params->type) {
	case KVM_SEV_SNP_PAGE_TYPE_ZERO:
		return true;
	case KVM_SEV_SNP_PAGE_TYPE_NORMAL:
	case KVM_SEV_SNP_PAGE_TYPE_UNMEASURED:
	case KVM_SEV_SNP_PAGE_TYPE_SECRETS:
	case KVM_SEV_SNP_PAGE_TYPE_CPUID:
		return params->uaddr && PAGE_ALIGNED(params->uaddr);
	default:
		return false;
	}
}

/* How many pages, or an error. */
static long populate(struct kvm *kvm,
		     const struct kvm_sev_snp_launch_update *params,
		     struct update *u)
{
	void __user *src = NULL;
	struct kvm_memory_slot *slot;
	long ret = -EINVAL;

	if (params->type != KVM_SEV_SNP_PAGE_TYPE_ZERO)
		src = u64_to_user_ptr(params->uaddr);

	mutex_lock(&kvm->slots_lock);
	slot = gfn_to_memslot(kvm, params->gfn_start);
	/* What the host can map, the guest would have as shared memory, too. */
	if (kvm_slot_has_gmem(slot) && !kvm_memslot_is_gmem_only(slot)) {
		ret = kvm_gmem_populate(kvm, params->gfn_start, src,
					params->len >> PAGE_SHIFT,
					populate_page, u);
		if (ret < 0 && ret != -EINTR)
			ret = -EIO;
	}
	mutex_unlock(&kvm->slots_lock);
	return ret;
}

/* Advance @params over what is done, or put out what the firmware would take. */
static int update(struct kvm *kvm, struct kvm_sev_snp_launch_update *params,
		  struct update *u)
{
	long done = populate(kvm, params, u);

	if (done < 0) {
		/* It fails anyway, with or without the table. */
		if (u->cpuid_refused &&
		    copy_to_user(u64_to_user_ptr(params->uaddr), u->cpuid,
				 PAGE_SIZE))
			pr_debug("SEV-SNP: no place for the CPUID table\n");
		return done;
	}

	params->gfn_start += done;
	params->len -= done << PAGE_SHIFT;
	if (params->type != KVM_SEV_SNP_PAGE_TYPE_ZERO)
		params->uaddr += done << PAGE_SHIFT;
	/* Progress: what failed after it fails again. */
	u->error = 0;
	return 0;
}

/**
 * snp_launch_update() - KVM_SEV_SNP_LAUNCH_UPDATE.
 * @kvm: the VM
 * @argp: the command, with a struct kvm_sev_snp_launch_update, which is advanced
 *	over the pages that are the guest's then
 *
 * Context: may sleep, with kvm->lock held; takes slots_lock.
 * Return: 0 if at least one page is the guest's; -ENOTTY if it is no SNP guest;
 * -EFAULT; -EINVAL if it has not been started or has been finished, for flags,
 * the type, an unaligned length or source, and for frames without a
 * guest_memfd; -EINTR; -ENOMEM; -EIO for any other failure, with the firmware's
 * status, or 0, in @argp.
 */
int snp_launch_update(struct kvm *kvm, struct kvm_sev_cmd *argp)
{
	void __user *data = u64_to_user_ptr(argp->data);
	struct kvm_sev_info *sev = &to_kvm_svm(kvm)->sev_info;
	struct kvm_sev_snp_launch_update params;
	struct update u = {};
	int ret;

	lockdep_assert_held(&kvm->lock);
	argp->error = 0;

	if (!sev_snp_guest(kvm))
		return -ENOTTY;
	if (copy_from_user(&params, data, sizeof(params)))
		return -EFAULT;
	if (!sev->snp.context || sev->snp.finished || !update_is_valid(&params))
		return -EINVAL;

	u.type = params.type;
	if (u.type == SNP_PAGE_TYPE_CPUID) {
		u.cpuid = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
		if (!u.cpuid)
			return -ENOMEM;
	}

	ret = update(kvm, &params, &u);
	argp->error = u.error;
	if (!ret && copy_to_user(data, &params, sizeof(params)))
		ret = -EFAULT;
	kfree(u.cpuid);
	return ret;
}

/**
 * snp_vm_destroy() - Let the firmware forget a guest.
 * @kvm: the VM; its guest_memfds are gone, its vCPUs do not run any more
 *
 * VMSAs go back first: the ASID must be that of no page when the next guest
 * gets it.
 *
 * Context: may sleep.
 */
void snp_vm_destroy(struct kvm *kvm)
{
	struct kvm_sev_info *sev = &to_kvm_svm(kvm)->sev_info;
	struct kvm_snp *snp = &sev->snp;
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, kvm)
		snp_take_vmsa_back(vcpu);
	if (snp_is_asid_lost(sev->asid))
		snp->asid_lost = true;

	if (snp->context && destroy_context(snp->context))
		snp->asid_lost = true;
	snp->context = NULL;
}
