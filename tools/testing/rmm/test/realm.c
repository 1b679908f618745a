// SPDX-License-Identifier: GPL-2.0-only
/* A realm from creation to destruction, with a REC that runs, faults, calls and turns off. */
#include "realm.h"

/* Granules of the realm, one after the other, and pages of the host. */
#define REALM_BASE		0x46000000UL
enum {
	RD,
	RTT1,
	RTT2,
	RTT3,
	CODE,
	DATA,
	REC,
	AUX,
	NR_GRANULES = AUX + RMI_REC_MAX_AUX,
};

static bool has_data;

#define PARAMS			0x46100000UL
#define RUN			0x46101000UL
#define SOURCE			0x46102000UL

#define SECRET			0x5ec7e75ec7e7UL
#define HOST_VECTOR		0xf10a7f10a7UL
#define MMIO_VALUE		0x8765UL
#define PSCI_SYSTEM_OFF		0x84000008
#define EC_WFX			0x01
#define WFX_TI			3
#define WFX_WFIT		2
#define ISAR2_WFXT		0xf
#define EC_DATA_ABORT		0x24

#define TIMER_ENABLE		BIT(0)
/* Enabled, not masked, condition met. */
#define TIMER_FIRES		5
#define LR_STATE		(3UL << 62)
#define LR_PENDING		(1UL << 62)
#define LR_GROUP1		BIT(60)
#define LR_PRIORITY		(0x80UL << 48)

#define GICR_WAKER		0x0014
#define GICR_WAKER_ASLEEP	BIT(2)
#define GICR_IGROUPR0		0x10080
#define GICR_ISENABLER0		0x10100
#define GICR_ICENABLER0		0x10180
#define ICC_IGRPEN1_EL1		S3_0_C12_C12_7

#define PFR0_SVE_SHIFT		32

static u64 granule(int which)
{
	return REALM_BASE + which * SZ_4K;
}

static u64 call4(u64 fid, u64 x1, u64 x2, u64 x3, u64 x4)
{
	u64 x[SMC_REGS] = { fid, x1, x2, x3, x4 };

	smc_call(x);
	return x[0];
}

struct rmi_rec_run *realm_run(void)
{
	return (void *)RUN;
}

static void *clear_page(u64 pa)
{
	return memset((void *)pa, 0, SZ_4K);
}

static u64 create_realm(const struct realm_shape *shape)
{
	struct rmi_realm_params *p = clear_page(PARAMS);

	p->flags = shape->flags;
	p->sve_vl = shape->sve_vl;
	p->pmu_num_ctrs = shape->pmu_num_ctrs;
	p->s2sz = IPA_BITS;
	p->vmid = 1;
	p->rtt_base = granule(RTT1);
	p->rtt_level_start = 1;
	p->rtt_num_start = 1;
	return call(RMI_REALM_CREATE, granule(RD), PARAMS, 0);
}

static u64 aux_count(void)
{
	u64 x[SMC_REGS] = { RMI_REC_AUX_COUNT, granule(RD) };

	smc_call(x);
	return x[0] == RMI_SUCCESS && x[1] <= RMI_REC_MAX_AUX ? x[1] : 0;
}

static u64 create_rec(u64 num_aux)
{
	struct rmi_rec_params *p = clear_page(PARAMS);
	u64 i;

	p->num_aux = num_aux;
	for (i = 0; i < num_aux; i++)
		p->aux[i] = granule(AUX + i);
	p->flags = RMI_REC_FLAG_RUNNABLE;
	p->pc = IPA_CODE;
	return call(RMI_REC_CREATE, granule(RD), granule(REC), PARAMS);
}

static u64 create_code(void)
{
	u64 x[SMC_REGS] = { RMI_DATA_CREATE, granule(RD), granule(CODE), IPA_CODE, SOURCE,
			    RMI_DATA_FLAG_MEASURE };

	smc_call(x);
	return x[0];
}

