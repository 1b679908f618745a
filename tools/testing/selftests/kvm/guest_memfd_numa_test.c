// SPDX-License-Identifier: GPL-2.0-only
/*
 * NUMA policy of a guest_memfd: mbind() on a mapping says it for the pages of
 * the file, and whoever allocates them later follows it: the host's touch,
 * fallocate() and the guest, also in memory that the host cannot touch.
 */
#define _GNU_SOURCE
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "guest_memfd.h"

#define NR_PAGES	16
#define MAXNODE		64		/* bits of a mask */
#define GPA		SIZE_1G
#define LARGE		(16 * SIZE_2M)	/* enough to show in a node's counters */
#define BLOCKS		(2 * SIZE_2M)	/* what fallocate() may take in two pieces */
#define SEED		3

static struct kvm_vm *vm;
static uint64_t size;

/* Two nodes with memory; the same one twice if there are no two. */
static int nodes[2];

#define MASK(n)		(1ul << nodes[n])
#define BOTH		(MASK(0) | MASK(1))

static long bind_flags(void *mem, uint64_t len, int mode, unsigned long mask,
		       unsigned int flags)
{
	return syscall(__NR_mbind, mem, len, mode, &mask, MAXNODE, flags);
}

static void bind_to(void *mem, uint64_t len, int mode, unsigned long mask)
{
	EXPECT_ERRNO(bind_flags(mem, len, mode, mask, 0), 0,
		     "mbind mode %d nodes %#lx", mode, mask);
}

static void expect_policy(void *mem, int mode, unsigned long mask,
			  const char *what)
{
	unsigned long got_mask = 0;
	int got = -1;

	EXPECT_ERRNO(syscall(__NR_get_mempolicy, &got, &got_mask, MAXNODE, mem,
			     MPOL_F_ADDR), 0, "get_mempolicy, %s", what);
	EXPECT(got == mode && got_mask == mask,
	       "%s: policy should be mode %d nodes %#lx, is mode %d nodes %#lx",
	       what, mode, mask, got, got_mask);
}

/* Of a page that is mapped here; a negative errno if it is not. */
static int node_of(void *mem)
{
	int node = -1;
	long ret = syscall(__NR_move_pages, 0, 1, &mem, NULL, &node, 0);

	TEST_ASSERT(!ret, __KVM_SYSCALL_ERROR("move_pages()", (int)ret));
	return node;
}

/* How many of the pages are on @node; touches them all. */
static uint64_t count_on(void *mem, uint64_t nr, int node)
{
	uint64_t i, on = 0;

	for (i = 0; i < nr; i++) {
		EXPECT_EQ(touch_read(mem + i * page_size), 0, "SIGBUS code");
		on += node_of(mem + i * page_size) == node;
	}
	return on;
}

static void find_nodes(void)
{
	unsigned long mask = 0;
	int ret, node, nr = 0;

	ret = syscall(__NR_get_mempolicy, NULL, &mask, MAXNODE, NULL,
		      MPOL_F_MEMS_ALLOWED);
	__TEST_REQUIRE(!ret && mask, "no NUMA policy in this kernel: %s",
		       strerror(errno));
	for (node = 0; node < MAXNODE && nr < 2; node++)
		if (mask & 1ul << node)
			nodes[nr++] = node;
	if (nr == 1)
		nodes[1] = nodes[0];
}

static bool has_two_nodes(void)
{
	return nodes[0] != nodes[1];
}

/* Policies: a quarter of the file each */

static const struct {
	int mode;
	int mask;		/* bit N: nodes[N] */
} quarters[] = {
	{ MPOL_BIND, 1 },
	{ MPOL_INTERLEAVE, 3 },
	{ MPOL_PREFERRED, 2 },
	{ MPOL_BIND, 2 },
};

#define QUARTER		(size / ARRAY_SIZE(quarters))

static unsigned long mask_of(int mask)
{
	return (mask & 1 ? MASK(0) : 0) | (mask & 2 ? MASK(1) : 0);
}

static void set_quarters(void *mem)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(quarters); i++)
		bind_to(mem + i * QUARTER, QUARTER, quarters[i].mode,
			mask_of(quarters[i].mask));
}

