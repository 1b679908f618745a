// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI between the RECs of a realm.
 *
 * The RMM answers its calls, and knows which RECs are on.  It wants the host to
 * say which REC a CPU_ON or an AFFINITY_INFO is about, with RMI_PSCI_COMPLETE,
 * and to let those run that are on.  KVM does that by itself, unless the vCPU
 * was made without KVM_ARM_VCPU_PSCI_0_2: then its user gets the call as a
 * KVM_EXIT_HYPERCALL, for KVM_ARM_VCPU_RMI_PSCI_COMPLETE or the next KVM_RUN to
 * complete it.
 *
 * On one CPU a REC can turn itself off while another one turns it on, and KVM
 * may hear of both in the wrong order.  So a REC that is turned on is marked,
 * and one that is marked and exits with CPU_OFF, or is not accepted by
 * REC_ENTER, is entered once more: if the RMM refuses that, it is off.
 */
#include <linux/kvm_host.h>
#include <linux/uaccess.h>

#include <kvm/arm_psci.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_rmi.h>
#include <asm/rmi_cmds.h>

#define PSCI_FID(vcpu)	((u32)(vcpu)->arch.rec.run->exit.gprs[0])

static bool is_cpu_on(u32 fid)
{
	return fid == PSCI_0_2_FN_CPU_ON || fid == PSCI_0_2_FN64_CPU_ON;
}

static void stop(struct kvm_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->arch.mp_state.mp_state, KVM_MP_STATE_STOPPED);
	kvm_make_request(KVM_REQ_SLEEP, vcpu);
}

static void turn_off(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;

	/* The RMM resets them with the REC. */
	kvm_timer_vcpu_reset(vcpu);

	spin_lock(&vcpu->arch.mp_state_lock);
	rec->in_doubt = rec->maybe_on;
	rec->maybe_on = false;
	if (!rec->in_doubt)
		stop(vcpu);
	spin_unlock(&vcpu->arch.mp_state_lock);
}

static void turn_on(struct kvm_vcpu *vcpu)
{
	spin_lock(&vcpu->arch.mp_state_lock);
	vcpu->arch.rec.maybe_on = true;
	if (kvm_arm_vcpu_stopped(vcpu)) {
		WRITE_ONCE(vcpu->arch.mp_state.mp_state, KVM_MP_STATE_RUNNABLE);
		kvm_vcpu_wake_up(vcpu);
	}
	spin_unlock(&vcpu->arch.mp_state_lock);
}

/**
 * kvm_rec_set_mpstate() - KVM_SET_MP_STATE.
 * @vcpu: A REC, or what is to become one.
 * @mp_state: The new state.
 *
 * The RMM learns of it when the REC is created, and is the one to change it from
 * then on.
 *
 * Context: May sleep; under vcpu->mutex.
 * Return: 0; -EINVAL if the REC exists and is in another state, or cannot be in
 * this one.
 */
int kvm_rec_set_mpstate(struct kvm_vcpu *vcpu, u32 mp_state)
{
	struct kvm_mp_state *now = &vcpu->arch.mp_state;
	int ret = 0;

	if (mp_state != KVM_MP_STATE_RUNNABLE &&
	    mp_state != KVM_MP_STATE_STOPPED)
		return -EINVAL;

	mutex_lock(&vcpu->kvm->arch.config_lock);
	spin_lock(&vcpu->arch.mp_state_lock);
	if (kvm_rec_exists(vcpu))
		ret = now->mp_state == mp_state ? 0 : -EINVAL;
	else if (mp_state == KVM_MP_STATE_STOPPED)
		stop(vcpu);
	else
		WRITE_ONCE(now->mp_state, mp_state);
	spin_unlock(&vcpu->arch.mp_state_lock);
	mutex_unlock(&vcpu->kvm->arch.config_lock);
	return ret;
}

/**
 * kvm_rec_is_off() - Find out why the RMM does not enter a REC.
 * @vcpu: The REC, for which REC_ENTER returned RMI_ERROR_REC.
 *
 * Return: True if it is off, or may be: to be tried again when it is runnable.
 */
bool kvm_rec_is_off(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;
	bool is_off;

	spin_lock(&vcpu->arch.mp_state_lock);
	is_off = rec->in_doubt || rec->maybe_on;
	if (is_off && !rec->maybe_on)
		stop(vcpu);
	rec->in_doubt = rec->maybe_on;
	rec->maybe_on = false;
	spin_unlock(&vcpu->arch.mp_state_lock);
	return is_off;
}

/**
 * kvm_rec_is_on() - Note that a REC ran, and did not turn itself off.
 * @vcpu: The REC.
 */