void realm_build(const struct realm_shape *shape)
{
	u64 refused = 0;
	int i;

	for (i = 0; i < NR_GRANULES; i++)
		refused += delegate(granule(i)) != RMI_SUCCESS;
	has_data = false;
	memcpy((void *)SOURCE, shape->code, SZ_4K);
	expect("the realm's granules are delegated", refused, 0);
	expect("a realm is created", create_realm(shape), RMI_SUCCESS);
	expect("an RTT of level 2", call4(RMI_RTT_CREATE, granule(RD), granule(RTT2), 0, 2), 0);
	expect("an RTT of level 3", call4(RMI_RTT_CREATE, granule(RD), granule(RTT3), 0, 3), 0);
	expect("RIPAS is RAM", call(RMI_RTT_INIT_RIPAS, granule(RD), 0, IPA_TOP), RMI_SUCCESS);
	expect("code is measured", create_code(), RMI_SUCCESS);
	expect("a REC wants auxiliary granules", aux_count() != 0, true);
	expect("it is not created without", create_rec(0), RMI_ERROR_INPUT);
	expect("a REC is created", create_rec(aux_count()), RMI_SUCCESS);
	expect("the realm is activated", call(RMI_REALM_ACTIVATE, granule(RD), 0, 0), RMI_SUCCESS);
}

void realm_enter(u64 flags, u64 gpr0, u64 reason)
{
	struct rmi_rec_run *r = clear_page(RUN);

	r->enter.flags = flags;
	r->enter.gprs[0] = gpr0;
	expect("the REC is entered", call(RMI_REC_ENTER, granule(REC), RUN, 0), RMI_SUCCESS);
	expect("it exits as it should", r->exit.exit_reason, reason);
}

static void run_to_fault(void)
{
	const struct rmi_rec_exit *exit = &realm_run()->exit;

	realm_enter(0, 0, RMI_EXIT_HOST_CALL);
	expect("it is in R-EL1 and calls the host", exit->imm, CALL_VERSION);
	expect("RSI_VERSION succeeds", exit->gprs[0], RSI_SUCCESS);
	expect("RSI is 1.0", exit->gprs[1], RSI_ABI_VERSION);
	realm_enter(0, SECRET, RMI_EXIT_SYNC);
	expect("memory that is not there aborts", exit->esr >> ESR_EC_SHIFT, EC_DATA_ABORT);
	expect("at its address", exit->hpfar, (u64)IPA_FAULTS >> 12 << 4);
	expect("memory is given", call(RMI_DATA_CREATE_UNKNOWN, granule(RD), granule(DATA),
				       IPA_FAULTS), RMI_SUCCESS);
	has_data = true;
}

static void run_devices(void)
{
	const struct rmi_rec_exit *exit = &realm_run()->exit;

	realm_enter(0, 0, RMI_EXIT_SYNC);
	expect("a device write is shown", exit->hpfar, (u64)IPA_DEVICE >> 12 << 4);
	expect("with its value, by way of memory", exit->gprs[0], (u32)SECRET);
	realm_enter(RMI_ENTER_EMUL_MMIO, 0, RMI_EXIT_SYNC);
	expect("a device read is shown", exit->far, 4);
	realm_enter(RMI_ENTER_EMUL_MMIO, MMIO_VALUE, RMI_EXIT_HOST_CALL);
	expect("the results come", exit->imm, CALL_RESULTS);
	expect("the read is extended by its sign", exit->gprs[0], (s64)(int16_t)MMIO_VALUE);
	expect("the realm sees no SVE", field(exit->gprs[1], PFR0_SVE_SHIFT), 0);
	expect("the REC is CPU 0", exit->gprs[2], BIT(31));
}

static u64 vector_now(void)
{
	u64 value;

	asm volatile(".arch_extension fp\n\tfmov %0, d31" : "=r" (value));
	return value;
}

static void run_vectors(void)
{
	const struct rmi_rec_exit *exit = &realm_run()->exit;

	write_sysreg(read_sysreg(cptr_el2) & ~BIT(10), cptr_el2);
	isb();
	asm volatile(".arch_extension fp\n\tfmov d31, %0" :: "r" (HOST_VECTOR));
	write_sysreg(0x1234, tpidr_el1);
	realm_enter(0, 0, RMI_EXIT_HOST_CALL);
	expect("vectors of the realm outlive an exit", exit->gprs[0], (s64)(int16_t)MMIO_VALUE);
	expect("so do the host's", vector_now(), HOST_VECTOR);
	expect("and the host's EL1", read_sysreg(tpidr_el1), 0x1234);
	expect("its granules fault", fault_of(granule(DATA)), FSC_GPF);
}

