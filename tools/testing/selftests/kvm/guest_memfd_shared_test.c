// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that runs from a guest_memfd which the host maps: guest and host see
 * one memory, and the guest does not depend on how the host maps it.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "guest_agent.h"

#define PAGE		((uint64_t)getpagesize())
#define GPA		(4 * SIZE_1G)
#define SIZE		SIZE_2M
#define END		(GPA + SIZE)
#define NR_PAGES	(SIZE / PAGE)
#define MMAP		GUEST_MEMFD_FLAG_MMAP
#define VALUE		0x5ea15ea15ea15ea1ul

static struct kvm_vm *vm;
static struct agent the_agent, *agent = &the_agent;

static void vm_setup(void)
{
	vm = agent_vm_create(0, 1, agent);
	agent_map(vm, GPA, 4 * SIZE);
}

static uint64_t guest_end(uint64_t seed)
{
	return agent_call(agent, guest_check, GPA, SIZE, seed);
}

static void expect_guest(uint64_t seed, const char *when)
{
	EXPECT_EQ(guest_end(seed), END, "%s: where the guest sees other contents",
		  when);
}

static void expect_host(void *mem, uint64_t seed, const char *when)
{
	EXPECT_EQ(stamp_check(mem, GPA, SIZE, seed), END,
		  "%s: where the host sees other contents", when);
}

static void add_area(struct gmem_area *area)
{
	gmem_area_add_mapped(area, vm, 1, GPA, SIZE, GMEM_SHARED);
}

/* Binding */

static void test_binding(void)
{
	const uint32_t gmem = KVM_MEM_GUEST_MEMFD;
	const struct {
		uint64_t create_flags;
		uint32_t flags;
		int err;
	} cases[] = {
		{ 0, gmem, EINVAL },
		{ GUEST_MEMFD_FLAG_INIT_SHARED, gmem, EINVAL },
		{ GMEM_SHARED, gmem | KVM_MEM_READONLY, EINVAL },
		{ GMEM_SHARED, gmem | KVM_MEM_LOG_DIRTY_PAGES, EINVAL },
		{ MMAP, gmem, 0 },
		{ GMEM_SHARED, gmem, 0 },
	};
	int i, fd, ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fd = vm_create_guest_memfd(vm, SIZE, cases[i].create_flags);
		ret = __vm_set_region2(vm, 1, cases[i].flags, GPA, SIZE, NULL,
				       fd, 0);
		EXPECT_ERRNO(ret, cases[i].err,
			     "ordinary VM: file with flags %#lx, slot with %#x",
			     cases[i].create_flags, cases[i].flags);
		if (!ret)
			vm_delete_slot(vm, 1);
		close(fd);
	}
}

/* One memory */

static void test_one_memory(void)
{
	struct gmem_area area;
	uint64_t i;

	add_area(&area);
	/* The first touch is by either side. */
	for (i = 0; i < NR_PAGES; i++)
		if (i % 2)
			agent_call(agent, guest_write, GPA + i * PAGE, VALUE);
		else
			*(uint64_t *)(area.hva + i * PAGE) = VALUE;
	for (i = 0; i < NR_PAGES; i++)
		if (i % 2)
			EXPECT_EQ(*(uint64_t *)(area.hva + i * PAGE), VALUE,
				  "what the host reads in page %lu", i);
		else
			EXPECT_EQ(agent_call(agent, guest_read, GPA + i * PAGE),
				  VALUE, "what the guest reads in page %lu", i);

	agent_call(agent, guest_fill, GPA, SIZE, 1);
	expect_host(area.hva, 1, "guest wrote");
	stamp_fill(area.hva, GPA, SIZE, 2);
	expect_guest(2, "host wrote");
	EXPECT_EQ(gmem_blocks(area.fd), SIZE / 512, "st_blocks of one memory");
	gmem_area_free(&area);
}

static void test_punch(void)
{
	const uint64_t at = GPA + 5 * PAGE, end = at + 2 * PAGE;
	struct gmem_area area;

	add_area(&area);
	agent_call(agent, guest_fill, GPA, SIZE, 1);
	expect_host(area.hva, 1, "guest wrote");
	EXPECT_ERRNO(gmem_punch(area.fd, at - GPA, 2 * PAGE), 0, "punch");
	EXPECT_EQ(agent_call(agent, guest_check_zero, at, 2 * PAGE), end,
		  "where the guest does not see zeroes");
	EXPECT_EQ(zero_check(area.hva + (at - GPA), at, 2 * PAGE), end,
		  "where the host does not see zeroes");
	EXPECT_EQ(guest_end(1), at, "end of the pages before");
	EXPECT_EQ(agent_call(agent, guest_check, end, END - end, 1), END,
		  "end of the pages after");

	/* The same by address, which is how a balloon does it. */
	EXPECT_ERRNO(madvise(area.hva, SIZE, MADV_REMOVE), 0, "MADV_REMOVE");
	EXPECT_EQ(agent_call(agent, guest_check_zero, GPA, SIZE), END,
		  "where the guest does not see zeroes");
	gmem_area_free(&area);
}

