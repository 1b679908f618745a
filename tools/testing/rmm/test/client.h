/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the bare test client share. */
#ifndef CLIENT_H
#define CLIENT_H

#include "fw_map.h"
#include "model.h"
#include "rmi.h"
#include "fw_types.h"
#include "sysreg.h"

#define SMC_REGS		18
#define ESR_FSC			0x3f
#define FSC_GPF			0x28

/* client_entry.S */
void smc_call(u64 x[SMC_REGS]);
u64 probe(u64 pa);
void client_secondary(void);
void client_idle(void);

/* client.c */
void puts_(const char *s);
/* One test: a line with its name, and where it fails the two values. */
void expect(const char *what, u64 is, u64 should);
u64 call(u64 fid, u64 x1, u64 x2, u64 x3);
u64 delegate(u64 pa);
u64 undelegate(u64 pa);
u64 fault_of(u64 pa);
u64 not_zero(u64 pa);
void client_main(void);
void client_second_cpu(u64 context);
void client_unexpected(void);

/* realm.c, realm_guest.S, sve.c, debug.c, pmu.c */
void test_realm(void);
void test_sve(void);
void test_debug(void);
void test_pmu(void);
extern const u8 realm_guest[];

#endif
