// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model's CPU: VMRUN of an SNP guest until one VMEXIT, its registers in the
 * VMSA before and after.
 */
#include <linux/kvm_host.h>
#include <linux/memory_hotplug.h>
#include <linux/vmalloc.h>

#include <asm/fpu/xcr.h>

#include "../svm_ops.h"
#include "kernel_cpu.h"
#include "kernel_model.h"

/* What VMSA and VMCB have in common begins both. */
#define SAVE_SIZE	sizeof(struct vmcb_save_area)

/* All that a CPU with SNP has. */
#define MXCSR_MASK	0xffff

#define XREGS_MASK	(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM)

/* Registers that a VMCB does not hold: where KVM has them, and the VMSA. */
#define GPR(kvm, field) \
	{ VCPU_REGS_##kvm, offsetof(struct sev_es_save_area, field) }

static const struct {
	u8 reg;
	u16 offset;
} gprs[] = {
	GPR(RCX, rcx), GPR(RDX, rdx), GPR(RBX, rbx),
	GPR(RBP, rbp), GPR(RSI, rsi), GPR(RDI, rdi),
	GPR(R8, r8), GPR(R9, r9), GPR(R10, r10),
	GPR(R11, r11), GPR(R12, r12), GPR(R13, r13),
	GPR(R14, r14), GPR(R15, r15),
};

static u64 *gpr_in(struct sev_es_save_area *vmsa, unsigned int i)
{
	return (void *)vmsa + gprs[i].offset;
}

static void load_gprs(unsigned long *regs, struct sev_es_save_area *vmsa)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gprs); i++)
		regs[gprs[i].reg] = *gpr_in(vmsa, i);
}

static void store_gprs(struct sev_es_save_area *vmsa, const unsigned long *regs)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gprs); i++)
		*gpr_in(vmsa, i) = regs[gprs[i].reg];
}

/* What the host's XCR0 allows to save of them. */
static u64 xregs_mask(void)
{
	return XREGS_MASK & xgetbv(XCR_XFEATURE_ENABLED_MASK);
}

static void load_xregs(struct snp_cpu *cpu)
{
	const struct sev_es_save_area *vmsa = cpu->vmsa;
	struct snp_xregs *x = &cpu->xregs;
	u64 mask = xregs_mask();
	int i;

	memset(x, 0, sizeof(*x));
	x->i387.cwd = vmsa->x87_fcw;
	x->i387.swd = vmsa->x87_fsw;
	x->i387.twd = vmsa->x87_ftw;
	x->i387.fop = vmsa->x87_fop;
	x->i387.rip = vmsa->x87_rip;
	x->i387.rdp = vmsa->x87_dp;
	/* The guest's reserved bits must not fault here. */
	x->i387.mxcsr = vmsa->mxcsr & MXCSR_MASK;
	for (i = 0; i < 8; i++)
		memcpy(&x->i387.st_space[i * 4], &vmsa->fpreg_x87[i * 10], 10);
	memcpy(x->i387.xmm_space, vmsa->fpreg_xmm, sizeof(vmsa->fpreg_xmm));
	memcpy(x->ymm, vmsa->fpreg_ymm, sizeof(vmsa->fpreg_ymm));
	x->header.xfeatures = mask;
	asm volatile("xrstor64 %0" : : "m" (*x), "a" ((u32)mask), "d" (0)
		     : "memory");
}

static void store_xregs(struct snp_cpu *cpu)
{
	struct sev_es_save_area *vmsa = cpu->vmsa;
	struct snp_xregs *x = &cpu->xregs;
	u64 mask = xregs_mask();
	int i;

	asm volatile("xsave64 %0" : "+m" (*x) : "a" ((u32)mask), "d" (0)
		     : "memory");
	vmsa->x87_fcw = x->i387.cwd;
	vmsa->x87_fsw = x->i387.swd;
	vmsa->x87_ftw = x->i387.twd;
	vmsa->x87_fop = x->i387.fop;
	vmsa->x87_rip = x->i387.rip;
	vmsa->x87_dp = x->i387.rdp;
	vmsa->mxcsr = x->i387.mxcsr;
	for (i = 0; i < 8; i++)
		memcpy(&vmsa->fpreg_x87[i * 10], &x->i387.st_space[i * 4], 10);
	memcpy(vmsa->fpreg_xmm, x->i387.xmm_space, sizeof(vmsa->fpreg_xmm));
	memcpy(vmsa->fpreg_ymm, x->ymm, sizeof(vmsa->fpreg_ymm));
}

