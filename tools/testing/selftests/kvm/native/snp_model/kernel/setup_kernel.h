/* SPDX-License-Identifier: GPL-2.0-only */
/* What arch/x86/virt/svm/rmp_{setup,hw}.c need of a kernel, at boot. */
#ifndef NATIVE_SETUP_KERNEL_H
#define NATIVE_SETUP_KERNEL_H

#include "ccp_kernel.h"

#define SZ_16K			0x00004000
#define SZ_1M			0x00100000
#define ALIGN(x, a)		ALIGN_DOWN((x) + (a) - 1, a)
#define GENMASK_ULL(h, l)	((~0ULL >> (63 - (h))) & (~0ULL << (l)))
#define FIELD_GET(mask, val)	(((val) & (mask)) / ((mask) & -(mask)))

#define __init
/* Zero whenever the kernel begins. */
#define __initdata		__attribute__((section("native_initdata")))
extern u8 __start_native_initdata[], __stop_native_initdata[];
#define __ro_after_init

/* What the kernel calls by itself, for tests to call. */
extern const char *const early_param_name;
extern int (*const early_param_fn)(char *arg);
extern int (*const initcall_fn)(void);
#define early_param(name, fn)						\
	const char *const early_param_name = name;			\
	int (*const early_param_fn)(char *arg) = fn
#define fs_initcall(fn)		int (*const initcall_fn)(void) = fn

int kstrtobool(const char *s, bool *res);

extern char boot_command_line[];
int cmdline_find_option(const char *cmdline, const char *option, char *buffer,
			int bufsize);

/* The processors. */
struct cpuinfo {
	u8 x86;
};

extern struct cpuinfo boot_cpu_data;
bool boot_cpu_has(unsigned int feature);
u64 read_msr(u32 msr);
#define rdmsrl(msr, val)	((val) = read_msr(msr))
int rdmsrl_safe(u32 msr, u64 *val);
void wrmsrl(u32 msr, u64 val);
void on_each_cpu(void (*fn)(void *info), void *info, int wait);

#define CPUHP_AP_ONLINE_DYN	200

int cpuhp_setup_state(int state, const char *name, int (*up)(unsigned int cpu),
		      int (*down)(unsigned int cpu));

/* The memory. */
enum e820_type {
	E820_TYPE_RAM = 1,
	E820_TYPE_RESERVED = 2,
};

extern unsigned long max_pfn;
bool e820__mapped_any(u64 start, u64 end, enum e820_type type);

void e820__reserve_ram(u64 start, u64 size);

bool memblock_is_region_reserved(phys_addr_t base, phys_addr_t size);

/* The kernel's image; the linker has an _end of its own. */
#define _text			native_text
#define _end			native_end
extern char native_text[], native_end[];
unsigned long pa_symbol(const char *symbol);
#define __pa_symbol(symbol)	pa_symbol(symbol)

#define MEMREMAP_WB		1UL

void *memremap(u64 offset, size_t size, unsigned long flags);
void memunmap(void *va);

void *pfn_to_kaddr(u64 pfn);
#define pte_none(pte)		(!(pte).present)
int set_memory_4k(unsigned long va, int nr);

/* The rest. */
extern bool crash_kexec_post_notifiers;
bool is_kdump_kernel(void);
int amd_iommu_snp_enable(void);

#endif
