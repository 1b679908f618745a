/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of guest_memfd_bench share: rows, the clock, and the memories
 * on which the same work is measured.
 */
#ifndef SELFTEST_KVM_BENCH_H
#define SELFTEST_KVM_BENCH_H

#include "bare_vm.h"

#define SHARED		0
#define PRIVATE		KVM_MEMORY_ATTRIBUTE_PRIVATE

#define MIB		(1ul << 20)
#define GIB		(1ul << 30)

#define MEMORY_GPA	GIB
#define MEMORY_SLOT	1

#define WORK_SIZE	(64 * MIB)

/* Each measurement is made this often, and the least counts: the first ones warm up. */
#define ROUNDS		8

/* Work of more ticks than this is measured once: noise is nothing beside it. */
#define LONG_WORK	(200ul * 1000 * 1000)

/* Rows: the least value seen under each name, in the order of their first appearance. */

void record(const char *name, double value, const char *unit);
void record_ticks(const char *group, const char *name, uint64_t value);
void record_per(const char *group, const char *name, int64_t value,
		uint64_t count, const char *what);
void record_page(const char *group, const char *name, int64_t value);
void record_bytes(const char *group, const char *name, long bytes);
void print_rows(void);

/* Finds out whether ticks count instructions. */
void calibrate(void);

static inline uint64_t ticks(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high) :: "memory");
	return (uint64_t)high << 32 | low;
}

/* What the host has mapped, and what a memslot can be made of. */
struct memory {
	char *map;
	uint64_t size;
	int fd;			/* -1: anonymous */
	bool is_gmem;		/* slots are bound to the file */
};

struct memory create_anonymous(uint64_t size, int advice);
struct memory create_memfd(uint64_t size);
struct memory create_mapped_gmem(struct bare_vm *vm, uint64_t size);
bool has_mapped_gmem(struct bare_vm *vm);
void destroy_memory(struct memory *memory);

/* Takes the pages out of the host's page tables and leaves them in the file. */
void unmap_from_host(struct memory *memory);

/* Each does its work and returns the ticks it took. */
uint64_t time_slot_add(struct bare_vm *vm, struct memory *memory);
uint64_t time_slot_delete(struct bare_vm *vm);
uint64_t time_release(struct memory *memory);
uint64_t time_fallocate(int fd, uint64_t size, int mode);
uint64_t time_host_write(struct memory *memory);
uint64_t time_host_read(struct memory *memory);
uint64_t time_guest_touch(struct bare_vm *vm, uint64_t size, uint64_t stride);
uint64_t time_attributes(struct bare_vm *vm, uint64_t gpa, uint64_t size,
			 uint64_t attributes);

/* bench_attributes.c */
void measure_ranges(uint64_t largest);
void measure_alternation(void);

/* bench_private.c */
void measure_private_pages(void);
void measure_conversion(const char *group, int advice);

/* bench_ordinary.c */
void measure_host(void);
void measure_exit(void);
void measure_ordinary_vms(void);
void measure_anonymous_vm(const char *group, unsigned long type, int advice);

#endif /* SELFTEST_KVM_BENCH_H */