/* The guest's XCR0 goes with it, as far as the host's has it. */
static u64 switch_to_guest_xcr0(struct snp_cpu *cpu)
{
	u64 host = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	u64 guest = (cpu->vmsa->xcr0 & host) | XFEATURE_MASK_FP;

	if (guest != host && cpu->vmsa->cr4 & X86_CR4_OSXSAVE)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, guest);
	return host;
}

static void switch_to_host_xcr0(struct snp_cpu *cpu, u64 host)
{
	u64 guest = xgetbv(XCR_XFEATURE_ENABLED_MASK);

	if (cpu->vmsa->cr4 & X86_CR4_OSXSAVE)
		cpu->vmsa->xcr0 = guest;
	if (guest != host)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, host);
}

static bool wants_flush(struct vcpu_svm *svm, struct snp_cpu *cpu)
{
	return svm->vmcb->control.tlb_ctl ||
	       cpu->asid_generation != svm->current_vmcb->asid_generation ||
	       cpu->rmp_generation != snp_rmp_generation();
}

static void flush_if_wanted(struct vcpu_svm *svm, struct snp_cpu *cpu)
{
	struct vmcb_control_area *own = &cpu->vmcb.ptr->control;

	own->tlb_ctl = TLB_CONTROL_DO_NOTHING;
	if (!wants_flush(svm, cpu))
		return;
	cpu->asid_generation = svm->current_vmcb->asid_generation;
	cpu->rmp_generation = snp_rmp_generation();
	snp_tlb_flush(&cpu->tlb);
	own->tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
}

/* Writes of these trap on hardware; SVM alone knows no such intercepts. */
static void clear_traps(struct vmcb_control_area *control)
{
	int bit;

	for (bit = TRAP_EFER_WRITE; bit <= TRAP_CR8_WRITE; bit++)
		vmcb_clr_intercept(control, bit);
}

/* GHCB's MSR is not intercepted on hardware, which has one. */
static void intercept_ghcb_msr(struct vcpu_svm *svm)
{
	u32 msr = MSR_AMD64_SEV_ES_GHCB;

	svm->msrpm[svm_msrpm_offset(msr)] |= 3U << 2 * (msr & 0xf);
}

static void load_control(struct vcpu_svm *svm, struct snp_cpu *cpu)
{
	struct vmcb_control_area *own = &cpu->vmcb.ptr->control;

	*own = svm->vmcb->control;
	own->nested_ctl = SVM_NESTED_CTL_NP_ENABLE;
	own->nested_cr3 = __sme_pa(cpu->tlb.root);
	own->virt_ext = 0;
	own->int_ctl &= ~(AVIC_ENABLE_MASK | X2APIC_MODE_MASK);
	own->ghcb_gpa = 0;
	own->vmsa_pa = 0;
	own->clean = 0;
	clear_traps(own);
	vmcb_set_intercept(own, INTERCEPT_EXCEPTION_OFFSET + UD_VECTOR);
	intercept_ghcb_msr(svm);
	flush_if_wanted(svm, cpu);
}

/* What KVM reads of each exit. */
static void store_control(struct vcpu_svm *svm, struct snp_cpu *cpu)
{
	const struct vmcb_control_area *own = &cpu->vmcb.ptr->control;
	struct vmcb_control_area *control = &svm->vmcb->control;

	control->int_ctl &= ~(V_TPR_MASK | V_IRQ_MASK);
	control->int_ctl |= own->int_ctl & (V_TPR_MASK | V_IRQ_MASK);
	control->int_state = own->int_state & SVM_INTERRUPT_SHADOW_MASK;
	if (cpu->vmsa->rflags & X86_EFLAGS_IF)
		control->int_state |= SVM_GUEST_INTERRUPT_MASK;
	control->exit_int_info = own->exit_int_info;
	control->exit_int_info_err = own->exit_int_info_err;
	control->event_inj = 0;
	control->next_rip = 0;

	cpu->exit_code = own->exit_code | (u64)own->exit_code_hi << 32;
	cpu->exit_info_1 = own->exit_info_1;
	cpu->exit_info_2 = own->exit_info_2;
}