/* @mem maps the file from @offset on. */
static void expect_quarters(void *mem, uint64_t offset, const char *what)
{
	uint64_t at;

	for (at = offset; at < size; at += page_size)
		expect_policy(mem + (at - offset), quarters[at / QUARTER].mode,
			      mask_of(quarters[at / QUARTER].mask), what);
}

/*
 * mbind() itself passes over a mapping that it has given that same policy
 * before, so that what one mapping has said is taken back through that one.
 */
static void test_policy_of_file(void)
{
	void *mem, *other, *half, *late;
	int fd;

	mem = gmem_map_new(vm, size, GMEM_SHARED, &fd);
	other = gmem_map(fd, 0, size);
	half = gmem_map(fd, size / 2, size / 2);
	expect_policy(mem, MPOL_DEFAULT, 0, "a new file");

	set_quarters(mem);
	expect_quarters(mem, 0, "the mapping");
	expect_quarters(other, 0, "a second mapping");
	expect_quarters(half, size / 2, "a mapping of the second half");
	EXPECT_EQ(gmem_blocks(fd), 0, "st_blocks after policies");
	munmap(other, size);
	munmap(half, size / 2);
	late = gmem_map(fd, 0, size);
	expect_quarters(late, 0, "a mapping made afterwards");

	EXPECT_ERRNO(gmem_allocate(fd, 0, size), 0, "allocate");
	EXPECT_ERRNO(gmem_punch(fd, 0, size), 0, "punch");
	expect_quarters(late, 0, "allocated and punched");

	bind_to(mem + page_size, size - 2 * page_size, MPOL_DEFAULT, 0);
	expect_policy(late, MPOL_BIND, MASK(0), "first page");
	expect_policy(late + page_size, MPOL_DEFAULT, 0, "second page");
	expect_policy(late + size - 2 * page_size, MPOL_DEFAULT, 0,
		      "last but one");
	expect_policy(late + size - page_size, MPOL_BIND, MASK(1), "last page");

	munmap(mem, size);
	expect_policy(late, MPOL_BIND, MASK(0), "the mapping that set it gone");
	munmap(late, size);
	close(fd);
}

/* The other file of the same VM, and the task, have their own. */
static void test_policy_is_of_one_file(void)
{
	unsigned long mask = MASK(1);
	void *mem, *other;
	int fd, fd_other;

	mem = gmem_map_new(vm, size, GMEM_SHARED, &fd);
	other = gmem_map_new(vm, size, GMEM_SHARED, &fd_other);
	bind_to(mem, size, MPOL_BIND, MASK(0));
	expect_policy(other, MPOL_DEFAULT, 0, "another file");

	syscall(__NR_set_mempolicy, MPOL_BIND, &mask, MAXNODE);
	expect_policy(mem, MPOL_BIND, MASK(0), "the file, task has another");
	expect_policy(other, MPOL_DEFAULT, 0, "another file, task has one");
	syscall(__NR_set_mempolicy, MPOL_DEFAULT, NULL, 0);
	munmap(mem, size);
	munmap(other, size);
	close(fd);
	close(fd_other);
}

static void test_refused(void)
{
	const struct {
		const char *what;
		int mode;
		unsigned long mask;
		unsigned int flags;
		uint64_t offset, len;
		int err;
	} cases[] = {
		{ "unknown mode", 99, MASK(0), 0, 0, size, EINVAL },
		{ "negative mode", -1, MASK(0), 0, 0, size, EINVAL },
		{ "BIND to no node", MPOL_BIND, 0, 0, 0, size, EINVAL },
		{ "INTERLEAVE of none", MPOL_INTERLEAVE, 0, 0, 0, size, EINVAL },
		{ "DEFAULT with nodes", MPOL_DEFAULT, MASK(0), 0, 0, size,
		  EINVAL },
		{ "LOCAL with nodes", MPOL_LOCAL, MASK(0), 0, 0, size, EINVAL },
		{ "no such node", MPOL_BIND, 1ul << 62, 0, 0, size, EINVAL },
		{ "unknown flag", MPOL_BIND, MASK(0), 1 << 20, 0, size, EINVAL },
		{ "unaligned", MPOL_BIND, MASK(0), 0, 1, size - page_size,
		  EINVAL },
		{ "not mapped", MPOL_BIND, MASK(0), 0, 0, 4 * size, EFAULT },
	};
	void *mem, *room = map_anonymous(4 * size, SIZE_2M);
	int fd, i;

	fd = vm_create_guest_memfd(vm, size, GMEM_SHARED);
	munmap(room, 4 * size);
	mem = mmap(room, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   fd, 0);
	TEST_ASSERT(mem == room, "mmap() should work, errno %d", errno);
	set_quarters(mem);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_ERRNO(bind_flags(mem + cases[i].offset, cases[i].len,
					cases[i].mode, cases[i].mask,
					cases[i].flags), cases[i].err,
			     "mbind: %s", cases[i].what);
		if (cases[i].err == EINVAL)
			expect_quarters(mem, 0, cases[i].what);
	}
	munmap(mem, size);
	close(fd);
}

