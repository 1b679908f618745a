// SPDX-License-Identifier: GPL-2.0
/*
 * What guest_memfd and memory attributes cost, in instructions and bytes.
 *
 * Made for an emulated machine with one CPU on which the TSC counts
 * instructions, as QEMU's does with -icount shift=0,sleep=off: such numbers
 * repeat, and compare kernels that never ran on the same machine. Elsewhere
 * it counts TSC ticks, says so, and the numbers are only good for ratios.
 *
 * Prints one "name value unit" per line. What the kernel does not offer is
 * left out, so the same binary also measures ordinary VMs on older kernels.
 *
 * Usage: guest_memfd_bench [largest range for the attributes in GiB, 1024 unless given]
 */
#define _GNU_SOURCE /* fallocate(), memfd_create() */
#include "bare_vm.h"
#include "slab_usage.h"

#define SHARED		0
#define PRIVATE		KVM_MEMORY_ATTRIBUTE_PRIVATE

#define MIB		(1ul << 20)
#define GIB		(1ul << 30)

#define MEMORY_GPA	GIB
#define MEMORY_SLOT	1

#define WORK_SIZE	(64 * MIB)
#define WORK_PAGES	(WORK_SIZE / BARE_PAGE)

/* Each measurement is made this often, and the least counts: the first ones warm up. */
#define ROUNDS		8

/* Work of more ticks than this is measured once: noise is nothing beside it. */
#define LONG_WORK	(200ul * 1000 * 1000)

/*
 * Rows: the least value seen under each name, in the order of their first
 * appearance.
 */

static struct row {
	char name[48];
	char unit[32];
	double value;
} rows[64];

static int nr_rows;

static const char *tick_unit;

static void record(const char *name, double value, const char *unit)
{
	struct row *row = rows;

	while (row < rows + nr_rows && strcmp(row->name, name))
		row++;
	if (row == rows + nr_rows) {
		nr_rows++;
		snprintf(row->name, sizeof(row->name), "%s", name);
		snprintf(row->unit, sizeof(row->unit), "%s", unit);
		row->value = value;
	}
	if (value < row->value)
		row->value = value;
}

static void record_ticks(const char *group, const char *name, uint64_t value)
{
	char full[48];

	snprintf(full, sizeof(full), "%s.%s", group, name);
	record(full, value, tick_unit);
}

static void record_per(const char *group, const char *name, int64_t value,
		       uint64_t count, const char *what)
{
	char full[48], unit[32];

	snprintf(full, sizeof(full), "%s.%s", group, name);
	snprintf(unit, sizeof(unit), "%s/%s", tick_unit, what);
	record(full, (double)value / count, unit);
}

static void record_bytes(const char *group, const char *name, long bytes)
{
	char full[48];

	snprintf(full, sizeof(full), "%s.%s", group, name);
	record(full, bytes, "bytes");
}

static void print_rows(void)
{
	int i;

	for (i = 0; i < nr_rows; i++)
		printf("%-28s %15.*f %s\n", rows[i].name,
		       strchr(rows[i].unit, '/') ? 2 : 0, rows[i].value, rows[i].unit);
	fflush(stdout);
	nr_rows = 0;
}

/*
 * The clock.
 */

static inline uint64_t ticks(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high) :: "memory");
	return (uint64_t)high << 32 | low;
}

/* Do ticks count instructions? A million of them tell. */
static void calibrate(void)
{
	uint64_t start = ticks(), count = 500 * 1000, spent;

	asm volatile("1: dec %0\n"
		     "jnz 1b" : "+r"(count));
	spent = ticks() - start;
	tick_unit = spent > 990 * 1000 && spent < 1010 * 1000 ? "instructions" : "ticks";
	record_ticks("calibration", "million", spent);
	print_rows();
}

/* All slab bytes in use, after the time in which a kernel frees what it has put off. */
static long settled_slab_usage(void)
{
	sleep(6);
	return slab_usage(NULL);
}

/*
 * Attributes: of ranges of many sizes, in a VM that has no memory there, which
 * KVM_SET_MEMORY_ATTRIBUTES does not ask for, or in one that has.
 */

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

