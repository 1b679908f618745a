// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_PRE_FAULT_MEMORY: which ranges it takes, how far it gets, and that the
 * guest has no fault left on memory that was mapped before.
 */
#include <signal.h>
#include <sys/time.h>

#include <asm/barrier.h>

#include "guest_agent.h"

#define PAGE		SIZE_4K
#define GPA		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)
#define END		(GPA + SIZE)

/* In bytes; the least that there is. */
#define RING_SIZE	PAGE

static struct kvm_vm *vm;
static struct agent agent;
static struct gmem_area area;

static int pre_fault(uint64_t gpa, uint64_t size, uint64_t flags)
{
	struct kvm_pre_fault_memory range = {
		.gpa = gpa,
		.size = size,
		.flags = flags,
	};

	return __vcpu_pre_fault(agent.vcpu, &range);
}

static void test_arguments(void)
{
	const struct {
		uint64_t gpa, size;
		int err;
	} cases[] = {
		{ GPA, 0, EINVAL },
		{ GPA, 1, EINVAL },
		{ GPA, PAGE - 1, EINVAL },
		{ GPA, PAGE + 1, EINVAL },
		{ GPA + 1, PAGE, EINVAL },
		{ GPA + PAGE / 2, PAGE / 2, EINVAL },
		{ GPA, -GPA, EINVAL },
		{ GPA, -PAGE, EINVAL },
		{ -PAGE, PAGE, EINVAL },
		{ -PAGE, 2 * PAGE, EINVAL },
		{ GPA - PAGE, PAGE, ENOENT },
		{ GPA - PAGE, 2 * PAGE, ENOENT },
		{ END, PAGE, ENOENT },
		{ END + SIZE_1G, SIZE_1G, ENOENT },
		{ 1ull << 52, PAGE, ENOENT },
		{ 1ull << 63, PAGE, ENOENT },
		{ -2 * PAGE, PAGE, ENOENT },
		{ GPA, PAGE, 0 },
		{ END - PAGE, PAGE, 0 },
		{ GPA, SIZE, 0 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_ERRNO(pre_fault(cases[i].gpa, cases[i].size, 0),
			     cases[i].err, "[%#lx, +%#lx)", cases[i].gpa,
			     cases[i].size);
	for (i = 0; i < 64; i++)
		EXPECT_ERRNO(pre_fault(GPA, PAGE, 1ull << i), EINVAL,
			     "flag bit %d", i);
	EXPECT_ERRNO(ioctl(agent.vcpu->fd, KVM_PRE_FAULT_MEMORY, NULL), EFAULT,
		     "a NULL argument");
	EXPECT_ERRNO(ioctl(vm->fd, KVM_PRE_FAULT_MEMORY, NULL), ENOTTY,
		     "the ioctl on a VM");
}

static void test_padding(void)
{
	struct kvm_pre_fault_memory range = { .gpa = GPA, .size = PAGE };

	memset(range.padding, 0xff, sizeof(range.padding));
	EXPECT_ERRNO(__vcpu_pre_fault(agent.vcpu, &range), 0,
		     "padding not zero");
	EXPECT_EQ(range.gpa, GPA + PAGE, "gpa after a full range");
	EXPECT_EQ(range.size, 0, "size after a full range");
}

/*
 * A range that cannot be mapped to its end: what was done is reported as
 * success, and the next call starts with the obstacle.
 */
static void expect_partial(uint64_t gpa, uint64_t stop, uint64_t end, int err,
			   int err2, const char *what)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = end - gpa };
	int ret;

	EXPECT_ERRNO(__vcpu_pre_fault(agent.vcpu, &range), 0, "%s", what);
	EXPECT_EQ(range.gpa, stop, "%s: gpa", what);
	EXPECT_EQ(range.size, end - stop, "%s: size", what);
	ret = __vcpu_pre_fault(agent.vcpu, &range);
	EXPECT(ret && (errno == err || errno == err2),
	       "%s: the rest should fail with errno %d or %d, returned %d errno %d",
	       what, err, err2, ret, errno);
	EXPECT_EQ(range.gpa, stop, "%s: gpa after the error", what);
	EXPECT_EQ(range.size, end - stop, "%s: size after the error", what);
}