/* A process that has the file has the guest's memory, without the VM. */
static void test_other_process(void)
{
	struct gmem_area area;
	int status = -1;
	void *mem;
	pid_t pid;

	add_area(&area);
	agent_call(agent, guest_fill, GPA, SIZE, 1);
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork() should work, errno %d", errno);
	if (!pid) {
		test_restart();
		mem = gmem_map(area.fd, 0, SIZE);
		expect_host(mem, 1, "another process");
		stamp_fill(mem, GPA, SIZE, 2);
		_exit(test_has_failed());
	}
	waitpid(pid, &status, 0);
	EXPECT(!status, "the other process should exit, status %#x", status);
	expect_guest(2, "another process wrote");
	expect_host(area.hva, 2, "another process wrote");
	gmem_area_free(&area);
}

/* Guest frames in the reverse order of the file. */
static void test_several_slots(void)
{
	const int nr = 4;
	const uint64_t part = SIZE / nr;
	int i, fd;
	void *mem = gmem_map_new(vm, SIZE, GMEM_SHARED, &fd);

	for (i = 0; i < nr; i++)
		vm_bind_guest_memfd(vm, 1 + i, GPA + (nr - 1 - i) * SIZE, part,
				    mem + i * part, fd, i * part);
	for (i = 0; i < nr; i++)
		agent_call(agent, guest_fill, GPA + i * SIZE, part, i);
	for (i = 0; i < nr; i++) {
		uint64_t gpa = GPA + (nr - 1 - i) * SIZE;

		EXPECT_EQ(stamp_check(mem + i * part, gpa, part, nr - 1 - i),
			  gpa + part, "slot %d: end of what the guest wrote",
			  1 + i);
	}
	/* One slot less is no matter of the others, nor of the file. */
	vm_delete_slot(vm, 2);
	EXPECT_EQ(agent_call(agent, guest_check, GPA, part, 0), GPA + part,
		  "end of the first slot's contents");
	vm_bind_guest_memfd(vm, 2, GPA + 2 * SIZE, part, NULL, fd, part);
	EXPECT_EQ(agent_call(agent, guest_check, GPA + 2 * SIZE, part, 2),
		  GPA + 2 * SIZE + part, "end of the second, bound again");
	for (i = 0; i < nr; i++)
		vm_delete_slot(vm, 1 + i);
	close(fd);
	munmap(mem, SIZE);
}

/* The same guest frames and slot, but another part of the file. */
static void test_other_offset(void)
{
	struct gmem_area area = {
		.vm = vm, .slot = 1, .gpa = GPA, .size = SIZE,
	};
	void *mem = gmem_map_new(vm, 3 * SIZE, GMEM_SHARED, &area.fd);
	int i;

	for (i = 0; i < 3; i++)
		stamp_fill(mem + i * SIZE, GPA, SIZE, 1 + i);
	for (i = 2; i >= 0; i--) {
		area.hva = mem + i * SIZE;
		area.offset = i * SIZE;
		gmem_area_bind(&area);
		expect_guest(1 + i, "bound to a part of the file");
		vm_delete_slot(vm, area.slot);
	}
	munmap(mem, 3 * SIZE);
	close(area.fd);
}

/* What userspace maps */

static void expect_unnoticed(uint64_t faults, uint64_t seed, const char *when)
{
	expect_guest(seed, when);
	EXPECT_EQ(agent_page_faults(agent), faults,
		  "%s: page faults of the guest", when);
}

