// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of the launch of an SNP guest: the VMSAs of its vCPUs and
 * LAUNCH_FINISH.
 *
 * A VMSA that has been added stays, whatever fails after it: the firmware cannot
 * take it out of the measurement, so the next try leaves it out.  Its vCPU's
 * state is protected from then on.
 */
#include <linux/err.h>
#include <linux/kvm_host.h>
#include <linux/psp-sev.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/fpu/api.h>

#include "svm.h"

static_assert(sizeof(struct kvm_sev_snp_launch_finish) == 88);

/* Where the firmware measures VMSAs, which have no place in the guest. */
#define VMSA_GPA	(INVALID_PAGE & GENMASK_ULL(47, PAGE_SHIFT))

static kvm_pfn_t vmsa_pfn(struct kvm_vcpu *vcpu)
{
	return PHYS_PFN(__pa(to_svm(vcpu)->sev_es.vmsa));
}

static int add_vmsa(struct kvm_vcpu *vcpu, int *error)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	int ret;

	lockdep_assert_held(&vcpu->mutex);

	if (vcpu->arch.guest_state_protected)
		return 0;

	/* Of a try before, there may be anything in it. */
	clear_page(svm->sev_es.vmsa);
	ret = sev_es_sync_vmsa(svm);
	if (ret)
		return ret;
	ret = snp_launch_add_page(vcpu->kvm, vmsa_pfn(vcpu), VMSA_GPA,
				  SNP_PAGE_TYPE_VMSA, error);
	if (ret)
		return ret;

	fpstate_set_confidential(&vcpu->arch.guest_fpu);
	vcpu->arch.guest_state_protected = true;
	return 0;
}

static int add_vmsas(struct kvm *kvm, int *error)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;
	int ret;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		ret = mutex_lock_killable(&vcpu->mutex);
		if (ret)
			return ret;
		ret = add_vmsa(vcpu, error);
		mutex_unlock(&vcpu->mutex);
		if (ret)
			return ret;
	}
	return 0;
}

/* What user space vouches for the guest with. */
struct id {
	void *block;
	void *auth;
};

static int copy_id(struct id *id, const struct kvm_sev_snp_launch_finish *params)
{
	if (!params->id_block_en)
		return 0;

	id->block = psp_copy_user_blob(params->id_block_uaddr,
				       KVM_SEV_SNP_ID_BLOCK_SIZE);
	if (IS_ERR(id->block))
		return PTR_ERR(id->block);
	id->auth = psp_copy_user_blob(params->id_auth_uaddr,
				      KVM_SEV_SNP_ID_AUTH_SIZE);
	if (!IS_ERR(id->auth))
		return 0;

	kfree(id->block);
	return PTR_ERR(id->auth);
}

static int finish(struct kvm *kvm, const struct kvm_sev_snp_launch_finish *params,
		  const struct id *id, int *error)
{
	struct sev_data_snp_launch_finish cmd = {
		.gctx_paddr = __psp_pa(to_kvm_svm(kvm)->sev_info.snp.context),
		.vcek_disabled = !!params->vcek_disabled,
	};

	if (id->block) {
		cmd.id_block_en = 1;
		cmd.id_block_paddr = __psp_pa(id->block);
		cmd.id_auth_paddr = __psp_pa(id->auth);
		cmd.auth_key_en = !!params->auth_key_en;
	}
	static_assert(sizeof(cmd.host_data) == sizeof(params->host_data));
	memcpy(cmd.host_data, params->host_data, sizeof(cmd.host_data));
	return snp_do_cmd(SEV_CMD_SNP_LAUNCH_FINISH, &cmd, error);
}

/* From here on it can run. */
static void allow_run(struct kvm *kvm)
{
	WRITE_ONCE(to_kvm_svm(kvm)->sev_info.snp.finished, true);
	WRITE_ONCE(kvm->arch.pre_fault_allowed, true);
}

/**
 * snp_launch_finish() - KVM_SEV_SNP_LAUNCH_FINISH.
 * @kvm: the VM
 * @argp: the command, with a struct kvm_sev_snp_launch_finish; the firmware's
 *	status is set, 0 if it has not refused
 *
 * Context: may sleep, with kvm->lock held; takes vcpu->mutex of all vCPUs.
 * Return: 0; -ENOTTY if it is no SNP guest; -EFAULT; -EINVAL if it has not been
 * started or has been finished, for flags, an ID block or authentication at
 * address 0, and for vCPUs that are being debugged; -EAGAIN if a vCPU is being
 * created; -EINTR; -ENOMEM; -EIO with the firmware's status, or 0, in @argp; or
 * another error of snp_do_cmd().  It can be tried again after any of them.
 */
int snp_launch_finish(struct kvm *kvm, struct kvm_sev_cmd *argp)
{
	struct kvm_snp *snp = &to_kvm_svm(kvm)->sev_info.snp;
	struct kvm_sev_snp_launch_finish params;
	int error = 0, ret;
	struct id id = {};

	lockdep_assert_held(&kvm->lock);
	argp->error = 0;

	if (!sev_snp_guest(kvm))
		return -ENOTTY;
	if (copy_from_user(&params, u64_to_user_ptr(argp->data), sizeof(params)))
		return -EFAULT;
	if (!snp->context || snp->finished || params.flags)
		return -EINVAL;
	if (kvm->created_vcpus != atomic_read(&kvm->online_vcpus))
		return -EAGAIN;
	ret = copy_id(&id, &params);
	if (ret)
		return ret;

	ret = add_vmsas(kvm, &error);
	if (!ret)
		ret = finish(kvm, &params, &id, &error);
	if (!ret)
		allow_run(kvm);
	if (ret == -EIO)
		argp->error = error;
	kfree(id.auth);
	kfree(id.block);
	return ret;
}

/**
 * snp_take_vmsa_back() - Take the VMSA that a vCPU has started with back.
 * @vcpu: the vCPU, which does not run any more
 *
 * It may be lost; either way the caller frees it.
 *
 * Context: may sleep.
 */
void snp_take_vmsa_back(struct kvm_vcpu *vcpu)
{
	struct vcpu_snp *snp = &to_svm(vcpu)->sev_es.snp;

	/* One that has not been added is the host's, or was lost by the attempt. */
	if (!vcpu->arch.guest_state_protected)
		return;
	/* The end of the VM and that of the vCPU both want it back. */
	if (!snp->vmsa_lost)
		snp->vmsa_lost = snp_take_page_back(vmsa_pfn(vcpu));
}
