// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses that KVM cannot resolve: KVM_RUN fails with EFAULT or EHWPOISON and
 * KVM_EXIT_MEMORY_FAULT tells which page and which side.  When the cause is
 * gone, the same instruction goes on.
 */
#include <linux/kvm_para.h>

#include "guest_agent.h"

#define PAGE		SIZE_4K
#define GPA		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)
#define END		(GPA + SIZE)
#define SLOT		1
#define VALUE		0x5eed5eed5eed5eedul

static struct kvm_vm *vm;
static struct agent agent;

static void expect_fault(void *fn, uint64_t at, bool private, const char *what)
{
	agent_expect_fault(&agent, fn, at, VALUE, at & -PAGE, private, EFAULT,
			   what);
}

/* Goes on where the last call stopped. */
static void expect_resumed(const char *what)
{
	enum agent_stop stop = agent_run(&agent);

	EXPECT(stop == AGENT_DONE, "%s: guest should go on: %s", what,
	       agent_stop_name(&agent, stop));
}

static void expect_value(uint64_t gpa, uint64_t value, const char *what)
{
	EXPECT_EQ(agent_call(&agent, guest_read, gpa), value,
		  "%s: what the guest reads at %#lx", what, gpa);
}

static void remap(void *hva, uint64_t size, int prot)
{
	void *mem = mmap(hva, size, prot,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	TEST_ASSERT(mem == hva, "mmap() at %p should work", hva);
}

/* No file to take private memory from. */
static void test_slot_without_file(void)
{
	void *hva = map_anonymous(SIZE, SIZE_2M);
	const uint64_t at[] = {
		GPA, GPA + 8, GPA + PAGE - 8, GPA + SIZE_2M - 8, GPA + SIZE_2M,
		END - 8,
	};
	int i;

	vm_set_user_memory_region(vm, SLOT, 0, GPA, SIZE, hva);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		vm_set_private(vm, GPA, SIZE);
		expect_fault(guest_read, at[i], true,
			     "read, private, slot without a file");
		expect_fault(guest_write, at[i], true,
			     "write, private, slot without a file");
		vm_set_shared(vm, at[i] & -PAGE, PAGE);
		expect_resumed("write, shared again");
		expect_value(at[i], VALUE, "after the write");
		EXPECT_EQ(*(uint64_t *)(hva + at[i] - GPA), VALUE,
			  "what the host reads at %#lx", at[i]);
	}
	vm_set_shared(vm, GPA, SIZE);
	vm_delete_slot(vm, SLOT);
	munmap(hva, SIZE);
}

/* Where no slot is, private accesses are faults. */
static void test_no_slot(void)
{
	struct gmem_area area;

	vm_set_private(vm, GPA, SIZE);
	expect_fault(guest_read, GPA, true, "private read without a slot");
	expect_fault(guest_write, GPA + SIZE_2M, true,
		     "private write without a slot");

	/* The slot is smaller than what is private. */
	gmem_area_add(&area, vm, SLOT, GPA, SIZE_2M);
	expect_value(GPA + SIZE_2M - 8, 0, "end of the slot");
	expect_fault(guest_read, GPA + SIZE_2M, true, "read beyond the slot");
	expect_fault(guest_write, GPA + SIZE_2M, true, "write beyond the slot");
	gmem_area_free(&area);
	expect_fault(guest_read, GPA, true, "read where the slot was");
	vm_set_shared(vm, GPA, SIZE);
}

static void expect_mmio(uint64_t gpa, const char *what)
{
	struct kvm_run *run = agent.vcpu->run;
	enum agent_stop stop;

	agent_start(&agent, guest_read, gpa, 0, 0, 0);
	stop = agent_run(&agent);
	EXPECT(stop == AGENT_MMIO && run->mmio.phys_addr == gpa,
	       "%s: read should be MMIO at %#lx: %s", what, gpa,
	       agent_stop_name(&agent, stop));
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	agent_run(&agent);
}

/* What was MMIO becomes private memory, and MMIO again. */
static void test_mmio(void)
{
	const uint64_t gpa = END;
	struct gmem_area area;

	expect_mmio(gpa, "shared, no slot");
	gmem_area_add(&area, vm, SLOT, gpa, SIZE_2M);
	vm_set_private(vm, gpa, SIZE_2M);
	expect_value(gpa, 0, "private memory where MMIO was");
	agent_call(&agent, guest_write, gpa, VALUE);
	expect_value(gpa, VALUE, "private memory where MMIO was");
	vm_set_shared(vm, gpa, SIZE_2M);
	gmem_area_free(&area);
	expect_mmio(gpa, "shared, slot deleted");
}

