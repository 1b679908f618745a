// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that SVM alone lacks: PVALIDATE and RMPADJUST, which it takes as
 * undefined, VMGEXIT, which is VMMCALL to it, and the GHCB's MSR.
 */
#include <linux/kvm_host.h>

#include "../../x86.h"
#include "kernel_cpu.h"

#define INSN_SIZE		4

static const u8 pvalidate[INSN_SIZE] = { 0xf2, 0x0f, 0x01, 0xff };
static const u8 rmpadjust[INSN_SIZE] = { 0xf3, 0x0f, 0x01, 0xfe };
/* REP VMMCALL */
static const u8 vmgexit[INSN_SIZE] = { 0xf3, 0x0f, 0x01, 0xd9 };

#define MSR_INSN_SIZE		2

static bool is_insn(const u8 *bytes, const u8 *insn)
{
	return !memcmp(bytes, insn, INSN_SIZE);
}

static enum snp_outcome general_protection(struct kvm_vcpu *vcpu)
{
	kvm_queue_exception_e(vcpu, GP_VECTOR, 0);
	return SNP_RESUME;
}

static void set_flag(struct sev_es_save_area *vmsa, u64 flag, bool on)
{
	if (on)
		vmsa->rflags |= flag;
	else
		vmsa->rflags &= ~flag;
}

static enum snp_outcome retire(struct kvm_vcpu *vcpu,
			       const struct snpm_guest_result *r,
			       bool changes_carry)
{
	struct sev_es_save_area *vmsa = snp_cpu_of(vcpu)->vmsa;

	vmsa->rax = r->eax;
	set_flag(vmsa, X86_EFLAGS_ZF, !r->eax);
	if (changes_carry)
		set_flag(vmsa, X86_EFLAGS_CF, r->carry);
	vmsa->rip += INSN_SIZE;
	snp_rmp_changed();
	return SNP_RESUME;
}

/* RAX has the page's address, RCX its size, RDX the rest. */
static enum snp_outcome execute(struct kvm_vcpu *vcpu, bool is_pvalidate)
{
	const struct sev_es_save_area *vmsa = snp_cpu_of(vcpu)->vmsa;
	struct snpm_guest_insn insn = {
		.asid = to_svm(vcpu)->vmcb->control.asid,
		.vmpl = vmsa->vmpl,
		.rcx = is_pvalidate ? lower_32_bits(vmsa->rcx) : vmsa->rcx,
		.rdx = is_pvalidate ? lower_32_bits(vmsa->rdx) : vmsa->rdx,
	};
	u64 npf = PFERR_USER_MASK | PFERR_GUEST_FINAL_MASK | SNPM_ERROR_ENC;
	struct snpm_guest_result r;
	enum snp_outcome outcome;
	struct snp_leaf leaf;

	outcome = snp_guest_translate(vcpu, vmsa->rax & PAGE_MASK, false,
				      &insn.gpa);
	if (outcome != SNP_DONE)
		return outcome;
	insn.gpa &= ~SNP_C_MASK;
	if (!snp_npt_lookup(vcpu, insn.gpa, &leaf))
		return snp_cpu_npf_to_kvm(vcpu, npf, insn.gpa);
	insn.spa = leaf.spa;
	insn.nested = leaf.size;
	r = is_pvalidate ? snpm_pvalidate(&insn) : snpm_rmpadjust(&insn);
	if (is_pvalidate && !r.fault.kind && !r.eax && !(insn.rdx & 1))
		snp_rmp_rescinded(leaf.spa, insn.rcx ? SNPM_2M : SNPM_4K);
	snp_leaf_put(&leaf);

	switch (r.fault.kind) {
	case SNPM_FAULT_NONE:
		return retire(vcpu, &r, is_pvalidate);
	case SNPM_FAULT_VC:
		return snp_cpu_vc(vcpu, r.fault.error);
	case SNPM_FAULT_GP:
		return general_protection(vcpu);
	default:
		return snp_cpu_npf_to_kvm(vcpu, npf | PFERR_PRESENT_MASK |
					  r.fault.error, insn.gpa);
	}
}

enum snp_outcome snp_cpu_undefined(struct kvm_vcpu *vcpu)
{
	const struct sev_es_save_area *vmsa = snp_cpu_of(vcpu)->vmsa;
	enum snp_outcome outcome;
	u8 bytes[INSN_SIZE];

	outcome = snp_guest_read(vcpu, vmsa->rip, bytes, sizeof(bytes));
	if (outcome != SNP_DONE)
		return outcome;
	if (is_insn(bytes, pvalidate) || is_insn(bytes, rmpadjust)) {
		if (vmsa->cpl)
			return general_protection(vcpu);
		return execute(vcpu, is_insn(bytes, pvalidate));
	}
	kvm_queue_exception(vcpu, UD_VECTOR);
	return SNP_RESUME;
}

enum snp_outcome snp_cpu_vmmcall(struct kvm_vcpu *vcpu)
{
	struct sev_es_save_area *vmsa = snp_cpu_of(vcpu)->vmsa;
	enum snp_outcome outcome;
	u8 bytes[INSN_SIZE];

	outcome = snp_guest_read(vcpu, vmsa->rip, bytes, sizeof(bytes));
	if (outcome != SNP_DONE)
		return outcome;
	if (!is_insn(bytes, vmgexit))
		return snp_cpu_vc(vcpu, SVM_EXIT_VMMCALL);
	vmsa->rip += INSN_SIZE;
	return snp_cpu_to_kvm(vcpu, SVM_EXIT_VMGEXIT, 0, 0);
}

enum snp_outcome snp_cpu_msr(struct kvm_vcpu *vcpu)
{
	struct vmcb_control_area *control = &to_svm(vcpu)->vmcb->control;
	struct snp_cpu *cpu = snp_cpu_of(vcpu);
	struct sev_es_save_area *vmsa = cpu->vmsa;

	if (lower_32_bits(vmsa->rcx) != MSR_AMD64_SEV_ES_GHCB)
		return snp_cpu_vc(vcpu, SVM_EXIT_MSR);
	if (cpu->exit_info_1) {
		control->ghcb_gpa = lower_32_bits(vmsa->rax) |
				    vmsa->rdx << 32;
	} else {
		vmsa->rax = lower_32_bits(control->ghcb_gpa);
		vmsa->rdx = upper_32_bits(control->ghcb_gpa);
	}
	vmsa->rip += MSR_INSN_SIZE;
	return SNP_RESUME;
}
