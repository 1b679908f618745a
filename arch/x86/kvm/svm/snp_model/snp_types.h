/* SPDX-License-Identifier: GPL-2.0-only */
/* The types of the SNP model: the kernel's, or the same without a kernel. */
#ifndef SNP_MODEL_TYPES_H
#define SNP_MODEL_TYPES_H

#ifdef __KERNEL__

#include <linux/align.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#include <asm/page.h>

#else

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;

#define min(a, b) ({			\
	__typeof__(a) _a = (a);		\
	__typeof__(b) _b = (b);		\
	_a < _b ? _a : _b; })
typedef long long s64;

#define static_assert(expr)	_Static_assert(expr, #expr)

#define __packed		__attribute__((packed))
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define sizeof_field(type, member)	sizeof(((type *)0)->member)
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)
#define ALIGN_DOWN(x, a)	((x) & ~((typeof(x))(a) - 1))
#define SZ_2M			0x00200000

#define PAGE_SHIFT		12
#define PAGE_SIZE		BIT(PAGE_SHIFT)

/* Whoever links the core brings these; a compiler wants them anyway. */
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int c, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif

#endif
