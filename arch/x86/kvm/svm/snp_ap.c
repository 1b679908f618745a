// SPDX-License-Identifier: GPL-2.0-only
/*
 * States that an SNP guest gives its vCPUs to run from.
 *
 * Vocabulary
 *
 *   VMSA	a page of private memory with the registers of a vCPU
 *   launched	a vCPU runs from the VMSA that was part of the launch, until the
 *		guest gives it another or none for the first time
 *   next	what the guest has decided on but the vCPU not heard of yet
 *   stale	the VMSA's page has to be looked up before it is used
 *
 * Invariants
 *
 *   I1	Whoever asks changes what is next; what a vCPU runs from changes only in
 *	its own context, while it is not in the guest.
 *   I2	The guest is entered with a VMSA of its own only if that has been looked
 *	up like a page that is mapped: no invalidation of its frame has come up
 *	since.  One that comes up makes it stale, and waits for the vCPU to have
 *	left the guest.  So no reference to the page is needed.
 *   I3	Without a VMSA the vCPU has guest_state_missing.
 *
 * Locking
 *
 *   Order: ap_lock, mmu_lock.
 *   - What is next, of any vCPU, changes under its ap_lock.
 *   - vmsa_gpa and vmsa_stale change under mmu_lock, held shared by the vCPU
 *     itself and exclusively by who invalidates.
 */
#include <linux/kvm_host.h>

#include <asm/svm.h>

#include "cpuid.h"
#include "lapic.h"
#include "mmu.h"
#include "svm.h"
#include "x86.h"

static struct vcpu_snp *to_snp(struct kvm_vcpu *vcpu)
{
	return &to_svm(vcpu)->sev_es.snp;
}

/* Whether @svm may give a vCPU the page at @gpa to run from. */
static bool is_vmsa_acceptable(struct vcpu_svm *svm, gpa_t gpa)
{
	struct kvm_vcpu *vcpu = &svm->vcpu;

	if (vcpu->arch.regs[VCPU_REGS_RAX] !=
	    to_kvm_svm(vcpu->kvm)->sev_info.vmsa_features)
		return false;
	if (!kvm_vcpu_is_legal_aligned_gpa(vcpu, gpa, PAGE_SIZE))
		return false;
	/*
	 * Processors have an erratum: next to a VMSA that starts a 2 MiB page,
	 * large pages of the host's seem to violate the RMP.
	 */
	if (IS_ALIGNED(gpa, PMD_SIZE))
		return false;

	return gpa != svm->sev_es.snp.ghcb_gpa &&
	       kvm_mem_is_private(vcpu->kvm, gpa_to_gfn(gpa));
}

/* What was sent before is not for the state that the guest gives now. */
static void drop_init(struct kvm_vcpu *vcpu)
{
	if (!lapic_in_kernel(vcpu))
		return;
	clear_bit(KVM_APIC_INIT, &vcpu->arch.apic->pending_events);
	clear_bit(KVM_APIC_SIPI, &vcpu->arch.apic->pending_events);
}

/* From the next INIT on; until then all stays as it is or was to be. */
static void set_next_on_init(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct vcpu_snp *snp = to_snp(vcpu);

	mutex_lock(&snp->ap_lock);
	drop_init(vcpu);
	snp->ap_init_gpa = gpa;
	mutex_unlock(&snp->ap_lock);
}

/* From now on, which takes back what was for an INIT. */
static void set_next(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct vcpu_snp *snp = to_snp(vcpu);

	mutex_lock(&snp->ap_lock);
	drop_init(vcpu);
	snp->ap_vmsa_gpa = gpa;
	snp->ap_init_gpa = INVALID_GPA;
	snp->ap_pending = true;
	mutex_unlock(&snp->ap_lock);

	kvm_make_request(KVM_REQ_UPDATE_PROTECTED_GUEST_STATE, vcpu);
	kvm_vcpu_kick(vcpu);
}

/**
 * snp_ap_create() - AP creation: give a vCPU another VMSA, or none.
 * @svm: the vCPU that asks, with its GHCB mapped
 *
 * Which vCPU is in the high half of SW_EXITINFO1, what to do in the low one;
 * VMPL0 is the only one there is.  The VMSA is at SW_EXITINFO2, with its
 * features in RAX.
 *
 * Context: May sleep.
 * Return: 1 with the result in the GHCB.  The vCPU hears of it soon after.
 */
