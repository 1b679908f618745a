// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of each call fails once, and then all of them from some
 * point on.  A call that fails says ENOMEM and has changed nothing; a call that
 * gets by without the memory has done all of its work; the next try succeeds.
 *
 * /proc/thread-self/fail-nth makes the n-th allocation from now fail, for all
 * n until a call ends before its n-th.  A call that tries in vain without
 * sleeping and then again passes such a test; failslab with a budget in bytes,
 * for this thread alone, leaves it nothing to try.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "guest_agent.h"

#define PAGE		SIZE_4K
#define GPA		(4 * SIZE_1G)
#define SIZE		(SIZE_2M + 64 * PAGE)
#define END		(GPA + SIZE)
#define SLOT		1
#define MAX_N		2000
#define BUDGET_STEP	320
#define MAX_BUDGET	(32 * BUDGET_STEP)

enum {
	SEED_SHARED = 1,
	SEED_PRIVATE,
};

static struct kvm_vm *vm;
static struct agent agent;
static struct gmem_area area;
static bool counts_blocks;
static int fail_nth, make_it_fail;

/* What the calls are about. */
static int result;
static uint64_t set_start, set_size, set_attributes;

/*
 * One call: @prepare brings about the state before it and @undo takes back
 * what it has done; @before and @after check; @arm is for each try.
 */
struct call {
	const char *name;
	void (*prepare)(void);
	int (*call)(void);
	void (*before)(const char *when);
	void (*after)(const char *when);
	void (*undo)(void);
	void (*arm)(void);
};

static void nothing(void)
{
}

static void no_check(const char *when)
{
}

/* KVM_CREATE_VM */

static int create_vm(void)
{
	result = ioctl(vm->kvm_fd, KVM_CREATE_VM, KVM_X86_SW_PROTECTED_VM);
	return result;
}

static void close_result(void)
{
	close(result);
}

/* A descriptor that was taken for nothing would be missed here. */
static int lowest_free_fd;

static int find_lowest_free_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void remember_fd(void)
{
	lowest_free_fd = find_lowest_free_fd();
}

static void check_fd(const char *when)
{
	EXPECT_EQ(find_lowest_free_fd(), lowest_free_fd,
		  "%s: lowest free file descriptor", when);
}

/* KVM_CREATE_GUEST_MEMFD */

static int create_file(void)
{
	result = __vm_create_guest_memfd(vm, SIZE, 0);
	return result;
}

/* fallocate() */

static void prepare_file(void)
{
	result = vm_create_guest_memfd(vm, SIZE, 0);
}

static int allocate_page(void)
{
	return gmem_allocate(result, 3 * PAGE, PAGE);
}

static int allocate_many(void)
{
	return gmem_allocate(result, 0, 70 * PAGE);
}

static void check_blocks(uint64_t min_pages, uint64_t max_pages,
			 const char *when)
{
	uint64_t pages = gmem_blocks(result) * 512 / PAGE;

	if (counts_blocks)
		EXPECT(pages >= min_pages && pages <= max_pages,
		       "%s: file should have %lu to %lu pages, has %lu", when,
		       min_pages, max_pages, pages);
}

static void file_is_empty(const char *when)
{
	check_blocks(0, 0, when);
}

static void file_has_one(const char *when)
{
	check_blocks(1, 1, when);
}

/* Pages that came before the failure stay. */
static void file_has_some(const char *when)
{
	check_blocks(0, 69, when);
}

static void file_has_many(const char *when)
{
	check_blocks(70, 70, when);
}

/* punch hole */

static void prepare_full_file(void)
{
	prepare_file();
	gmem_allocate(result, 0, 70 * PAGE);
}

static int punch_part(void)
{
	return gmem_punch(result, PAGE, 68 * PAGE);
}

static void file_has_two(const char *when)
{
	check_blocks(2, 2, when);
}

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

static int try_call(const struct call *call)
{
	if (call->arm)
		call->arm();
	return call->call();
}

static void set_number(int fd, int number)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", number);

	TEST_ASSERT(pwrite(fd, text, len, 0) == len,
		    "fault injection should accept %d, errno %d", number,
		    errno);
}

static int get_number(int fd)
{
	char text[16] = "";

	TEST_ASSERT(pread(fd, text, sizeof(text) - 1, 0) > 0,
		    "fault injection should be readable, errno %d", errno);
	return atoi(text);
}

/* The n-th allocation of the call fails; true if the call has one. */
static bool inject(const struct call *call, int n, int *ret, int *err)
{
	bool injected;

	if (call->arm)
		call->arm();
	set_number(fail_nth, n);
	*ret = call->call();
	*err = errno;
	injected = !get_number(fail_nth);
	set_number(fail_nth, 0);
	return injected;
}

/* All allocations of the call fail that come after @budget bytes of them. */
static void run_dry(const struct call *call, int budget, int *ret, int *err)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", budget);
	TEST_ASSERT(!write_file("/sys/kernel/debug/failslab/space", text),
		    "failslab should accept a budget of %d", budget);
	if (call->arm)
		call->arm();
	set_number(make_it_fail, 1);
	*ret = call->call();
	*err = errno;
	set_number(make_it_fail, 0);
}