/* Placement */

/* What a policy of @mode over @mask should put on nodes[1], of NR_PAGES. */
static uint64_t expected_on_second(int mode, unsigned long mask)
{
	if (mode == MPOL_INTERLEAVE)
		return NR_PAGES / 2;
	return mask == MASK(1) ? NR_PAGES : 0;
}

enum allocator {
	BY_TOUCH,
	BY_FALLOCATE,
	BY_SYSTEM_CALL,
	BY_GUEST,
	NR_ALLOCATORS,
};

static const char * const allocators[] = {
	"touched", "fallocated", "populated", "faulted in by the guest",
};

static struct kvm_vcpu *vcpu;

static void allocate(enum allocator how, int fd, void *mem)
{
	switch (how) {
	case BY_TOUCH:
		stamp_fill(mem, 0, size, SEED);
		break;
	case BY_FALLOCATE:
		EXPECT_ERRNO(gmem_allocate(fd, 0, size), 0, "fallocate");
		break;
	case BY_SYSTEM_CALL:
		EXPECT_ERRNO(madvise(mem, size, MADV_POPULATE_WRITE), 0,
			     "MADV_POPULATE_WRITE");
		break;
	case BY_GUEST:
		vm_bind_guest_memfd(vm, 1, GPA, size, NULL, fd, 0);
		EXPECT_ERRNO(vcpu_pre_fault_all(vcpu, GPA, size), 0,
			     "KVM_PRE_FAULT_MEMORY");
		vm_delete_slot(vm, 1);
		break;
	default:
		break;
	}
}

static void test_place(enum allocator how, int mode, unsigned long mask)
{
	uint64_t want = expected_on_second(mode, mask);
	int fd;
	void *mem = gmem_map_new(vm, size, GMEM_SHARED, &fd);

	bind_to(mem, size, mode, mask);
	allocate(how, fd, mem);
	EXPECT_EQ(gmem_blocks(fd), size / 512, "st_blocks, %s", allocators[how]);
	EXPECT_EQ(count_on(mem, NR_PAGES, nodes[1]), want,
		  "mode %d nodes %#lx, %s: pages on node %d", mode, mask,
		  allocators[how], nodes[1]);
	EXPECT_EQ(count_on(mem, NR_PAGES, nodes[0]), NR_PAGES - want,
		  "mode %d nodes %#lx, %s: pages on node %d", mode, mask,
		  allocators[how], nodes[0]);
	munmap(mem, size);
	close(fd);
}

static void test_placement(void)
{
	const bool pre_fault = kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY);
	enum allocator how;
	int node;

	if (!pre_fault)
		note_skipped("guest faults: need KVM_CAP_PRE_FAULT_MEMORY");
	for (how = 0; how < NR_ALLOCATORS; how++) {
		if (how == BY_GUEST && !pre_fault)
			continue;
		for (node = 0; node < 2; node++) {
			test_place(how, MPOL_BIND, MASK(node));
			test_place(how, MPOL_PREFERRED, MASK(node));
		}
		test_place(how, MPOL_INTERLEAVE, BOTH);
	}
}

