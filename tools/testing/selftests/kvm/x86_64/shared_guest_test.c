// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ordinary guest that runs from a host-mapped guest_memfd altogether: code,
 * stack and page tables.  And what the kernel itself reads and writes of such
 * memory, which goes through userspace_addr: one memory, if that is the file.
 */
#define _GNU_SOURCE
#include <asm/kvm_para.h>
#include <sys/mman.h>

#include "guest_agent.h"

#define PAGE	SIZE_4K
#define GPA	(4 * SIZE_1G)
#define MMIO	(8 * SIZE_1G)		/* in no memslot */
#define SIZE	SIZE_2M
#define VALUE	0x6e6e6e6e6e6e6e6eul
#define FILLER	0xcc

static struct kvm_vm *vm;
static struct agent agent;

/* From a device to memory: the kernel emulates it, and writes the memory. */
static uint64_t guest_move(uint64_t to, uint64_t from)
{
	asm volatile("movsq" : "+D"(to), "+S"(from) : : "memory");
	return to;
}

/*
 * Slot 0 becomes a file; where the host had its memory, it has the file, so
 * that all helpers find it.
 */
static int move_into_file(void)
{
	struct userspace_mem_region *region = memslot2region(vm, 0);
	uint64_t size = region->region.memory_size;
	void *hva = region->host_mem, *mem;
	int fd;

	mem = gmem_map_new(vm, size, GMEM_SHARED, &fd);
	memcpy(mem, hva, size);
	munmap(mem, size);
	vm_delete_slot(vm, 0);
	mem = mmap(hva, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   fd, 0);
	TEST_ASSERT(mem == hva, "mmap() over slot 0 should work, errno %d",
		    errno);
	vm_bind_guest_memfd(vm, 0, 0, size, hva, fd, 0);
	return fd;
}

static void check_alive(uint64_t count, const char *when)
{
	const uint64_t depth = 400;

	EXPECT_EQ(agent_call(&agent, guest_add, 1), count,
		  "%s: the guest's counter", when);
	EXPECT_EQ(agent_call(&agent, guest_recurse, depth),
		  depth * (depth + 1) * (2 * depth + 1) / 6,
		  "%s: the guest's stack", when);
}

static void test_inside(void)
{
	uint64_t *guests = addr_gva2hva(vm, (uintptr_t)&guest_counter);

	check_alive(42, "in the file");
	EXPECT_EQ(*guests, 42, "the counter that the host sees");
	*guests = 99;
	check_alive(100, "host wrote");
	trigger_compaction();
	check_alive(101, "compaction");
	EXPECT_EQ(*guests, 101, "the counter that the host sees");
	EXPECT_EQ(guest_counter, 41, "the counter of this program");
}

/* New page tables are written by the host, through its mapping. */
static void test_host_edits_page_tables(void)
{
	const uint64_t alias = 16 * SIZE_1G;
	struct gmem_area area;

	gmem_area_add_mapped(&area, vm, 1, GPA, SIZE, GMEM_SHARED);
	virt_map(vm, alias, GPA, 4);
	*(uint64_t *)(area.hva + 3 * PAGE) = VALUE;
	EXPECT_EQ(agent_call(&agent, guest_read, alias + 3 * PAGE), VALUE,
		  "what the guest reads by a new mapping");
	gmem_area_free(&area);
}

/* What the kernel writes, and who sees it */

static void expect_seen(struct gmem_area *area, uint64_t at, bool one_memory,
			const char *what)
{
	uint64_t guest = agent_call(&agent, guest_read, at);
	uint64_t host = *(uint64_t *)gmem_area_hva(area, at);

	EXPECT(host, "%s should be at userspace_addr", what);
	EXPECT(!guest == !one_memory,
	       "%s: guest should %s, reads %#lx, userspace_addr has %#lx",
	       what, one_memory ? "see it" : "not see it", guest, host);
}

static void test_clock(struct gmem_area *area, bool one_memory)
{
	const uint64_t at = GPA + 7 * PAGE;

	vcpu_set_msr(agent.vcpu, MSR_KVM_SYSTEM_TIME_NEW, at | KVM_MSR_ENABLED);
	expect_seen(area, at, one_memory, "version of the clock");
	vcpu_set_msr(agent.vcpu, MSR_KVM_SYSTEM_TIME_NEW, 0);
}