void host_interrupt(u32 intid, bool enable)
{
	mmio_write(GICR_BASE + GICR_WAKER, 0);
	while (mmio_read(GICR_BASE + GICR_WAKER) & GICR_WAKER_ASLEEP)
		;
	mmio_write(GICR_BASE + GICR_IGROUPR0, ~0U);
	mmio_write(GICR_BASE + (enable ? GICR_ISENABLER0 : GICR_ICENABLER0), BIT(intid));
	write_sysreg(0xff, ICC_PMR_EL1);
	write_sysreg(1, ICC_IGRPEN1_EL1);
	isb();
}

static void run_interrupt(void)
{
	const struct rmi_rec_exit *exit = &realm_run()->exit;

	host_interrupt(TIMER_INTID, true);
	realm_enter(0, 0, RMI_EXIT_IRQ);
	expect("its timer interrupts the host", exit->cntv_ctl, TIMER_FIRES);
	expect("the host's timer is off", read_sysreg(cntv_ctl_el0) & TIMER_ENABLE, 0);
	clear_page(RUN);
	realm_run()->enter.gicv3_lrs[0] = LR_PENDING | LR_GROUP1 | LR_PRIORITY | TIMER_INTID;
	expect("the REC is entered", call(RMI_REC_ENTER, granule(REC), RUN, 0), RMI_SUCCESS);
	expect("it exits for no physical interrupt", exit->exit_reason, RMI_EXIT_HOST_CALL);
	expect("it took the interrupt", exit->imm, CALL_INTERRUPT);
	expect("of the timer", exit->gprs[0], TIMER_INTID);
	expect("and ended it", exit->gicv3_lrs[0] & LR_STATE, 0);
	expect("the timer is off", exit->cntv_ctl & TIMER_ENABLE, 0);
	host_interrupt(TIMER_INTID, false);
}

static void run_to_end(void)
{
	const struct rmi_rec_exit *exit = &realm_run()->exit;

	realm_enter(RMI_ENTER_TRAP_WFI, 0, RMI_EXIT_SYNC);
	expect("WFI is shown", exit->esr >> ESR_EC_SHIFT, EC_WFX);
	if (read_sysreg(S3_0_C0_C6_2) & ISAR2_WFXT) {
		realm_enter(RMI_ENTER_TRAP_WFI, 0, RMI_EXIT_SYNC);
		expect("WFIT is shown", exit->esr >> ESR_EC_SHIFT, EC_WFX);
		expect("as what it is", exit->esr & WFX_TI, WFX_WFIT);
		expect("until when", exit->gprs[0], WFIT_UNTIL);
	}
	realm_enter(0, 0, RMI_EXIT_PSCI);
	expect("it turns the system off", exit->gprs[0], PSCI_SYSTEM_OFF);
}

void realm_take_down(void)
{
	u64 refused = 0, left = 0, rd = granule(RD);
	int i;

	expect("the REC is destroyed", call(RMI_REC_DESTROY, granule(REC), 0, 0), RMI_SUCCESS);
	expect("code is destroyed", call(RMI_DATA_DESTROY, rd, IPA_CODE, 0), RMI_SUCCESS);
	if (has_data)
		expect("data is destroyed", call(RMI_DATA_DESTROY, rd, IPA_FAULTS, 0), RMI_SUCCESS);
	expect("the level 3 RTT is destroyed", call(RMI_RTT_DESTROY, rd, 0, 3), RMI_SUCCESS);
	expect("the level 2 RTT is destroyed", call(RMI_RTT_DESTROY, rd, 0, 2), RMI_SUCCESS);
	expect("the realm is destroyed", call(RMI_REALM_DESTROY, rd, 0, 0), RMI_SUCCESS);
	for (i = 0; i < NR_GRANULES; i++)
		refused += undelegate(granule(i)) != RMI_SUCCESS;
	expect("its granules are undelegated", refused, 0);
	for (i = 0; i < NR_GRANULES; i++)
		left += not_zero(granule(i));
	expect("and read zero", left, 0);
}

void test_realm(void)
{
	if (call(RMI_REALM_DESTROY, 0, 0, 0) == SMC_NOT_SUPPORTED) {
		puts_("skip a realm: this RMM is built without core/\n");
		return;
	}
	realm_build(&(struct realm_shape) { .code = realm_guest });
	run_to_fault();
	run_devices();
	run_vectors();
	run_interrupt();
	run_to_end();
	realm_take_down();
}
