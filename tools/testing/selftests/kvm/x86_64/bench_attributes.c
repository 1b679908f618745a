// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes: of ranges of many sizes, in a VM that has no memory there, which
 * KVM_SET_MEMORY_ATTRIBUTES does not ask for, or in one that has; and the worst
 * case.
 */
#include "bench.h"
#include "slab_usage.h"

/* Bytes in use: in the store of attributes, and in everything the kernel allocates like it. */
struct usage {
	long store;
	long slabs;
};

/* After the time in which a kernel frees what it has put off. */
static struct usage settled_usage(void)
{
	sleep(6);
	return (struct usage) {
		.store = slab_usage(SLAB_XARRAY_NODES),
		.slabs = slab_usage(NULL),
	};
}

struct range {
	const char *name;
	uint64_t gpa;
	uint64_t size;
	bool populated;		/* a memslot with a guest_memfd covers it */
};

struct range_vm {
	struct bare_vm vm;
	char *memory;
	int gmem;
};

static struct range_vm create_range_vm(const struct range *range)
{
	struct range_vm it = { .vm = bare_create_vm(KVM_X86_SW_PROTECTED_VM) };

	if (!range->populated)
		return it;

	it.memory = mmap(NULL, range->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (it.memory == MAP_FAILED)
		bare_fail("mmap");
	it.gmem = bare_create_gmem(&it.vm, range->size);
	bare_add_private_slot(&it.vm, MEMORY_SLOT, range->gpa, range->size, it.memory, it.gmem);
	return it;
}

static void destroy_range_vm(const struct range *range, struct range_vm *it)
{
	bare_destroy_vm(&it->vm);
	if (range->populated) {
		close(it->gmem);
		munmap(it->memory, range->size);
	}
}

static uint64_t measure_range_once(const struct range *range)
{
	struct range_vm it = create_range_vm(range);
	uint64_t private, again, shared;

	private = time_attributes(&it.vm, range->gpa, range->size, PRIVATE);
	again = time_attributes(&it.vm, range->gpa, range->size, PRIVATE);
	shared = time_attributes(&it.vm, range->gpa, range->size, SHARED);
	destroy_range_vm(range, &it);

	record_ticks("attr.private", range->name, private);
	record_ticks("attr.again", range->name, again);
	record_ticks("attr.shared", range->name, shared);
	return private;
}

/* What the kernel holds more than @before. */
static void record_usage(const char *group, const char *name, struct usage before)
{
	struct usage usage = settled_usage();
	char full[48];

	snprintf(full, sizeof(full), "%s_memory", group);
	record_bytes(full, name, usage.store - before.store);
	snprintf(full, sizeof(full), "%s_slabs", group);
	record_bytes(full, name, usage.slabs - before.slabs);
}

/* Once the range is private, and once it is shared again. */
static void measure_range_memory(const struct range *range)
{
	struct range_vm it = create_range_vm(range);
	struct usage before = settled_usage();

	bare_set_attributes(&it.vm, range->gpa, range->size, PRIVATE);
	record_usage("attr.private", range->name, before);
	bare_set_attributes(&it.vm, range->gpa, range->size, SHARED);
	record_usage("attr.shared", range->name, before);

	destroy_range_vm(range, &it);
}

static void measure_range(const struct range *range)
{
	int round = 0;

	while (measure_range_once(range) < LONG_WORK && ++round < ROUNDS)
		;
	measure_range_memory(range);
	print_rows();
}

void measure_ranges(uint64_t largest)
{
	static const struct range ranges[] = {
		{ "4K", BARE_PAGE, BARE_PAGE },
		{ "2M", 2 * MIB, 2 * MIB },
		{ "32M", 32 * MIB, 32 * MIB },
		{ "256M", 256 * MIB, 256 * MIB },
		{ "1G", GIB, GIB },
		{ "1G_odd", GIB + BARE_PAGE, GIB },
		{ "1G_populated", GIB, GIB, true },
		{ "4G", 4 * GIB, 4 * GIB },
		{ "32G", 32 * GIB, 32 * GIB },
		{ "256G", 256 * GIB, 256 * GIB },
		{ "512G_populated", 512 * GIB, 512 * GIB, true },
		{ "1T", 1024 * GIB, 1024 * GIB },
	};
	size_t i;

	settled_usage();		/* looking takes memory of its own the first time */
	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		if (ranges[i].size <= largest)
			measure_range(&ranges[i]);
	}
}

static void flip_every_other_page(struct bare_vm *vm, const char *name, uint64_t gpa,
				  uint64_t size, uint64_t attributes)
{
	uint64_t start = ticks(), end = gpa + size;

	for (; gpa < end; gpa += 2 * BARE_PAGE)
		bare_set_attributes(vm, gpa, BARE_PAGE, attributes);
	record_per("alternate", name, ticks() - start, size / BARE_PAGE / 2, "call");
}

/* The worst case: no two neighbours are alike. */
void measure_alternation(void)
{
	const uint64_t size = 4 * GIB, gpa = size, pages = size / BARE_PAGE;
	struct bare_vm vm = bare_create_vm(KVM_X86_SW_PROTECTED_VM);
	long before = settled_usage().store;

	flip_every_other_page(&vm, "private", gpa, size, PRIVATE);
	record("alternate.memory", (double)(settled_usage().store - before) / pages, "bytes/page");
	flip_every_other_page(&vm, "again", gpa, size, PRIVATE);
	record_per("alternate", "all_private",
		   time_attributes(&vm, gpa, size, PRIVATE), pages, "page");

	flip_every_other_page(&vm, "shared", gpa, size, SHARED);
	record_per("alternate", "all_shared",
		   time_attributes(&vm, gpa, size, SHARED), pages, "page");
	record_bytes("alternate", "memory_after", settled_usage().store - before);

	bare_destroy_vm(&vm);
	print_rows();
}
