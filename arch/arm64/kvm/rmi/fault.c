// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults of a realm's guest: private memory from a guest_memfd, shared memory
 * from the host's userspace, and what is no memory.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>

#include "realm.h"
#include "trace_arm.h"

/* A frame that the guest wants to access, and how. */
struct realm_fault {
	struct kvm_memory_slot *slot;
	gfn_t gfn;
	bool shared;		/* by its unprotected alias */
	bool write;
};

/* Userspace is to change what the frame is, or give up. */
static int exit_fault(struct kvm_vcpu *vcpu, const struct realm_fault *f, int r)
{
	kvm_prepare_memory_fault_exit(vcpu, gfn_to_gpa(f->gfn), PAGE_SIZE,
				      f->write, false, !f->shared);
	return r;
}

/*
 * Somebody else may have mapped the page.  If it is not that, the address is not
 * RAM to the realm any more, since the page was taken away, and never will be.
 */
static int check_existing(struct kvm *kvm, unsigned long ipa)
{
	struct rtt_entry entry;

	if (rmi_rtt_read_entry(kvm->arch.realm.rd, ipa, RMI_RTT_MAX_LEVEL, &entry))
		return -EFAULT;
	return entry.ripas == RMI_DESTROYED ? -EFAULT : 0;
}

static int map_private_pfn(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn,
			   unsigned long mmu_seq)
{
	unsigned long ipa = gfn_to_gpa(gfn);
	int r = -EAGAIN;

	write_lock(&kvm->mmu_lock);
	/* The page is the frame's still, and delegated as long as it is. */
	if (!mmu_invalidate_retry_gfn(kvm, mmu_seq, gfn)) {
		r = realm_map_protected(kvm, ipa, __pfn_to_phys(pfn));
		if (r == -EEXIST)
			r = check_existing(kvm, ipa);
	}
	write_unlock(&kvm->mmu_lock);
	return r;
}

static int map_private(struct kvm_vcpu *vcpu, const struct realm_fault *f)
{
	struct kvm *kvm = vcpu->kvm;
	unsigned long mmu_seq;
	kvm_pfn_t pfn;
	int r;

	r = realm_rtt_topup(kvm);
	if (r)
		return r;

	mmu_seq = kvm->mmu_invalidate_seq;
	/* Pairs with kvm_mmu_invalidate_end(): what follows is newer than this. */
	smp_rmb();
	if (!kvm_mem_is_private(kvm, f->gfn) || !kvm_slot_has_gmem(f->slot))
		return -EFAULT;
	r = kvm_gmem_get_pfn(kvm, f->slot, f->gfn, &pfn, NULL);
	if (r)
		return r;

	r = map_private_pfn(kvm, f->gfn, pfn, mmu_seq);
	kvm_release_pfn_clean(pfn);
	return r;
}

/* How much of userspace's memory around the frame can be mapped as one. */
static long shared_size(struct kvm *kvm, const struct realm_fault *f,
			kvm_pfn_t *pfn, phys_addr_t *ipa)
{
	gfn_t start = ALIGN_DOWN(f->gfn, PTRS_PER_PMD);

	if (!kvm_mem_attrs_range_has(&kvm->mem_attr_array, start,
				     start + PTRS_PER_PMD, 0))
		return PAGE_SIZE;

	return transparent_hugepage_adjust(kvm, f->slot,
					   gfn_to_hva_memslot(f->slot, f->gfn),
					   pfn, ipa);
}

/* With mmu_lock held for write; *@pfn is what is mapped, with a reference. */
static int map_shared_pfn(struct kvm *kvm, const struct realm_fault *f,
			  kvm_pfn_t *pfn, bool writable)
{
	phys_addr_t ipa = gfn_to_gpa(f->gfn) | kvm_realm_shared_bit(kvm);
	long size = shared_size(kvm, f, pfn, &ipa);

	if (size < 0)
		return size;

	return realm_map_unprotected(kvm, ipa, size == PMD_SIZE ?
				     RMI_RTT_BLOCK_LEVEL : RMI_RTT_MAX_LEVEL,
				     __pfn_to_phys(*pfn), writable);
}

static int map_shared_user(struct kvm_vcpu *vcpu, const struct realm_fault *f,
			   unsigned long mmu_seq)
{
	struct kvm *kvm = vcpu->kvm;
	int r = -EAGAIN;
	bool writable;
	kvm_pfn_t pfn;

	pfn = __gfn_to_pfn_memslot(f->slot, f->gfn, false, NULL, f->write,
				   &writable, NULL);
	if (pfn == KVM_PFN_ERR_HWPOISON) {
		send_sig_mceerr(BUS_MCEERR_AR,
				(void __user *)gfn_to_hva_memslot(f->slot, f->gfn),
				PAGE_SHIFT, current);
		return 0;
	}
	if (is_error_noslot_pfn(pfn))
		return -EFAULT;
	/* Devices are emulated, or none of the realm's. */
	if (!pfn_valid(pfn) || !pfn_is_map_memory(pfn)) {
		kvm_release_pfn_clean(pfn);
		return -EFAULT;
	}

	write_lock(&kvm->mmu_lock);
	if (!mmu_invalidate_retry(kvm, mmu_seq))
		r = map_shared_pfn(kvm, f, &pfn, writable);
	if (!r && writable)
		kvm_set_pfn_dirty(pfn);
	write_unlock(&kvm->mmu_lock);
	kvm_set_pfn_accessed(pfn);
	kvm_release_pfn_clean(pfn);
	return r;
}

