// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that turns private and back: at each step guest and host see what
 * belongs to their side, on the range that was converted and on its
 * neighbours, for ranges of every alignment and both kinds of shared backing.
 */
#include <linux/kvm_para.h>

#include "guest_agent.h"

#define PAGE		SIZE_4K
#define GPA		(4 * SIZE_1G)
#define SIZE		(4 * SIZE_2M)
#define END		(GPA + SIZE)

enum {
	SEED_SHARED = 1,	/* host, before the range turns private */
	SEED_PRIVATE,		/* guest, while it is private */
	SEED_STALE,		/* host, behind the guest's back */
	SEED_BACK,		/* guest, after it turned shared again */
};

static struct kvm_vm *vm;
static struct agent agent;
static struct gmem_area area;

struct range {
	uint64_t start, end;
};

static const struct range ranges[] = {
	{ GPA, GPA + PAGE },
	{ GPA + SIZE_2M / 2, GPA + SIZE_2M / 2 + PAGE },
	{ GPA + SIZE_2M - PAGE, GPA + SIZE_2M },
	{ GPA + SIZE_2M - PAGE, GPA + SIZE_2M + PAGE },
	{ GPA + 7 * PAGE, GPA + 64 * PAGE },
	{ GPA + SIZE_2M, GPA + 2 * SIZE_2M },
	{ GPA + PAGE, GPA + SIZE_2M - PAGE },
	{ GPA + PAGE, GPA + SIZE_2M + PAGE },
	{ GPA + SIZE_2M - PAGE, GPA + 2 * SIZE_2M + PAGE },
	{ GPA + SIZE_2M / 2, GPA + 3 * SIZE_2M + SIZE_2M / 2 },
	{ END - PAGE, END },
	{ GPA, END },
};

static uint64_t len(const struct range *range)
{
	return range->end - range->start;
}

static void guest_sees(uint64_t start, uint64_t end, uint64_t seed,
		       const char *when)
{
	uint64_t at;

	if (start == end)
		return;
	at = agent_call(&agent, guest_check, start, end - start, seed);
	EXPECT(at == end,
	       "%s: guest should see seed %lu in [%#lx, %#lx), differs at %#lx",
	       when, seed, start, end, at);
}

static void guest_sees_zeroes(const struct range *range, const char *when)
{
	uint64_t at;

	at = agent_call(&agent, guest_check_zero, range->start, len(range));
	EXPECT(at == range->end,
	       "%s: guest should see zeroes in [%#lx, %#lx), differs at %#lx",
	       when, range->start, range->end, at);
}

static void host_sees(uint64_t start, uint64_t end, uint64_t seed,
		      const char *when)
{
	uint64_t at;

	at = stamp_check(gmem_area_hva(&area, start), start, end - start, seed);
	EXPECT(at == end,
	       "%s: host should see seed %lu in [%#lx, %#lx), differs at %#lx",
	       when, seed, start, end, at);
}

static void host_fill(const struct range *range, uint64_t seed)
{
	stamp_fill(gmem_area_hva(&area, range->start), range->start, len(range),
		   seed);
}

static void guest_fill_range(const struct range *range, uint64_t seed)
{
	agent_call(&agent, guest_fill, range->start, len(range), seed);
}

/* Two pages on either side of the range. */
static void neighbours_see(const struct range *range, uint64_t seed,
			   const char *when)
{
	uint64_t before = max(GPA, range->start - 2 * PAGE);
	uint64_t after = min(END, range->end + 2 * PAGE);

	guest_sees(before, range->start, seed, when);
	guest_sees(range->end, after, seed, when);
}

static void punch(const struct range *range)
{
	int ret = gmem_punch(area.fd, range->start - GPA, len(range));

	TEST_ASSERT(!ret, __KVM_SYSCALL_ERROR("fallocate()", ret));
}

static void start_shared(void)
{
	const struct range all = { GPA, END };

	punch(&all);
	vm_set_shared(vm, GPA, SIZE);
	host_fill(&all, SEED_SHARED);
	guest_sees(GPA, END, SEED_SHARED, "all shared");
}