/* Nothing that happens to the mapping takes a page from the guest. */
static void test_mapping_changes(void)
{
	struct gmem_area area;
	uint64_t faults;

	add_area(&area);
	agent_call(agent, guest_fill, GPA, SIZE, 1);
	expect_host(area.hva, 1, "guest wrote");
	expect_guest(1, "guest wrote");
	faults = agent_page_faults(agent);

	madvise(area.hva, SIZE, MADV_DONTNEED);
	expect_unnoticed(faults, 1, "MADV_DONTNEED");
	mprotect(area.hva, SIZE, PROT_READ);
	agent_call(agent, guest_fill, GPA, SIZE, 2);
	expect_unnoticed(faults, 2, "mapping read-only, guest writes");
	expect_host(area.hva, 2, "mapping read-only, guest wrote");
	munmap(area.hva, SIZE);
	expect_unnoticed(faults, 2, "unmapped");
	mmap(area.hva, SIZE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memset(area.hva, 0xcc, SIZE);
	expect_unnoticed(faults, 2, "something else mapped");
	gmem_area_free(&area);
}

/* A fault needs no mapping either: none, another's memory, no access. */
static void test_no_mapping(void)
{
	void *mem, *others = map_anonymous(SIZE, SIZE_2M);
	void *hvas[] = { NULL, others, others + PAGE };
	int i, fd;

	memset(others, 0xcc, PAGE);
	mprotect(others + PAGE, SIZE - PAGE, PROT_NONE);
	for (i = 0; i < ARRAY_SIZE(hvas); i++) {
		mem = gmem_map_new(vm, SIZE, GMEM_SHARED, &fd);
		vm_bind_guest_memfd(vm, 1, GPA, SIZE, hvas[i], fd, 0);
		EXPECT_EQ(agent_call(agent, guest_check_zero, GPA, SIZE), END,
			  "mapping %d: where a new file is not zero", i);
		agent_call(agent, guest_fill, GPA, SIZE, 10 + i);
		expect_host(mem, 10 + i, "userspace_addr is something else");
		vm_delete_slot(vm, 1);
		munmap(mem, SIZE);
		close(fd);
	}
	EXPECT_EQ(*(uint64_t *)others, 0xcccccccccccccccc,
		  "the memory at userspace_addr");
	munmap(others, SIZE);
}

/* Lifetimes */

/* A mapping is a reference to the file, and the file holds its bindings. */
static void test_close(void)
{
	struct gmem_area area;

	add_area(&area);
	agent_call(agent, guest_fill, GPA, SIZE / 2, 1);
	close(area.fd);
	agent_call(agent, guest_fill, GPA, SIZE, 1);
	expect_host(area.hva, 1, "file closed");
	expect_guest(1, "file closed");
	munmap(area.hva, SIZE);
	agent_expect_fault(agent, guest_read, GPA, 0, GPA, false, EFAULT,
			   "file closed and unmapped");
	vm_delete_slot(vm, 1);
}

static void test_vm_ends(void)
{
	struct kvm_vm *saved_vm = vm;
	struct agent saved_agent = *agent;
	struct gmem_area area;

	vm_setup();
	add_area(&area);
	agent_call(agent, guest_fill, GPA, SIZE, 1);
	kvm_vm_free(vm);
	expect_host(area.hva, 1, "VM gone, file open");
	close(area.fd);
	expect_host(area.hva, 1, "VM and file gone");
	EXPECT_EQ(touch_write(area.hva), 0, "SIGBUS code of a write");
	munmap(area.hva, SIZE);
	vm = saved_vm;
	*agent = saved_agent;
}

static void test_memory_error(void)
{
	const uint64_t bad = GPA + 3 * PAGE;
	struct gmem_area area;
	void *mem;

	add_area(&area);
	mem = area.hva + (bad - GPA);
	agent_call(agent, guest_fill, GPA, SIZE, 1);
	if (!inject_memory_error(mem))
		goto out;
	agent_expect_fault(agent, guest_read, bad, 0, bad, false, EHWPOISON,
			   "read of a poisoned page");
	agent_expect_fault(agent, guest_write, bad + 8, VALUE, bad, false,
			   EHWPOISON, "write to a poisoned page");
	if (kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY))
		EXPECT_ERRNO(vcpu_pre_fault_all(agent->vcpu, bad, PAGE),
			     EHWPOISON, "pre-fault a poisoned page");
	EXPECT_EQ(touch_read(mem), BUS_MCEERR_AR, "SIGBUS code of the host");
	EXPECT_EQ(agent_call(agent, guest_check, GPA, bad - GPA, 1), bad,
		  "end of the good pages before");
	EXPECT_EQ(agent_call(agent, guest_check, bad + PAGE, END - bad - PAGE,
			     1), END, "end of the good pages after");

	EXPECT_ERRNO(gmem_punch(area.fd, bad - GPA, PAGE), 0, "punch it out");
	EXPECT_EQ(agent_call(agent, guest_check_zero, bad, PAGE), bad + PAGE,
		  "where the guest's fresh page is not zero");
	agent_call(agent, guest_write, bad, VALUE);
	if (EXPECT(!touch_read(mem), "the host should be able to read it again"))
		EXPECT_EQ(*(uint64_t *)mem, VALUE, "what the host reads");
out:
	gmem_area_free(&area);
}

