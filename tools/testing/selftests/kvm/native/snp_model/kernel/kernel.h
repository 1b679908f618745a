/* SPDX-License-Identifier: GPL-2.0-only */
/* What arch/x86/virt/svm/rmp.c needs of a kernel, for one thread. */
#ifndef NATIVE_KERNEL_H
#define NATIVE_KERNEL_H

#include "../log.h"
#include "snp_types.h"

struct native_atomic_long {
	long counter;
};

#define atomic_long_t		struct native_atomic_long

static inline void atomic_long_add(long n, atomic_long_t *v)
{
	v->counter += n;
}

static inline long atomic_long_read(const atomic_long_t *v)
{
	return v->counter;
}

#define READ_ONCE(x)		(x)
#define cmpxchg(p, old, new) \
	({ __sync_val_compare_and_swap(p, old, new); })

#define DEFAULT_RATELIMIT_INTERVAL	0
#define DEFINE_RATELIMIT_STATE(name, interval, burst)	int name
#define __ratelimit(state)	((void)(state), true)

#define pr_err(fmt, ...)	log_line(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...)	log_line(pr_fmt(fmt), ##__VA_ARGS__)

void cpu_relax(void);

enum pg_level {
	PG_LEVEL_NONE,
	PG_LEVEL_4K,
	PG_LEVEL_2M,
	PG_LEVEL_1G,
};

#define PTRS_PER_PMD		512

bool pfn_valid(unsigned long pfn);

/* The direct map, and its physical addresses */
bool virt_addr_valid(unsigned long va);
u64 phys_of(const void *va);
#define __pa(va)		phys_of((const void *)(va))
#define PHYS_PFN(pa)		((pa) >> PAGE_SHIFT)

/* What else is mapped, is so at one level. */
struct native_pte {
	u64 pfn;
	bool present;
};

#define pte_t			struct native_pte

pte_t *lookup_address(unsigned long address, unsigned int *level);
#define pte_present(pte)	((pte).present)
#define pte_pfn(pte)		((pte).pfn)
#define page_level_mask(level)	((level) == PG_LEVEL_4K ? ~0xfffUL : ~0x1fffffUL)

#endif
