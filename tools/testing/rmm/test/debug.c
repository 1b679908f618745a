// SPDX-License-Identifier: GPL-2.0-only
/* Breakpoints and watchpoints of a realm, and those of its host beside them. */
#include "realm.h"

#define EC_UNKNOWN		0x00
#define EC_BREAKPOINT		0x31
#define EC_WATCHPOINT		0x35
#define DFR0_BRPS_SHIFT		12
#define DFR0_WRPS_SHIFT		20
#define MDSCR_MDE_KDE		0xa000

/* The host's are not enabled, but have values. */
#define HOST_BVR		0x4000UL
#define HOST_BCR		0x1e4UL
#define HOST_WVR		0x8000UL
#define HOST_WCR		0x1ff8UL
#define HOST_MDSCR		BIT(12)

static void set_host_debug(void)
{
	write_sysreg(0, oslar_el1);
	write_sysreg(HOST_BVR, dbgbvr1_el1);
	write_sysreg(HOST_BCR, dbgbcr1_el1);
	write_sysreg(HOST_WVR, dbgwvr0_el1);
	write_sysreg(HOST_WCR, dbgwcr0_el1);
	write_sysreg(HOST_MDSCR, mdscr_el1);
	isb();
}

static void check_host_debug(void)
{
	expect("the host's breakpoint is as it was", read_sysreg(dbgbvr1_el1), HOST_BVR);
	expect("and its control", read_sysreg(dbgbcr1_el1), HOST_BCR);
	expect("the host's watchpoint is as it was", read_sysreg(dbgwvr0_el1), HOST_WVR);
	expect("and its control register", read_sysreg(dbgwcr0_el1), HOST_WCR);
	expect("and MDSCR_EL1", read_sysreg(mdscr_el1), HOST_MDSCR);
}

void test_debug(void)
{
	const struct rmi_rec_exit *exit = &realm_run()->exit;
	const struct realm_shape shape = { .code = debug_guest };

	set_host_debug();
	realm_build(&shape);
	realm_enter(0, 0, RMI_EXIT_HOST_CALL);
	expect("the realm sees one breakpoint", field(exit->gprs[0], DFR0_BRPS_SHIFT), 0);
	expect("and one watchpoint", field(exit->gprs[0], DFR0_WRPS_SHIFT), 0);
	expect("the breakpoint is what it wrote", exit->gprs[1], 0);
	expect("so is MDSCR_EL1", exit->gprs[2], MDSCR_MDE_KDE);
	expect("a second breakpoint is undefined", exit->gprs[3], EC_UNKNOWN);
	check_host_debug();
	realm_enter(0, 0, RMI_EXIT_HOST_CALL);
	expect("it runs into its breakpoint", exit->gprs[0], EC_BREAKPOINT);
	expect("where that is", exit->gprs[1], 0);
	expect("and into its watchpoint", exit->gprs[2], EC_WATCHPOINT);
	expect("at its address", exit->gprs[3], 0);
	check_host_debug();
	write_sysreg(0, mdscr_el1);
	realm_take_down();
}