/* The host memory behind the shared side is missing or may not be written. */
static void test_bad_hva(struct gmem_area *area)
{
	const uint64_t gpa = GPA + 5 * PAGE;
	void *hva = gmem_area_hva(area, gpa);

	gmem_punch(area->fd, 0, area->size);
	munmap(hva, PAGE);
	expect_fault(guest_read, gpa, false, "read, hva not mapped");
	expect_fault(guest_write, gpa + 16, false, "write, hva not mapped");
	remap(hva, PAGE, PROT_READ | PROT_WRITE);
	expect_resumed("hva mapped again");
	expect_value(gpa + 16, VALUE, "hva mapped again");

	remap(hva, PAGE, PROT_READ);
	expect_value(gpa, 0, "hva read-only");
	expect_fault(guest_write, gpa + 24, false, "write, hva read-only");
	mprotect(hva, PAGE, PROT_READ | PROT_WRITE);
	expect_resumed("hva writable again");

	remap(hva, PAGE, PROT_NONE);
	expect_fault(guest_read, gpa, false, "read, hva PROT_NONE");
	vm_set_private(vm, gpa, PAGE);
	expect_resumed("private: the hva does not matter");
	expect_value(gpa, 0, "private: the hva does not matter");
	vm_set_shared(vm, gpa, PAGE);
	expect_fault(guest_read, gpa, false, "read, shared again, PROT_NONE");
	remap(hva, PAGE, PROT_READ | PROT_WRITE);
}

/* An access that starts in a good page and ends in a bad one, and a fetch. */
static void test_kinds_of_access(void)
{
	const uint64_t gpa = GPA + SIZE_2M;
	void *hva = map_anonymous(SIZE, SIZE_2M);

	vm_set_user_memory_region(vm, SLOT, 0, GPA, SIZE, hva);
	vm_set_private(vm, gpa, PAGE);
	agent_expect_fault(&agent, guest_read, gpa - 4, 0, gpa, true, EFAULT,
			   "read that ends in a private page");
	agent_expect_fault(&agent, guest_write, gpa - 4, VALUE, gpa, true,
			   EFAULT, "write that ends in a private page");
	agent_expect_fault(&agent, (void *)gpa, 0, 0, gpa, true, EFAULT,
			   "code in a private page");
	vm_set_shared(vm, gpa, PAGE);
	*(uint8_t *)(hva + gpa - GPA) = 0xc3; /* ret */
	expect_resumed("code in a page that is shared again");
	vm_delete_slot(vm, SLOT);
	munmap(hva, SIZE);
}

/* The VM lives on without the file; the shared side does not miss it. */
static void test_file_closed(void)
{
	struct gmem_area area;
	int fd;

	gmem_area_add(&area, vm, SLOT, GPA, SIZE);
	vm_set_private(vm, GPA, SIZE_2M);
	agent_call(&agent, guest_write, GPA, VALUE);
	close(area.fd);
	expect_fault(guest_read, GPA, true, "read, file closed");
	expect_fault(guest_write, GPA + PAGE, true, "write, file closed");
	agent_call(&agent, guest_write, GPA + SIZE_2M, VALUE);
	expect_value(GPA + SIZE_2M, VALUE, "shared page of the slot");

	fd = vm_create_guest_memfd(vm, SIZE, 0);
	EXPECT_ERRNO(__vm_set_region2(vm, SLOT, KVM_MEM_GUEST_MEMFD, GPA, SIZE,
				      area.hva, fd, 0), EINVAL,
		     "give the slot another file");
	area.fd = fd;
	vm_delete_slot(vm, SLOT);
	gmem_area_bind(&area);
	expect_value(GPA, 0, "a new slot with a new file");
	vm_set_shared(vm, GPA, SIZE);
	gmem_area_free(&area);
}