/* Accounts */

static void expect_info(int fd, const char *name, uint64_t want,
			const char *when)
{
	EXPECT_EQ(gmem_fdinfo(fd, name), want, "%s: %s of fdinfo", when, name);
}

static void expect_binding(struct gmem_area *area)
{
	struct gmem_binding b = {};

	EXPECT_EQ(gmem_fdinfo_bindings(area->fd, &b, 1), 1, "bindings");
	EXPECT(b.slot == area->slot && !b.as && b.gpa == area->gpa &&
	       b.size == area->size && b.offset == area->offset,
	       "binding should be slot %u as 0 gpa %#lx size %#lx offset %#lx, is slot %u as %u gpa %#lx size %#lx offset %#lx",
	       area->slot, area->gpa, area->size, area->offset, b.slot, b.as,
	       b.gpa, b.size, b.offset);
}

static void test_accounts(void)
{
	uint64_t before = vm_stat(vm, "guest_memfd_bytes");
	struct gmem_area area = {
		.vm = vm, .slot = 5, .gpa = GPA, .size = SIZE,
		.offset = 3 * PAGE,
	};
	void *mem;

	EXPECT_EQ(before, 0, "guest_memfd_bytes, no file");
	mem = gmem_map_new(vm, 2 * SIZE, GMEM_SHARED, &area.fd);
	expect_info(area.fd, "gmem-size", 2 * SIZE, "new");
	expect_info(area.fd, "gmem-flags", GMEM_SHARED, "new");
	expect_info(area.fd, "gmem-allocated", 0, "new");
	expect_info(area.fd, "gmem-private", 0, "new");
	expect_info(area.fd, "gmem-shared", 0, "new");
	EXPECT_EQ(gmem_fdinfo_bindings(area.fd, NULL, 0), 0, "bindings");

	gmem_area_bind(&area);
	expect_info(area.fd, "gmem-private", 0, "bound");
	expect_info(area.fd, "gmem-shared", SIZE, "bound");
	expect_binding(&area);

	gmem_allocate(area.fd, 0, PAGE);
	touch_write(mem + PAGE);
	agent_call(agent, guest_write, GPA, VALUE);
	expect_info(area.fd, "gmem-allocated", 3 * PAGE, "three pages");
	EXPECT_EQ(vm_stat(vm, "guest_memfd_bytes"), 3 * PAGE, "VM's bytes");
	gmem_punch(area.fd, 0, PAGE);
	expect_info(area.fd, "gmem-allocated", 2 * PAGE, "one punched");
	EXPECT_EQ(vm_stat(vm, "guest_memfd_bytes"), 2 * PAGE, "VM's bytes");

	vm_delete_slot(vm, area.slot);
	EXPECT_EQ(gmem_fdinfo_bindings(area.fd, NULL, 0), 0, "bindings");
	expect_info(area.fd, "gmem-shared", 0, "slot deleted");
	munmap(mem, 2 * SIZE);
	close(area.fd);
	EXPECT_EQ(vm_stat(vm, "guest_memfd_bytes"), 0, "VM's bytes, file gone");
}

/* Two files of a VM, one statistic. */
static void test_accounts_add_up(void)
{
	int a = vm_create_guest_memfd(vm, SIZE, 0);
	int b = vm_create_guest_memfd(vm, SIZE, GMEM_SHARED);

	gmem_allocate(a, 0, SIZE);
	gmem_allocate(b, SIZE / 2, SIZE / 2);
	EXPECT_EQ(vm_stat(vm, "guest_memfd_bytes"), SIZE * 3 / 2,
		  "bytes of two files");
	close(a);
	EXPECT_EQ(vm_stat(vm, "guest_memfd_bytes"), SIZE / 2,
		  "bytes of one file");
	close(b);
}

int main(int argc, char *argv[])
{
	require_gmem_flags(GMEM_SHARED);
	vm_setup();
	test_binding();
	test_one_memory();
	test_punch();
	test_other_process();
	test_several_slots();
	test_other_offset();
	test_mapping_changes();
	test_no_mapping();
	test_close();
	test_vm_ends();
	test_accounts();
	test_accounts_add_up();
	test_memory_error();
	kvm_vm_free(vm);
	return test_verdict();
}
