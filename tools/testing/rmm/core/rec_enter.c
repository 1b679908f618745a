// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entering a REC: what a host may ask for, what the last exit left to do, the
 * run, and the exit record.
 *
 * The lock is dropped while the REC runs.  It is marked as running meanwhile,
 * which keeps it, its auxiliary granules and its realm from being destroyed.
 */
#include "control.h"
#include "esr.h"
#include "rec.h"

/* What the host may set in ICH_HCR_EL2. */
#define HCR_HOST	(BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | \
			 BIT(7) | BIT(14))

#define LR_STATE	(3ull << 62)
#define LR_HW		BIT(61)
/* Reserved with HW == 0: all of pINTID but the EOI bit, and around it. */
#define LR_RESERVED	(0x1ffull << 32 | 0x3full << 42 | 0xfull << 56)
#define LR_VINTID(lr)	((u32)(lr))

static bool lr_is_valid(u64 lr)
{
	return !(lr & LR_STATE) || !(lr & (LR_HW | LR_RESERVED));
}

static bool lr_is_twice(const u64 *lrs, unsigned int i)
{
	for (unsigned int k = 0; k < i; k++)
		if ((lrs[k] & LR_STATE) &&
		    LR_VINTID(lrs[k]) == LR_VINTID(lrs[i]))
			return true;
	return false;
}

static bool gicv3_is_valid(const struct rmi_rec_enter *enter)
{
	const unsigned int nr = RMI_FEATURE0_NUM_LRS(rmm.feature0);
	const u64 *lrs = enter->gicv3_lrs;

	if (enter->gicv3_hcr & ~HCR_HOST)
		return false;
	for (unsigned int i = 0; i < GICV3_LRS; i++) {
		if (i >= nr && lrs[i])
			return false;
		if (!lr_is_valid(lrs[i]))
			return false;
		if ((lrs[i] & LR_STATE) && lr_is_twice(lrs, i))
			return false;
	}
	return true;
}

static bool enter_is_valid(const struct rmi_rec_enter *e)
{
	return !(e->flags & ~RMI_ENTER_FLAGS) &&
	       is_zero(e->pad0, sizeof(e->pad0)) &&
	       is_zero(e->pad1, sizeof(e->pad1)) &&
	       is_zero(e->pad2, sizeof(e->pad2));
}

static u64 check_enter(const struct realm *r, const struct rec *rec,
		       const struct rmi_rec_enter *enter)
{
	const u64 both = RMI_ENTER_EMUL_MMIO | RMI_ENTER_INJECT_SEA;

	if (r->state == REALM_NEW)
		return RMI_RETURN(RMI_ERROR_REALM, 0);
	if (r->state == REALM_SYSTEM_OFF)
		return RMI_RETURN(RMI_ERROR_REALM, 1);
	if (rec->running || !rec->runnable || rec->psci.pending)
		return RMI_ERROR_REC;
	if ((enter->flags & RMI_ENTER_EMUL_MMIO) && !rec->emulatable)
		return RMI_ERROR_REC;
	if ((enter->flags & both) == both)
		return RMI_ERROR_REC;
	return gicv3_is_valid(enter) ? RMI_SUCCESS : RMI_ERROR_REC;
}

/* Give a register what the host read for it. */
static void complete_mmio(struct rec *rec, u64 value)
{
	unsigned int bits = 8 << ESR_SAS(rec->esr);
	unsigned int rt = ESR_SRT(rec->esr);
	u64 mask = bits == 64 ? ~0ull : BIT(bits) - 1;

	rec->vcpu.pc += 4;
	if ((rec->esr & ESR_WNR) || rt >= REC_GPRS)
		return;
	value &= mask;
	if ((rec->esr & ESR_SSE) && (value & (mask ^ mask >> 1)))
		value |= ~mask;
	rec->vcpu.gprs[rt] = rec->esr & ESR_SF ? value : (u32)value;
}

