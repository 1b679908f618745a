// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a realm: what it is created with, created, activated, stopped and
 * destroyed.
 *
 * A VM is stopped when its mappings go, and destroyed after its vCPUs: RECs keep
 * the RMM from destroying the realm.
 */
#include <linux/bitfield.h>
#include <linux/gfp.h>
#include <linux/idr.h>
#include <linux/mm.h>

#include <asm/kvm_mmu.h>
#include <asm/stage2_pgtable.h>

#include "realm.h"

#define REALM_MIN_IA_BITS	32

/* The RMM's, and not those of kvm/vmid.c. */
static DEFINE_IDA(realm_vmids);

static void set_state(struct kvm *kvm, enum realm_state state)
{
	lockdep_assert_held(&kvm->arch.config_lock);

	WRITE_ONCE(kvm->arch.realm.state, state);
}

/* All that the RMM offers of what costs nothing. */
static void init_config(struct realm_config *config)
{
	u64 f = rmi_feature_register0();

	config->hash_algo = f & RMI_FEATURE_REGISTER_0_HASH_SHA_256 ?
			    RMI_HASH_SHA_256 : RMI_HASH_SHA_512;
	config->num_bps = FIELD_GET(RMI_FEATURE_REGISTER_0_NUM_BPS, f);
	config->num_wps = FIELD_GET(RMI_FEATURE_REGISTER_0_NUM_WPS, f);
}

/**
 * kvm_init_realm_vm() - Make a realm of a new VM, if its type says so.
 * @kvm: The VM.
 * @type: What userspace gave as its type; on return that of an ordinary VM with
 * the same size of addresses, as far as there are such.
 *
 * Return: 0; -EINVAL if realms, or ones of that size, cannot be had.
 */
int kvm_init_realm_vm(struct kvm *kvm, unsigned long *type)
{
	struct realm *realm = &kvm->arch.realm;
	u32 ia_bits = KVM_VM_TYPE_ARM_IPA_SIZE(*type);

	if ((*type & KVM_VM_TYPE_ARM_MASK) != KVM_VM_TYPE_ARM_REALM)
		return 0;
	if (!static_branch_unlikely(&kvm_rmi_is_available))
		return -EINVAL;

	ia_bits = ia_bits ?: KVM_PHYS_SHIFT;
	if (ia_bits < REALM_MIN_IA_BITS || ia_bits > kvm_realm_ipa_limit())
		return -EINVAL;

	realm->is_realm = true;
	realm->ia_bits = ia_bits;
	realm->state = REALM_STATE_NONE;
	INIT_LIST_HEAD(&realm->spare_rtts);
	init_config(&realm->config);

	*type &= ~(KVM_VM_TYPE_ARM_MASK | KVM_VM_TYPE_ARM_IPA_SIZE_MASK);
	*type |= min(ia_bits, get_kvm_ipa_limit());
	return 0;
}

/**
 * kvm_realm_max_vcpus() - How many RECs a realm can have.
 *
 * Return: That.
 */
unsigned int kvm_realm_max_vcpus(void)
{
	return BIT(FIELD_GET(RMI_FEATURE_REGISTER_0_MAX_RECS_ORDER,
			     rmi_feature_register0()));
}

static void free_start(struct realm *realm, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		realm_granule_free(realm->rtt_start + i * RMI_GRANULE_SIZE);
}

/* As few levels as there can be, with up to 16 adjacent tables to start with. */
static void choose_start(struct realm *realm)
{
	int levels = stage2_pgtable_levels(realm->ia_bits);
	int shift;

	realm->rtt_level_start = RMI_RTT_MAX_LEVEL + 1 - levels;
	shift = RMI_RTT_LEVEL_SHIFT(realm->rtt_level_start - 1);
	realm->rtt_num_start = realm->ia_bits > shift ?
			       1 << (realm->ia_bits - shift) : 1;
}

static int alloc_start(struct realm *realm)
{
	unsigned int order, i;
	struct page *page;

	choose_start(realm);
	order = ilog2(realm->rtt_num_start);
	page = alloc_pages(GFP_KERNEL_ACCOUNT, order);
	if (!page)
		return -ENOMEM;

	split_page(page, order);
	realm->rtt_start = page_to_phys(page);
	for (i = 0; i < realm->rtt_num_start; i++) {
		if (realm_granule_delegate(realm->rtt_start + i * RMI_GRANULE_SIZE))
			goto out_free;
	}
	return 0;

out_free:
	free_start(realm, i);
	for (; i < realm->rtt_num_start; i++)
		__free_page(page + i);
	return -ENOMEM;
}

static u64 param_flags(const struct realm *realm)
{
	u64 flags = 0;

	if (realm->ia_bits > 48)
		flags |= RMI_REALM_PARAM_FLAG_LPA2;
	if (realm->config.sve)
		flags |= RMI_REALM_PARAM_FLAG_SVE;
	if (realm->config.pmu)
		flags |= RMI_REALM_PARAM_FLAG_PMU;
	return flags;
}

static void fill_params(struct realm_params *params, const struct realm *realm)
{
	params->flags = param_flags(realm);
	params->s2sz = realm->ia_bits;
	params->sve_vl = realm->config.sve ? realm->config.sve_vl : 0;
	params->num_bps = realm->config.num_bps;
	params->num_wps = realm->config.num_wps;
	params->pmu_num_ctrs = realm->config.pmu ? realm->config.pmu_num_ctrs : 0;
	params->hash_algo = realm->config.hash_algo;
	params->vmid = realm->vmid;
	params->rtt_base = realm->rtt_start;
	params->rtt_level_start = realm->rtt_level_start;
	params->rtt_num_start = realm->rtt_num_start;
}

