/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine for arch/x86/virt/svm/rmp_setup.c and rmp_hw.c: its processors, its
 * memory, and what the kernel does around them while it boots.
 */
#ifndef NATIVE_PC_H
#define NATIVE_PC_H

#include <asm/snp_host.h>

#include "kernel/setup_kernel.h"
#include "machine.h"

#include "../../../../../../arch/x86/virt/svm/rmp_hw.h"

#define MIB(n)		((n) * 0x100000ULL)

/* By the manuals, not by the kernel's headers. */
#define SYSCFG		0xc0010010
#define SYSCFG_MFDM	BIT_ULL(19)
#define SYSCFG_SME	BIT_ULL(23)
#define SYSCFG_SNP	BIT_ULL(24)
#define SYSCFG_VMPL	BIT_ULL(25)
#define SYSCFG_ALL	(SYSCFG_MFDM | SYSCFG_SNP | SYSCFG_VMPL)
#define RMP_BASE	0xc0010132
#define RMP_END		0xc0010133
#define SEV_SNP		(19 * 32 + 4)

#define BOOKKEEPING	0x4000
/* An RMP of 1 MiB: so many entries, enough for memory below 252 MiB. */
#define NR_ENTRIES	64512ULL

#define CPUS		4
#define ONLINE		3

/* Half-open */
struct range {
	u64 start, end;
};

extern struct pc {
	bool has_snp, is_kdump;
	u64 base, end;
	/* An MSR that cannot be read */
	u32 faulting;
	struct { u64 start, end; enum e820_type type; } e820[4];
	/* The kernel's image, and what memblock has reserved before. */
	struct range kernel, taken;
	/* While parameters are parsed: what is reserved, and should be. */
	bool is_early;
	struct range aside[2], want[2];
	unsigned int nr_aside;
	/* It has been given back since. */
	bool is_undone;
	u64 syscfg[CPUS];
	unsigned int cpu, nr_reads, nr_writes;

	bool cannot_map;
	u8 *table;
	size_t table_size;
	/* The table was zero when all caches were flushed, and SNP was off. */
	bool table_is_clean;

	int iommu_error;
	unsigned int iommu_asked;
	const struct snp_rmp_ops *ops;
	int (*up)(unsigned int cpu);
} pc;

/* What the host's mapping of DIRECT_MAP_PFN is, and what becomes of it. */
extern struct direct_map {
	pte_t pte;
	unsigned int level, nr_split;
	bool is_there;
	int error;
} direct_map;

#define DIRECT_MAP_PFN	0x305

/*
 * 192 MiB, then what the BIOS has; other bits of SYSCFG are each CPU's own, and
 * no code of the kernel has run.
 */
void pc_reset(void);
void pc_on_cpu(unsigned int cpu);
/* All that are online. */
bool pc_all_have(u64 bits);
/* Each byte of the RMP. */
bool pc_table_is(u8 byte);

/* The parameter is read; nobody knows yet how much memory there is. */
void pc_boot_early(const char *parameter);
void pc_boot_late(void);

#endif
