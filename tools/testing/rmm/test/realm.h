/* SPDX-License-Identifier: GPL-2.0-only */
/* A realm of the bare test client with one page of code and one REC. */
#ifndef TEST_REALM_H
#define TEST_REALM_H

#include "client.h"
#include "realm_guest.h"

/* What it is made of: RMI_REALM_FLAG_*, a page of code. */
struct realm_shape {
	u64 flags;
	u8 sve_vl;
	u8 pmu_num_ctrs;
	const u8 *code;
};

void realm_build(const struct realm_shape *shape);
struct rmi_rec_run *realm_run(void);
/* Runs the REC to its next exit, which should have the reason. */
void realm_enter(u64 flags, u64 gpr0, u64 reason);
void realm_take_down(void);
/* CPU 0's own interrupt, taken by this host or not. */
void host_interrupt(u32 intid, bool enable);

/* sve_guest.S, debug_guest.S, pmu_guest.S */
extern const u8 sve_guest[], debug_guest[], pmu_guest[];

#endif
