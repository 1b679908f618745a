// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that runs from private memory altogether: code, stack, descriptor
 * tables and page tables.  It copies itself into a guest_memfd, the host puts
 * that file where the guest's memory is, and ruins the shared copy.
 */
#include "guest_agent.h"

#define WINDOW	(4 * SIZE_1G)		/* gpa of the file while it is filled */
#define SELF	(8 * SIZE_1G)		/* gva of the guest's own memory */
#define DATA	(12 * SIZE_1G)
#define ROUNDS	8

static struct kvm_vm *vm;
static struct agent agent;
static uint64_t size;
static void *hva;
static int fd;

static uint64_t guest_copy(uint64_t to, uint64_t from, uint64_t len)
{
	uint64_t i;

	for (i = 0; i < len; i += sizeof(uint64_t))
		guest_write(to + i, guest_read(from + i));
	return len;
}

static uint64_t sum_of_squares(uint64_t n)
{
	return n * (n + 1) * (2 * n + 1) / 6;
}

static void copy_into_file(void)
{
	void *unused = map_anonymous(size, SIZE_2M);

	vm_bind_guest_memfd(vm, 1, WINDOW, size, unused, fd, 0);
	vm_set_private(vm, WINDOW, size);
	EXPECT_EQ(agent_call(&agent, guest_copy, WINDOW, SELF, size), size,
		  "bytes that the guest copied");
	EXPECT_EQ(zero_check(unused, 0, size), size,
		  "first byte of the window that the host can see");
	vm_delete_slot(vm, 1);
	vm_set_shared(vm, WINDOW, size);
	munmap(unused, size);
}

static void turn_private(void)
{
	vm_delete_slot(vm, 0);
	vm_bind_guest_memfd(vm, 0, 0, size, hva, fd, 0);
	vm_set_private(vm, 0, size);
	memset(hva, 0xcc, size);
}

static void check_alive(uint64_t round)
{
	const uint64_t depth = 400;

	EXPECT_EQ(agent_call(&agent, guest_add, 1), 42 + round,
		  "private data of the guest, round %lu", round);
	EXPECT_EQ(agent_call(&agent, guest_recurse, depth),
		  sum_of_squares(depth), "private stack, round %lu", round);
}

/* Data beside it changes sides; the guest itself does not notice. */
static void check_data(struct gmem_area *area, uint64_t round)
{
	vm_set_private(vm, DATA, SIZE_2M);
	agent_call(&agent, guest_fill, DATA, SIZE_2M, round);
	EXPECT_EQ(agent_call(&agent, guest_check, DATA, SIZE_2M, round),
		  DATA + SIZE_2M, "private data, round %lu", round);
	vm_set_shared(vm, DATA, SIZE_2M);
	stamp_fill(area->hva, DATA, SIZE_2M, 100 + round);
	EXPECT_EQ(agent_call(&agent, guest_check, DATA, SIZE_2M, 100 + round),
		  DATA + SIZE_2M, "shared data, round %lu", round);
	check_alive(round);
}

static void check_shared_copy(void)
{
	uint8_t *bytes = hva;
	uint64_t i;

	for (i = 0; i < size && bytes[i] == 0xcc; i++)
		;
	EXPECT_EQ(i, size, "first byte of the shared copy that has changed");
	EXPECT_EQ(guest_counter, 41, "the counter in the host's own memory");
}

int main(int argc, char *argv[])
{
	struct gmem_area area;
	uint64_t round;

	vm = agent_vm_create(private_vm_type(), 1, &agent);
	hva = memslot2region(vm, 0)->host_mem;
	size = memslot2region(vm, 0)->region.memory_size;
	fd = vm_create_guest_memfd(vm, size, 0);
	gmem_area_add(&area, vm, 2, DATA, SIZE_2M);

	/* All page tables are made before the copy. */
	agent_map(vm, WINDOW, size);
	agent_map(vm, DATA, SIZE_2M);
	virt_map(vm, SELF, 0, size / SIZE_4K);

	copy_into_file();
	turn_private();
	for (round = 0; round < ROUNDS; round++) {
		check_data(&area, round);
		trigger_compaction();
	}
	check_shared_copy();

	gmem_area_free(&area);
	close(fd);
	kvm_vm_free(vm);
	return test_verdict();
}