/* In memory that is shared all around, and is as it was afterwards. */
static void test_round_trip(const struct range *range)
{
	vm_set_private(vm, range->start, len(range));
	guest_sees_zeroes(range, "new private memory");
	neighbours_see(range, SEED_SHARED, "next to new private memory");

	guest_fill_range(range, SEED_PRIVATE);
	host_sees(GPA, END, SEED_SHARED, "guest wrote to private memory");

	host_fill(range, SEED_STALE);
	guest_sees(range->start, range->end, SEED_PRIVATE,
		   "host wrote to the shared side");

	vm_set_shared(vm, range->start, len(range));
	guest_sees(range->start, range->end, SEED_STALE, "shared again");
	guest_fill_range(range, SEED_BACK);
	host_sees(range->start, range->end, SEED_BACK,
		  "guest wrote to shared memory");

	vm_set_private(vm, range->start, len(range));
	guest_sees(range->start, range->end, SEED_PRIVATE,
		   "private again, not punched");
	punch(range);
	guest_sees_zeroes(range, "private, punched");
	host_sees(range->start, range->end, SEED_BACK, "punched");
	neighbours_see(range, SEED_SHARED, "next to a punched range");

	vm_set_shared(vm, range->start, len(range));
	host_fill(range, SEED_SHARED);
	guest_sees(GPA, END, SEED_SHARED, "after a round trip");
}

static void start_private(void)
{
	const struct range all = { GPA, END };

	start_shared();
	vm_set_private(vm, GPA, SIZE);
	guest_fill_range(&all, SEED_PRIVATE);
}

/* The same as a hole in memory that is private all around. */
static void test_hole_in_private(const struct range *range)
{
	vm_set_shared(vm, range->start, len(range));
	guest_sees(range->start, range->end, SEED_SHARED, "a shared hole");
	neighbours_see(range, SEED_PRIVATE, "next to a shared hole");
	guest_fill_range(range, SEED_BACK);
	host_sees(range->start, range->end, SEED_BACK, "guest wrote to a hole");

	punch(range);
	guest_sees(range->start, range->end, SEED_BACK,
		   "punched behind a shared hole");
	vm_set_private(vm, range->start, len(range));
	guest_sees_zeroes(range, "private after the punch");
	neighbours_see(range, SEED_PRIVATE, "next to a closed hole");

	guest_fill_range(range, SEED_PRIVATE);
	host_fill(range, SEED_SHARED);
	guest_sees(GPA, END, SEED_PRIVATE, "after a hole");
}

/*
 * How many huge mappings the guest has, each 2 MiB touched.  The host unmaps
 * pages at times, to move them between nodes say, and then there are fewer
 * until the next touch: look again.
 */
static uint64_t count_huge(uint64_t want)
{
	uint64_t huge, gpa;
	int tries = 20;

	do {
		for (gpa = GPA; gpa < END; gpa += SIZE_2M)
			agent_call(&agent, guest_read, gpa);
		huge = vm_get_stat(vm, "pages_2m");
	} while (huge != want && --tries);
	return huge;
}

/*
 * A huge mapping of shared memory is split where a page turns private, and
 * may come back when it is shared again.
 */
static void test_huge_mapping(void)
{
	const uint64_t page = GPA + SIZE_2M / 2, all = SIZE / SIZE_2M;
	uint64_t huge;

	start_shared();
	huge = count_huge(all);
	if (huge != all) {
		note_skipped("huge mappings: the host has mapped %lu of %lu huge",
			     huge, all);
		return;
	}

	vm_set_private(vm, page, PAGE);
	EXPECT_EQ(agent_call(&agent, guest_read, page), 0, "the private page");
	guest_sees(GPA, page, SEED_SHARED, "shared before a private page");
	guest_sees(page + PAGE, GPA + SIZE_2M, SEED_SHARED,
		   "shared after a private page");
	EXPECT_EQ(count_huge(all - 1), all - 1,
		  "huge mappings with a private page inside one");

	vm_set_shared(vm, page, PAGE);
	guest_sees(GPA, GPA + SIZE_2M, SEED_SHARED, "all shared again");
	EXPECT_EQ(count_huge(all), all,
		  "huge mappings after the page is shared again");
}

/*
 * A host that unmaps pages of its own accord can spoil a count of faults, but
 * not all of some.
 */
#define TRIES	5

/* Faults that the guest takes in [start, end), which holds @seed. */
static uint64_t faults_in(uint64_t start, uint64_t end, uint64_t seed,
			  const char *when)
{
	uint64_t before = agent_page_faults(&agent);

	guest_sees(start, end, seed, when);
	return agent_page_faults(&agent) - before;
}

/* What makes the host's mm notify KVM that its mappings are no good. */
static void discard(void)
{
	int ret = madvise(area.hva, SIZE, MADV_DONTNEED);

	TEST_ASSERT(!ret, __KVM_SYSCALL_ERROR("madvise()", ret));
}

static void unmap(void)
{
	munmap(area.hva, SIZE);
}

static void protect(void)
{
	mprotect(area.hva, SIZE, PROT_NONE);
}