/* As svm_vcpu_enter_exit(), for the own VMCB. */
static noinstr void enter_exit(struct vcpu_svm *svm, bool spec_ctrl_intercepted)
{
	guest_state_enter_irqoff();
	raw_local_irq_enable();

	amd_clear_divider();
	__svm_vcpu_run(svm, spec_ctrl_intercepted);

	raw_local_irq_disable();
	guest_state_exit_irqoff();
}

/* Runs with the guest's registers and the own VMCB where KVM's are. */
static void run(struct vcpu_svm *svm, struct snp_cpu *cpu,
		bool spec_ctrl_intercepted)
{
	unsigned long *regs = svm->vcpu.arch.regs, kvm_regs[NR_VCPU_REGS];
	struct kvm_vmcb_info *current_vmcb = svm->current_vmcb;
	unsigned long vmcb01_pa = svm->vmcb01.pa;

	memcpy(kvm_regs, regs, sizeof(kvm_regs));
	load_gprs(regs, cpu->vmsa);
	svm->current_vmcb = &cpu->vmcb;
	svm->vmcb01.pa = cpu->vmcb.pa;

	enter_exit(svm, spec_ctrl_intercepted);

	svm->vmcb01.pa = vmcb01_pa;
	svm->current_vmcb = current_vmcb;
	store_gprs(cpu->vmsa, regs);
	memcpy(regs, kvm_regs, sizeof(kvm_regs));
}

static void run_vmsa(struct vcpu_svm *svm, struct snp_cpu *cpu,
		     bool spec_ctrl_intercepted)
{
	u64 host_xcr0;

	load_control(svm, cpu);
	memcpy(&cpu->vmcb.ptr->save, cpu->vmsa, SAVE_SIZE);
	load_xregs(cpu);
	host_xcr0 = switch_to_guest_xcr0(cpu);

	run(svm, cpu, spec_ctrl_intercepted);
	svm_reload_tss(&svm->vcpu);

	memcpy(cpu->vmsa, &cpu->vmcb.ptr->save, SAVE_SIZE);
	switch_to_host_xcr0(cpu, host_xcr0);
	store_xregs(cpu);
	store_control(svm, cpu);
}

/* Nothing has run: what was to be injected is as it is after an exit. */
static void run_nothing(struct vcpu_svm *svm, u64 exit_code)
{
	struct vmcb_control_area *control = &svm->vmcb->control;

	control->exit_int_info = control->event_inj;
	control->exit_int_info_err = control->event_inj_err;
	control->event_inj = 0;
	control->next_rip = 0;
	snp_cpu_to_kvm(&svm->vcpu, exit_code, 0, 0);
}

static bool features_are_known(const struct sev_es_save_area *vmsa)
{
	return vmsa->sev_features == SVM_SEV_FEAT_SNP_ACTIVE;
}

static bool is_ready(struct vcpu_svm *svm, struct snp_cpu *cpu)
{
	return cpu && cpu->vmsa_pa == svm->vmcb->control.vmsa_pa;
}

static void vmrun(struct vcpu_svm *svm, struct snp_cpu *cpu,
		  bool spec_ctrl_intercepted)
{
	u64 vmcb = __sme_clr(svm->vmcb01.pa), vmsa = cpu->vmsa_pa;
	u32 asid = svm->vmcb->control.asid;

	if (!cpu->vmsa || snpm_vmrun(vmcb, vmsa, asid).kind) {
		run_nothing(svm, SVM_EXIT_ERR);
		return;
	}
	if (features_are_known(cpu->vmsa)) {
		run_vmsa(svm, cpu, spec_ctrl_intercepted);
		if (snp_cpu_is_automatic(&svm->vcpu, cpu->exit_code))
			snp_cpu_to_kvm(&svm->vcpu, cpu->exit_code,
				       cpu->exit_info_1, cpu->exit_info_2);
		else
			snp_cpu_to_kvm(&svm->vcpu, SNP_CPU_EXIT, 0, 0);
	} else {
		run_nothing(svm, SVM_EXIT_ERR);
	}
	snpm_vmexit(vmcb, vmsa);
}