static void test_partial(void)
{
	const uint64_t hole = GPA + 17 * PAGE;

	expect_partial(END - 2 * PAGE, END, END + 2 * PAGE, ENOENT,
		       ENOENT, "shared, across the end of the slot");
	/* Outside of the slots, and private memory that is not there. */
	vm_set_private(vm, END - 2 * PAGE, 4 * PAGE);
	expect_partial(END - 2 * PAGE, END, END + 2 * PAGE, EFAULT,
		       ENOENT, "private, across the end of the slot");
	vm_set_shared(vm, END - 2 * PAGE, 4 * PAGE);

	munmap(gmem_area_hva(&area, hole), PAGE);
	expect_partial(hole - 3 * PAGE, hole, hole + PAGE, EFAULT,
		       EFAULT, "shared, up to memory the host lacks");
	vm_set_private(vm, hole, PAGE);
	EXPECT_ERRNO(pre_fault(hole - PAGE, 3 * PAGE, 0), 0,
		     "the same page private");
	vm_set_shared(vm, hole, PAGE);
	mmap(gmem_area_hva(&area, hole), PAGE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void test_file_closed(void)
{
	struct kvm_run *run = agent.vcpu->run;
	typeof(run->memory_fault) before;
	struct gmem_area other;

	gmem_area_add(&other, vm, 2, 2 * GPA, SIZE_2M);
	vm_set_private(vm, 2 * GPA, SIZE_2M);
	EXPECT_ERRNO(pre_fault(2 * GPA, 2 * PAGE, 0), 0, "private");
	close(other.fd);
	/* The exit information is that of the last KVM_RUN. */
	run->exit_reason = KVM_EXIT_UNKNOWN;
	memset(&run->memory_fault, 0x5a, sizeof(run->memory_fault));
	before = run->memory_fault;
	EXPECT_ERRNO(pre_fault(2 * GPA + 8 * PAGE, PAGE, 0), EFAULT,
		     "private, file closed");
	EXPECT(run->exit_reason == KVM_EXIT_UNKNOWN &&
	       !memcmp(&before, &run->memory_fault, sizeof(before)),
	       "kvm_run should stay as it was, has exit reason %s",
	       exit_reason_str(run->exit_reason));
	other.fd = -1;
	vm_set_shared(vm, 2 * GPA, SIZE_2M);
	gmem_area_free(&other);
}

/* The file gets its pages, with zeroes in them, and the guest takes no fault. */
static void test_no_fault_left(bool private, bool write)
{
	const char *what = private ? "private" : "shared";
	uint64_t taken, at;

	/* Maps the guest's code, its stack and the page tables of the area. */
	agent_call(&agent, guest_fill, GPA, SIZE, 1);
	agent_call(&agent, guest_check, GPA, SIZE, 1);
	agent_call(&agent, guest_check_zero, GPA, SIZE);

	vm_set_private(vm, GPA, SIZE);
	gmem_punch(area.fd, 0, SIZE);
	if (!private)
		vm_set_shared(vm, GPA, SIZE);

	EXPECT_ERRNO(vcpu_pre_fault_all(agent.vcpu, GPA, SIZE), 0, "%s", what);
	EXPECT_ERRNO(vcpu_pre_fault_all(agent.vcpu, GPA, SIZE), 0, "%s again",
		     what);

	taken = vcpu_stat(agent.vcpu, "pf_taken");
	if (write)
		at = agent_call(&agent, guest_fill, GPA, SIZE, 2) + END;
	else if (private)
		at = agent_call(&agent, guest_check_zero, GPA, SIZE);
	else
		at = agent_call(&agent, guest_check, GPA, SIZE, 1);
	EXPECT_EQ(at, END, "%s: first address with other contents", what);
	EXPECT_EQ(vcpu_stat(agent.vcpu, "pf_taken") - taken, 0,
		  "%s: faults of a guest that %s %lu pre-faulted pages", what,
		  write ? "writes" : "reads", SIZE / PAGE);
	vm_set_shared(vm, GPA, SIZE);
}

/* A range with holes of the other kind every few pages. */
static void test_mixed(void)
{
	uint64_t gpa;

	gmem_punch(area.fd, 0, SIZE);
	stamp_fill(area.hva, GPA, SIZE, 3);
	for (gpa = GPA; gpa < END; gpa += 5 * PAGE)
		vm_set_private(vm, gpa, PAGE);
	EXPECT_ERRNO(vcpu_pre_fault_all(agent.vcpu, GPA, SIZE), 0, "mixed");
	for (gpa = GPA; gpa < END; gpa += PAGE)
		EXPECT_EQ(agent_call(&agent, guest_read, gpa),
			  (gpa - GPA) / PAGE % 5 ? stamp(3, gpa) : 0,
			  "guest reads %#lx", gpa);
	vm_set_shared(vm, GPA, SIZE);
}

static void tick(int sig)
{
}

/*
 * A signal ends the call early: with success if there was progress, with
 * EINTR if there was none.
 */
static void test_signals(void)
{
	const struct itimerval often = { { 0, 500 }, { 0, 500 } };
	const struct itimerval never = {};
	struct sigaction action = { .sa_handler = tick };
	int i, ret, nr_early = 0, nr_eintr = 0;
	uint64_t end = now_ms() + 20000;

	vm_set_private(vm, GPA, SIZE);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < 300 || (!nr_early && now_ms() < end); i++) {
		struct kvm_pre_fault_memory range = { .gpa = GPA, .size = SIZE };

		gmem_punch(area.fd, 0, SIZE);
		ret = __vcpu_pre_fault(agent.vcpu, &range);
		EXPECT(!ret || errno == EINTR,
		       "a signal should give success or EINTR, errno is %d",
		       errno);
		EXPECT_EQ(range.gpa + range.size, END, "end of what is left");
		if (ret)
			EXPECT_EQ(range.gpa, GPA, "gpa with EINTR");
		nr_eintr += !!ret;
		nr_early += !ret && range.size;
	}
	/* Of a single page there is no part: it is the way there that ends. */
	while (!nr_eintr && now_ms() < end)
		nr_eintr += pre_fault(GPA, PAGE, 0) && errno == EINTR;
	setitimer(ITIMER_REAL, &never, NULL);
	printf("of %d calls, signals ended %d early and %d at once\n", i,
	       nr_early, nr_eintr);
	EXPECT(nr_early, "signals should end some calls early");
	EXPECT(nr_eintr, "signals should end some calls at once");
	vm_set_shared(vm, GPA, SIZE);
}

static void test_ordinary_vm(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *plain = vm_create_with_one_vcpu(&vcpu, NULL);
	struct kvm_pre_fault_memory range = { .gpa = GPA, .size = 3 * PAGE };
	void *hva = map_anonymous(2 * PAGE, SIZE_2M);

	vm_set_user_memory_region(plain, 1, 0, GPA, 2 * PAGE, hva);
	EXPECT_ERRNO(__vcpu_pre_fault(vcpu, &range), 0, "ordinary VM");
	EXPECT_EQ(range.gpa, GPA + 2 * PAGE, "ordinary VM: gpa");
	EXPECT_EQ(range.size, PAGE, "ordinary VM: size");
	EXPECT_ERRNO(__vcpu_pre_fault(vcpu, &range), ENOENT,
		     "ordinary VM, no slot");
	munmap(hva, 2 * PAGE);
	kvm_vm_free(plain);
}

/* What would be a SIGBUS in the guest is an error here. */
static void test_memory_error(void)
{
	struct kvm_pre_fault_memory range = { .gpa = GPA, .size = 2 * PAGE };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *plain = vm_create_with_one_vcpu(&vcpu, NULL);
	void *hva = map_anonymous(2 * PAGE, SIZE_2M);

	memset(hva, 1, 2 * PAGE);
	if (madvise(hva + PAGE, PAGE, MADV_HWPOISON)) {
		note_skipped("memory errors: no MADV_HWPOISON, errno %d", errno);
		goto out;
	}
	vm_set_user_memory_region(plain, 1, 0, GPA, 2 * PAGE, hva);
	EXPECT_ERRNO(__vcpu_pre_fault(vcpu, &range), 0, "up to a memory error");
	EXPECT_EQ(range.gpa, GPA + PAGE, "up to a memory error: gpa");
	EXPECT_ERRNO(__vcpu_pre_fault(vcpu, &range), EHWPOISON,
		     "a page with a memory error");
out:
	munmap(hva, 2 * PAGE);
	kvm_vm_free(plain);
}

/* Userspace collects what is in the ring: how much, and the last frame of it. */
static uint64_t collect(struct kvm_vcpu *vcpu, uint64_t *next, uint64_t *last)
{
	struct kvm_dirty_gfn *ring = vcpu_map_dirty_ring(vcpu), *entry;
	uint64_t nr;

	for (nr = 0; ; nr++, ++*next) {
		entry = &ring[*next % vcpu->dirty_gfns_count];
		/* The frame is read after the flags, and before they change. */
		if (smp_load_acquire(&entry->flags) != KVM_DIRTY_GFN_F_DIRTY)
			break;
		*last = entry->offset;
		/* See above. */
		smp_store_release(&entry->flags, KVM_DIRTY_GFN_F_RESET);
	}
	EXPECT_EQ(kvm_vm_reset_dirty_ring(vcpu->vm), nr, "entries that are reset");
	return nr;
}

/* What the guest could write without a fault is dirty, and there is an end to it. */
static void test_dirty_ring(void)
{
	struct kvm_pre_fault_memory range = { .gpa = GPA, .size = SIZE };
	struct kvm_vm *plain = vm_create(1);
	void *hva = map_anonymous(SIZE, SIZE_2M);
	uint64_t next = 0, last, before, nr;
	struct kvm_vcpu *vcpu;

	/* Pages of its own are what the guest could write at once. */
	memset(hva, 1, SIZE);
	vm_enable_dirty_ring(plain, RING_SIZE);
	vcpu = vm_vcpu_add(plain, 0, NULL);
	vm_set_user_memory_region(plain, 1, KVM_MEM_LOG_DIRTY_PAGES, GPA, SIZE,
				  hva);

	EXPECT_ERRNO(vcpu_pre_fault_all(vcpu, GPA, 10 * PAGE), 0, "dirty ring");
	EXPECT_ERRNO(vcpu_pre_fault_all(vcpu, GPA, 10 * PAGE), 0,
		     "dirty ring, again");
	EXPECT_EQ(collect(vcpu, &next, &last), 10, "entries of 10 pages, twice");

	while (range.size) {
		before = range.gpa;
		EXPECT_ERRNO(__vcpu_pre_fault(vcpu, &range), 0,
			     "dirty ring, from %#lx", before);
		if (range.size)
			EXPECT_ERRNO(__vcpu_pre_fault(vcpu, &range), EAGAIN,
				     "a full dirty ring");
		nr = collect(vcpu, &next, &last);
		EXPECT(nr && nr < RING_SIZE / sizeof(struct kvm_dirty_gfn),
		       "entries of a full ring: %lu", nr);
		if (!EXPECT_EQ(GPA + (last + 1) * PAGE, range.gpa,
			       "end of the last page in the ring"))
			break;
	}
	EXPECT_EQ(next, SIZE / PAGE, "entries in all");
	kvm_vm_free(plain);
	munmap(hva, SIZE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY));
	test_ordinary_vm();
	test_memory_error();
	test_dirty_ring();

	vm = agent_vm_create(private_vm_type(), 1, &agent);
	gmem_area_add(&area, vm, 1, GPA, SIZE);
	agent_map(vm, GPA, SIZE);

	test_arguments();
	test_padding();
	test_partial();
	test_file_closed();
	test_no_fault_left(true, false);
	test_no_fault_left(true, true);
	test_no_fault_left(false, false);
	test_mixed();
	test_signals();

	gmem_area_free(&area);
	kvm_vm_free(vm);
	return test_verdict();
}
