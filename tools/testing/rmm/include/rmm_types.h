/* SPDX-License-Identifier: GPL-2.0-only */
/* The types of the model RMM, from freestanding headers alone. */
#ifndef RMM_TYPES_H
#define RMM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#ifndef static_assert
#define static_assert _Static_assert
#endif

#define BIT(n)			(1ull << (n))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define IS_ALIGNED(x, a)	(((x) & ((a) - 1)) == 0)
#define ALIGN_DOWN(x, a)	((x) & ~((u64)(a) - 1))

#define GRANULE_SHIFT		12
#define GRANULE_SIZE		BIT(GRANULE_SHIFT)

/*
 * A compiler wants memcpy, memmove, memset and memcmp of whoever links even
 * freestanding code; these names keep <string.h> out.
 */
#define mem_copy(d, s, n)	__builtin_memcpy(d, s, n)
#define mem_zero(d, n)		__builtin_memset(d, 0, n)

#endif
