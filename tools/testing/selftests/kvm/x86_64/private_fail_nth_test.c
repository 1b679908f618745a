// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private memory when allocations fail: conversions, bindings, pre-faults and
 * faults of the guest, which shows what is private and what it holds.
 */
#include "fail_nth.h"
#include "guest_agent.h"

#define PAGE		SIZE_4K
#define GPA		(4 * SIZE_1G)
#define SIZE		(SIZE_2M + 64 * PAGE)
#define END		(GPA + SIZE)
#define SLOT		1

enum {
	SEED_SHARED = 1,
	SEED_PRIVATE,
};

static struct kvm_vm *vm;
static struct agent agent;
static struct gmem_area area;

/* What is to be set. */
static uint64_t set_start, set_size, set_attributes;

/* KVM_SET_USER_MEMORY_REGION2: a slot that comes, with private memory set */

static void remove_slot(void)
{
	vm_delete_slot(vm, SLOT);
	vm_set_private(vm, GPA, SIZE);
}

static int bind_slot(void)
{
	return __vm_set_region2(vm, SLOT, KVM_MEM_GUEST_MEMFD, GPA, SIZE,
				area.hva, area.fd, 0);
}

static void slot_is_absent(const char *when)
{
	EXPECT_ERRNO(__vm_delete_slot(vm, SLOT), EINVAL,
		     "%s: delete a slot that should not be there", when);
	EXPECT_ERRNO(__vm_set_region2(vm, SLOT + 1, KVM_MEM_GUEST_MEMFD,
				      2 * GPA, SIZE, area.hva, area.fd, 0), 0,
		     "%s: bind the range to another slot", when);
	__vm_delete_slot(vm, SLOT + 1);
}

/* What the guest sees tells whether the slot and its file are there. */
static void slot_is_private(const char *when)
{
	EXPECT_EQ(agent_call(&agent, guest_check, GPA, SIZE, SEED_PRIVATE),
		  END, "%s: first page without private contents", when);
}

/* The same call with size 0: a slot that goes */

static int delete_slot(void)
{
	return __vm_delete_slot(vm, SLOT);
}

static void add_slot(void)
{
	gmem_area_bind(&area);
	vm_set_private(vm, GPA, SIZE);
}

/* KVM_SET_MEMORY_ATTRIBUTES over memory that is mapped */

static void start_private(void)
{
	vm_set_private(vm, GPA, SIZE);
	agent_call(&agent, guest_check, GPA, SIZE, SEED_PRIVATE);
}

static void start_shared(void)
{
	vm_set_shared(vm, GPA, SIZE);
	agent_call(&agent, guest_check, GPA, SIZE, SEED_SHARED);
}

/* Every second page private: as many ranges as there can be. */
static void start_mixed(void)
{
	uint64_t gpa;

	vm_set_shared(vm, GPA, SIZE);
	for (gpa = GPA; gpa < GPA + 64 * PAGE; gpa += 2 * PAGE)
		vm_set_private(vm, gpa, PAGE);
}

static int set_range(void)
{
	return __vm_set_attributes(vm, set_start, set_size, set_attributes);
}

static void range_sees(uint64_t start, uint64_t size, uint64_t seed,
		       const char *when)
{
	if (size)
		EXPECT_EQ(agent_call(&agent, guest_check, start, size, seed),
			  start + size, "%s: [%#lx, %#lx), first page that does not hold seed %lu",
			  when, start, start + size, seed);
}

/* Pages in @start..@size, clamped to the area, are @in; others are @out. */
static void area_sees(uint64_t in, uint64_t out, const char *when)
{
	uint64_t start = max(GPA, set_start);
	uint64_t end = min(END, set_start + set_size);

	range_sees(GPA, start - GPA, out, when);
	range_sees(start, end - start, in, when);
	range_sees(end, END - end, out, when);
}

static void all_private(const char *when)
{
	area_sees(SEED_PRIVATE, SEED_PRIVATE, when);
}

static void all_shared(const char *when)
{
	area_sees(SEED_SHARED, SEED_SHARED, when);
}

static void range_is_shared(const char *when)
{
	area_sees(SEED_SHARED, SEED_PRIVATE, when);
}

static void range_is_private(const char *when)
{
	area_sees(SEED_PRIVATE, SEED_SHARED, when);
}

static void still_mixed(const char *when)
{
	uint64_t gpa, seed;

	for (gpa = GPA; gpa < GPA + 64 * PAGE; gpa += PAGE) {
		seed = (gpa - GPA) / PAGE % 2 ? SEED_SHARED : SEED_PRIVATE;
		range_sees(gpa, PAGE, seed, when);
	}
	range_sees(GPA + 64 * PAGE, SIZE - 64 * PAGE, SEED_SHARED, when);
}

static void undo_set(void)
{
	vm_set_shared(vm, min(GPA, set_start), max(SIZE, set_size));
}