/**
 * snp_cpu_enter_exit() - What svm_vcpu_enter_exit() is to an SNP guest.
 * @vcpu: any vCPU; of another guest it goes to the CPU itself
 * @spec_ctrl_intercepted: as for svm_vcpu_enter_exit()
 *
 * Context: interrupts and GIF are off.
 */
void snp_cpu_enter_exit(struct kvm_vcpu *vcpu, bool spec_ctrl_intercepted)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct snp_cpu *cpu = snp_cpu_of(vcpu);

	if (!sev_snp_guest(vcpu->kvm)) {
		svm_vcpu_enter_exit(vcpu, spec_ctrl_intercepted);
		return;
	}
	if (!VALID_PAGE(svm->vmcb->control.vmsa_pa)) {
		run_nothing(svm, SVM_EXIT_ERR);
		return;
	}
	if (is_ready(svm, cpu)) {
		vmrun(svm, cpu, spec_ctrl_intercepted);
		return;
	}
	run_nothing(svm, SNP_CPU_EXIT);
	if (cpu)
		cpu->exit_code = SNP_CPU_NOT_READY;
}

static void unmap_vmsa(struct snp_cpu *cpu)
{
	if (!cpu->vmsa)
		return;
	vunmap(cpu->vmsa);
	put_page(cpu->vmsa_page);
	cpu->vmsa = NULL;
}

static int map_vmsa(struct snp_cpu *cpu, hpa_t pa)
{
	struct page *page;

	unmap_vmsa(cpu);
	cpu->vmsa_pa = INVALID_PAGE;
	page = VALID_PAGE(pa) ? pfn_to_online_page(PHYS_PFN(pa)) : NULL;
	if (page) {
		cpu->vmsa = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
		if (!cpu->vmsa)
			return -ENOMEM;
		get_page(page);
		cpu->vmsa_page = page;
	}
	cpu->vmsa_pa = pa;
	return 0;
}

static struct snp_cpu *alloc_cpu(void)
{
	struct snp_cpu *cpu = kzalloc(sizeof(*cpu), GFP_KERNEL_ACCOUNT);

	if (!cpu)
		return NULL;
	cpu->vmcb.ptr = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!cpu->vmcb.ptr)
		goto free_cpu;
	cpu->vmcb.pa = __sme_pa(cpu->vmcb.ptr);
	if (snp_tlb_init(&cpu->tlb))
		goto free_vmcb;
	cpu->vmsa_pa = INVALID_PAGE - 1;
	return cpu;

free_vmcb:
	free_page((unsigned long)cpu->vmcb.ptr);
free_cpu:
	kfree(cpu);
	return NULL;
}

/**
 * snp_cpu_make_ready() - Let a vCPU run from the VMSA that KVM has set.
 * @vcpu: the vCPU
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int snp_cpu_make_ready(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	if (!svm->sev_es.snp.cpu)
		svm->sev_es.snp.cpu = alloc_cpu();
	if (!svm->sev_es.snp.cpu)
		return -ENOMEM;
	return map_vmsa(svm->sev_es.snp.cpu, svm->vmcb->control.vmsa_pa);
}

/**
 * snp_cpu_free() - The vCPU goes.
 * @vcpu: any vCPU, before its VMSA is taken back
 *
 * Context: may sleep.
 */
void snp_cpu_free(struct kvm_vcpu *vcpu)
{
	struct snp_cpu *cpu = snp_cpu_of(vcpu);

	if (!cpu)
		return;
	to_svm(vcpu)->sev_es.snp.cpu = NULL;
	unmap_vmsa(cpu);
	snp_tlb_destroy(&cpu->tlb);
	free_page((unsigned long)cpu->vmcb.ptr);
	kfree(cpu);
}