/* Where the file has no policy, the task's is followed. */
static void test_task_policy(void)
{
	enum allocator hows[] = { BY_TOUCH, BY_FALLOCATE };
	unsigned long mask;
	int i, node, fd;
	void *mem;

	for (i = 0; i < ARRAY_SIZE(hows) * 2; i++) {
		node = i % 2;
		mask = MASK(node);
		mem = gmem_map_new(vm, size, GMEM_SHARED, &fd);
		syscall(__NR_set_mempolicy, MPOL_BIND, &mask, MAXNODE);
		/* One page has a policy, of the other node. */
		bind_to(mem, page_size, MPOL_BIND, MASK(!node));
		allocate(hows[i / 2], fd, mem);
		syscall(__NR_set_mempolicy, MPOL_DEFAULT, NULL, 0);
		EXPECT_EQ(count_on(mem, NR_PAGES, nodes[node]), NR_PAGES - 1,
			  "task bound to node %d, %s: pages there",
			  nodes[node], allocators[hows[i / 2]]);
		EXPECT_EQ(node_of(mem), nodes[!node],
			  "node of the page with a policy");
		munmap(mem, size);
		close(fd);
	}
}

/* How often the node changes from one page to the next. */
static uint64_t count_changes(void *mem, uint64_t nr)
{
	uint64_t i, changes = 0;

	for (i = 1; i < nr; i++)
		changes += node_of(mem + i * page_size) !=
			   node_of(mem + (i - 1) * page_size);
	return changes;
}

static void set_policy(void *mem, bool of_task, int mode, unsigned long mask)
{
	if (of_task)
		EXPECT_ERRNO(syscall(__NR_set_mempolicy, mode, &mask, MAXNODE),
			     0, "set_mempolicy mode %d nodes %#lx", mode, mask);
	else
		bind_to(mem, BLOCKS, mode, mask);
}

/*
 * A policy is about pages, however many are allocated at once.  The task's is
 * followed by what the kernel itself needs on the way, too, so that turns are
 * lost then.
 */
static void test_blocks(bool of_task, int mode, unsigned long mask)
{
	const uint64_t nr = BLOCKS / page_size;
	const char *whose = of_task ? "task" : "file";
	uint64_t changes;
	int fd;
	void *mem = gmem_map_new(vm, BLOCKS, GMEM_SHARED, &fd);

	set_policy(mem, of_task, mode, mask);
	EXPECT_ERRNO(gmem_allocate(fd, 0, BLOCKS), 0, "fallocate");
	if (of_task)
		syscall(__NR_set_mempolicy, MPOL_DEFAULT, NULL, 0);

	if (mode == MPOL_BIND) {
		EXPECT_EQ(count_on(mem, nr, nodes[mask == MASK(1)]), nr,
			  "%s bound to %#lx: pages there", whose, mask);
	} else {
		count_on(mem, nr, nodes[0]);
		changes = count_changes(mem, nr);
		EXPECT(changes > nr / 2,
		       "%s interleaved: node should change with almost each of %lu pages, changed %lu times",
		       whose, nr, changes);
	}
	munmap(mem, BLOCKS);
	close(fd);
}

/*
 * A page that is there stays: the memory is unmovable.  MPOL_MF_STRICT tells
 * so; MPOL_MF_MOVE alone sets the policy and moves nothing, as mbind() does
 * for whatever cannot be moved.
 */
static void test_existing_pages_stay(void)
{
	const struct {
		unsigned int flags;
		int err;
	} cases[] = {
		{ 0, 0 },
		{ MPOL_MF_STRICT, EIO },
		{ MPOL_MF_MOVE, 0 },
		{ MPOL_MF_MOVE | MPOL_MF_STRICT, EIO },
		{ MPOL_MF_MOVE_ALL, 0 },
		{ MPOL_MF_MOVE_ALL | MPOL_MF_STRICT, EIO },
	};
	int fd, i;
	void *mem;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		mem = gmem_map_new(vm, size, GMEM_SHARED, &fd);
		bind_to(mem, size, MPOL_BIND, MASK(0));
		stamp_fill(mem, 0, size, SEED);
		/* Pages still on their way to the LRU would not be tried. */
		trigger_compaction();
		EXPECT_ERRNO(bind_flags(mem, size, MPOL_BIND, MASK(1),
					cases[i].flags), cases[i].err,
			     "mbind of existing pages, flags %#x",
			     cases[i].flags);
		EXPECT_EQ(count_on(mem, NR_PAGES, nodes[0]), NR_PAGES,
			  "flags %#x: pages that stayed", cases[i].flags);
		EXPECT_EQ(stamp_check(mem, 0, size, SEED), size,
			  "flags %#x: first offset that lost its contents",
			  cases[i].flags);
		munmap(mem, size);
		close(fd);
	}
}

