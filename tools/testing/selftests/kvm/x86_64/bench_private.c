// SPDX-License-Identifier: GPL-2.0
/*
 * Private memory: pages of a guest_memfd, each by each, and conversion of what
 * is mapped. "empty" has to allocate and zero the page, "present" has only to
 * map it.
 */
#define _GNU_SOURCE /* FALLOC_FL_PUNCH_HOLE */
#include "bench.h"

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

static uint64_t time_punch(int fd)
{
	return time_fallocate(fd, WORK_SIZE, FALLOC_FL_PUNCH_HOLE);
}

static void measure_touch_once(struct bare_vm *vm, int fd)
{
	uint64_t empty, present, control;

	record_page("gmem", "fallocate", time_fallocate(fd, WORK_SIZE, 0));
	record_page("gmem", "punch_unmapped", time_punch(fd));

	empty = time_guest_touch(vm, WORK_SIZE, BARE_PAGE);
	unmap_private(vm);
	present = time_guest_touch(vm, WORK_SIZE, BARE_PAGE);
	control = time_guest_touch(vm, WORK_SIZE, BARE_PAGE);
	record_page("gmem", "fault_empty", empty - control);
	record_page("gmem", "fault_present", present - control);

	record_page("gmem", "punch_mapped", time_punch(fd));
}

static void measure_prefault_once(struct bare_vm *vm, int fd)
{
	record_page("gmem", "prefault_empty", time_prefault(vm));
	unmap_private(vm);
	record_page("gmem", "prefault_present", time_prefault(vm));
	time_punch(fd);
}

void measure_private_pages(void)
{
	struct bare_vm vm = bare_create_vm(KVM_X86_SW_PROTECTED_VM);
	char *memory = bare_alloc(WORK_SIZE, MADV_NOHUGEPAGE);
	int fd = bare_create_gmem(&vm, WORK_SIZE), round;

	bare_add_private_slot(&vm, MEMORY_SLOT, MEMORY_GPA, WORK_SIZE, memory, fd);
	bare_set_attributes(&vm, MEMORY_GPA, WORK_SIZE, PRIVATE);
	for (round = 0; round < ROUNDS; round++)
		measure_touch_once(&vm, fd);
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
void measure_conversion(const char *group, int advice)
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
