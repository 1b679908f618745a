// SPDX-License-Identifier: GPL-2.0-only
/* The order of things at boot, and what every exception to EL3 goes through. */
#include "monitor.h"
#include "monitor_abi.h"
#include "sysreg.h"

u8 stacks[MAX_CPUS][STACK_SIZE] __aligned(16);
u64 secondaries_may_run;
struct machine machine;

/* Seen by CPUs whose caches are off. */
static void set_secondaries_may_run(u64 value)
{
	secondaries_may_run = value;
	asm volatile("dc civac, %0" :: "r" (&secondaries_may_run) : "memory");
	dsb(sy);
	sev();
}

void hold_secondaries(void)
{
	set_secondaries_may_run(0);
}

static struct frame *top_frame(void)
{
	return (struct frame *)(stacks[cpu_index()] + STACK_SIZE) - 1;
}

static void __noreturn boot_rmm(void)
{
	struct frame *frame = top_frame();

	memset(frame, 0, sizeof(*frame));
	frame->x[0] = cpu_index();
	frame->x[1] = machine.ram_base;
	frame->x[2] = machine.ram_top;
	frame->elr = RMM_BASE;
	frame->spsr = SPSR_EL2H_MASKED;
	world_become(WORLD_REALM);
	world_reset_el2();
	enter_lower(frame);
}

void boot_primary(void)
{
	console_init();
	console_puts("monitor: EL3 of the model RMM\n");
	mmu_build();
	mmu_enable();
	cpu_enable_features();
	fdt_read_machine();
	gic_init();
	gic_cpu_init();
	load_rmm();
	gpt_build();
	gpt_enable();
	boot_rmm();
}

void boot_secondary(void)
{
	mmu_enable();
	cpu_enable_features();
	gic_cpu_init();
	gpt_enable();
	boot_rmm();
}

void start_normal_world(struct frame *frame, u64 pc, u64 x0)
{
	memset(frame, 0, sizeof(*frame));
	frame->x[0] = x0;
	frame->elr = pc;
	frame->spsr = SPSR_EL2H_MASKED;
	world_become(WORLD_NS);
	world_reset_el2();
}

/* The RMM of this CPU is up: the Non-secure world is next. */
void rmm_is_up(struct frame *frame)
{
	u64 initrd = 0, initrd_size = 0, entry;

	if (cpu_index() != 0) {
		psci_wait(frame);
		return;
	}
	psci_boot_cpu_is_on();
	set_secondaries_may_run(1);
	entry = load_kernel(&initrd, &initrd_size);
	start_normal_world(frame, entry, fdt_write(initrd, initrd_size));
}

#define KIND_SYNC_LOWER64	8

static void report(const struct frame *frame, u64 kind)
{
	console_puts("monitor: exception ");
	console_hex(kind);
	console_puts(" esr ");
	console_hex(read_sysreg(esr_el3));
	console_puts(" elr ");
	console_hex(frame->elr);
	console_puts(" far ");
	console_hex(read_sysreg(far_el3));
	console_puts("\n");
}

void handle_exception(struct frame *frame, u64 kind)
{
	u64 class = (read_sysreg(esr_el3) >> ESR_EC_SHIFT) & 0x3f;

	if (kind == KIND_SYNC_LOWER64 && class == EC_SMC64) {
		smc_handle(frame);
		return;
	}
	report(frame, kind);
	panic("unexpected exception");
}
