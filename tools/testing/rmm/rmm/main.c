// SPDX-License-Identifier: GPL-2.0-only
/* Boot of the RMM, and the way of the host's calls into its core. */
#include "arch.h"

/* make TRACE=1: a line a command on the monitor's console. */
#ifndef RMM_TRACE
#define RMM_TRACE	false
#endif

/* As many as there can be, as an RMM of a real machine asks for; SVE_GRANULES are used. */
#define REC_AUX		RMI_REC_MAX_AUX
static_assert(REC_AUX >= SVE_GRANULES, "");
#define VMID_BITS	16

u8 rmm_stacks[MAX_CPUS][RMM_STACK_SIZE] __aligned(16);

static struct rmm_range ram[2];
static u8 granules[20 << 20] __aligned(16);

/* RAM without the RMM's own part, which is near its start. */
static void start_core(u64 ram_base, u64 ram_top)
{
	struct rmm_config config = {
		.ram = ram,
		.nr_ram = ARRAY_SIZE(ram),
		.granules = (struct granule *)granules,
		.feature0 = features_of_cpu(),
		.nr_rec_aux = REC_AUX,
		.vmid_bits = VMID_BITS,
		.trace = RMM_TRACE,
	};

	ram[0] = (struct rmm_range){ ram_base, RMM_BASE - ram_base };
	ram[1] = (struct rmm_range){ RMM_BASE + RMM_SIZE, ram_top - RMM_BASE - RMM_SIZE };
	if (rmm_granules_size(ram, ARRAY_SIZE(ram)) > sizeof(granules))
		panic("more RAM than there is room to track");
	rmm_init(&config);
}

void rmm_boot_first(u64 cpu, u64 ram_base, u64 ram_top)
{
	(void)cpu;
	mmu_build(ram_base, ram_top);
	mmu_enable();
	start_core(ram_base, ram_top);
	console_puts("rmm: R-EL2 is up\n");
}

void rmm_boot_cpu(void)
{
	mmu_enable();
}

void rmm_handle_rmi(struct rmm_regs *regs)
{
	rmm_call(regs->x);
}

void rmm_exception(u64 kind)
{
	console_puts("rmm: exception ");
	console_hex(kind);
	console_puts(" esr ");
	console_hex(read_sysreg(esr_el2));
	console_puts(" elr ");
	console_hex(read_sysreg(elr_el2));
	console_puts(" far ");
	console_hex(read_sysreg(far_el2));
	console_puts("\n");
	panic("unexpected exception");
}