static uint64_t time_attributes(struct bare_vm *vm, uint64_t gpa, uint64_t size,
				uint64_t attributes)
{
	uint64_t start = ticks();

	bare_set_attributes(vm, gpa, size, attributes);
	return ticks() - start;
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

/* What the kernel holds more than before, once the range is private and once it is shared again. */
static void measure_range_memory(const struct range *range)
{
	struct range_vm it = create_range_vm(range);
	long before = settled_slab_usage();

	bare_set_attributes(&it.vm, range->gpa, range->size, PRIVATE);
	record_bytes("attr.private_memory", range->name, settled_slab_usage() - before);
	bare_set_attributes(&it.vm, range->gpa, range->size, SHARED);
	record_bytes("attr.shared_memory", range->name, settled_slab_usage() - before);

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

static void measure_ranges(uint64_t largest)
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

	settled_slab_usage();		/* looking takes memory of its own the first time */
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
static void measure_alternation(void)
{
	const uint64_t size = 4 * GIB, gpa = size, pages = size / BARE_PAGE;
	struct bare_vm vm = bare_create_vm(KVM_X86_SW_PROTECTED_VM);
	long before = settled_slab_usage();

	flip_every_other_page(&vm, "private", gpa, size, PRIVATE);
	record("alternate.memory", (double)(settled_slab_usage() - before) / pages, "bytes/page");
	flip_every_other_page(&vm, "again", gpa, size, PRIVATE);
	record_per("alternate", "all_private",
		   time_attributes(&vm, gpa, size, PRIVATE), pages, "page");

	flip_every_other_page(&vm, "shared", gpa, size, SHARED);
	record_per("alternate", "all_shared",
		   time_attributes(&vm, gpa, size, SHARED), pages, "page");
	record_bytes("alternate", "memory_after", settled_slab_usage() - before);

	bare_destroy_vm(&vm);
	print_rows();
}

/*
 * Pages of a file, per page: the same work on a guest_memfd and on a memfd.
 * "empty" has to allocate and zero the page, "present" has only to map it.
 */

static uint64_t time_fallocate(int fd, int mode)
{
	uint64_t start = ticks();

	if (fallocate(fd, FALLOC_FL_KEEP_SIZE | mode, 0, WORK_SIZE))
		bare_fail("fallocate");
	return ticks() - start;
}

static uint64_t time_host_touch(char *memory)
{
	uint64_t start = ticks(), offset;

	for (offset = 0; offset < WORK_SIZE; offset += BARE_PAGE)
		asm volatile("movb $1, %0" : "=m"(memory[offset]));
	return ticks() - start;
}

static uint64_t time_guest_touch(struct bare_vm *vm, uint64_t size, uint64_t stride)
{
	const struct bare_call touch = {
		.routine = guest_write,
		.to = MEMORY_GPA,
		.count = size / stride,
		.stride = stride,
		.value = 1,
	};
	uint64_t start;

	bare_load(vm, &touch);
	start = ticks();
	if (bare_run(vm) != KVM_EXIT_HLT)
		bare_fail("the guest's touch");
	return ticks() - start;
}

static uint64_t time_prefault(struct bare_vm *vm)
{
	struct kvm_pre_fault_memory range = { .gpa = MEMORY_GPA, .size = WORK_SIZE };
	uint64_t start = ticks();

	while (range.size) {
		if (ioctl(vm->vcpu, KVM_PRE_FAULT_MEMORY, &range) && errno != EINTR)
			bare_fail("KVM_PRE_FAULT_MEMORY");
	}
	return ticks() - start;
}

static bool has_prefault(struct bare_vm *vm)
{
	return ioctl(vm->vm, KVM_CHECK_EXTENSION, KVM_CAP_PRE_FAULT_MEMORY) > 0;
}

/* Takes the file's pages out of the guest and leaves them in the file. */
static void unmap_private(struct bare_vm *vm)
{
	bare_set_attributes(vm, MEMORY_GPA, WORK_SIZE, SHARED);
	bare_set_attributes(vm, MEMORY_GPA, WORK_SIZE, PRIVATE);
}

static void record_page(const char *group, const char *name, int64_t value)
{
	record_per(group, name, value, WORK_PAGES, "page");
}

static void measure_memfd_once(int fd, char *memory)
{
	uint64_t empty, present, control;

	record_page("memfd", "fallocate", time_fallocate(fd, 0));
	record_page("memfd", "punch_unmapped", time_fallocate(fd, FALLOC_FL_PUNCH_HOLE));

	empty = time_host_touch(memory);
	if (madvise(memory, WORK_SIZE, MADV_DONTNEED))
		bare_fail("madvise");
	present = time_host_touch(memory);
	control = time_host_touch(memory);
	record_page("memfd", "fault_empty", empty - control);
	record_page("memfd", "fault_present", present - control);

	record_page("memfd", "punch_mapped", time_fallocate(fd, FALLOC_FL_PUNCH_HOLE));
}

static void measure_memfd(void)
{
	int fd = memfd_create("bench", MFD_CLOEXEC), round;
	char *memory;

	if (fd < 0 || ftruncate(fd, WORK_SIZE))
		bare_fail("memfd");
	memory = mmap(NULL, WORK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		bare_fail("mmap of the memfd");

	for (round = 0; round < ROUNDS; round++)
		measure_memfd_once(fd, memory);

	munmap(memory, WORK_SIZE);
	close(fd);
	print_rows();
}

static void measure_guest_memfd_once(struct bare_vm *vm, int fd)
{
	uint64_t empty, present, control;

	record_page("gmem", "fallocate", time_fallocate(fd, 0));
	record_page("gmem", "punch_unmapped", time_fallocate(fd, FALLOC_FL_PUNCH_HOLE));

	empty = time_guest_touch(vm, WORK_SIZE, BARE_PAGE);
	unmap_private(vm);
	present = time_guest_touch(vm, WORK_SIZE, BARE_PAGE);
	control = time_guest_touch(vm, WORK_SIZE, BARE_PAGE);
	record_page("gmem", "fault_empty", empty - control);
	record_page("gmem", "fault_present", present - control);

	record_page("gmem", "punch_mapped", time_fallocate(fd, FALLOC_FL_PUNCH_HOLE));
}

static void measure_prefault_once(struct bare_vm *vm, int fd)
{
	record_page("gmem", "prefault_empty", time_prefault(vm));
	unmap_private(vm);
	record_page("gmem", "prefault_present", time_prefault(vm));
	time_fallocate(fd, FALLOC_FL_PUNCH_HOLE);
}

static void measure_guest_memfd(void)
{
	struct bare_vm vm = bare_create_vm(KVM_X86_SW_PROTECTED_VM);
	char *memory = bare_alloc(WORK_SIZE, MADV_NOHUGEPAGE);
	int fd = bare_create_gmem(&vm, WORK_SIZE), round;

	bare_add_private_slot(&vm, MEMORY_SLOT, MEMORY_GPA, WORK_SIZE, memory, fd);
	bare_set_attributes(&vm, MEMORY_GPA, WORK_SIZE, PRIVATE);
	for (round = 0; round < ROUNDS; round++)
		measure_guest_memfd_once(&vm, fd);
	for (round = 0; round < ROUNDS && has_prefault(&vm); round++)
		measure_prefault_once(&vm, fd);

	close(fd);
	bare_destroy_vm(&vm);
	munmap(memory, WORK_SIZE);
	print_rows();
}

/*
 * Conversion of 2 MiB there and back. The guest touches every page after each
 * call, so all that is converted is mapped.
 */

static void measure_conversion_once(struct bare_vm *vm, const char *group)
{
	const uint64_t size = BARE_HUGE_PAGE;
	uint64_t to_shared, touch_shared, to_private, touch_private;

	to_shared = time_attributes(vm, MEMORY_GPA, size, SHARED);
	touch_shared = time_guest_touch(vm, size, BARE_PAGE);
	to_private = time_attributes(vm, MEMORY_GPA, size, PRIVATE);
	touch_private = time_guest_touch(vm, size, BARE_PAGE);

	record_ticks(group, "to_shared", to_shared);
	record_ticks(group, "touch_shared", touch_shared);
	record_ticks(group, "to_private", to_private);
	record_ticks(group, "touch_private", touch_private);
	record_ticks(group, "total", to_shared + touch_shared + to_private + touch_private);
}

/* @advice decides whether the shared side is made of small pages or of a huge one. */
static void measure_conversion(const char *group, int advice)
{
	struct bare_vm vm = bare_create_vm(KVM_X86_SW_PROTECTED_VM);
	char *memory = bare_alloc(BARE_HUGE_PAGE, advice);
	int fd = bare_create_gmem(&vm, BARE_HUGE_PAGE), round;

	bare_add_private_slot(&vm, MEMORY_SLOT, MEMORY_GPA, BARE_HUGE_PAGE, memory, fd);
	bare_set_attributes(&vm, MEMORY_GPA, BARE_HUGE_PAGE, PRIVATE);
	time_guest_touch(&vm, BARE_HUGE_PAGE, BARE_PAGE);
	for (round = 0; round < ROUNDS; round++)
		measure_conversion_once(&vm, group);

	close(fd);
	bare_destroy_vm(&vm);
	munmap(memory, BARE_HUGE_PAGE);
	print_rows();
}

/*
 * What a VM of any type does all day, with ordinary memory: this must not
 * cost more than it does on a kernel without guest_memfd.
 */

static uint64_t time_slot(struct bare_vm *vm, uint64_t size, char *memory)
{
	uint64_t start = ticks();

	bare_add_slot(vm, MEMORY_SLOT, MEMORY_GPA, size, memory);
	return ticks() - start;
}

static uint64_t time_discard(char *memory)
{
	uint64_t start = ticks();

	if (madvise(memory, WORK_SIZE, MADV_DONTNEED))
		bare_fail("madvise");
	return ticks() - start;
}

static void measure_shared_memory_once(struct bare_vm *vm, const char *group,
				       char *memory, uint64_t page_size, const char *unit)
{
	const uint64_t pages = WORK_SIZE / page_size;
	uint64_t empty, present, control;

	record_ticks(group, "slot_add", time_slot(vm, WORK_SIZE, memory));
	empty = time_guest_touch(vm, WORK_SIZE, page_size);
	record_ticks(group, "slot_delete", time_slot(vm, 0, memory));
	time_slot(vm, WORK_SIZE, memory);
	present = time_guest_touch(vm, WORK_SIZE, page_size);
	control = time_guest_touch(vm, WORK_SIZE, page_size);

	record_per(group, "fault_empty", empty - control, pages, unit);
	record_per(group, "fault_present", present - control, pages, unit);
	record_per(group, "discard_mapped", time_discard(memory), pages, unit);
	time_slot(vm, 0, memory);
}

static void measure_shared_memory(const char *group, unsigned long type, int advice)
{
	const bool huge = advice == MADV_HUGEPAGE;
	struct bare_vm vm = bare_create_vm(type);
	char *memory = bare_alloc(WORK_SIZE, advice);
	int round;

	for (round = 0; round < ROUNDS; round++)
		measure_shared_memory_once(&vm, group, memory,
					   huge ? BARE_HUGE_PAGE : BARE_PAGE,
					   huge ? "2M" : "page");
	munmap(memory, WORK_SIZE);
	bare_destroy_vm(&vm);
	print_rows();
}

/* An exit to user space and back, by a guest that only halts. */
static void measure_exit(void)
{
	struct bare_vm vm = bare_create_vm(KVM_X86_DEFAULT_VM);
	int i;

	bare_add_slot(&vm, MEMORY_SLOT, MEMORY_GPA, 2 * BARE_PAGE, vm.code);
	for (i = 0; i < 1000; i++)
		record_ticks("vm", "exit", time_guest_touch(&vm, BARE_PAGE, BARE_PAGE));
	bare_destroy_vm(&vm);
	print_rows();
}

static void measure_protected_vms(uint64_t largest)
{
	measure_ranges(largest);
	measure_alternation();
	measure_guest_memfd();
	measure_conversion("convert_4k", MADV_NOHUGEPAGE);
	measure_conversion("convert_2m", MADV_HUGEPAGE);
	measure_shared_memory("protected_4k", KVM_X86_SW_PROTECTED_VM, MADV_NOHUGEPAGE);
	measure_shared_memory("protected_2m", KVM_X86_SW_PROTECTED_VM, MADV_HUGEPAGE);
}

int main(int argc, char **argv)
{
	uint64_t largest = argc > 1 ? strtoul(argv[1], NULL, 0) : 1024;

	calibrate();
	measure_memfd();
	measure_exit();
	measure_shared_memory("vm_4k", KVM_X86_DEFAULT_VM, MADV_NOHUGEPAGE);
	measure_shared_memory("vm_2m", KVM_X86_DEFAULT_VM, MADV_HUGEPAGE);
	if (bare_vm_types() & 1 << KVM_X86_SW_PROTECTED_VM)
		measure_protected_vms(largest * GIB);
	return 0;
}
