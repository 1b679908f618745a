/* SPDX-License-Identifier: GPL-2.0-only */
/* The integer types and small helpers of freestanding code, monitor and RMM. */
#ifndef FW_TYPES_H
#define FW_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

/* The core of the RMM has its own, the same. */
#ifndef BIT
#define BIT(n)		(1ull << (n))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif
#define ALIGN_UP(v, a)	(((v) + (a) - 1) & ~((u64)(a) - 1))
#define __aligned(n)	__attribute__((aligned(n)))
#define __noreturn	__attribute__((noreturn))
#ifndef static_assert
#define static_assert	_Static_assert
#endif
#define SZ_4K		0x1000UL
#define SZ_2M		0x200000UL
#define SZ_1G		0x40000000UL

/* The compiler emits calls of these by itself. */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

static inline bool str_eq(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static inline size_t str_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static inline u32 be32(u32 v)
{
	return __builtin_bswap32(v);
}

static inline u64 be64(u64 v)
{
	return __builtin_bswap64(v);
}

/* A register of a device. */
static inline u32 mmio_read(uintptr_t at)
{
	return *(volatile u32 *)at;
}

static inline void mmio_write(uintptr_t at, u32 value)
{
	*(volatile u32 *)at = value;
}

struct spinlock {
	u32 held;
};

static inline void spin_lock(struct spinlock *lock)
{
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
		;
}

static inline void spin_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#endif