/* The page stays in its place, unusable, until it is punched out. */
static void test_memory_error(void)
{
	const uint64_t offset = 3 * PAGE, bad = GPA + offset;
	struct gmem_area area;
	uint64_t pfn;

	if (!can_poison_frames()) {
		note_skipped("memory errors: no hwpoison-inject in debugfs");
		return;
	}
	gmem_area_add(&area, vm, SLOT, GPA, SIZE_2M);
	vm_set_private(vm, GPA, SIZE_2M);
	pfn = gmem_find_frame(area.fd, offset);
	if (!EXPECT(pfn, "the frame of a page should be found"))
		goto out;
	agent_call(&agent, guest_fill, GPA, 8 * PAGE, 1);
	poison_frame(pfn);
	agent_expect_fault(&agent, guest_read, bad, 0, bad, true, EHWPOISON,
			   "read of a poisoned page");
	agent_expect_fault(&agent, guest_write, bad + 8, VALUE, bad, true,
			   EHWPOISON, "write to a poisoned page");
	EXPECT_ERRNO(vcpu_pre_fault_all(agent.vcpu, bad, PAGE), EHWPOISON,
		     "pre-fault a poisoned page");
	EXPECT_EQ(agent_call(&agent, guest_check, GPA, offset, 1), bad,
		  "end of the good pages before");
	EXPECT_EQ(agent_call(&agent, guest_check, bad + PAGE, 4 * PAGE, 1),
		  bad + 5 * PAGE, "end of the good pages after");

	vm_set_shared(vm, bad, PAGE);
	expect_value(bad, 0, "the shared side of a poisoned page");
	vm_set_private(vm, bad, PAGE);
	agent_expect_fault(&agent, guest_read, bad, 0, bad, true, EHWPOISON,
			   "poisoned page, converted there and back");
	EXPECT_ERRNO(gmem_punch(area.fd, offset, PAGE), 0, "punch it out");
	expect_value(bad, 0, "a fresh page in its place");
	unpoison_frame(pfn);
out:
	vm_set_shared(vm, GPA, SIZE_2M);
	gmem_area_free(&area);
}

/*
 * Memory that KVM itself writes for the guest: private pages are out of its
 * reach and must not change.
 */
static void test_kernel_writes(struct gmem_area *area)
{
	const struct {
		const char *name;
		uint32_t msr;
		uint64_t flags;
	} cases[] = {
		{ "wall clock", MSR_KVM_WALL_CLOCK_NEW, 0 },
		{ "system time", MSR_KVM_SYSTEM_TIME_NEW, 1 },
		{ "steal time", MSR_KVM_STEAL_TIME, KVM_MSR_ENABLED },
		{ "EOI", MSR_KVM_PV_EOI_EN, KVM_MSR_ENABLED },
		{ "async page faults", MSR_KVM_ASYNC_PF_EN,
		  KVM_ASYNC_PF_ENABLED },
	};
	uint64_t gpa;
	int i, round;

	vm_set_private(vm, GPA, SIZE);
	agent_call(&agent, guest_fill, GPA, SIZE, 7);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		gpa = GPA + i * PAGE;
		if (_vcpu_set_msr(agent.vcpu, cases[i].msr,
				  gpa | cases[i].flags) != 1)
			note_skipped("%s in private memory: MSR refused",
				     cases[i].name);
		for (round = 0; round < 3; round++)
			EXPECT_EQ(agent_call(&agent, guest_check, GPA, SIZE, 7),
				  END, "first page changed by KVM's %s",
				  cases[i].name);
		vm_set_shared(vm, gpa, PAGE);
		agent_call(&agent, guest_read, gpa);
		vm_set_private(vm, gpa, PAGE);
		EXPECT_EQ(agent_call(&agent, guest_check, GPA, SIZE, 7), END,
			  "first page changed by KVM's %s after a conversion",
			  cases[i].name);
		_vcpu_set_msr(agent.vcpu, cases[i].msr, 0);
	}
	vm_set_shared(vm, GPA, SIZE);
}

int main(int argc, char *argv[])
{
	struct gmem_area area;

	vm = agent_vm_create(private_vm_type(), 1, &agent);
	agent_map(vm, GPA, SIZE + SIZE_2M);

	test_slot_without_file();
	test_no_slot();
	test_kinds_of_access();
	test_file_closed();
	test_memory_error();
	gmem_area_add(&area, vm, SLOT, GPA, SIZE);
	test_kernel_writes(&area);
	test_bad_hva(&area);
	gmem_area_free(&area);
	test_mmio();

	kvm_vm_free(vm);
	return test_verdict();
}