int snp_ap_create(struct vcpu_svm *svm)
{
	struct vmcb_control_area *control = &svm->vmcb->control;
	u32 request = lower_32_bits(control->exit_info_1);
	gpa_t gpa = control->exit_info_2;
	struct kvm_vcpu *target;

	target = kvm_get_vcpu_by_id(svm->vcpu.kvm,
				    upper_32_bits(control->exit_info_1));
	if (!target)
		return snp_ghcb_error(svm, GHCB_ERR_INVALID_INPUT);

	switch (request) {
	case SVM_VMGEXIT_AP_CREATE_ON_INIT:
	case SVM_VMGEXIT_AP_CREATE:
		if (!is_vmsa_acceptable(svm, gpa))
			return snp_ghcb_error(svm, GHCB_ERR_INVALID_INPUT);
		if (request == SVM_VMGEXIT_AP_CREATE)
			set_next(target, gpa);
		else
			set_next_on_init(target, gpa);
		return 1;
	case SVM_VMGEXIT_AP_DESTROY:
		set_next(target, INVALID_GPA);
		return 1;
	default:
		return snp_ghcb_error(svm, GHCB_ERR_INVALID_INPUT);
	}
}

/**
 * snp_ap_init() - An INIT: use the VMSA that was created for it, if any.
 * @vcpu: the vCPU, in its own context
 *
 * Without one the vCPU waits for a SIPI and goes on where it was: KVM cannot
 * reset registers that it does not see.
 */
void snp_ap_init(struct kvm_vcpu *vcpu)
{
	struct vcpu_snp *snp = to_snp(vcpu);

	if (!sev_snp_guest(vcpu->kvm))
		return;

	mutex_lock(&snp->ap_lock);
	if (snp->ap_init_gpa != INVALID_GPA) {
		snp->ap_vmsa_gpa = snp->ap_init_gpa;
		snp->ap_init_gpa = INVALID_GPA;
		snp->ap_pending = true;
		kvm_make_request(KVM_REQ_UPDATE_PROTECTED_GUEST_STATE, vcpu);
	}
	mutex_unlock(&snp->ap_lock);
}

/* What was on its way to the old state is not for the new one. */
static void drop_events(struct vcpu_svm *svm)
{
	struct kvm_vcpu *vcpu = &svm->vcpu;

	kvm_clear_exception_queue(vcpu);
	kvm_clear_interrupt_queue(vcpu);
	vcpu->arch.nmi_injected = false;
	vcpu->arch.pv.pv_unhalted = false;
	vcpu->arch.hflags &= ~(HF_NMI_MASK | HF_IRET_MASK);
	svm->vmcb->control.event_inj = 0;
	svm->vmcb->control.int_state = 0;

	kvm_make_request(KVM_REQ_EVENT, vcpu);
	kvm_make_request(KVM_REQ_TLB_FLUSH_CURRENT, vcpu);
}

static void set_vmsa(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct vcpu_snp *snp = to_snp(vcpu);
	bool none = gpa == INVALID_GPA;

	read_lock(&vcpu->kvm->mmu_lock);
	snp->vmsa_gpa = gpa;
	snp->vmsa_stale = !none;
	read_unlock(&vcpu->kvm->mmu_lock);

	snp->vmsa_by_guest = true;
	svm->vmcb->control.vmsa_pa = INVALID_PAGE;
	vmcb_mark_all_dirty(svm->vmcb);
	drop_events(svm);

	/* No SIPI starts this one; those that come end a reset hold. */
	svm->sev_es.received_first_sipi = true;
	vcpu->arch.guest_state_missing = none;
	vcpu->arch.mp_state = none ? KVM_MP_STATE_HALTED :
				     KVM_MP_STATE_RUNNABLE;
	if (!none)
		kvm_make_request(KVM_REQ_RELOAD_PROTECTED_GUEST_STATE, vcpu);
}

/**
 * snp_ap_update() - Run from what the guest has decided on, if it has.
 * @vcpu: the vCPU, in its own context
 *
 * Context: May sleep.
 */
