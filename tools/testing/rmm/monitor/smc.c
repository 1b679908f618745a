// SPDX-License-Identifier: GPL-2.0-only
/* Who may call what at EL3: the host PSCI and RMI, the RMM its private calls. */
#include "monitor.h"
#include "monitor_abi.h"
#include "model.h"
#include "sysreg.h"

#define SMCCC_VERSION		0x80000000
#define SMCCC_ARCH_FEATURES	0x80000001
#define SMCCC_1_2		0x10002
#define NOT_SUPPORTED		(~0UL)

#define RMI_FIRST		0xc4000150
#define RMI_LAST		0xc400018f
#define RMI_REGS		8

/* The RMM wakes up in its last call of the monitor, with the host's arguments. */
static void rmi_enter(struct frame *frame)
{
	u64 args[RMI_REGS];

	memcpy(args, frame->x, sizeof(args));
	world_save(WORLD_NS, frame);
	world_load(WORLD_REALM, frame);
	memcpy(frame->x, args, sizeof(args));
}

static void rmi_return(struct frame *frame)
{
	u64 results[RMI_REGS];

	memcpy(results, frame->x + 1, sizeof(results));
	world_save(WORLD_REALM, frame);
	world_load(WORLD_NS, frame);
	memcpy(frame->x, results, sizeof(results));
}

#ifdef NO_RMM
static const bool has_rmm;
#else
static const bool has_rmm = true;
#endif

static bool is_for_rmm(u32 fid)
{
	return has_rmm && ((fid >= RMI_FIRST && fid <= RMI_LAST) || fid == MODEL_UID ||
	       (fid >= MODEL_FID(0) && fid <= MODEL_FID_LAST));
}

static bool from_el2(const struct frame *frame)
{
	return (frame->spsr >> SPSR_EL_SHIFT & 3) == 2;
}

static void arch_features(struct frame *frame)
{
	u32 fid = frame->x[1];

	frame->x[0] = fid == SMCCC_VERSION || fid == SMCCC_ARCH_FEATURES ? 0 : NOT_SUPPORTED;
}

static void host_smc(struct frame *frame)
{
	u32 fid = frame->x[0];

	if (is_for_rmm(fid) && from_el2(frame))
		rmi_enter(frame);
	else if (fid == SMCCC_VERSION)
		frame->x[0] = SMCCC_1_2;
	else if (fid == SMCCC_ARCH_FEATURES)
		arch_features(frame);
	else if (!psci_handle(frame))
		frame->x[0] = NOT_SUPPORTED;
}

static void rmm_smc(struct frame *frame)
{
	switch ((u32)frame->x[0]) {
	case MON_BOOT_DONE:
		world_save(WORLD_REALM, frame);
		rmm_is_up(frame);
		return;
	case MON_RMI_DONE:
		rmi_return(frame);
		return;
	case MON_DELEGATE:
		frame->x[0] = gpt_delegate(frame->x[1]);
		return;
	case MON_UNDELEGATE:
		frame->x[0] = gpt_undelegate(frame->x[1]);
		return;
	case MON_IS_NS:
		frame->x[0] = gpt_is_ns(frame->x[1]);
		return;
	case MON_PUTC:
		console_putc(frame->x[1]);
		return;
	case MON_PANIC:
		panic("the RMM gave up");
	default:
		frame->x[0] = NOT_SUPPORTED;
	}
}

void smc_handle(struct frame *frame)
{
	if (world_current() == WORLD_NS)
		host_smc(frame);
	else
		rmm_smc(frame);
}
