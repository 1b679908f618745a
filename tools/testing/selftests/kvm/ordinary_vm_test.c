// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ordinary VMs beside guest_memfd: they have no private memory and no
 * attributes, and all they gain is that a fault which cannot be resolved says
 * where it was.
 */
#include "guest_agent.h"

#define PAGE		((uint64_t)getpagesize())
#define GPA		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)
#define VALUE		0x0d1a0d1a0d1a0d1aul

static struct kvm_vm *vm;
static struct agent agent;
static void *hva;

static void expect_fault(void *fn, uint64_t at, const char *what)
{
	agent_expect_fault(&agent, fn, at, VALUE, at & -PAGE, false, EFAULT,
			   what);
}

static void expect_resumed(const char *what)
{
	enum agent_stop stop = agent_run(&agent);

	EXPECT(stop == AGENT_DONE, "%s: guest should go on: %s", what,
	       agent_stop_name(&agent, stop));
}

static void test_capabilities(void)
{
	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_MEMORY_ATTRIBUTES), 0,
		  "KVM_CAP_MEMORY_ATTRIBUTES");
	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_USER_MEMORY2), 1,
		  "KVM_CAP_USER_MEMORY2");
	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_MEMORY_FAULT_INFO), 1,
		  "KVM_CAP_MEMORY_FAULT_INFO");
	EXPECT_ERRNO(__vm_enable_cap(vm, KVM_CAP_MEMORY_FAULT_INFO, 1), EINVAL,
		     "KVM_ENABLE_CAP of KVM_CAP_MEMORY_FAULT_INFO");
}

static void test_faults(void)
{
	const uint64_t at[] = {
		GPA, GPA + PAGE - 8, GPA + SIZE_2M - PAGE, GPA + SIZE_2M + 8,
		GPA + SIZE - 8,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		void *mem = hva + (at[i] & -PAGE) - GPA;

		munmap(mem, PAGE);
		expect_fault((void *)at[i], at[i], "fetch, hva not mapped");
		expect_fault(guest_read, at[i], "read, hva not mapped");
		expect_fault(guest_write, at[i], "write, hva not mapped");
		mmap(mem, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
		     MAP_FIXED, -1, 0);
		expect_fault(guest_write, at[i], "write, hva read-only");
		mprotect(mem, PAGE, PROT_READ | PROT_WRITE);
		expect_resumed("hva mapped and writable");
		EXPECT_EQ(*(uint64_t *)(hva + at[i] - GPA), VALUE,
			  "what the host reads at %#lx", at[i]);
	}
}

/* A read-only slot answers writes as MMIO, and reads from memory. */
static void test_read_only_slot(bool new_ioctl)
{
	struct kvm_run *run = agent.vcpu->run;
	const uint64_t gpa = GPA + SIZE;
	const uint32_t flags = KVM_MEM_READONLY;
	enum agent_stop stop;

	*(uint64_t *)hva = VALUE;
	if (new_ioctl)
		EXPECT_ERRNO(__vm_set_region2(vm, 2, flags, gpa, SIZE_2M, hva,
					      -1, 0), 0, "a ROM");
	else
		vm_set_user_memory_region(vm, 2, flags, gpa, SIZE_2M, hva);
	EXPECT_EQ(agent_call(&agent, guest_read, gpa), VALUE, "read of a ROM");
	agent_start(&agent, guest_write, gpa, 1, 0, 0);
	stop = agent_run(&agent);
	EXPECT(stop == AGENT_MMIO && run->mmio.is_write,
	       "write to a ROM should be an MMIO write: %s",
	       agent_stop_name(&agent, stop));
	expect_resumed("after a write to a ROM");
	EXPECT_EQ(*(uint64_t *)hva, VALUE, "the ROM after a write");
	vm_delete_slot(vm, 2);
}

static void test_dirty_log(bool new_ioctl)
{
	const uint64_t nr = SIZE_2M / PAGE;
	const uint64_t pages[] = { 0, 1, nr / 2 - 1, nr / 2, nr - 1 };
	uint64_t bitmap[SIZE_2M / SIZE_4K / 64] = {};
	uint64_t want[ARRAY_SIZE(bitmap)] = {};
	const uint32_t flags = KVM_MEM_LOG_DIRTY_PAGES;
	const uint64_t gpa = GPA + SIZE;
	int i;

	if (new_ioctl)
		EXPECT_ERRNO(__vm_set_region2(vm, 2, flags, gpa, SIZE_2M, hva,
					      -1, 0), 0, "a logged slot");
	else
		vm_set_user_memory_region(vm, 2, flags, gpa, SIZE_2M, hva);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		agent_call(&agent, guest_write, gpa + pages[i] * PAGE, VALUE);
		want[pages[i] / 64] |= 1ull << pages[i] % 64;
	}
	kvm_vm_get_dirty_log(vm, 2, bitmap);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		EXPECT_EQ(bitmap[i], want[i], "dirty bits %d-%d", i * 64,
			  i * 64 + 63);
	vm_delete_slot(vm, 2);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_USER_MEMORY2));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_MEMORY_FAULT_INFO));

	vm = agent_vm_create(0, 1, &agent);
	hva = map_anonymous(SIZE, SIZE_2M);
	vm_set_user_memory_region(vm, 1, 0, GPA, SIZE, hva);
	agent_map(vm, GPA, SIZE + SIZE_2M);

	test_capabilities();
	test_read_only_slot(false);
	test_read_only_slot(true);
	test_dirty_log(false);
	test_dirty_log(true);
	test_faults();

	munmap(hva, SIZE);
	kvm_vm_free(vm);
	return test_verdict();
}