/* KVM_PRE_FAULT_MEMORY and a fault of the guest, into an empty file */

static void start_empty(void)
{
	vm_set_private(vm, GPA, SIZE);
	gmem_punch(area.fd, 0, SIZE);
}

static int pre_fault(void)
{
	struct kvm_pre_fault_memory range = { .gpa = GPA, .size = 8 * PAGE };

	return __vcpu_pre_fault(agent.vcpu, &range);
}

static void arm_guest(void)
{
	agent_start(&agent, guest_write, GPA + 5 * PAGE, 77, 0, 0);
}

/* To its end, which is an OUT. */
static int guest_fault(void)
{
	int ret = __vcpu_run(agent.vcpu);

	return !ret && agent.vcpu->run->exit_reason == KVM_EXIT_IO ? 0 : -1;
}

static void sees_zeroes(const char *when)
{
	EXPECT_EQ(agent_call(&agent, guest_check_zero, GPA, 16 * PAGE),
		  GPA + 16 * PAGE, "%s: first page that is not zero", when);
}

static void write_was_done(const char *when)
{
	EXPECT_EQ(agent_call(&agent, guest_read, GPA + 5 * PAGE), 77,
		  "%s: what the guest wrote", when);
}

static void refill(void)
{
	vm_set_private(vm, GPA, SIZE);
	agent_call(&agent, guest_fill, GPA, SIZE, SEED_PRIVATE);
}

static const struct fail_call calls[] = {
	{ "bind a slot", remove_slot, bind_slot, slot_is_absent,
	  slot_is_private, no_step },
	{ "delete a slot", no_step, delete_slot, slot_is_private,
	  slot_is_absent, add_slot },
	{ "pre-fault 8 pages", start_empty, pre_fault, sees_zeroes,
	  sees_zeroes, refill },
	{ "fault of the guest", start_empty, guest_fault, sees_zeroes,
	  write_was_done, refill, arm_guest },
};

/* Ranges that make, split and join entries of every size. */
static const struct {
	const char *name;
	uint64_t start, size;
} sets[] = {
	{ "a page", GPA + 7 * PAGE, PAGE },
	{ "an odd range", GPA + 3 * PAGE, SIZE_2M + 2 * PAGE },
	{ "2 MiB", GPA, SIZE_2M },
	{ "all", GPA, SIZE },
	{ "all and more", GPA - PAGE, 2 * SIZE_2M - 5 * PAGE },
	{ "1 GiB at an odd page", GPA - 5 * PAGE, SIZE_1G },
	{ "1 TiB at an odd page", GPA + PAGE, SIZE_1T },
};

static void test_set(const char *name, void (*prepare)(void), uint64_t attrs,
		     void (*before)(const char *), void (*after)(const char *))
{
	const struct fail_call call = {
		name, prepare, set_range, before, after, undo_set,
	};

	set_attributes = attrs;
	fail_calls(&call, 1);
}

static bool large_sets_take_time(void)
{
	uint64_t start = now_ms();

	vm_set_private(vm, 2 * SIZE_1T, SIZE_1G);
	vm_set_shared(vm, 2 * SIZE_1T, SIZE_1G);
	return now_ms() - start > 200;
}

static void test_sets(void)
{
	bool small_only = large_sets_take_time();
	char name[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		set_start = sets[i].start;
		set_size = sets[i].size;
		if (small_only && set_size > 8 * SIZE_2M) {
			note_skipped("%s: takes too long here", sets[i].name);
			continue;
		}
		snprintf(name, sizeof(name), "%s to private", sets[i].name);
		test_set(name, start_shared, KVM_MEMORY_ATTRIBUTE_PRIVATE,
			 all_shared, range_is_private);
		snprintf(name, sizeof(name), "%s to shared", sets[i].name);
		test_set(name, start_private, 0, all_private, range_is_shared);
	}

	set_start = GPA;
	set_size = SIZE;
	test_set("mixed to private", start_mixed, KVM_MEMORY_ATTRIBUTE_PRIVATE,
		 still_mixed, all_private);
	test_set("mixed to shared", start_mixed, 0, still_mixed, all_shared);
}

int main(int argc, char *argv[])
{
	unsigned long type = private_vm_type();

	fail_nth_begin();
	vm = agent_vm_create(type, 1, &agent);
	agent_map(vm, GPA, SIZE);
	gmem_area_add(&area, vm, SLOT, GPA, SIZE);
	refill();
	vm_set_shared(vm, GPA, SIZE);
	stamp_fill(area.hva, GPA, SIZE, SEED_SHARED);

	test_sets();
	vm_set_private(vm, GPA, SIZE);
	fail_calls(calls, ARRAY_SIZE(calls));

	fail_nth_end();
	vm_set_shared(vm, GPA, SIZE);
	gmem_area_free(&area);
	kvm_vm_free(vm);
	return test_verdict();
}
