// SPDX-License-Identifier: GPL-2.0-only
/*
 * What version 2 of the GHCB protocol adds: requests by MSR and VMGEXITs,
 * checked and handed to who carries them out.
 *
 * Numbers and errors are those of the GHCB specification (AMD 56421).
 */
#include <linux/kvm_host.h>

#include <asm/sev-common.h>
#include <asm/svm.h>

#include "cpuid.h"
#include "svm.h"
#include "x86.h"

/* In place of a guest frame: no preference, or not registered. */
#define GHCB_MSR_NO_GFN		GENMASK_ULL(63, GHCB_DATA_LOW)

/**
 * snp_vcpu_create() - Initialise what a vCPU has for SNP.
 * @svm: the vCPU, of an SEV-ES or SEV-SNP guest
 */
void snp_vcpu_create(struct vcpu_svm *svm)
{
	struct vcpu_snp *snp = &svm->sev_es.snp;

	snp->ghcb_gpa = INVALID_GPA;
	snp->rmp_fault_gfn = INVALID_GPA;
	snp->vmsa_gpa = INVALID_GPA;
	snp->ap_vmsa_gpa = INVALID_GPA;
	snp->ap_init_gpa = INVALID_GPA;
	mutex_init(&snp->ap_lock);
}

static bool speaks_version_2(struct vcpu_svm *svm)
{
	return to_kvm_svm(svm->vcpu.kvm)->sev_info.ghcb_version >= 2;
}

static u64 hv_features(struct vcpu_svm *svm)
{
	return sev_snp_guest(svm->vcpu.kvm) ?
	       GHCB_HV_FT_SNP | GHCB_HV_FT_SNP_AP_CREATION : 0;
}

/* The guest's request is in there, and KVM's response comes there. */
static u64 *ghcb_msr(struct vcpu_svm *svm)
{
	return &svm->vmcb->control.ghcb_gpa;
}

static void register_gpa(struct vcpu_svm *svm)
{
	gpa_t gpa = *ghcb_msr(svm) & ~GHCB_MSR_INFO_MASK;

	if (!kvm_vcpu_is_legal_gpa(&svm->vcpu, gpa)) {
		*ghcb_msr(svm) = GHCB_MSR_NO_GFN | GHCB_MSR_REG_GPA_RESP;
		return;
	}
	svm->sev_es.snp.ghcb_gpa = gpa;
	*ghcb_msr(svm) = gpa | GHCB_MSR_REG_GPA_RESP;
}

/**
 * snp_ghcb_is_registered() - Whether the guest may use a page as its GHCB.
 * @svm: the vCPU
 * @gpa: the page
 *
 * Return: True unless it is an SNP guest, which has to register it first.
 */
bool snp_ghcb_is_registered(struct vcpu_svm *svm, gpa_t gpa)
{
	return !sev_snp_guest(svm->vcpu.kvm) ||
	       svm->sev_es.snp.ghcb_gpa == gpa;
}

static int reset_hold(struct vcpu_svm *svm)
{
	/* If it is not a SIPI that ends it, this is the response. */
	*ghcb_msr(svm) = GHCB_MSR_AP_RESET_HOLD_RESP;
	return kvm_emulate_ap_reset_hold(&svm->vcpu);
}

/**
 * snp_end_reset_hold() - Tell a vCPU in an AP reset hold that a SIPI has come.
 * @svm: the vCPU
 *
 * Return: True if it was the MSR protocol by which it asked for the hold.
 */
bool snp_end_reset_hold(struct vcpu_svm *svm)
{
	if (*ghcb_msr(svm) != GHCB_MSR_AP_RESET_HOLD_RESP)
		return false;

	*ghcb_msr(svm) |= GHCB_MSR_AP_RESET_HOLD_SIPI;
	return true;
}

/**
 * snp_handle_msr_protocol() - Carry out a request by MSR.
 * @svm: the vCPU; the request is in control.ghcb_gpa
 *
 * What is not known, or not in the version that was negotiated, is left as it
 * is: to the guest a response that is none.
 *
 * Return: 1 to go on with the guest; 0 to exit to userspace.
 */
int snp_handle_msr_protocol(struct vcpu_svm *svm)
{
	if (!speaks_version_2(svm))
		return 1;

	switch (*ghcb_msr(svm) & GHCB_MSR_INFO_MASK) {
	case GHCB_MSR_HV_FT_REQ:
		*ghcb_msr(svm) = hv_features(svm) << GHCB_DATA_LOW |
				 GHCB_MSR_HV_FT_RESP;
		return 1;
	case GHCB_MSR_PREF_GPA_REQ:
		*ghcb_msr(svm) = GHCB_MSR_NO_GFN | GHCB_MSR_PREF_GPA_RESP;
		return 1;
	case GHCB_MSR_REG_GPA_REQ:
		register_gpa(svm);
		return 1;
	case GHCB_MSR_AP_RESET_HOLD_REQ:
		return reset_hold(svm);
	case GHCB_MSR_PSC_REQ:
		if (!sev_snp_guest(svm->vcpu.kvm))
			return 1;
		return snp_psc_msr(svm, *ghcb_msr(svm));
	default:
		return 1;
	}
}

