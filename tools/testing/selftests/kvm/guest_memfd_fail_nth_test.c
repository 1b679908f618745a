// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and slots of an ordinary VM when allocations fail, and what the guest
 * touches then.
 */
#include <fcntl.h>

#include "fail_nth.h"
#include "filled_file.h"

#define GPA		(4 * SIZE_1G)
#define SLOT		1

static struct kvm_vcpu *vcpu;

/* What the calls made, and what they read. */
static int result, fdinfo;

/* Descriptors: one that was taken for nothing would be missed */

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

static void close_result(void)
{
	close(result);
}

/* KVM_CREATE_VM and KVM_CREATE_GUEST_MEMFD */

static unsigned long vm_type;

static int create_vm(void)
{
	result = ioctl(vm->kvm_fd, KVM_CREATE_VM, vm_type);
	return result;
}

static int create_file(void)
{
	result = __vm_create_guest_memfd(vm, SIZE, GMEM_SHARED);
	return result;
}

/* fallocate() */

static int allocate_page(void)
{
	return gmem_allocate(file, HOLE, page_size);
}

static int allocate_many(void)
{
	return gmem_allocate(file, 0, 70 * page_size);
}

static void file_is_empty(const char *when)
{
	expect_pages(0, 0, when);
}

static void file_has_one(const char *when)
{
	expect_pages(1, 1, when);
}

/* Pages that came before the failure stay. */
static void file_has_some(const char *when)
{
	expect_pages(0, 69, when);
}

static void file_has_many(const char *when)
{
	expect_pages(70, 70, when);
}

/* The same of a block, which comes in one piece or, if that fails, by pages */

#define BLOCK		SIZE_2M
#define BLOCK_PAGES	(BLOCK / page_size)
#define MAX_LOST_KB	(12 * 1024)

static void open_block_file(void)
{
	file = vm_create_guest_memfd(vm, BLOCK, GMEM_SHARED);
}

static int allocate_block(void)
{
	return gmem_allocate(file, 0, BLOCK);
}

static void file_has_part(const char *when)
{
	expect_pages(0, BLOCK_PAGES - 1, when);
}

static void file_is_full(const char *when)
{
	expect_pages(BLOCK_PAGES, BLOCK_PAGES, when);
}

/*
 * If a failure lost the rest of its block, all of them would lose 25 MiB, each
 * time.  What the kernel keeps for itself meanwhile comes once.
 */
static void test_allocate_block(void)
{
	static const struct fail_call call = {
		"allocate a block", open_block_file, allocate_block,
		file_has_part, file_is_full, close_file,
	};
	uint64_t before, after;
	int tries = 3;

	do {
		before = read_meminfo_kb("MemFree");
		fail_calls(&call, 1);
		after = read_meminfo_kb("MemFree");
	} while (after + MAX_LOST_KB <= before && --tries);
	EXPECT(tries, "%s: MemFree should be back, was %lu kB, is %lu kB",
	       call.name, before, after);
}

/* punch hole */

static void open_full_file(void)
{
	open_file();
	gmem_allocate(file, 0, 70 * page_size);
}

static int punch_part(void)
{
	return gmem_punch(file, page_size, 68 * page_size);
}

static void file_has_two(const char *when)
{
	expect_pages(2, 2, when);
}

/* fdinfo, opened before: what fails there is not ours */

static void open_fdinfo(void)
{
	char path[64];

	open_filled();
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", file);
	fdinfo = open(path, O_RDONLY);
	TEST_ASSERT(fdinfo >= 0, "%s should open, errno %d", path, errno);
}

static char fdinfo_text[4096];

static int read_fdinfo(void)
{
	memset(fdinfo_text, 0, sizeof(fdinfo_text));
	return pread(fdinfo, fdinfo_text, sizeof(fdinfo_text) - 1, 0);
}

static void fdinfo_is_whole(const char *when)
{
	EXPECT(strstr(fdinfo_text, "gmem-size:") &&
	       strstr(fdinfo_text, "gmem-shared:"),
	       "%s: fdinfo should have all lines, is\n%s", when, fdinfo_text);
	only_filled(when);
}

static void close_fdinfo(void)
{
	close(fdinfo);
	close_filled();
}

/* KVM_SET_USER_MEMORY_REGION2: a slot that comes */

static int bind_slot(void)
{
	return __vm_set_region2(vm, SLOT, KVM_MEM_GUEST_MEMFD, GPA, SIZE, view,
				file, 0);
}

static void slot_is_absent(const char *when)
{
	EXPECT_EQ(gmem_fdinfo_bindings(file, NULL, 0), 0, "%s: bindings", when);
	EXPECT_ERRNO(__vm_delete_slot(vm, SLOT), EINVAL,
		     "%s: delete a slot that should not be there", when);
	EXPECT_ERRNO(__vm_set_region2(vm, SLOT + 1, KVM_MEM_GUEST_MEMFD,
				      2 * GPA, SIZE, view, file, 0), 0,
		     "%s: bind the range to another slot", when);
	__vm_delete_slot(vm, SLOT + 1);
	only_filled(when);
}

