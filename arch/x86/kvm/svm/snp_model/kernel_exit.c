// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits of the model's CPU: which go to KVM as they are, and what becomes of
 * the others: most are the guest's own to deal with, by #VC.
 *
 * APM volume 2, "Types of Exits".
 */
#include <linux/kvm_host.h>

#include "kernel_cpu.h"
#include "kernel_model.h"

static void skip(struct kvm_vcpu *vcpu, unsigned int bytes)
{
	snp_cpu_of(vcpu)->vmsa->rip += bytes;
}

/**
 * snp_cpu_is_automatic() - Whether hardware hands an exit to the hypervisor.
 * @vcpu: the vCPU; RIP is moved where the instruction counts as done
 * @exit_code: of the own VMCB
 *
 * Context: any.
 */
bool snp_cpu_is_automatic(struct kvm_vcpu *vcpu, u64 exit_code)
{
	switch (exit_code) {
	case SVM_EXIT_INTR:
	case SVM_EXIT_NMI:
	case SVM_EXIT_SMI:
	case SVM_EXIT_INIT:
	case SVM_EXIT_VINTR:
	case SVM_EXIT_SHUTDOWN:
	case SVM_EXIT_EXCP_BASE + MC_VECTOR:
	case (u64)SVM_EXIT_ERR:
	case SVM_EXIT_ERR & U32_MAX:
		return true;
	case SVM_EXIT_HLT:
		skip(vcpu, 1);
		return true;
	case SVM_EXIT_PAUSE:
		skip(vcpu, 2);
		return true;
	default:
		return false;
	}
}

/**
 * snp_cpu_to_kvm() - Let KVM see an exit.
 * @vcpu: the vCPU
 * @exit_code: as hardware would tell it
 * @info_1: likewise
 * @info_2: likewise
 *
 * Return: SNP_TO_KVM.
 */
enum snp_outcome snp_cpu_to_kvm(struct kvm_vcpu *vcpu, u64 exit_code,
				u64 info_1, u64 info_2)
{
	struct vmcb_control_area *control = &to_svm(vcpu)->vmcb->control;

	control->exit_code = lower_32_bits(exit_code);
	control->exit_code_hi = upper_32_bits(exit_code);
	control->exit_info_1 = info_1;
	control->exit_info_2 = info_2;
	return SNP_TO_KVM;
}

static enum snp_outcome handle(struct kvm_vcpu *vcpu, struct snp_cpu *cpu)
{
	if (!cpu || cpu->exit_code == SNP_CPU_NOT_READY)
		return snp_cpu_make_ready(vcpu) ? SNP_NO_MEMORY : SNP_RESUME;

	switch (cpu->exit_code) {
	case SVM_EXIT_NPF:
		return snp_cpu_npf(vcpu);
	case SVM_EXIT_VMMCALL:
		return snp_cpu_vmmcall(vcpu);
	case SVM_EXIT_MSR:
		return snp_cpu_msr(vcpu);
	case SVM_EXIT_EXCP_BASE + UD_VECTOR:
		return snp_cpu_undefined(vcpu);
	default:
		return snp_cpu_vc(vcpu, cpu->exit_code);
	}
}

/**
 * snp_cpu_handle_exit() - svm_handle_exit() where the model is on.
 * @vcpu: any vCPU, after svm_vcpu_run()
 * @exit_fastpath: what that has done about the exit
 *
 * Context: may sleep.
 * Return: as svm_handle_exit(); -ENOMEM if the model lacks memory.
 */
int snp_cpu_handle_exit(struct kvm_vcpu *vcpu, fastpath_t exit_fastpath)
{
	struct vmcb_control_area *control = &to_svm(vcpu)->vmcb->control;

	if (control->exit_code != SNP_CPU_EXIT || !sev_snp_guest(vcpu->kvm))
		return svm_handle_exit(vcpu, exit_fastpath);

	switch (handle(vcpu, snp_cpu_of(vcpu))) {
	case SNP_TO_KVM:
		return svm_handle_exit(vcpu, exit_fastpath);
	case SNP_NO_MEMORY:
		return -ENOMEM;
	default:
		return 1;
	}
}