static void renew(void)
{
	void *hva = mmap(area.hva, SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	TEST_ASSERT(hva == area.hva, "mmap() at %p should work, errno %d",
		    area.hva, errno);
	madvise(area.hva, SIZE, MADV_NOHUGEPAGE);
}

static const struct event {
	const char *what;
	void (*happen)(void);
	bool keeps_mapping;
} events[] = {
	{ "MADV_DONTNEED", discard, true },
	{ "munmap()", unmap },
	{ "mprotect()", protect },
};

/* All private and touched, but for @shared, which is touched as well. */
static void start_private_around(const struct range *shared)
{
	start_private();
	if (!len(shared))
		return;
	vm_set_shared(vm, shared->start, len(shared));
	guest_sees(shared->start, shared->end, SEED_SHARED,
		   "shared inside private memory");
}

static void expect_shared_gone(const struct event *event,
			       const struct range *shared)
{
	uint64_t before = agent_page_faults(&agent);

	if (!event->keeps_mapping) {
		agent_expect_fault(&agent, guest_read, shared->start, 0,
				   shared->start, false, EFAULT, event->what);
		return;
	}
	guest_sees_zeroes(shared, event->what);
	EXPECT(agent_page_faults(&agent) != before,
	       "%s: guest should fault on shared memory", event->what);
}

/*
 * Events of the host's mm are about the shared side alone: private memory keeps
 * its contents and its mappings.
 */
static void test_event(const struct event *event, const struct range *shared)
{
	int tries = TRIES;
	uint64_t faults;

	do {
		start_private_around(shared);
		event->happen();
		faults = faults_in(GPA, shared->start, SEED_PRIVATE,
				   event->what) +
			 faults_in(shared->end, END, SEED_PRIVATE, event->what);
		if (len(shared))
			expect_shared_gone(event, shared);
		renew();
	} while (faults && --tries);
	EXPECT_EQ(faults, 0, "%s: faults on %lu private pages", event->what,
		  (SIZE - len(shared)) / PAGE);
}

static void test_events(void)
{
	const uint64_t page = GPA + SIZE_2M / 2;
	const struct range none = { END, END }, one = { page, page + PAGE };
	int i;

	renew();
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		test_event(&events[i], &none);
		test_event(&events[i], &one);
	}
}

/* A hole in the file is about private frames. */
static void test_punch_behind_shared(void)
{
	const struct range all = { GPA, END };
	int tries = TRIES;
	uint64_t faults;

	do {
		start_shared();
		punch(&all);
		faults = faults_in(GPA, END, SEED_SHARED, "punched behind it");
	} while (faults && --tries);
	EXPECT_EQ(faults, 0, "faults on shared memory after a hole behind it");
}

/* Converting a page takes its mapping away, and no other. */
static void test_neighbours(bool to_private)
{
	const struct range none = { END, END };
	const uint64_t page = GPA + SIZE_2M / 2;
	const uint64_t seed = to_private ? SEED_SHARED : SEED_PRIVATE;
	const char *what = to_private ? "a page to private" : "a page to shared";
	int tries = TRIES;
	uint64_t faults, before;

	do {
		if (to_private) {
			start_shared();
			vm_set_private(vm, page, PAGE);
		} else {
			start_private_around(&none);
			vm_set_shared(vm, page, PAGE);
		}
		faults = faults_in(GPA, page, seed, what) +
			 faults_in(page + PAGE, END, seed, what);
	} while (faults && --tries);
	EXPECT_EQ(faults, 0, "%s: faults on %lu others", what, SIZE / PAGE - 1);

	before = agent_page_faults(&agent);
	agent_call(&agent, guest_read, page);
	EXPECT(agent_page_faults(&agent) != before,
	       "%s: guest should fault on it", what);
}

/* How a VMM answers KVM_HC_MAP_GPA_RANGE. */
static void convert(uint64_t gpa, uint64_t npages, uint64_t attrs)
{
	if (attrs & KVM_MAP_GPA_RANGE_ENCRYPTED)
		vm_set_private(vm, gpa, npages * PAGE);
	else
		vm_set_shared(vm, gpa, npages * PAGE);
}

static void ask_for(const struct range *range, uint64_t attrs)
{
	struct kvm_run *run = agent.vcpu->run;
	uint64_t npages = len(range) / PAGE;
	enum agent_stop stop;

	agent_start(&agent, guest_map_gpa_range, range->start, npages, attrs,
		    0);
	stop = agent_run(&agent);
	TEST_ASSERT(stop == AGENT_HYPERCALL, "should be a hypercall: %s",
		    agent_stop_name(&agent, stop));
	EXPECT_EQ(run->hypercall.nr, KVM_HC_MAP_GPA_RANGE, "hypercall.nr");
	EXPECT_EQ(run->hypercall.args[0], range->start, "hypercall gpa");
	EXPECT_EQ(run->hypercall.args[1], npages, "hypercall npages");
	EXPECT_EQ(run->hypercall.args[2], attrs, "hypercall attributes");

	convert(range->start, npages, attrs);
	run->hypercall.ret = 0;
	stop = agent_run(&agent);
	TEST_ASSERT(stop == AGENT_DONE, "should return to the guest: %s",
		    agent_stop_name(&agent, stop));
	EXPECT_EQ(agent.value, 0, "what the hypercall returned to the guest");
}

