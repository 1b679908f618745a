// SPDX-License-Identifier: GPL-2.0-only
/* What made a REC stop, and what of it the host gets to see. */
#include "esr.h"
#include "rec.h"
#include "rtt.h"

void rec_exit_fault(struct rmi_rec_exit *exit, u64 ipa, int level)
{
	/* Translation fault, level 0 to 3 */
	exit->exit_reason = RMI_EXIT_SYNC;
	exit->esr = (u64)ESR_EC_DATA_ABORT << 26 | ESR_IL | 4 | (level & 3);
	exit->hpfar = IPA_HPFAR(ipa);
}

static enum rec_action inject(struct rec *rec, enum rmm_inject what, u64 far)
{
	rmm_port_inject(&rec->vcpu, what, far);
	return REC_AGAIN;
}

static enum rec_action inject_sea(struct rec *rec, const struct rmm_trap *t)
{
	bool data = ESR_EC(t->esr) == ESR_EC_DATA_ABORT;

	return inject(rec, data ? RMM_INJECT_SEA_DATA : RMM_INJECT_SEA_INSN,
		      t->far);
}

static enum rec_action exit_abort(const struct rmm_trap *t,
				  struct rmi_rec_exit *exit)
{
	exit->exit_reason = RMI_EXIT_SYNC;
	exit->esr = t->esr & ESR_ABORT;
	exit->hpfar = t->hpfar;
	return REC_EXIT;
}

/* The fault can be older than a change that another CPU made. */
static enum rec_action protected_abort(struct realm *r, struct rec *rec,
				       const struct rmm_trap *t, u64 ipa,
				       struct rmi_rec_exit *exit)
{
	struct rtt_walk w;

	rtt_walk(r, ipa, RTT_LEVEL_MAX, &w);
	if (w.entry.ripas == RMI_EMPTY)
		return inject_sea(rec, t);
	if (w.entry.ripas == RMI_RAM && w.entry.hipas == HIPAS_ASSIGNED)
		return REC_AGAIN;
	return exit_abort(t, exit);
}

static u64 write_value(const struct rec *rec, u64 esr)
{
	unsigned int rt = ESR_SRT(esr), bits = 8 << ESR_SAS(esr);
	u64 value = rt < REC_GPRS ? rec->vcpu.gprs[rt] : 0;

	return bits == 64 ? value : value & (BIT(bits) - 1);
}

/* Memory that the host has not mapped, or a device that it emulates. */
static enum rec_action unprotected_abort(struct rec *rec,
					 const struct rmm_trap *t,
					 struct rmi_rec_exit *exit)
{
	if (ESR_EC(t->esr) == ESR_EC_INSN_ABORT)
		return inject_sea(rec, t);
	rec->unprotected_abort = true;
	rec->esr = t->esr;
	rec->far = t->far;
	if (!(t->esr & ESR_ISV) || (t->esr & ESR_S1PTW))
		return exit_abort(t, exit);

	rec->emulatable = true;
	exit->exit_reason = RMI_EXIT_SYNC;
	exit->esr = t->esr & ESR_EMULATED;
	exit->far = t->far & (GRANULE_SIZE - 1);
	exit->hpfar = t->hpfar;
	if (t->esr & ESR_WNR)
		exit->gprs[0] = write_value(rec, t->esr);
	return REC_EXIT;
}

static enum rec_action handle_abort(struct realm *r, struct rec *rec,
				    const struct rmm_trap *t,
				    struct rmi_rec_exit *exit)
{
	u64 ipa = HPFAR_IPA(t->hpfar);

	if (ipa >= realm_ipa_end(r))
		return inject_sea(rec, t);
	if (realm_is_protected(r, ipa))
		return protected_abort(r, rec, t, ipa, exit);
	return unprotected_abort(rec, t, exit);
}

static bool is_host_gic(u64 esr)
{
	u64 reg = esr & ESR_SYS_REG;

	return !(esr & ESR_SYS_READ) &&
	       (reg == ESR_SYS_ICC_DIR || reg == ESR_SYS_ICC_SGI0R ||
		reg == ESR_SYS_ICC_SGI1R || reg == ESR_SYS_ICC_ASGI1R);
}

/* The host sends the interrupts between a realm's RECs. */
static enum rec_action handle_sysreg(struct rec *rec, const struct rmm_trap *t,
				     struct rmi_rec_exit *exit)
{
	unsigned int rt = ESR_SYS_RT(t->esr);

	if (!is_host_gic(t->esr))
		return rmm_port_sysreg(&rec->vcpu, t->esr) ? REC_AGAIN :
		       inject(rec, RMM_INJECT_UNDEF, 0);
	exit->exit_reason = RMI_EXIT_SYNC;
	exit->esr = t->esr & (ESR_EC_MASK | ESR_IL | ESR_SYS_REG);
	exit->gprs[0] = rt < REC_GPRS ? rec->vcpu.gprs[rt] : 0;
	return REC_EXIT_NEXT;
}

/* "REC exit due to WFI or WFE" */
static enum rec_action handle_wfx(struct rec *rec, const struct rmm_trap *t,
				  struct rmi_rec_exit *exit)
{
	unsigned int rn = ESR_WFX_RN(t->esr);

	exit->exit_reason = RMI_EXIT_SYNC;
	exit->esr = t->esr & (ESR_EC_MASK | ESR_IL | ESR_WFX_TI);
	if (t->esr & ESR_WFX_TIMEOUT)
		exit->gprs[0] = rn < REC_GPRS ? rec->vcpu.gprs[rn] : 0;
	return REC_EXIT_NEXT;
}

static enum rec_action handle_sync(struct realm *r, struct rec *rec,
				   const struct rmm_trap *t,
				   struct rmi_rec_exit *exit)
{
	switch (ESR_EC(t->esr)) {
	case ESR_EC_WFX:
		return handle_wfx(rec, t, exit);
	case ESR_EC_SMC64:
		return rec_handle_smc(r, rec, exit);
	case ESR_EC_SYSREG:
		return handle_sysreg(rec, t, exit);
	case ESR_EC_INSN_ABORT:
	case ESR_EC_DATA_ABORT:
		return handle_abort(r, rec, t, exit);
	default:
		return inject(rec, RMM_INJECT_UNDEF, 0);
	}
}

enum rec_action rec_handle_trap(struct realm *r, struct rec *rec,
				const struct rmm_trap *t,
				struct rmi_rec_exit *exit)
{
	if (t->reason == RMI_EXIT_SYNC)
		return handle_sync(r, rec, t, exit);
	exit->exit_reason = t->reason;
	if (t->reason == RMI_EXIT_SERROR)
		exit->esr = t->esr & ESR_SERROR;
	return REC_EXIT;
}