static int create_with_params(struct realm *realm)
{
	struct realm_params *params;
	unsigned long ret;

	params = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!params)
		return -ENOMEM;

	fill_params(params, realm);
	ret = rmi_realm_create(realm->rd, virt_to_phys(params));
	free_page((unsigned long)params);
	return rmi_to_errno(ret);
}

static int create(struct realm *realm)
{
	int r, vmid;

	vmid = ida_alloc_max(&realm_vmids, BIT(kvm_get_vmid_bits()) - 1,
			     GFP_KERNEL_ACCOUNT);
	if (vmid < 0)
		return vmid;
	realm->vmid = vmid;

	r = -ENOMEM;
	realm->rd = realm_granule_alloc(GFP_KERNEL_ACCOUNT);
	if (!realm->rd)
		goto out_free_vmid;

	r = alloc_start(realm);
	if (r)
		goto out_free_rd;

	r = create_with_params(realm);
	if (r)
		goto out_free_start;
	return 0;

out_free_start:
	free_start(realm, realm->rtt_num_start);
out_free_rd:
	realm_granule_free(realm->rd);
	realm->rd = 0;
out_free_vmid:
	ida_free(&realm_vmids, vmid);
	return r;
}

/**
 * kvm_realm_create() - Let the RMM create a realm, if it has not yet.
 * @kvm: The realm's VM.
 *
 * The memslots' private memory is made RAM: those that there are when the realm
 * is created by order of their frames, then any that came after the last call.
 *
 * Context: May sleep; with slots_lock and config_lock held.
 * Return: 0 if the realm is NEW; -EBUSY if it is past that; -ENOMEM, -ENOSPC
 * without a VMID, or the RMM's error, after which it can be tried again.
 */
int kvm_realm_create(struct kvm *kvm)
{
	int r;

	lockdep_assert_held(&kvm->slots_lock);
	lockdep_assert_held(&kvm->arch.config_lock);

	switch (kvm->arch.realm.state) {
	case REALM_STATE_NONE:
		r = create(&kvm->arch.realm);
		if (r)
			return r;
		set_state(kvm, REALM_STATE_NEW);
		fallthrough;
	case REALM_STATE_NEW:
		return realm_init_memslots_ripas(kvm);
	default:
		return -EBUSY;
	}
}

static int activate(struct kvm *kvm)
{
	int r;

	if (kvm->arch.realm.state == REALM_STATE_ACTIVE)
		return 0;

	r = kvm_realm_create(kvm);
	if (r)
		return r;

	/* There cannot be any more later. */
	r = kvm_create_all_recs(kvm);
	if (r)
		return r;

	r = rmi_to_errno(rmi_realm_activate(kvm->arch.realm.rd));
	if (!r)
		set_state(kvm, REALM_STATE_ACTIVE);
	return r;
}

/**
 * kvm_realm_activate() - Have a realm that can run.
 * @kvm: The realm's VM.
 *
 * For the first run of each vCPU; does nothing if the realm is ACTIVE.
 *
 * Context: May sleep; with vcpu->mutex held; takes slots_lock and config_lock.
 * Return: 0; see kvm_realm_create(), kvm_create_all_recs(); or the RMM's error.
 */
int kvm_realm_activate(struct kvm *kvm)
{
	int r;

	if (kvm_realm_state(kvm) == REALM_STATE_ACTIVE)
		return 0;

	mutex_lock(&kvm->slots_lock);
	mutex_lock(&kvm->arch.config_lock);
	r = activate(kvm);
	mutex_unlock(&kvm->arch.config_lock);
	mutex_unlock(&kvm->slots_lock);
	return r;
}

/**
 * kvm_realm_kill() - Stop a realm at once, as nothing else is safe.
 * @kvm: The realm's VM.
 *
 * All of its vCPUs leave it, and no ioctl but closing works any more.
 *
 * Context: Any that can wait for other CPUs.
 */
void kvm_realm_kill(struct kvm *kvm)
{
	if (!kvm->vm_dead)
		kvm_vm_dead(kvm);
}

/**
 * kvm_realm_stop() - Unmap all that a realm has, for good.
 * @kvm: The realm's VM; nobody runs it any more.
 *
 * Context: May sleep; takes config_lock and mmu_lock.
 */
void kvm_realm_stop(struct kvm *kvm)
{
	enum realm_state state;

	mutex_lock(&kvm->arch.config_lock);
	state = kvm->arch.realm.state;
	if (state == REALM_STATE_NEW || state == REALM_STATE_ACTIVE) {
		set_state(kvm, REALM_STATE_DYING);
		realm_unmap_all(kvm);
	}
	mutex_unlock(&kvm->arch.config_lock);
}

static void destroy(struct realm *realm)
{
	/* Its VMID would be refused for any other realm, too. */
	if (rmi_realm_destroy(realm->rd)) {
		granule_leak(1 + realm->rtt_num_start + realm->nr_rtts);
		return;
	}
	free_start(realm, realm->rtt_num_start);
	realm_granule_free(realm->rd);
	ida_free(&realm_vmids, realm->vmid);
}

/**
 * kvm_destroy_realm() - Let the RMM forget a realm.
 * @kvm: The realm's VM, stopped, without vCPUs.
 *
 * Context: May sleep.
 */
void kvm_destroy_realm(struct kvm *kvm)
{
	mutex_lock(&kvm->arch.config_lock);
	if (kvm->arch.realm.state == REALM_STATE_DYING) {
		realm_rtt_destroy_all(kvm);
		destroy(&kvm->arch.realm);
	}
	set_state(kvm, REALM_STATE_DEAD);
	mutex_unlock(&kvm->arch.config_lock);
}