/**
 * snp_ghcb_error() - Refuse a VMGEXIT.
 * @svm: the vCPU, with its GHCB mapped
 * @reason: GHCB_ERR_*
 *
 * Return: 1, to go on with the guest.
 */
int snp_ghcb_error(struct vcpu_svm *svm, u64 reason)
{
	ghcb_set_sw_exit_info_1(svm->sev_es.ghcb, 2);
	ghcb_set_sw_exit_info_2(svm->sev_es.ghcb, reason);
	return 1;
}

/* Of VMGEXITs that are for SNP guests alone. */
static u64 validate_snp_vmgexit(struct vcpu_svm *svm, u64 exit_code)
{
	switch (exit_code) {
	case SVM_VMGEXIT_PSC:
		return kvm_ghcb_sw_scratch_is_valid(svm) ?
		       0 : GHCB_ERR_MISSING_INPUT;
	case SVM_VMGEXIT_AP_CREATION:
		if (lower_32_bits(svm->vmcb->control.exit_info_1) !=
		    SVM_VMGEXIT_AP_DESTROY && !kvm_ghcb_rax_is_valid(svm))
			return GHCB_ERR_MISSING_INPUT;
		return 0;
	case SVM_VMGEXIT_GUEST_REQUEST:
		return 0;
	case SVM_VMGEXIT_EXT_GUEST_REQUEST:
		return kvm_ghcb_rax_is_valid(svm) && kvm_ghcb_rbx_is_valid(svm) ?
		       0 : GHCB_ERR_MISSING_INPUT;
	default:
		return GHCB_ERR_INVALID_EVENT;
	}
}

/**
 * snp_validate_vmgexit() - Check a VMGEXIT that version 1 does not have.
 * @svm: the vCPU; its GHCB has been read
 * @exit_code: of the VMGEXIT
 *
 * Return: 0 if snp_handle_vmgexit() can carry it out; else GHCB_ERR_*.
 */
u64 snp_validate_vmgexit(struct vcpu_svm *svm, u64 exit_code)
{
	if (!speaks_version_2(svm))
		return GHCB_ERR_INVALID_EVENT;

	switch (exit_code) {
	case SVM_VMGEXIT_HV_FEATURES:
	case SVM_VMGEXIT_TERM_REQUEST:
		return 0;
	default:
		if (!sev_snp_guest(svm->vcpu.kvm))
			return GHCB_ERR_INVALID_EVENT;
		return validate_snp_vmgexit(svm, exit_code);
	}
}

static int terminate(struct kvm_vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	vcpu->run->system_event.type = KVM_SYSTEM_EVENT_SEV_TERM;
	vcpu->run->system_event.ndata = 1;
	vcpu->run->system_event.data[0] = *ghcb_msr(to_svm(vcpu));
	return 0;
}

/**
 * snp_handle_vmgexit() - Carry out a VMGEXIT that version 1 does not have.
 * @svm: the vCPU, with its GHCB mapped
 * @exit_code: one that snp_validate_vmgexit() has found valid
 *
 * What the guest has said is taken from the VMCB and from vcpu->arch.regs: the
 * GHCB itself may change at any time.
 *
 * Context: May sleep; with kvm->srcu held.
 * Return: 1 to go on with the guest; 0 to exit to userspace; or an error for
 * KVM_RUN.
 */
int snp_handle_vmgexit(struct vcpu_svm *svm, u64 exit_code)
{
	switch (exit_code) {
	case SVM_VMGEXIT_HV_FEATURES:
		ghcb_set_sw_exit_info_2(svm->sev_es.ghcb, hv_features(svm));
		return 1;
	case SVM_VMGEXIT_TERM_REQUEST:
		return terminate(&svm->vcpu);
	case SVM_VMGEXIT_PSC:
		return snp_psc_batch(svm);
	case SVM_VMGEXIT_AP_CREATION:
		return snp_ap_create(svm);
	case SVM_VMGEXIT_GUEST_REQUEST:
		return snp_guest_request(svm);
	case SVM_VMGEXIT_EXT_GUEST_REQUEST:
		return snp_ext_guest_request(svm);
	default:
		return snp_ghcb_error(svm, GHCB_ERR_INVALID_EVENT);
	}
}