/* The same by move_pages(), which asks for it page by page. */
static void test_move_pages(void)
{
	int fd, status = 99, node = nodes[1];
	void *mem = gmem_map_new(vm, size, GMEM_SHARED, &fd);

	bind_to(mem, size, MPOL_BIND, MASK(0));
	stamp_fill(mem, 0, size, SEED);
	trigger_compaction();
	syscall(__NR_move_pages, 0, 1, &mem, &node, &status, MPOL_MF_MOVE);
	EXPECT(status != node, "move_pages() should not report node %d", node);
	EXPECT_EQ(node_of(mem), nodes[0], "node of the page");
	EXPECT_EQ(stamp_check(mem, 0, size, SEED), size,
		  "first offset that lost its contents");

	/* A new page goes where the policy says by then. */
	bind_to(mem, size, MPOL_BIND, MASK(1));
	EXPECT_ERRNO(gmem_punch(fd, 0, size / 2), 0, "punch half");
	EXPECT_EQ(count_on(mem, NR_PAGES, nodes[1]), NR_PAGES / 2,
		  "punched: pages on the new node");
	munmap(mem, size);
	close(fd);
}

/* Private memory: no one can look where a page is, but nodes count theirs. */

static uint64_t node_unevictable(int node)
{
	char path[80], line[128];
	uint64_t kb, found = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo",
		 node);
	file = fopen(path, "r");
	TEST_ASSERT(file, "%s should open, errno %d", path, errno);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Node %*d Unevictable: %lu", &kb) == 1)
			found = kb * 1024;
	fclose(file);
	return found;
}

static void test_private_on(struct kvm_vm *private, struct kvm_vcpu *cpu,
			    int self)
{
	uint64_t before[2], grown[2];
	int fd, i;
	void *mem = gmem_map_new(private, LARGE, GUEST_MEMFD_FLAG_MMAP, &fd);

	bind_to(mem, LARGE, MPOL_BIND, MASK(self));
	vm_bind_guest_memfd(private, 1, GPA, LARGE, NULL, fd, 0);
	vm_set_private(private, GPA, LARGE);
	trigger_compaction();
	for (i = 0; i < 2; i++)
		before[i] = node_unevictable(nodes[i]);
	EXPECT_ERRNO(vcpu_pre_fault_all(cpu, GPA, LARGE), 0,
		     "pre-fault private memory");
	trigger_compaction();
	for (i = 0; i < 2; i++)
		grown[i] = node_unevictable(nodes[i]) - before[i];
	EXPECT((int64_t)grown[self] > (int64_t)LARGE * 3 / 4 &&
	       (int64_t)grown[!self] < (int64_t)LARGE / 4,
	       "private memory should come from node %d: it grew by %ld kB, node %d by %ld kB",
	       nodes[self], (int64_t)grown[self] / 1024, nodes[!self],
	       (int64_t)grown[!self] / 1024);
	vm_delete_slot(private, 1);
	munmap(mem, LARGE);
	close(fd);
}

static void test_private(void)
{
	struct kvm_vm *private;
	struct kvm_vcpu *cpu;

	if (!has_private_vm() || !kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY)) {
		note_skipped("private memory: none, or no KVM_CAP_PRE_FAULT_MEMORY");
		return;
	}
	private = vm_create_barebones_type(private_vm_type());
	cpu = __vm_vcpu_add(private, 0);
	test_private_on(private, cpu, 0);
	test_private_on(private, cpu, 1);
	kvm_vm_free(private);
}

int main(int argc, char *argv[])
{
	int i;

	require_gmem_flags(GMEM_SHARED);
	find_nodes();
	size = NR_PAGES * page_size;
	vm = vm_create_barebones();
	vcpu = __vm_vcpu_add(vm, 0);

	test_policy_of_file();
	test_policy_is_of_one_file();
	test_refused();
	if (has_two_nodes()) {
		test_placement();
		test_task_policy();
		for (i = 0; i < 2; i++) {
			test_blocks(i, MPOL_BIND, MASK(0));
			test_blocks(i, MPOL_BIND, MASK(1));
			test_blocks(i, MPOL_INTERLEAVE, BOTH);
		}
		test_existing_pages_stay();
		test_move_pages();
		test_private();
	} else {
		note_skipped("placement: this machine has one node, %d",
			     nodes[0]);
	}

	kvm_vm_free(vm);
	return test_verdict();
}
