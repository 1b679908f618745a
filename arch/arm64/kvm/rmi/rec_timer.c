// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timers of a REC.
 *
 * The RMM switches their registers, counts without an offset, and says with
 * each exit how they stand.  KVM keeps that in the vCPU's registers, as it does
 * for other vCPUs that are not loaded, and never loads it.  Their interrupts to
 * the guest come out of list registers alone, so those of the machine are only
 * a reason to exit and are never left active.
 */
#include <linux/interrupt.h>
#include <linux/kvm_host.h>

#include <clocksource/arm_arch_timer.h>
#include <kvm/arm_arch_timer.h>
#include <kvm/arm_vgic.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_rmi.h>

static bool timer_fires(struct arch_timer_context *timer)
{
	const u32 both = ARCH_TIMER_CTRL_ENABLE | ARCH_TIMER_CTRL_IT_MASK;

	return (timer_get_ctl(timer) & both) == ARCH_TIMER_CTRL_ENABLE &&
	       timer_get_cval(timer) <= kvm_phys_timer_read();
}

static void timer_update(struct arch_timer_context *timer)
{
	struct kvm_vcpu *vcpu = timer->vcpu;
	bool level = timer_fires(timer);

	if (level == timer->irq.level)
		return;
	timer->irq.level = level;
	kvm_vgic_inject_irq(vcpu->kvm, vcpu->vcpu_id, timer->irq.irq, level,
			    timer);
}

/**
 * kvm_rec_timer_deactivate() - Let the interrupt of a timer come again.
 * @timer: The timer; its registers do not belong to the machine at this time.
 *
 * Context: Preemption off.
 */
void kvm_rec_timer_deactivate(struct arch_timer_context *timer)
{
	irq_set_irqchip_state(timer->host_timer_irq, IRQCHIP_STATE_ACTIVE,
			      false);
}

/**
 * kvm_rec_timer_flush() - Notice the timers that expired since the last exit.
 * @vcpu: A REC that is about to be entered.
 *
 * Context: Preemption off, before the vGIC's state is flushed.
 */
void kvm_rec_timer_flush(struct kvm_vcpu *vcpu)
{
	timer_update(vcpu_vtimer(vcpu));
	timer_update(vcpu_ptimer(vcpu));
}

/**
 * kvm_rec_timer_load() - Take the timers over on this CPU.
 * @vcpu: A REC.
 *
 * Context: Preemption off.
 */
void kvm_rec_timer_load(struct kvm_vcpu *vcpu)
{
	kvm_rec_timer_flush(vcpu);
	/* Whoever was here before can have left them active. */
	kvm_rec_timer_deactivate(vcpu_vtimer(vcpu));
	kvm_rec_timer_deactivate(vcpu_ptimer(vcpu));
}

/**
 * kvm_rec_timer_sync() - Take in what the RMM says of the timers.
 * @vcpu: A REC that has just exited.
 *
 * Context: Interrupts off.
 */
void kvm_rec_timer_sync(struct kvm_vcpu *vcpu)
{
	const struct rec_exit *exit = &vcpu->arch.rec.run->exit;

	__vcpu_sys_reg(vcpu, CNTV_CTL_EL0) = exit->cntv_ctl;
	__vcpu_sys_reg(vcpu, CNTV_CVAL_EL0) = exit->cntv_cval;
	__vcpu_sys_reg(vcpu, CNTP_CTL_EL0) = exit->cntp_ctl;
	__vcpu_sys_reg(vcpu, CNTP_CVAL_EL0) = exit->cntp_cval;
	kvm_rec_timer_flush(vcpu);
}
