// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entering a REC: what goes to the RMM with the entry, and what comes back.
 *
 * Of the guest's state KVM has no more than the vGIC's and what the last exit
 * record shows.  The RMM keeps the host's: nothing of a REC is ever loaded into
 * the CPU's registers by KVM.
 */
#include <linux/entry-kvm.h>
#include <linux/irqchip/arm-gic-v3.h>
#include <linux/kvm_host.h>
#include <linux/perf/arm_pmu.h>

#include <kvm/arm_arch_timer.h>

#include <asm/daifflags.h>
#include <asm/kvm_asm.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_rmi.h>
#include <asm/rmi_cmds.h>
#include <asm/traps.h>

/* What KVM sets of ICH_HCR_EL2 and the RMM accepts; EN is the RMM's. */
#define REC_ICH_HCR	(ICH_HCR_UIE | ICH_HCR_NPIE | ICH_HCR_TDIR)

/**
 * kvm_rec_load() - kvm_arch_vcpu_load() for a REC.
 * @vcpu: A REC.
 * @cpu: This CPU.
 *
 * Context: Preemption off.
 */
void kvm_rec_load(struct kvm_vcpu *vcpu, int cpu)
{
	vcpu->cpu = cpu;
	kvm_timer_vcpu_load(vcpu);
	/* So that the RMM finds neither streaming mode nor ZA in use. */
	kvm_arch_vcpu_load_fp(vcpu);

	if (single_task_running())
		vcpu_clear_wfx_traps(vcpu);
	else
		vcpu_set_wfx_traps(vcpu);

	if (!cpumask_test_cpu(cpu, vcpu->kvm->arch.supported_cpus))
		vcpu_set_on_unsupported_cpu(vcpu);
}

/**
 * kvm_rec_put() - kvm_arch_vcpu_put() for a REC.
 * @vcpu: A REC.
 *
 * Context: Preemption off.
 */
void kvm_rec_put(struct kvm_vcpu *vcpu)
{
	kvm_arch_vcpu_put_fp(vcpu);
	kvm_timer_vcpu_put(vcpu);
	vcpu_clear_on_unsupported_cpu(vcpu);
	vcpu->cpu = -1;
}

/**
 * kvm_rec_complete_mmio() - Let a REC go on behind an access that was emulated.
 * @vcpu: The REC; its register has what was read.
 */
void kvm_rec_complete_mmio(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;

	if (!kvm_vcpu_dabt_iswrite(vcpu))
		rec->run->enter.gprs[0] =
			vcpu_get_reg(vcpu, kvm_vcpu_dabt_get_rd(vcpu));
	rec->enter_flags |= REC_ENTER_FLAG_EMULATED_MMIO;
}

/**
 * kvm_rec_inject_sea() - Let the access that a REC exited for fail.
 * @vcpu: The REC.  Unless it exited for an access to unprotected memory, the
 *	RMM does nothing of it.
 */
void kvm_rec_inject_sea(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;

	rec->enter_flags &= ~REC_ENTER_FLAG_EMULATED_MMIO;
	rec->enter_flags |= REC_ENTER_FLAG_INJECT_SEA;
}

/**
 * kvm_rec_sea_is_pending() - Ask whether kvm_rec_inject_sea() is still to be done.
 * @vcpu: The REC.
 *
 * Return: True until the next entry.
 */
bool kvm_rec_sea_is_pending(const struct kvm_vcpu *vcpu)
{
	return vcpu->arch.rec.enter_flags & REC_ENTER_FLAG_INJECT_SEA;
}

static void fill_flags(const struct kvm_vcpu *vcpu, struct rec_enter *enter)
{
	u64 flags = vcpu->arch.rec.enter_flags;

	if (vcpu->arch.hcr_el2 & HCR_TWI)
		flags |= REC_ENTER_FLAG_TRAP_WFI;
	if (vcpu->arch.hcr_el2 & HCR_TWE)
		flags |= REC_ENTER_FLAG_TRAP_WFE;
	enter->flags = flags;
}

