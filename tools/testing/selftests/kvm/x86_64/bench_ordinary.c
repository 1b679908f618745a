// SPDX-License-Identifier: GPL-2.0
/*
 * Memory without attributes: what the host pays for pages of a guest_memfd, a
 * memfd and anonymous memory, and what ordinary VMs pay that are made of them.
 * "empty" has to allocate and zero the page, "present" has only to map it.
 *
 * With anonymous memory this is what a VM does all day, and must not cost more
 * than on a kernel without guest_memfd.
 */
#include "bench.h"

static void measure_host_once(const char *group, struct memory *memory)
{
	uint64_t empty, control;

	empty = time_host_write(memory);
	control = time_host_write(memory);
	record_page(group, "fault_empty", empty - control);
	if (memory->fd >= 0) {
		unmap_from_host(memory);
		record_page(group, "fault_present", time_host_write(memory) - control);
	}
	record_page(group, "punch_mapped", time_release(memory));
}

static void measure_file_once(const char *group, struct memory *memory)
{
	record_page(group, "fallocate", time_fallocate(memory->fd, memory->size, 0));
	record_page(group, "punch_unmapped", time_release(memory));
}

/* Unlike a write, a read maps the allocated pages around, of any file. */
static void measure_read_once(const char *group, struct memory *memory)
{
	uint64_t present, control;

	time_host_write(memory);
	unmap_from_host(memory);
	present = time_host_read(memory);
	control = time_host_read(memory);
	record_page(group, "read_present", present - control);
	time_release(memory);
}

static void measure_host_memory(const char *group, struct memory memory)
{
	int round;

	for (round = 0; round < ROUNDS; round++) {
		if (memory.fd >= 0) {
			measure_file_once(group, &memory);
			measure_read_once(group, &memory);
		}
		measure_host_once(group, &memory);
	}
	destroy_memory(&memory);
	print_rows();
}

void measure_host(void)
{
	struct bare_vm vm = bare_create_vm(KVM_X86_DEFAULT_VM);

	measure_host_memory("memfd", create_memfd(WORK_SIZE));
	measure_host_memory("anon", create_anonymous(WORK_SIZE, MADV_NOHUGEPAGE));
	if (has_mapped_gmem(&vm))
		measure_host_memory("mapped", create_mapped_gmem(&vm, WORK_SIZE));
	bare_destroy_vm(&vm);
}

/*
 * "present" is mapped by the host as well, where the guest comes by its pages
 * through the host's page tables.
 */
static void measure_vm_once(struct bare_vm *vm, const char *group,
			    struct memory *memory, uint64_t page_size,
			    const char *unit)
{
	const uint64_t pages = memory->size / page_size;
	uint64_t empty, present, control;

	record_ticks(group, "slot_add", time_slot_add(vm, memory));
	empty = time_guest_touch(vm, memory->size, page_size);
	record_ticks(group, "slot_delete", time_slot_delete(vm));
	time_slot_add(vm, memory);
	present = time_guest_touch(vm, memory->size, page_size);
	control = time_guest_touch(vm, memory->size, page_size);

	record_per(group, "fault_empty", empty - control, pages, unit);
	record_per(group, "fault_present", present - control, pages, unit);
	record_per(group, "release_mapped", time_release(memory), pages, unit);
	time_slot_delete(vm);
}

static void measure_vm(struct bare_vm *vm, const char *group,
		       struct memory memory, uint64_t page_size, const char *unit)
{
	int round;

	for (round = 0; round < ROUNDS; round++)
		measure_vm_once(vm, group, &memory, page_size, unit);
	destroy_memory(&memory);
	print_rows();
}

/* A VM of any type, with nothing private; @advice decides on the size of its pages. */
void measure_anonymous_vm(const char *group, unsigned long type, int advice)
{
	struct bare_vm vm = bare_create_vm(type);
	struct memory memory = create_anonymous(WORK_SIZE, advice);

	if (advice == MADV_HUGEPAGE)
		measure_vm(&vm, group, memory, BARE_HUGE_PAGE, "2M");
	else
		measure_vm(&vm, group, memory, BARE_PAGE, "page");
	bare_destroy_vm(&vm);
}

/* Once: it is long work. */
static void measure_first_gib(struct bare_vm *vm, const char *group,
			      struct memory memory)
{
	time_slot_add(vm, &memory);
	record_ticks(group, "first_1G", time_guest_touch(vm, GIB, BARE_PAGE));
	time_slot_delete(vm);
	destroy_memory(&memory);
	print_rows();
}

static void measure_files_as_memory(struct bare_vm *vm)
{
	measure_vm(vm, "vm_memfd", create_memfd(WORK_SIZE), BARE_PAGE, "page");
	if (has_mapped_gmem(vm))
		measure_vm(vm, "vm_mapped", create_mapped_gmem(vm, WORK_SIZE),
			   BARE_PAGE, "page");

	measure_first_gib(vm, "vm_4k", create_anonymous(GIB, MADV_NOHUGEPAGE));
	measure_first_gib(vm, "vm_memfd", create_memfd(GIB));
	if (has_mapped_gmem(vm))
		measure_first_gib(vm, "vm_mapped", create_mapped_gmem(vm, GIB));
}

void measure_ordinary_vms(void)
{
	struct bare_vm vm = bare_create_vm(KVM_X86_DEFAULT_VM);

	measure_anonymous_vm("vm_4k", KVM_X86_DEFAULT_VM, MADV_NOHUGEPAGE);
	measure_anonymous_vm("vm_2m", KVM_X86_DEFAULT_VM, MADV_HUGEPAGE);
	measure_files_as_memory(&vm);
	bare_destroy_vm(&vm);
}

/* An exit to user space and back, by a guest that only halts. */
void measure_exit(void)
{
	struct bare_vm vm = bare_create_vm(KVM_X86_DEFAULT_VM);
	int i;

	bare_add_slot(&vm, MEMORY_SLOT, MEMORY_GPA, 2 * BARE_PAGE, vm.code);
	for (i = 0; i < 1000; i++)
		record_ticks("vm", "exit", time_guest_touch(&vm, BARE_PAGE, BARE_PAGE));
	bare_destroy_vm(&vm);
	print_rows();
}