bool rec_complete(struct realm *r, struct rec *rec,
		  const struct rmi_rec_enter *enter, struct rmi_rec_exit *exit)
{
	if (rec->host_call && !rsi_complete_host_call(r, rec, enter, exit))
		return false;
	if (enter->flags & RMI_ENTER_EMUL_MMIO)
		complete_mmio(rec, enter->gprs[0]);
	if ((enter->flags & RMI_ENTER_INJECT_SEA) && rec->unprotected_abort)
		rmm_port_inject(&rec->vcpu, RMM_INJECT_SEA_DATA, rec->far);
	if (rec->ripas.pending)
		rsi_complete_ripas(rec, enter);
	rec->emulatable = false;
	rec->unprotected_abort = false;
	return true;
}

static void vcpu_load(struct rmm_vcpu *v, const struct rmi_rec_enter *enter)
{
	v->gicv3_hcr = enter->gicv3_hcr;
	mem_copy(v->gicv3_lrs, enter->gicv3_lrs, sizeof(v->gicv3_lrs));
	v->trap_wfi = enter->flags & RMI_ENTER_TRAP_WFI;
	v->trap_wfe = enter->flags & RMI_ENTER_TRAP_WFE;
}

static void vcpu_save(const struct rmm_vcpu *v, struct rmi_rec_exit *exit)
{
	exit->gicv3_hcr = v->gicv3_hcr;
	mem_copy(exit->gicv3_lrs, v->gicv3_lrs, sizeof(v->gicv3_lrs));
	exit->gicv3_misr = v->gicv3_misr;
	exit->gicv3_vmcr = v->gicv3_vmcr;
	exit->cntp_ctl = v->cntp_ctl;
	exit->cntp_cval = v->cntp_cval;
	exit->cntv_ctl = v->cntv_ctl;
	exit->cntv_cval = v->cntv_cval;
	exit->pmu_ovf_status = v->pmu_ovf_status;
}

static void set_running(u64 pa, struct rec *rec, bool running)
{
	rec->running = running;
	granule_find(pa)->refs = running;
}

static void rec_run(struct realm *r, u64 pa, struct rec *rec,
		    struct rmi_rec_exit *exit)
{
	enum rec_action action;
	struct rmm_trap trap;

	set_running(pa, rec, true);
	do {
		mem_zero(&trap, sizeof(trap));
		rmm_port_unlock();
		rmm_port_run(&rec->vcpu, &r->s2, &trap);
		rmm_port_lock();
		action = rec_handle_trap(r, rec, &trap, exit);
		if (action == REC_NEXT || action == REC_EXIT_NEXT)
			rec->vcpu.pc += 4;
	} while (action == REC_NEXT || action == REC_AGAIN);
	set_running(pa, rec, false);
}

/* The record is lost if the host gave its page away while the REC ran. */
static u64 rec_enter(struct realm *r, u64 pa, struct rec *rec, u64 run_pa,
		     const struct rmi_rec_enter *enter)
{
	struct rmi_rec_exit exit;
	u64 ret = check_enter(r, rec, enter);

	if (ret)
		return ret;
	mem_zero(&exit, sizeof(exit));
	vcpu_load(&rec->vcpu, enter);
	if (rec_complete(r, rec, enter, &exit) && !control_take_exit(&exit))
		rec_run(r, pa, rec, &exit);
	vcpu_save(&rec->vcpu, &exit);
	run_pa += offsetof(struct rmi_rec_run, exit);
	return ns_write(run_pa, &exit, sizeof(exit)) ? RMI_SUCCESS :
						       RMI_ERROR_INPUT;
}

u64 rmi_rec_enter(u64 pa, u64 run_pa)
{
	struct rmi_rec_enter enter;
	struct realm *r;
	struct rec *rec;
	u64 ret;

	if (!IS_ALIGNED(run_pa, GRANULE_SIZE) ||
	    !ns_read(&enter, run_pa, sizeof(enter)) || !enter_is_valid(&enter))
		return RMI_ERROR_INPUT;
	rec = rec_get(pa);
	if (!rec)
		return RMI_ERROR_INPUT;
	r = realm_get(rec->rd);
	rmm_assert(r);
	ret = rec_enter(r, pa, rec, run_pa, &enter);
	realm_put(r);
	rec_put(rec);
	return ret;
}