void snp_ap_update(struct kvm_vcpu *vcpu)
{
	struct vcpu_snp *snp = to_snp(vcpu);

	mutex_lock(&snp->ap_lock);
	if (snp->ap_pending) {
		snp->ap_pending = false;
		set_vmsa(vcpu, snp->ap_vmsa_gpa);
	}
	mutex_unlock(&snp->ap_lock);
}

/* Look up the page of the VMSA; as for a fault, it may be out of date. */
static int get_vmsa_pfn(struct kvm *kvm, gfn_t gfn, kvm_pfn_t *pfn)
{
	struct kvm_memory_slot *slot = gfn_to_memslot(kvm, gfn);

	if (slot && slot->flags & KVM_MEMSLOT_INVALID)
		return -EAGAIN;
	if (!kvm_slot_has_gmem(slot) || !kvm_mem_is_private(kvm, gfn))
		return -EFAULT;

	return kvm_gmem_get_pfn(kvm, slot, gfn, pfn, NULL);
}

static int load_vmsa(struct kvm_vcpu *vcpu)
{
	struct vcpu_snp *snp = to_snp(vcpu);
	struct kvm *kvm = vcpu->kvm;
	gfn_t gfn = gpa_to_gfn(snp->vmsa_gpa);
	unsigned long seq = kvm->mmu_invalidate_seq;
	kvm_pfn_t pfn;
	int r;

	/* Before anything that an invalidation changes; as for faults. */
	smp_rmb();
	r = get_vmsa_pfn(kvm, gfn, &pfn);
	if (r)
		return r;

	read_lock(&kvm->mmu_lock);
	if (mmu_invalidate_retry_gfn(kvm, seq, gfn))
		r = -EAGAIN;
	else
		snp->vmsa_stale = false;
	read_unlock(&kvm->mmu_lock);
	kvm_release_pfn_clean(pfn);
	if (r)
		return r;

	to_svm(vcpu)->vmcb->control.vmsa_pa = pfn_to_hpa(pfn);
	vmcb_mark_all_dirty(to_svm(vcpu)->vmcb);
	return 0;
}

/**
 * snp_ap_reload() - Look the VMSA up before the guest is entered with it.
 * @vcpu: the vCPU, in its own context
 *
 * A page that has lost its contents is no VMSA any more, of which the processor
 * makes KVM_EXIT_FAIL_ENTRY.
 *
 * Context: May sleep; with kvm->srcu held.
 * Return: 0, with the request made again if it is too early; -EFAULT or
 * -EHWPOISON with a memory fault exit if there is no private page; or another
 * error.
 */
int snp_ap_reload(struct kvm_vcpu *vcpu)
{
	struct vcpu_snp *snp = to_snp(vcpu);
	int r;

	if (!READ_ONCE(snp->vmsa_stale))
		return 0;

	r = load_vmsa(vcpu);
	if (!r)
		return 0;

	kvm_make_request(KVM_REQ_RELOAD_PROTECTED_GUEST_STATE, vcpu);
	if (r == -EAGAIN)
		return 0;
	if (r == -EFAULT || r == -EHWPOISON)
		kvm_prepare_memory_fault_exit(vcpu, snp->vmsa_gpa, PAGE_SIZE,
					      true, false, true);
	return r;
}

/**
 * snp_ap_unmap() - Private frames lose their pages, which may be VMSAs.
 * @kvm: the VM
 * @start: first frame
 * @end: frame after the last
 *
 * Context: With mmu_lock held for writing.  When it returns no vCPU is in the
 * guest with a VMSA in the range.
 */
void snp_ap_unmap(struct kvm *kvm, gfn_t start, gfn_t end)
{
	struct kvm_vcpu *vcpu;
	bool found = false;
	unsigned long i;
	gfn_t gfn;

	lockdep_assert_held_write(&kvm->mmu_lock);

	if (!sev_snp_guest(kvm))
		return;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		gfn = gpa_to_gfn(to_snp(vcpu)->vmsa_gpa);
		if (gfn < start || gfn >= end)
			continue;
		WRITE_ONCE(to_snp(vcpu)->vmsa_stale, true);
		found = true;
	}
	if (found)
		kvm_make_all_cpus_request(kvm,
					  KVM_REQ_RELOAD_PROTECTED_GUEST_STATE);
}