static void check_failure(const struct call *call, const char *when, int err)
{
	EXPECT(err == ENOMEM, "%s: should fail with %d, failed with %d (%s)",
	       when, ENOMEM, err, strerror(err));
	call->before(when);
	EXPECT_ERRNO(try_call(call), 0, "%s: the next try", when);
}

/*
 * Allocations that a call can do without come in long rows where it makes
 * files in debugfs: there the steps become longer.
 */
static void test_call(const struct call *call)
{
	int n, ret, err, nr_failed = 0, nr_tried = 0, spared = 0;
	bool injected = true;
	char when[80];

	for (n = 1; injected && n < MAX_N; n += 1 + spared / 2) {
		snprintf(when, sizeof(when), "%s, allocation %d", call->name,
			 n);
		call->prepare();
		injected = inject(call, n, &ret, &err);
		spared = ret < 0 ? 0 : spared + 1;
		nr_tried += injected;
		if (ret < 0) {
			nr_failed++;
			EXPECT(injected, "%s: should succeed, errno %d (%s)",
			       when, err, strerror(err));
			check_failure(call, when, err);
		}
		call->after(when);
		call->undo();
	}
	EXPECT(!injected, "%s: should have less than %d allocations",
	       call->name, MAX_N);
	printf("%-36s %3d allocations failed, %3d were needed\n", call->name,
	       nr_tried, nr_failed);
}

static void test_call_dry(const struct call *call)
{
	int budget, ret = -1, err, nr_failed = 0, enough = 0;
	char when[80];

	for (budget = 0; budget < MAX_BUDGET && enough < 3;
	     budget += BUDGET_STEP) {
		snprintf(when, sizeof(when), "%s with %d bytes", call->name,
			 budget);
		call->prepare();
		run_dry(call, budget, &ret, &err);
		enough = ret < 0 ? 0 : enough + 1;
		if (ret < 0) {
			nr_failed++;
			check_failure(call, when, err);
		}
		call->after(when);
		call->undo();
	}
	EXPECT(ret >= 0, "%s: should succeed with %d bytes, errno %d (%s)",
	       call->name, budget - BUDGET_STEP, err, strerror(err));
	printf("%-36s %3d of %3d budgets were too small\n", call->name,
	       nr_failed, budget / BUDGET_STEP);
}

static const struct call create_vm_call = {
	"create a VM", remember_fd, create_vm, check_fd, no_check,
	close_result,
};

static const struct call calls[] = {
	{ "create a file", remember_fd, create_file, check_fd, no_check,
	  close_result },
	{ "allocate a page", prepare_file, allocate_page, file_is_empty,
	  file_has_one, close_result },
	{ "allocate 70 pages", prepare_file, allocate_many, file_has_some,
	  file_has_many, close_result },
	{ "punch 68 pages", prepare_full_file, punch_part, file_has_many,
	  file_has_two, close_result },
	{ "bind a slot", remove_slot, bind_slot, slot_is_absent,
	  slot_is_private, nothing },
	{ "delete a slot", nothing, delete_slot, slot_is_private,
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
	const struct call call = {
		name, prepare, set_range, before, after, undo_set,
	};

	set_attributes = attrs;
	test_call(&call);
	test_call_dry(&call);
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

static void setup_injection(void)
{
	static const struct {
		const char *path, *value;
	} settings[] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "failslab/task-filter", "Y" },
		{ "failslab/times", "-1" },
		{ "failslab/interval", "1" },
		{ "failslab/probability", "100" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
	};
	char path[96];
	int i;

	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	make_it_fail = open("/proc/thread-self/make-it-fail", O_RDWR);
	__TEST_REQUIRE(fail_nth >= 0 && make_it_fail >= 0,
		       "no /proc/thread-self/fail-nth: needs CONFIG_FAULT_INJECTION");
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s",
			 settings[i].path);
		__TEST_REQUIRE(!write_file(path, settings[i].value),
			       "cannot write %s: needs CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC, debugfs",
			       path);
	}
}

int main(int argc, char *argv[])
{
	unsigned long type = private_vm_type();
	int i;

	setup_injection();
	vm = agent_vm_create(type, 1, &agent);
	agent_map(vm, GPA, SIZE);
	gmem_area_add(&area, vm, SLOT, GPA, SIZE);
	counts_blocks = gmem_counts_blocks(vm);
	if (!counts_blocks)
		note_skipped("st_blocks: not kept by this kernel");
	refill();
	vm_set_shared(vm, GPA, SIZE);
	stamp_fill(area.hva, GPA, SIZE, SEED_SHARED);

	test_sets();
	vm_set_private(vm, GPA, SIZE);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		test_call(&calls[i]);
		test_call_dry(&calls[i]);
	}
	test_call(&create_vm_call);

	write_file("/sys/kernel/debug/failslab/probability", "0");
	vm_set_shared(vm, GPA, SIZE);
	gmem_area_free(&area);
	kvm_vm_free(vm);
	return test_verdict();
}
