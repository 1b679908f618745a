// SPDX-License-Identifier: GPL-2.0-only
/*
 * A software-protected VM over a file that the host may map: private and shared
 * frames are in one file, and the host's mapping gives it none of them.
 */
#include <asm/kvm_para.h>
#include <signal.h>
#include <sys/mman.h>

#include "guest_agent.h"

#define PAGE	SIZE_4K
#define GPA	(4 * SIZE_1G)
#define SIZE	SIZE_2M
#define END	(GPA + SIZE)
#define MMAP	GUEST_MEMFD_FLAG_MMAP

static struct kvm_vm *vm;
static struct agent agent;

static void expect_guest(uint64_t seed, const char *when)
{
	EXPECT_EQ(agent_call(&agent, guest_check, GPA, SIZE, seed), END,
		  "%s: where the guest sees other contents", when);
}

static void expect_untouchable(void *mem, const char *when)
{
	uint64_t i;

	for (i = 0; i < SIZE; i += SIZE / 8)
		EXPECT_EQ(touch_write(mem + i), BUS_ADRERR,
			  "%s: SIGBUS code at %#lx", when, i);
}

static void test_protected(void)
{
	struct gmem_area area;

	gmem_area_add_mapped(&area, vm, 1, GPA, SIZE, MMAP);
	agent_call(&agent, guest_fill, GPA, SIZE, 1);
	expect_guest(1, "all shared");
	expect_untouchable(area.hva, "all shared");
	EXPECT_EQ(gmem_blocks(area.fd), SIZE / 512, "st_blocks, all shared");

	vm_set_private(vm, GPA, SIZE / 2);
	EXPECT_EQ(gmem_fdinfo(area.fd, "gmem-private"), SIZE / 2,
		  "gmem-private of fdinfo");
	EXPECT_EQ(gmem_fdinfo(area.fd, "gmem-shared"), SIZE / 2,
		  "gmem-shared of fdinfo");
	expect_guest(1, "half private");
	agent_call(&agent, guest_fill, GPA, SIZE, 2);
	expect_guest(2, "half private, written");
	expect_untouchable(area.hva, "half private");

	vm_set_shared(vm, GPA, SIZE / 2);
	expect_guest(2, "all shared again");
	EXPECT_EQ(gmem_blocks(area.fd), SIZE / 512, "st_blocks in the end");
	gmem_punch(area.fd, 0, SIZE);
	EXPECT_EQ(agent_call(&agent, guest_check_zero, GPA, SIZE), END,
		  "where a punched file is not zero");
	expect_untouchable(area.hva, "punched");
	gmem_area_free(&area);
}

/* Where userspace_addr is memory, a shared frame is still the file's. */
static void test_protected_no_mapping(void)
{
	void *others = map_anonymous(SIZE, SIZE_2M);
	int fd = vm_create_guest_memfd(vm, SIZE, MMAP);

	memset(others, 0xcc, SIZE);
	vm_bind_guest_memfd(vm, 1, GPA, SIZE, others, fd, 0);
	EXPECT_EQ(agent_call(&agent, guest_check_zero, GPA, SIZE), END,
		  "where a new file is not zero");
	agent_call(&agent, guest_fill, GPA, SIZE, 1);
	EXPECT_EQ(*(uint64_t *)others, 0xcccccccccccccccc,
		  "the memory at userspace_addr");
	vm_delete_slot(vm, 1);
	munmap(others, SIZE);
	close(fd);
}

/* The kernel cannot touch it any more than the host can, and goes on. */
static void test_protected_kernel_access(void)
{
	const uint64_t clock = GPA + 7 * PAGE, steal = GPA + 8 * PAGE;
	struct gmem_area area;

	gmem_area_add_mapped(&area, vm, 1, GPA, SIZE, MMAP);
	agent_call(&agent, guest_fill, GPA, SIZE, 1);
	_vcpu_set_msr(agent.vcpu, MSR_KVM_SYSTEM_TIME_NEW,
		      clock | KVM_MSR_ENABLED);
	_vcpu_set_msr(agent.vcpu, MSR_KVM_STEAL_TIME, steal | KVM_MSR_ENABLED);
	expect_guest(1, "clock and steal time enabled");
	_vcpu_set_msr(agent.vcpu, MSR_KVM_SYSTEM_TIME_NEW, 0);
	_vcpu_set_msr(agent.vcpu, MSR_KVM_STEAL_TIME, 0);
	gmem_area_free(&area);
}

int main(int argc, char *argv[])
{
	require_gmem_flags(MMAP);
	vm = agent_vm_create(private_vm_type(), 1, &agent);
	agent_map(vm, GPA, SIZE);
	test_protected();
	test_protected_no_mapping();
	test_protected_kernel_access();
	kvm_vm_free(vm);
	return test_verdict();
}
