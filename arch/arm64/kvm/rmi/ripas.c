// SPDX-License-Identifier: GPL-2.0-only
/*
 * RIPAS: which protected addresses are RAM to a realm, before it runs and when
 * it asks for a change.
 */
#include "realm.h"

/* A part of [*@base, top) that one command can do; on to what is left. */
static int init_some(struct kvm *kvm, unsigned long *base, unsigned long top)
{
	unsigned long ret, done;
	int level;

	ret = rmi_rtt_init_ripas(kvm->arch.realm.rd, *base, top, &done);
	if (!ret && done > *base && done <= top) {
		*base = done;
		return 0;
	}
	/* The entry covers more than the range: it takes a smaller one. */
	if (rmi_is_rtt_error(ret, &level) && level < RMI_RTT_MAX_LEVEL)
		return realm_rtt_create(kvm, *base, level, level + 1);
	return ret ? rmi_to_errno(ret) : -EIO;
}

static int init_range(struct kvm *kvm, unsigned long base, unsigned long top)
{
	int r = 0;

	while (base < top && (!r || r == -EAGAIN)) {
		r = realm_rtt_topup(kvm);
		if (r)
			break;

		write_lock(&kvm->mmu_lock);
		r = init_some(kvm, &base, top);
		write_unlock(&kvm->mmu_lock);
		cond_resched();
	}
	return r;
}

/* Of a slot that the host maps, nothing can be private. */
static bool needs_ripas(const struct kvm_memory_slot *slot)
{
	return kvm_slot_has_gmem(slot) && !kvm_memslot_is_gmem_only(slot) &&
	       !slot->arch.realm_has_ripas;
}

/**
 * realm_init_memslots_ripas() - Make RAM of the private memory of new memslots.
 * @kvm: The realm's VM; the realm is NEW.
 *
 * In the order of their frames, as the realm's measurement depends on it.
 *
 * Context: May sleep; with slots_lock and config_lock held; takes mmu_lock.
 * Return: 0; -ENOMEM, or the RMM's error.
 */
int realm_init_memslots_ripas(struct kvm *kvm)
{
	struct kvm_memory_slot *slot;
	struct kvm_memslot_iter iter;
	int r;

	lockdep_assert_held(&kvm->slots_lock);
	lockdep_assert_held(&kvm->arch.config_lock);

	kvm_for_each_memslot_in_gfn_range(&iter, kvm_memslots(kvm), 0,
					  gpa_to_gfn(realm_protected_end(kvm))) {
		slot = iter.slot;
		if (!needs_ripas(slot))
			continue;

		r = init_range(kvm, gfn_to_gpa(slot->base_gfn),
			       gfn_to_gpa(slot->base_gfn + slot->npages));
		if (r)
			return r;
		slot->arch.realm_has_ripas = true;
	}
	return 0;
}

static int set_some(struct kvm_vcpu *vcpu, unsigned long *base,
		    unsigned long top)
{
	phys_addr_t rd = vcpu->kvm->arch.realm.rd;
	unsigned long ret, done;
	int level;

	ret = rmi_rtt_set_ripas(rd, vcpu->arch.rec.rec, *base, top, &done);
	if (!ret && done > *base && done <= top) {
		*base = done;
		return 0;
	}
	if (rmi_is_rtt_error(ret, &level) && level < RMI_RTT_MAX_LEVEL)
		return realm_rtt_split(vcpu->kvm, *base, level);
	return ret ? rmi_to_errno(ret) : -EIO;
}

/**
 * kvm_realm_set_ripas() - Do what a REC's last exit asked for.
 * @vcpu: The vCPU, not running.
 * @base: Where the request starts.
 * @top: Where to end, at most where the request ends.
 * @next: Where it has ended, also on failure; the REC can see that.
 *
 * Context: May sleep; with vcpu->mutex held; takes mmu_lock.
 * Return: 0; -ENOMEM; -ENXIO if there is something that cannot be changed, as a
 * page that was destroyed; or another error of the RMM.
 */
int kvm_realm_set_ripas(struct kvm_vcpu *vcpu, gpa_t base, gpa_t top,
			gpa_t *next)
{
	unsigned long pos = base;
	int r = 0;

	while (pos < top && (!r || r == -EAGAIN)) {
		r = realm_rtt_topup(vcpu->kvm);
		if (r)
			break;

		write_lock(&vcpu->kvm->mmu_lock);
		r = set_some(vcpu, &pos, top);
		write_unlock(&vcpu->kvm->mmu_lock);
		cond_resched();
	}
	*next = pos;
	return r;
}