static void test_steal_time(struct gmem_area *area, bool one_memory)
{
	const uint64_t at = GPA + 8 * PAGE;

	if (_vcpu_set_msr(agent.vcpu, MSR_KVM_STEAL_TIME,
			  at | KVM_MSR_ENABLED) != 1) {
		note_skipped("steal time: not kept by this kernel");
		return;
	}
	expect_seen(area, at + offsetof(struct kvm_steal_time, version),
		    one_memory, "version of the steal time");
	vcpu_set_msr(agent.vcpu, MSR_KVM_STEAL_TIME, 0);
}

static void test_emulation(struct gmem_area *area, bool one_memory)
{
	struct kvm_run *run = agent.vcpu->run;
	const uint64_t at = GPA + 9 * PAGE, value = VALUE;
	enum agent_stop stop;

	agent_start(&agent, guest_move, at, MMIO, 0, 0);
	stop = agent_run(&agent);
	if (!EXPECT(stop == AGENT_MMIO && !run->mmio.is_write &&
		    run->mmio.len == 8, "guest should read from a device: %s",
		    agent_stop_name(&agent, stop)))
		return;
	memcpy(run->mmio.data, &value, sizeof(value));
	stop = agent_run(&agent);
	EXPECT(stop == AGENT_DONE, "guest should go on: %s",
	       agent_stop_name(&agent, stop));
	expect_seen(area, at, one_memory, "what a device gave");
}

/* A punch in between: the kernel must not hold on to a page of the past. */
static void test_clock_after_punch(struct gmem_area *area)
{
	const uint64_t at = GPA + 7 * PAGE;
	int i;

	for (i = 0; i < 4; i++) {
		vcpu_set_msr(agent.vcpu, MSR_KVM_SYSTEM_TIME_NEW,
			     at | KVM_MSR_ENABLED);
		expect_seen(area, at, true, "version of the clock");
		EXPECT_ERRNO(gmem_punch(area->fd, at - GPA, PAGE), 0, "punch");
	}
	vcpu_set_msr(agent.vcpu, MSR_KVM_SYSTEM_TIME_NEW, 0);
}

static void test_kernel_access(void)
{
	struct gmem_area area;

	gmem_area_add_mapped(&area, vm, 1, GPA, SIZE, GMEM_SHARED);
	test_clock(&area, true);
	test_steal_time(&area, true);
	test_emulation(&area, true);
	test_clock_after_punch(&area);
	gmem_area_free(&area);
}

/* With other memory at userspace_addr there are two, as a VMM asked for. */
static void test_kernel_access_elsewhere(void)
{
	struct gmem_area area = {
		.vm = vm, .slot = 1, .gpa = GPA, .size = SIZE,
		.hva = map_anonymous(SIZE, SIZE_2M),
		.fd = vm_create_guest_memfd(vm, SIZE, GMEM_SHARED),
	};

	gmem_area_bind(&area);
	test_clock(&area, false);
	test_steal_time(&area, false);
	test_emulation(&area, false);
	gmem_area_free(&area);
}

/* Last: the host takes its mapping away, and the guest does not notice. */
static void test_inside_without_mapping(void)
{
	struct userspace_mem_region *region = memslot2region(vm, 0);
	uint64_t size = region->region.memory_size, i;
	uint8_t *hva = region->host_mem;

	munmap(hva, size);
	check_alive(102, "slot 0 unmapped");
	mmap(hva, size, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memset(hva, FILLER, size);
	check_alive(103, "slot 0 filled with something else");
	for (i = 0; i < size && hva[i] == FILLER; i++)
		;
	EXPECT_EQ(i, size, "first byte at userspace_addr that has changed");
}

int main(int argc, char *argv[])
{
	int fd;

	require_gmem_flags(GMEM_SHARED);
	vm = agent_vm_create(0, 1, &agent);
	agent_map(vm, GPA, SIZE);
	agent_map(vm, MMIO, PAGE);

	fd = move_into_file();
	test_inside();
	test_host_edits_page_tables();
	test_kernel_access();
	test_kernel_access_elsewhere();
	test_inside_without_mapping();

	close(fd);
	kvm_vm_free(vm);
	return test_verdict();
}