static void test_explicit(const struct range *range)
{
	start_shared();
	ask_for(range, KVM_MAP_GPA_RANGE_ENCRYPTED);
	guest_sees_zeroes(range, "asked for private");
	guest_fill_range(range, SEED_PRIVATE);
	neighbours_see(range, SEED_SHARED, "next to what was asked for");
	ask_for(range, KVM_MAP_GPA_RANGE_DECRYPTED | KVM_MAP_GPA_RANGE_PAGE_SZ_2M);
	guest_sees(range->start, range->end, SEED_SHARED, "asked for shared");
	host_sees(GPA, END, SEED_SHARED, "asked for shared");
}

/* Refused before user space hears of it. */
static void test_hypercall_errors(void)
{
	const struct {
		uint64_t gpa, npages;
	} cases[] = {
		{ GPA + 1, 1 },
		{ GPA + PAGE / 2, 1 },
		{ GPA, 0 },
		{ GPA, -1ull },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_EQ(agent_call(&agent, guest_map_gpa_range, cases[i].gpa,
				     cases[i].npages, 0), -KVM_EINVAL,
			  "MAP_GPA_RANGE(%#lx, %#lx)", cases[i].gpa,
			  cases[i].npages);
}

static void test_hypercall_not_enabled(void)
{
	struct agent other;
	struct kvm_vm *vm2;

	vm2 = agent_vm_create(KVM_X86_SW_PROTECTED_VM, 1, &other);
	EXPECT_EQ(agent_call(&other, guest_map_gpa_range, GPA, 1, 0),
		  -KVM_ENOSYS, "MAP_GPA_RANGE without KVM_CAP_EXIT_HYPERCALL");
	kvm_vm_free(vm2);
}

/*
 * A guest that just touches memory: the host has none behind the shared side,
 * and answers each fault by making it private, @step at a time.
 */
static void test_implicit(uint64_t step)
{
	uint64_t gpa, faults = 0, want = SIZE / step;
	enum agent_stop stop;

	start_shared();
	mmap(area.hva, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	     -1, 0);
	agent_start(&agent, guest_fill, GPA, SIZE, SEED_PRIVATE, 0);
	while ((stop = agent_run(&agent)) == AGENT_FAULT && faults < want) {
		gpa = GPA + faults++ * step;
		if (!agent_check_fault(&agent, stop, gpa, false, EFAULT,
				       "implicit conversion"))
			break;
		vm_set_private(vm, gpa, step);
	}
	TEST_ASSERT(stop == AGENT_DONE, "guest should have finished: %s",
		    agent_stop_name(&agent, stop));
	EXPECT_EQ(faults, want, "number of faults, %#lx at a time", step);
	guest_sees(GPA, END, SEED_PRIVATE, "converted by faults");
	mmap(area.hva, SIZE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void test_ranges(int advice, const char *backing)
{
	int i, ret;

	ret = madvise(area.hva, SIZE, advice);
	if (ret) {
		note_skipped("%s: madvise: %s", backing, strerror(errno));
		return;
	}
	/* From here on, new pages are of the kind that was asked for. */
	madvise(area.hva, SIZE, MADV_DONTNEED);
	start_shared();
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		test_round_trip(&ranges[i]);
	start_private();
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		test_hole_in_private(&ranges[i]);
	printf("round trips, shared side in %s: done\n", backing);
}

int main(int argc, char *argv[])
{
	int i;

	vm = agent_vm_create(private_vm_type(), 1, &agent);
	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, 1 << KVM_HC_MAP_GPA_RANGE);
	gmem_area_add(&area, vm, 1, GPA, SIZE);
	agent_map(vm, GPA, SIZE);

	test_ranges(MADV_NOHUGEPAGE, "small pages");
	test_ranges(MADV_HUGEPAGE, "huge pages");
	test_huge_mapping();
	test_events();
	test_punch_behind_shared();
	test_neighbours(true);
	test_neighbours(false);
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		test_explicit(&ranges[i]);
	test_hypercall_errors();
	test_hypercall_not_enabled();
	test_implicit(PAGE);
	test_implicit(SIZE_2M);

	gmem_area_free(&area);
	kvm_vm_free(vm);
	return test_verdict();
}
