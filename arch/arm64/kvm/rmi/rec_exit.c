// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a REC exited, and what KVM or its user does about it.
 *
 * Exits that other vCPUs have too go to the same handlers.  The RMM shows no
 * more of a register than its value, as that of X0, and has stepped over the
 * instruction wherever that is to be done.
 */
#include <linux/kvm_host.h>

#include <kvm/arm_hypercalls.h>
#include <kvm/arm_psci.h>

#include <asm/esr.h>
#include <asm/kvm_asm.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_rmi.h>
#include <asm/rmi_cmds.h>

static int internal_error(struct kvm_vcpu *vcpu, u64 data)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	run->internal.ndata = 1;
	run->internal.data[0] = data;
	return 0;
}

/* The access that the REC made, with its value where the handlers look for it. */
static void show_written(struct kvm_vcpu *vcpu, unsigned int rt)
{
	vcpu_set_reg(vcpu, rt, vcpu->arch.rec.run->exit.gprs[0]);
}

/* What was read from a system register goes back with the next entry. */
static int exit_sysreg(struct kvm_vcpu *vcpu)
{
	bool is_read = kvm_vcpu_get_esr(vcpu) & ESR_ELx_SYS64_ISS_DIR_READ;
	unsigned int rt = kvm_vcpu_sys_get_rt(vcpu);
	int ret;

	if (!is_read)
		show_written(vcpu, rt);
	ret = handle_exit(vcpu, ARM_EXCEPTION_TRAP);
	if (is_read)
		vcpu->arch.rec.run->enter.gprs[0] = vcpu_get_reg(vcpu, rt);
	return ret;
}

static int exit_data_abort(struct kvm_vcpu *vcpu)
{
	if (kvm_vcpu_dabt_isvalid(vcpu) && kvm_vcpu_dabt_iswrite(vcpu))
		show_written(vcpu, kvm_vcpu_dabt_get_rd(vcpu));
	return handle_exit(vcpu, ARM_EXCEPTION_TRAP);
}

/* Until when a WFIT or WFET waits is shown as X0, whichever register had it. */
static int exit_wfx(struct kvm_vcpu *vcpu)
{
	if (kvm_vcpu_get_esr(vcpu) & ESR_ELx_WFx_ISS_WFxT) {
		vcpu->arch.fault.esr_el2 |= ESR_ELx_WFx_ISS_RV;
		show_written(vcpu, 0);
	}
	return handle_exit(vcpu, ARM_EXCEPTION_TRAP);
}

static int exit_sync(struct kvm_vcpu *vcpu)
{
	int ret;

	switch (kvm_vcpu_trap_get_class(vcpu)) {
	case ESR_ELx_EC_WFx:
		ret = exit_wfx(vcpu);
		break;
	case ESR_ELx_EC_IABT_LOW:
		ret = handle_exit(vcpu, ARM_EXCEPTION_TRAP);
		break;
	case ESR_ELx_EC_DABT_LOW:
		ret = exit_data_abort(vcpu);
		break;
	case ESR_ELx_EC_SYS64:
		ret = exit_sysreg(vcpu);
		break;
	default:
		return internal_error(vcpu, kvm_vcpu_get_esr(vcpu));
	}
	/* The handlers step over what they emulate. */
	vcpu_clear_flag(vcpu, INCREMENT_PC);
	return ret;
}

/* One that the REC does not survive: there is no way to let the guest have it. */
static int exit_serror(struct kvm_vcpu *vcpu)
{
	if (!vcpu->arch.rec.serror_is_fatal)
		return 1;
	return internal_error(vcpu, kvm_vcpu_get_esr(vcpu));
}

/* The VMM changes attributes first, or does not. */
static int exit_ripas_change(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;
	const struct rec_exit *exit = &rec->run->exit;

	rec->ripas_pending = true;
	rec->ripas_begun = false;
	kvm_prepare_memory_fault_exit(vcpu, exit->ripas_base,
				      exit->ripas_top - exit->ripas_base,
				      false, false,
				      exit->ripas_value == RMI_RAM);
	return -EFAULT;
}

/* PSCI is between the realm and the RMM, which knows more of it than KVM. */
static bool is_psci_call(u32 fid)
{
	if (fid >= KVM_PSCI_FN(0) && fid <= KVM_PSCI_FN(3))
		return true;
	return ARM_SMCCC_OWNER_NUM(fid) == ARM_SMCCC_OWNER_STANDARD &&
	       ARM_SMCCC_FUNC_NUM(fid) <= 0x1f;
}

