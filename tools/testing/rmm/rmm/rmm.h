/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the RMM's architecture part call of each other. */
#ifndef RMM_H
#define RMM_H

#define RMM_STACK_SIZE		0x4000

#ifndef __ASSEMBLER__
#include "rmm_port.h"

#include "fw_map.h"
#include "fw_types.h"

struct rmm_regs {
	u64 x[RMM_CALL_REGS];
};

/* main.c: entered by entry.S. */
void rmm_boot_first(u64 cpu, u64 ram_base, u64 ram_top);
void rmm_boot_cpu(void);
void rmm_handle_rmi(struct rmm_regs *regs);
void __noreturn rmm_exception(u64 kind);

/* mmu.c */
void mmu_build(u64 ram_base, u64 ram_top);
void mmu_enable(void);

/* console.c */
void console_puts(const char *s);
void console_hex(u64 value);
void __noreturn panic(const char *why);

static inline u64 monitor_call(u64 fid, u64 arg)
{
	register u64 x0 asm("x0") = fid;
	register u64 x1 asm("x1") = arg;

	asm volatile("smc #0" : "+r" (x0), "+r" (x1) :: "memory");
	return x0;
}
#endif

#endif