static void fill_gic(const struct kvm_vcpu *vcpu, struct rec_enter *enter)
{
	const struct vgic_v3_cpu_if *cpu_if = &vcpu->arch.vgic_cpu.vgic_v3;
	unsigned int i, nr = kvm_realm_max_lrs();

	enter->gicv3_hcr = cpu_if->vgic_hcr & REC_ICH_HCR;
	for (i = 0; i < nr; i++)
		enter->gicv3_lrs[i] = i < cpu_if->used_lrs ? cpu_if->vgic_lr[i] : 0;
}

static void fill_enter(const struct kvm_vcpu *vcpu)
{
	const struct realm_rec *rec = &vcpu->arch.rec;
	struct rec_enter *enter = &rec->run->enter;
	unsigned int i;

	fill_flags(vcpu, enter);
	fill_gic(vcpu, enter);
	if (rec->host_call)
		for (i = 0; i < REC_RUN_GPRS; i++)
			enter->gprs[i] = vcpu_get_reg(vcpu, i);
}

/* Of a list register without an interrupt nothing but that is reliable. */
static void sync_gic(struct kvm_vcpu *vcpu, const struct rec_exit *exit)
{
	struct vgic_v3_cpu_if *cpu_if = &vcpu->arch.vgic_cpu.vgic_v3;
	unsigned int i;

	cpu_if->vgic_vmcr = exit->gicv3_vmcr;
	for (i = 0; i < cpu_if->used_lrs; i++) {
		if (exit->gicv3_lrs[i] & ICH_LR_STATE)
			cpu_if->vgic_lr[i] = exit->gicv3_lrs[i];
		else
			cpu_if->vgic_lr[i] &= ~ICH_LR_STATE;
	}
}

/*
 * All that was asked of the entry has been done.  An SError that is not contained
 * panics here, before anything else runs on this CPU.
 */
static void sync_exit(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;
	const struct rec_exit *exit = &rec->run->exit;

	rec->enter_flags = 0;
	rec->host_call = false;
	memset(rec->run->enter.gprs, 0, sizeof(rec->run->enter.gprs));

	vcpu->arch.fault.esr_el2 = exit->esr;
	vcpu->arch.fault.far_el2 = exit->far;
	vcpu->arch.fault.hpfar_el2 = exit->hpfar;
	if (exit->exit_reason == RMI_EXIT_SERROR)
		rec->serror_is_fatal = !arm64_is_ras_serror(exit->esr) ||
				       arm64_is_fatal_ras_serror(NULL, exit->esr);
	sync_gic(vcpu, exit);
	kvm_rec_timer_sync(vcpu);
}

/* Between these two RCU does not watch. */
static noinstr void enter_exit(struct realm_rec *rec, phys_addr_t run)
{
	guest_state_enter_irqoff();
	/* Masked by priority only, an interrupt would not end the REC's run. */
	local_daif_mask();
	pmr_sync();
	rec->status = rmi_rec_enter(rec->rec, run);
	local_daif_restore(DAIF_PROCCTX_NOIRQ);
	isb();
	guest_state_exit_irqoff();
}

static int exception_code(const struct realm_rec *rec)
{
	if (rec->status)
		return ARM_EXCEPTION_TRAP;
	switch (rec->run->exit.exit_reason) {
	case RMI_EXIT_IRQ:
	case RMI_EXIT_FIQ:
		return ARM_EXCEPTION_IRQ;
	default:
		return ARM_EXCEPTION_TRAP;
	}
}

/**
 * kvm_rec_run() - Run a REC until it exits.
 * @vcpu: The REC, loaded.
 *
 * Whether it ran at all is in its status, which kvm_rec_handle_exit() looks at.
 *
 * Context: Interrupts off.
 * Return: ARM_EXCEPTION_IRQ or ARM_EXCEPTION_TRAP.
 */
int kvm_rec_run(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;
	/* An overflow that the guest has not dealt with would be all it does. */
	bool pmu_overflow = kvm_rec_pmu_overflow(vcpu);

	fill_enter(vcpu);
	if (pmu_overflow)
		arm_pmu_set_phys_irq(false);
	enter_exit(rec, virt_to_phys(rec->run));
	if (pmu_overflow)
		arm_pmu_set_phys_irq(true);
	if (!rec->status)
		sync_exit(vcpu);
	return exception_code(rec);
}
