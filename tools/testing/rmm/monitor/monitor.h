/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the monitor call of each other. */
#ifndef MONITOR_H
#define MONITOR_H

#include "fw_map.h"
#include "fw_types.h"

/* The registers of the interrupted world, at the top of the CPU's stack. Known to entry.S. */
struct frame {
	u64 x[31];
	u64 elr;
	u64 spsr;
	u64 pad;
};
static_assert(sizeof(struct frame) == 272, "entry.S pushes 272 bytes");

enum world {
	WORLD_NS,
	WORLD_REALM,
};

/* The machine as QEMU's tree describes it. */
struct machine {
	u64 ram_base;
	u64 ram_top;
	u32 nr_cpus;
};

extern struct machine machine;

/* entry.S: what goes to RMM_BASE */
extern const u8 rmm_image[], rmm_image_end[];

/* entry.S */
void __noreturn enter_lower(struct frame *frame);
u64 cpu_index(void);

/* main.c */
void start_normal_world(struct frame *frame, u64 pc, u64 x0);

void rmm_is_up(struct frame *frame);
void hold_secondaries(void);
/* Called by entry.S. */
void boot_primary(void);
void boot_secondary(void);
void handle_exception(struct frame *frame, u64 kind);

/* mmu.c */
void mmu_build(void);
void mmu_enable(void);
static inline void *ns_ptr(u64 pa)
{
	return (void *)(pa | NS_ALIAS);
}

/* gpt.c */
void gpt_build(void);
void gpt_enable(void);
int gpt_delegate(u64 pa);
int gpt_undelegate(u64 pa);
bool gpt_is_ns(u64 pa);

/* world.c */
void cpu_enable_features(void);
void world_reset_el2(void);
void world_save(enum world world, const struct frame *frame);
void world_load(enum world world, struct frame *frame);
void world_become(enum world world);
enum world world_current(void);

/* smc.c */
void smc_handle(struct frame *frame);

/* psci.c */
void psci_boot_cpu_is_on(void);
void psci_wait(struct frame *frame);
bool psci_handle(struct frame *frame);
void __noreturn system_off(void);

/* gic.c */
void gic_init(void);
void gic_cpu_init(void);
void gic_doze_begin(void);
void gic_doze(void);
void gic_doze_end(void);
void gic_kick(u32 cpu);

/* fdt.c */
void fdt_read_machine(void);
u64 fdt_write(u64 initrd, u64 initrd_size);

/* loader.c */
u64 load_kernel(u64 *initrd, u64 *initrd_size);
void load_rmm(void);

/* console.c */
void console_init(void);
void console_putc(char c);
void console_puts(const char *s);
void console_hex(u64 value);
void __noreturn panic(const char *why);

#endif
