/* SPDX-License-Identifier: GPL-2.0-only */
/* What the PSP driver's part for SNP needs of a kernel, for one thread. */
#ifndef NATIVE_CCP_KERNEL_H
#define NATIVE_CCP_KERNEL_H

#include "kernel.h"

typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;

#define gfp_t			unsigned int
#define phys_addr_t		u64

struct file;

#define U32_MAX			(~0U)
#define U64_MAX			(~0ULL)

#define WRITE_ONCE(x, val)	((x) = (val))
#define BUILD_BUG_ON_ZERO(e)	((int)sizeof(struct { int:(-!!(e)); }))
#define cond_resched()		((void)0)
#define pr_debug(fmt, ...)	((void)0)

/* Whoever takes it twice, or does not hold it, fails the test. */
struct mutex {
	bool taken;
};

void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);
void assert_held(struct mutex *m);
#define lockdep_assert_held(m)	assert_held(m)

/* The direct map begins where the machine's memory does. */
void *phys_to_virt(u64 pa);
#define __sme_clr(pa)		(pa)
#define PFN_PHYS(pfn)		((u64)(pfn) << PAGE_SHIFT)
#define PFN_UP(n)		(((n) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(n)		((n) >> PAGE_SHIFT)

#define GFP_KERNEL		1U
#define GFP_KERNEL_ACCOUNT	1U
#define __GFP_ZERO		2U
#define __GFP_NOWARN		4U

struct page;

unsigned long __get_free_page(gfp_t gfp);
void free_page(unsigned long va);
void *alloc_pages_exact(size_t size, gfp_t gfp);
void free_pages_exact(void *va, size_t size);
struct page *pfn_to_page(u64 pfn);
void get_page(struct page *page);
#define get_zeroed_page(gfp)	__get_free_page((gfp) | __GFP_ZERO)
#define clear_page(va)		memset(va, 0, PAGE_SIZE)

#define get_unaligned(p) ({						\
	__typeof__(*(p)) _v;						\
	memcpy(&_v, p, sizeof(_v));					\
	_v; })
#define put_unaligned(val, p) do {					\
	__typeof__(*(p)) _v = (val);					\
	memcpy(p, &_v, sizeof(_v));					\
} while (0)

int wbinvd_on_all_cpus(void);
#define wbinvd()		((void)wbinvd_on_all_cpus())
#define clflush_cache_range(va, size)	((void)(va), (void)(size))
void amd_iommu_snp_disable(void);

struct resource {
	u64 start, end;
	unsigned long desc;
};

#define IORESOURCE_MEM		0x200UL
#define IORES_DESC_ACPI_TABLES	2UL
#define IORES_DESC_ACPI_NV_STORAGE	3UL
#define IORES_DESC_RESERVED	7UL

int walk_iomem_res_desc(unsigned long desc, unsigned long flags, u64 start,
			u64 end, void *arg,
			int (*func)(struct resource *res, void *arg));

#endif