static void slot_is_present(const char *when)
{
	EXPECT_EQ(gmem_fdinfo_bindings(file, NULL, 0), 1, "%s: bindings", when);
	only_filled(when);
}

static void remove_slot(void)
{
	vm_delete_slot(vm, SLOT);
	close_filled();
}

/* The same call with size 0: a slot that goes */

static void open_slot(void)
{
	open_filled();
	TEST_ASSERT(!bind_slot(), "slot should come, errno %d", errno);
}

static int delete_slot(void)
{
	return __vm_delete_slot(vm, SLOT);
}

/* KVM_PRE_FAULT_MEMORY, and a fault of the guest, into a slot that is new */

static int pre_fault(void)
{
	struct kvm_pre_fault_memory range = {
		.gpa = GPA + RANGE,
		.size = RANGE_SIZE,
	};

	return __vcpu_pre_fault(vcpu, &range);
}

/* One that has done a part of it is a success, and goes on from there. */
static void all_pre_faulted(const char *when)
{
	EXPECT_ERRNO(vcpu_pre_fault_all(vcpu, GPA + RANGE, RANGE_SIZE), 0,
		     "%s: the rest", when);
	all_populated(when);
}

static void guest_code(void)
{
	for (;;) {
		WRITE_ONCE(*(uint64_t *)(GPA + HOLE), VALUE);
		GUEST_SYNC(0);
	}
}

static int guest_touch(void)
{
	return __vcpu_run(vcpu);
}

/* The next one finds what an earlier exit may have left. */
static void spoil_exit(void)
{
	vcpu->run->exit_reason = KVM_EXIT_MEMORY_FAULT;
}

/* Out of memory is no fault of the guest, and no exit of its own. */
static void guest_has_not_run(const char *when)
{
	EXPECT_EQ(vcpu->run->exit_reason, KVM_EXIT_UNKNOWN, "%s: exit reason",
		  when);
	only_filled(when);
}

static void guest_has_written(const char *when)
{
	uint64_t *word = view + HOLE;

	EXPECT_EQ(get_ucall(vcpu, NULL), UCALL_SYNC, "%s: ucall", when);
	EXPECT_EQ(*word, VALUE, "%s: what the guest should have written", when);
	*word = 0;
	hole_is_zero(when);
}

static const struct fail_call file_calls[] = {
	{ "create a file", remember_fd, create_file, check_fd, no_check,
	  close_result },
	{ "allocate a page", open_file, allocate_page, file_is_empty,
	  file_has_one, close_file },
	{ "allocate 70 pages", open_file, allocate_many, file_has_some,
	  file_has_many, close_file },
	{ "punch 68 pages", open_full_file, punch_part, file_has_many,
	  file_has_two, close_file },
	{ "read fdinfo", open_fdinfo, read_fdinfo, only_filled,
	  fdinfo_is_whole, close_fdinfo },
};

static const struct fail_call slot_calls[] = {
	{ "bind a slot", open_filled, bind_slot, slot_is_absent,
	  slot_is_present, remove_slot },
	{ "delete a slot", open_slot, delete_slot, slot_is_present,
	  slot_is_absent, close_filled },
	{ "touch of the guest", open_slot, guest_touch, guest_has_not_run,
	  guest_has_written, remove_slot, .arm = spoil_exit },
};

static const struct fail_call pre_fault_call = {
	"pre-fault 8 pages", open_slot, pre_fault, some_populated,
	all_pre_faulted, remove_slot,
};

static void test_create_vm(unsigned long type, uint64_t flags)
{
	struct fail_call call = {
		type ? "create a VM with private memory" : "create a VM",
		remember_fd, create_vm, check_fd, no_check, close_result,
		.sampled = true,
	};

	vm_type = type ?: vm->type;
	fail_each(&call);
}

static void create_guest(void)
{
	vm = __vm_create_with_one_vcpu(&vcpu, NR_PAGES, guest_code);
	ucall_init(vm, NULL);
	sync_global_to_guest(vm, page_size);
	virt_map(vm, GPA, GPA, FILLED / vm->page_size);
}

int main(int argc, char *argv[])
{
	require_gmem_flags(GMEM_SHARED);
	fail_nth_begin();
	create_guest();

	fail_calls(file_calls, ARRAY_SIZE(file_calls));
	test_allocate_block();
	fail_calls(slot_calls, ARRAY_SIZE(slot_calls));
	if (kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY))
		fail_calls(&pre_fault_call, 1);
	else
		note_skipped("pre-faults: need KVM_CAP_PRE_FAULT_MEMORY");
	test_gmem_vm_types(test_create_vm);

	fail_nth_end();
	kvm_vm_free(vm);
	return test_verdict();
}