void kvm_rec_is_on(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;

	rec->in_doubt = false;
	if (!READ_ONCE(rec->maybe_on))
		return;
	spin_lock(&vcpu->arch.mp_state_lock);
	rec->maybe_on = false;
	spin_unlock(&vcpu->arch.mp_state_lock);
}

/* The answer to the caller is the RMM's, which looks at the target itself. */
static int psci_complete(struct kvm_vcpu *vcpu, u64 mpidr, u32 status)
{
	struct realm_rec *rec = &vcpu->arch.rec;
	struct kvm_vcpu *target;
	int ret;

	target = kvm_mpidr_to_vcpu(vcpu->kvm, mpidr);
	if (!target || !kvm_rec_exists(target))
		return -EINVAL;
	ret = rmi_to_errno(rmi_psci_complete(rec->rec, target->arch.rec.rec,
					     (s32)status));
	if (ret)
		return ret;
	rec->psci_pending = false;
	if (is_cpu_on(PSCI_FID(vcpu)) && status == PSCI_RET_SUCCESS)
		turn_on(target);
	return 0;
}

/**
 * kvm_rec_complete_psci() - Complete a PSCI call that userspace did not.
 * @vcpu: The REC that made it.
 *
 * Return: 1, or an error of RMI_PSCI_COMPLETE.
 */
int kvm_rec_complete_psci(struct kvm_vcpu *vcpu)
{
	u64 mpidr = vcpu->arch.rec.run->exit.gprs[1];

	return psci_complete(vcpu, mpidr, PSCI_RET_SUCCESS) ?: 1;
}

static int exit_to_user(struct kvm_vcpu *vcpu)
{
	const u64 *gprs = vcpu->arch.rec.run->exit.gprs;
	struct kvm_run *run = vcpu->run;
	unsigned int i;

	memset(&run->hypercall, 0, sizeof(run->hypercall));
	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = PSCI_FID(vcpu);
	for (i = 0; i < 3; i++)
		run->hypercall.args[i] = gprs[i + 1];
	return 0;
}

static int handle_targeted(struct kvm_vcpu *vcpu)
{
	vcpu->arch.rec.psci_pending = true;
	if (!test_bit(KVM_ARM_VCPU_PSCI_0_2, vcpu->arch.features))
		return exit_to_user(vcpu);
	return kvm_rec_complete_psci(vcpu);
}

/**
 * kvm_rec_handle_psci() - Do the host's part of a PSCI call.
 * @vcpu: The REC that made it.
 *
 * Context: May sleep.
 * Return: As kvm_rec_handle_exit().
 */
int kvm_rec_handle_psci(struct kvm_vcpu *vcpu)
{
	u32 fid = PSCI_FID(vcpu);

	if (fid != PSCI_0_2_FN_CPU_OFF)
		kvm_rec_is_on(vcpu);

	switch (fid) {
	case PSCI_0_2_FN_CPU_SUSPEND:
	case PSCI_0_2_FN64_CPU_SUSPEND:
		kvm_vcpu_wfi(vcpu);
		return 1;
	case PSCI_0_2_FN_CPU_OFF:
		turn_off(vcpu);
		return 1;
	case PSCI_0_2_FN_SYSTEM_OFF:
		kvm_prepare_system_event(vcpu, KVM_SYSTEM_EVENT_SHUTDOWN, 0);
		return 0;
	case PSCI_0_2_FN_SYSTEM_RESET:
		kvm_prepare_system_event(vcpu, KVM_SYSTEM_EVENT_RESET, 0);
		return 0;
	default:
		return handle_targeted(vcpu);
	}
}

/**
 * kvm_rec_psci_complete_ioctl() - KVM_ARM_VCPU_RMI_PSCI_COMPLETE.
 * @vcpu: The REC that made the call, or any other vCPU.
 * @argp: struct kvm_arm_rmi_psci_complete.
 *
 * Context: May sleep; under vcpu->mutex.
 * Return: 0; -EINVAL if there is no call to complete, for a target that is not
 * the one of the call, or a status that it cannot have; -EFAULT; or -EBUSY or
 * -EIO for what else the RMM says, see rmi_to_errno().
 */
int kvm_rec_psci_complete_ioctl(struct kvm_vcpu *vcpu, void __user *argp)
{
	struct kvm_arm_rmi_psci_complete args;

	if (!vcpu_is_rec(vcpu))
		return -EINVAL;
	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	if (memchr_inv(args.padding, 0, sizeof(args.padding)) ||
	    !vcpu->arch.rec.psci_pending)
		return -EINVAL;
	return psci_complete(vcpu, args.target_mpidr, args.psci_status);
}
