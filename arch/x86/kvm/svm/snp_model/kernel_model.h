/* SPDX-License-Identifier: GPL-2.0-only */
/* The SNP model in a kernel: what KVM calls of it. */
#ifndef SNP_MODEL_KERNEL_H
#define SNP_MODEL_KERNEL_H

#include <linux/errno.h>
#include <linux/kvm_host.h>
#include <linux/static_call.h>
#include <linux/types.h>

/* svm.c */
void svm_vcpu_enter_exit(struct kvm_vcpu *vcpu, bool spec_ctrl_intercepted);
int svm_handle_exit(struct kvm_vcpu *vcpu, fastpath_t exit_fastpath);
void svm_reload_tss(struct kvm_vcpu *vcpu);

#ifdef CONFIG_KVM_AMD_SNP_MODEL

/* kernel_start.c */
extern bool snp_model_is_on;
void snp_model_start(void);
bool snp_model_has(unsigned int feature);
void snp_model_cpuid(u32 *ebx, u32 *ecx, u32 *edx);

/* kernel_cpu.c */
void snp_cpu_enter_exit(struct kvm_vcpu *vcpu, bool spec_ctrl_intercepted);
void snp_cpu_free(struct kvm_vcpu *vcpu);

/* kernel_exit.c */
int snp_cpu_handle_exit(struct kvm_vcpu *vcpu, fastpath_t exit_fastpath);

/* The CPU's own way, until the model starts. */
DECLARE_STATIC_CALL(svm_enter_exit, svm_vcpu_enter_exit);

#define svm_enter_exit(vcpu, spec_ctrl_intercepted) \
	static_call(svm_enter_exit)(vcpu, spec_ctrl_intercepted)

#else

#define snp_model_is_on		false
#define snp_cpu_handle_exit	svm_handle_exit

static inline void snp_model_start(void) {}

static inline bool snp_model_has(unsigned int feature)
{
	return false;
}

static inline void snp_model_cpuid(u32 *ebx, u32 *ecx, u32 *edx) {}

static inline void snp_cpu_free(struct kvm_vcpu *vcpu) {}

#define svm_enter_exit(vcpu, spec_ctrl_intercepted) \
	svm_vcpu_enter_exit(vcpu, spec_ctrl_intercepted)

#endif

#define sev_cpu_has(feature)	(boot_cpu_has(feature) || snp_model_has(feature))

#endif