static int map_shared(struct kvm_vcpu *vcpu, const struct realm_fault *f)
{
	struct kvm *kvm = vcpu->kvm;
	unsigned long mmu_seq;
	int r;

	r = realm_rtt_topup(kvm);
	if (r)
		return r;

	mmu_seq = kvm->mmu_invalidate_seq;
	/* As in map_private() */
	smp_rmb();
	if (kvm_mem_is_private(kvm, f->gfn))
		return -EFAULT;

	/* Of a realm's files nothing is shared, also of one that can be mapped. */
	if (kvm_memslot_is_gmem_only(f->slot))
		return -EFAULT;
	return map_shared_user(vcpu, f, mmu_seq);
}

/* What has no memory is a device, if the RMM lets KVM emulate the access. */
static int emulate(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	if (!kvm_vcpu_dabt_isvalid(vcpu)) {
		kvm_rec_inject_sea(vcpu);
		return 1;
	}
	return io_mem_abort(vcpu, gpa | (kvm_vcpu_get_hfar(vcpu) & ~PAGE_MASK));
}

static bool has_memory(const struct realm_fault *f)
{
	bool writable;

	/* Private memory needs none of userspace's. */
	if (!f->shared || kvm_memslot_is_gmem_only(f->slot))
		return true;
	if (kvm_is_error_hva(gfn_to_hva_memslot_prot(f->slot, f->gfn, &writable)))
		return false;
	return writable || !f->write;
}

static int handle_fault(struct kvm_vcpu *vcpu, const struct realm_fault *f)
{
	int r;

	if (!has_memory(f))
		return emulate(vcpu, gfn_to_gpa(f->gfn));

	r = f->shared ? map_shared(vcpu, f) : map_private(vcpu, f);
	if (r == -EFAULT || r == -EHWPOISON)
		return exit_fault(vcpu, f, r);
	/* On -EAGAIN someone was there first, or in between. */
	return r && r != -EAGAIN ? r : 1;
}

/**
 * kvm_realm_handle_abort() - Handle an abort that made a REC exit.
 * @vcpu: The vCPU, with vcpu->arch.fault filled in.
 *
 * Context: May sleep.
 * Return: 1 to run on, 0 to exit to userspace as vcpu->run says; -EFAULT or
 * -EHWPOISON with KVM_EXIT_MEMORY_FAULT; or another error.
 */
int kvm_realm_handle_abort(struct kvm_vcpu *vcpu)
{
	phys_addr_t ipa = kvm_vcpu_get_fault_ipa(vcpu);
	unsigned long fsc = kvm_vcpu_trap_get_fault_type(vcpu);
	u64 shared_bit = kvm_realm_shared_bit(vcpu->kvm);
	struct realm_fault f;
	int idx, r;

	trace_kvm_guest_fault(*vcpu_pc(vcpu), kvm_vcpu_get_esr(vcpu),
			      kvm_vcpu_get_hfar(vcpu), ipa);

	f.gfn = gpa_to_gfn(ipa & ~shared_bit);
	f.shared = ipa & shared_bit;
	f.write = !kvm_vcpu_trap_is_iabt(vcpu) && kvm_is_write_fault(vcpu);
	if (fsc != FSC_FAULT && fsc != FSC_PERM)
		return exit_fault(vcpu, &f, -EFAULT);

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	f.slot = gfn_to_memslot(vcpu->kvm, f.gfn);
	r = handle_fault(vcpu, &f);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return r;
}

/**
 * kvm_realm_prepare_memslot() - Ask whether a realm can have a memslot.
 * @kvm: The VM.
 * @new: The memslot.
 *
 * Return: 0; -EFAULT if some of it is beyond the protected addresses; -EINVAL if
 * it is to be logged, as the realm's writes are not.
 */
int kvm_realm_prepare_memslot(struct kvm *kvm,
			      const struct kvm_memory_slot *new)
{
	if (new->base_gfn + new->npages > gpa_to_gfn(realm_protected_end(kvm)))
		return -EFAULT;
	if (new->flags & KVM_MEM_LOG_DIRTY_PAGES)
		return -EINVAL;
	return 0;
}
