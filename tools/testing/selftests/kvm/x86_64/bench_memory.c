// SPDX-License-Identifier: GPL-2.0
/*
 * The memories that guest_memfd_bench compares, and the work on them that is
 * measured in more than one place.
 */
#define _GNU_SOURCE /* fallocate(), memfd_create() */
#include "bench.h"

struct memory create_anonymous(uint64_t size, int advice)
{
	return (struct memory) {
		.map = bare_alloc(size, advice),
		.size = size,
		.fd = -1,
	};
}

static struct memory map_file(int fd, uint64_t size, bool is_gmem)
{
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		bare_fail("mmap of the file");
	return (struct memory) {
		.map = map,
		.size = size,
		.fd = fd,
		.is_gmem = is_gmem,
	};
}

struct memory create_memfd(uint64_t size)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, size))
		bare_fail("memfd");
	return map_file(fd, size, false);
}

struct memory create_mapped_gmem(struct bare_vm *vm, uint64_t size)
{
	return map_file(bare_create_mapped_gmem(vm, size), size, true);
}

bool has_mapped_gmem(struct bare_vm *vm)
{
	int flags = ioctl(vm->vm, KVM_CHECK_EXTENSION, KVM_CAP_GUEST_MEMFD_FLAGS);

	return flags > 0 && flags & GUEST_MEMFD_FLAG_MMAP &&
	       flags & GUEST_MEMFD_FLAG_INIT_SHARED;
}

void destroy_memory(struct memory *memory)
{
	munmap(memory->map, memory->size);
	if (memory->fd >= 0)
		close(memory->fd);
}

static uint64_t time_discard(struct memory *memory)
{
	uint64_t start = ticks();

	if (madvise(memory->map, memory->size, MADV_DONTNEED))
		bare_fail("madvise");
	return ticks() - start;
}

void unmap_from_host(struct memory *memory)
{
	time_discard(memory);
}

uint64_t time_fallocate(int fd, uint64_t size, int mode)
{
	uint64_t start = ticks();

	if (fallocate(fd, FALLOC_FL_KEEP_SIZE | mode, 0, size))
		bare_fail("fallocate");
	return ticks() - start;
}

/* A hole in a file; anonymous memory has no other way than to be discarded. */
uint64_t time_release(struct memory *memory)
{
	if (memory->fd < 0)
		return time_discard(memory);
	return time_fallocate(memory->fd, memory->size, FALLOC_FL_PUNCH_HOLE);
}

uint64_t time_slot_add(struct bare_vm *vm, struct memory *memory)
{
	uint64_t start = ticks();

	if (memory->is_gmem)
		bare_add_private_slot(vm, MEMORY_SLOT, MEMORY_GPA, memory->size,
				      memory->map, memory->fd);
	else
		bare_add_slot(vm, MEMORY_SLOT, MEMORY_GPA, memory->size, memory->map);
	return ticks() - start;
}

uint64_t time_slot_delete(struct bare_vm *vm)
{
	uint64_t start = ticks();

	bare_add_slot(vm, MEMORY_SLOT, MEMORY_GPA, 0, NULL);
	return ticks() - start;
}

uint64_t time_host_write(struct memory *memory)
{
	uint64_t start = ticks(), offset;

	for (offset = 0; offset < memory->size; offset += BARE_PAGE)
		asm volatile("movb $1, %0" : "=m"(memory->map[offset]));
	return ticks() - start;
}

uint64_t time_host_read(struct memory *memory)
{
	uint64_t start = ticks(), offset;

	for (offset = 0; offset < memory->size; offset += BARE_PAGE)
		asm volatile("testb $1, %0" :: "m"(memory->map[offset]) : "cc");
	return ticks() - start;
}

uint64_t time_guest_touch(struct bare_vm *vm, uint64_t size, uint64_t stride)
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

uint64_t time_attributes(struct bare_vm *vm, uint64_t gpa, uint64_t size,
			 uint64_t attributes)
{
	uint64_t start = ticks();

	bare_set_attributes(vm, gpa, size, attributes);
	return ticks() - start;
}