/* As HVC of other guests, whatever the immediate. */
static int exit_host_call(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;
	unsigned int i;

	vcpu->stat.hvc_exit_stat++;
	for (i = 0; i < REC_RUN_GPRS; i++)
		vcpu_set_reg(vcpu, i, rec->run->exit.gprs[i]);
	rec->host_call = true;

	if (!is_psci_call(smccc_get_function(vcpu)))
		return kvm_hvc_call_handler(vcpu);
	smccc_set_retval(vcpu, SMCCC_RET_NOT_SUPPORTED, 0, 0, 0);
	return 1;
}

/* Both are known not to be errors only by what has happened elsewhere. */
static int enter_failed(struct kvm_vcpu *vcpu, unsigned long status)
{
	struct kvm_run *run = vcpu->run;

	/* The realm has turned itself off; its other RECs are still to hear. */
	if (RMI_RETURN_STATUS(status) == RMI_ERROR_REALM &&
	    RMI_RETURN_INDEX(status) == 1) {
		kvm_arm_vcpu_power_off(vcpu);
		return 1;
	}
	if (RMI_RETURN_STATUS(status) == RMI_ERROR_REC && kvm_rec_is_off(vcpu))
		return 1;

	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = status;
	run->fail_entry.cpu = raw_smp_processor_id();
	return 0;
}

/**
 * kvm_rec_handle_exit() - handle_exit() for a REC.
 * @vcpu: The REC, after kvm_rec_run().
 * @ret: What that returned.
 *
 * Context: May sleep.
 * Return: > 0 to go on, 0 for an exit to userspace, < 0 for an error there.
 */
int kvm_rec_handle_exit(struct kvm_vcpu *vcpu, int ret)
{
	struct realm_rec *rec = &vcpu->arch.rec;

	if (rec->status)
		return enter_failed(vcpu, rec->status);
	if (rec->run->exit.exit_reason != RMI_EXIT_PSCI)
		kvm_rec_is_on(vcpu);

	switch (rec->run->exit.exit_reason) {
	case RMI_EXIT_SYNC:
		return exit_sync(vcpu);
	case RMI_EXIT_IRQ:
	case RMI_EXIT_FIQ:
		return 1;
	case RMI_EXIT_PSCI:
		return kvm_rec_handle_psci(vcpu);
	case RMI_EXIT_RIPAS_CHANGE:
		return exit_ripas_change(vcpu);
	case RMI_EXIT_HOST_CALL:
		return exit_host_call(vcpu);
	case RMI_EXIT_SERROR:
		return exit_serror(vcpu);
	default:
		return internal_error(vcpu, rec->run->exit.exit_reason);
	}
}

/* How far from @base on the VMM has made memory what the guest wants it to be. */
static gpa_t agreed_top(struct kvm *kvm, gpa_t base, gpa_t top, bool is_private)
{
	unsigned long attrs;
	gfn_t end;

	if (base >= top)
		return base;
	end = kvm_mem_attrs_run(&kvm->mem_attr_array, gpa_to_gfn(base),
				gpa_to_gfn(top), &attrs);
	if (!(attrs & KVM_MEMORY_ATTRIBUTE_PRIVATE) == is_private)
		return base;
	return gfn_to_gpa(end);
}

/*
 * The guest asks again for what is left of it, unless nothing was done.  What
 * the RMM has done is done, so a later try continues there.
 */
static int complete_ripas(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;
	struct rec_exit *exit = &rec->run->exit;
	gpa_t next, top;
	int ret;

	next = exit->ripas_base;
	top = agreed_top(vcpu->kvm, next, exit->ripas_top,
			 exit->ripas_value == RMI_RAM);
	ret = kvm_realm_set_ripas(vcpu, exit->ripas_base, top, &next);
	if (next != exit->ripas_base)
		rec->ripas_begun = true;
	exit->ripas_base = next;
	/* A page that cannot be changed ends what can be. */
	if (ret && ret != -ENXIO)
		return ret;
	if (!rec->ripas_begun)
		rec->enter_flags |= REC_ENTER_FLAG_RIPAS_RESPONSE;
	rec->ripas_pending = false;
	return 1;
}

/**
 * kvm_rec_complete_exit() - Do what the last exit to userspace was about.
 * @vcpu: The REC; the first that KVM_RUN does of it.
 *
 * Context: May sleep; the vCPU is not loaded.
 * Return: 1 to go on; < 0 if that failed, and can be tried again.
 */
int kvm_rec_complete_exit(struct kvm_vcpu *vcpu)
{
	if (vcpu->arch.rec.ripas_pending)
		return complete_ripas(vcpu);
	if (vcpu->arch.rec.psci_pending)
		return kvm_rec_complete_psci(vcpu);
	return 1;
}
