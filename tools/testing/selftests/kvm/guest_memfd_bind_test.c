// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_USER_MEMORY_REGION2: which memslots may be bound to which ranges of
 * which files, and what may be done with a bound slot.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "guest_memfd.h"

#define SLOT		10
#define GPA		SIZE_1G
#define SIZE		SIZE_2M
#define GMEM		KVM_MEM_GUEST_MEMFD
#define FILE_SIZE	(4 * SIZE)

/* A VM, a file of FILE_SIZE and as much memory for the shared side. */
static struct kvm_vm *vm;
static uint64_t file_flags;
static int gmem;
static void *hva;

static int bind_at(uint32_t slot, uint64_t gpa, uint64_t size, int fd,
		   uint64_t offset)
{
	return __vm_set_region2(vm, slot, GMEM, gpa, size, hva, fd, offset);
}

static int create_file(struct kvm_vm *of, uint64_t size)
{
	return vm_create_guest_memfd(of, size, file_flags);
}

/* Nothing that was refused before may have left a trace. */
static void expect_bindable(const char *after)
{
	EXPECT_ERRNO(bind_at(SLOT, GPA, FILE_SIZE, gmem, 0), 0,
		     "bind the whole file after %s", after);
	EXPECT_ERRNO(__vm_delete_slot(vm, SLOT), 0, "delete it again");
}

static void test_old_ioctl(void)
{
	struct kvm_userspace_memory_region region = {
		.slot = SLOT,
		.guest_phys_addr = GPA,
		.memory_size = SIZE,
		.userspace_addr = (uintptr_t)hva,
	};
	int bit;

	for (bit = 2; bit < 32; bit++) {
		region.flags = 1u << bit;
		EXPECT_ERRNO(__vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION,
					&region), EINVAL,
			     "KVM_SET_USER_MEMORY_REGION with flag bit %d", bit);
	}
	expect_bindable("refusals by the first ioctl");
}

static void test_flags(void)
{
	const uint32_t refused[] = {
		GMEM | KVM_MEM_LOG_DIRTY_PAGES,
		GMEM | KVM_MEM_READONLY,
		GMEM | KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY,
	};
	int i, bit;

	for (bit = 3; bit < 32; bit++) {
		EXPECT_ERRNO(__vm_set_region2(vm, SLOT, 1u << bit, GPA, SIZE,
					      hva, -1, 0), EINVAL,
			     "flag bit %d", bit);
		EXPECT_ERRNO(__vm_set_region2(vm, SLOT, GMEM | 1u << bit, GPA,
					      SIZE, hva, gmem, 0), EINVAL,
			     "GUEST_MEMFD and flag bit %d", bit);
	}
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		EXPECT_ERRNO(__vm_set_region2(vm, SLOT, refused[i], GPA, SIZE,
					      hva, gmem, 0), EINVAL,
			     "flags %#x", refused[i]);
	expect_bindable("refused flags");
}

static void test_wrong_files(void)
{
	struct kvm_vm *vm2 = vm_create_barebones_type(vm->type);
	int pipes[2], closed = dup(gmem), i;
	const struct {
		const char *what;
		int fd, err;
	} cases[] = {
		{ "/dev/kvm", vm->kvm_fd, EINVAL },
		{ "the VM", vm->fd, EINVAL },
		{ "another VM", vm2->fd, EINVAL },
		{ "another VM's guest_memfd", create_file(vm2, FILE_SIZE),
		  EINVAL },
		{ "a memfd", kvm_memfd_alloc(FILE_SIZE, false), EINVAL },
		{ "a regular file", open("/proc/self/exe", O_RDONLY), EINVAL },
		{ "a directory", open("/", O_RDONLY), EINVAL },
		{ "a pipe", pipe(pipes) ? -1 : pipes[0], EINVAL },
		{ "an eventfd", eventfd(0, 0), EINVAL },
		{ "a socket", socket(AF_UNIX, SOCK_STREAM, 0), EINVAL },
		{ "an O_PATH file", open("/proc/self/exe", O_PATH), EBADF },
		{ "-1", -1, EBADF },
		{ "INT_MIN", INT32_MIN, EBADF },
		{ "a closed guest_memfd", closed, EBADF },
	};

	close(closed);
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, cases[i].fd, 0),
			     cases[i].err, "bind to %s", cases[i].what);
	for (i = 3; i < ARRAY_SIZE(cases) - 3; i++)
		close(cases[i].fd);
	close(pipes[1]);
	kvm_vm_free(vm2);
	expect_bindable("wrong files");
}

static void test_duplicate_descriptor(void)
{
	int copy = dup(gmem);

	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, copy, 0), 0,
		     "bind through a duplicate");
	EXPECT_ERRNO(bind_at(SLOT + 1, GPA + SIZE, SIZE, gmem, 0), EEXIST,
		     "bind the same range through the original");
	close(copy);
	EXPECT_ERRNO(__vm_delete_slot(vm, SLOT), 0, "delete");
}

static void test_offsets(void)
{
	const struct {
		uint64_t offset, size;
		int err;
	} cases[] = {
		{ 1, SIZE, EINVAL },
		{ page_size - 1, SIZE, EINVAL },
		{ page_size / 2, SIZE, EINVAL },
		{ FILE_SIZE, page_size, EINVAL },
		{ FILE_SIZE, SIZE, EINVAL },
		{ FILE_SIZE + SIZE, SIZE, EINVAL },
		{ FILE_SIZE - SIZE + page_size, SIZE, EINVAL },
		{ 0, FILE_SIZE + page_size, EINVAL },
		{ -SIZE, SIZE, EINVAL },
		{ -SIZE, 2 * SIZE, EINVAL },
		{ -page_size, SIZE, EINVAL },
		{ 1ull << 63, SIZE, EINVAL },
		{ (1ull << 63) - SIZE, SIZE, EINVAL },
		{ FILE_SIZE - page_size, page_size, 0 },
		{ FILE_SIZE - SIZE, SIZE, 0 },
		{ page_size, SIZE, 0 },
		{ 0, FILE_SIZE, 0 },
	};
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ret = bind_at(SLOT, GPA, cases[i].size, gmem, cases[i].offset);
		EXPECT_ERRNO(ret, cases[i].err,
			     "bind offset %#lx size %#lx of a file of %#lx",
			     cases[i].offset, cases[i].size, FILE_SIZE);
		if (!ret)
			vm_delete_slot(vm, SLOT);
	}
	expect_bindable("wrong offsets");
}

/* The same at the end of the largest file that there can be. */
static void test_offsets_of_huge_file(void)
{
	const uint64_t end = (1ull << 63) - page_size;
	int fd = create_file(vm, end);

	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, fd, end - SIZE), 0,
		     "bind the end of a file of %#lx", end);
	EXPECT_ERRNO(bind_at(SLOT + 1, GPA + SIZE, SIZE, fd, end - SIZE),
		     EEXIST, "bind it again");
	EXPECT_ERRNO(bind_at(SLOT + 1, GPA + SIZE, SIZE, fd, end - 2 * SIZE),
		     0, "bind what is before it");
	EXPECT_ERRNO(bind_at(SLOT + 2, GPA + 2 * SIZE, SIZE, fd,
			     end - SIZE + page_size),
		     EINVAL, "bind past the end");
	EXPECT_ERRNO(bind_at(SLOT + 2, GPA + 2 * SIZE, SIZE, fd, end),
		     EINVAL, "bind at the end");
	EXPECT_ERRNO(bind_at(SLOT + 2, GPA + 2 * SIZE, SIZE, fd, 1ull << 62),
		     0, "bind offset 1 << 62");
	vm_delete_slot(vm, SLOT);
	vm_delete_slot(vm, SLOT + 1);
	vm_delete_slot(vm, SLOT + 2);
	close(fd);
}

/* What no guest can address; the errno of arm64 is that of its first ioctl. */
#ifdef __x86_64__
#define ERR_LAST_GPA	EINVAL
#else
#define ERR_LAST_GPA	EFAULT
#endif

static void test_last_gpa(int fd)
{
	const uint64_t end = 1ull << 52;

	EXPECT_ERRNO(bind_at(SLOT, end, SIZE, fd, 0), ERR_LAST_GPA,
		     "gpa %#lx", end);
	EXPECT_ERRNO(bind_at(SLOT, end - SIZE + page_size, SIZE, fd, 0),
		     ERR_LAST_GPA, "a slot that ends a page after %#lx", end);
}

static void test_common_checks(void)
{
	const uint64_t too_many = page_size << 31;
	const struct {
		const char *what;
		uint32_t slot;
		uint64_t gpa, size;
		void *hva;
	} cases[] = {
		{ "unaligned gpa", SLOT, GPA + 1, SIZE, hva },
		{ "unaligned size", SLOT, GPA, SIZE + 1, hva },
		{ "unaligned hva", SLOT, GPA, SIZE, hva + 1 },
		{ "kernel hva", SLOT, GPA, SIZE, (void *)-SIZE },
		{ "hva that wraps", SLOT, GPA, SIZE, (void *)-page_size },
		{ "gpa that wraps", SLOT, -page_size, SIZE, hva },
		{ "slot number too high", 0xffff, GPA, SIZE, hva },
		{ "address space too high", 0xff << 16, GPA, SIZE, hva },
		{ "too many pages", SLOT, GPA, too_many, hva },
	};
	int fd = create_file(vm, 2 * too_many), i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_ERRNO(__vm_set_region2(vm, cases[i].slot, GMEM,
					      cases[i].gpa, cases[i].size,
					      cases[i].hva, fd, 0),
			     EINVAL, "%s", cases[i].what);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, NULL), EFAULT,
		     "a NULL argument");
	EXPECT_ERRNO(__vm_set_region2(vm, SLOT, GMEM, GPA, SIZE, NULL, fd, 0),
		     0, "a slot without a shared side");
	vm_delete_slot(vm, SLOT);
	test_last_gpa(fd);
	close(fd);
	expect_bindable("wrong slots");
}

/* The check of gfns comes first: the file is not even looked at. */
static void test_gfn_overlap(void)
{
	const struct {
		uint64_t gpa, size;
		int fd, err;
	} cases[] = {
		{ GPA, SIZE, gmem, EEXIST },
		{ GPA, SIZE, -1, EEXIST },
		{ GPA, page_size, -1, EEXIST },
		{ GPA + SIZE - page_size, SIZE, -1, EEXIST },
		{ GPA - SIZE + page_size, SIZE, -1, EEXIST },
		{ GPA - SIZE, 3 * SIZE, vm->fd, EEXIST },
		{ GPA + SIZE, SIZE, -1, EBADF },
		{ GPA - SIZE, SIZE, -1, EBADF },
	};
	int i;

	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, gmem, 0), 0, "bind");
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_ERRNO(bind_at(SLOT + 1, cases[i].gpa, cases[i].size,
				     cases[i].fd, SIZE), cases[i].err,
			     "[%#lx, %#lx) with fd %d next to [%#lx, %#lx)",
			     cases[i].gpa, cases[i].gpa + cases[i].size,
			     cases[i].fd, GPA, GPA + SIZE);
	vm_delete_slot(vm, SLOT);
	expect_bindable("overlaps of gfns");
}

static void test_file_overlap(void)
{
	const struct {
		uint64_t offset, size;
		int err;
	} cases[] = {
		{ SIZE, SIZE, EEXIST },
		{ SIZE, page_size, EEXIST },
		{ 2 * SIZE - page_size, page_size, EEXIST },
		{ 2 * SIZE - page_size, SIZE, EEXIST },
		{ page_size, SIZE, EEXIST },
		{ 0, FILE_SIZE, EEXIST },
		{ 0, SIZE + page_size, EEXIST },
		{ 0, SIZE, 0 },
		{ 2 * SIZE, 2 * SIZE, 0 },
	};
	int i, ret;

	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, gmem, SIZE), 0, "bind");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ret = bind_at(SLOT + 1, 2 * GPA, cases[i].size, gmem,
			      cases[i].offset);
		EXPECT_ERRNO(ret, cases[i].err,
			     "offset %#lx size %#lx with [%#lx, %#lx) bound",
			     cases[i].offset, cases[i].size, SIZE, 2 * SIZE);
		if (!ret)
			vm_delete_slot(vm, SLOT + 1);
	}
	vm_delete_slot(vm, SLOT);
	expect_bindable("overlaps in the file");
}

/* Slots in any order, one file; a range is free again when its slot is gone. */
static void test_many_slots(void)
{
	const int nr = 32, stride = 13;
	const uint64_t size = FILE_SIZE / nr;
	int i, n;

	for (i = 0; i < nr; i++) {
		n = i * stride % nr;
		EXPECT_ERRNO(bind_at(SLOT + n, GPA + n * SIZE, size, gmem,
				     (nr - 1 - n) * size), 0, "bind slot %d",
			     SLOT + n);
	}
	EXPECT_ERRNO(bind_at(SLOT + nr, 2 * GPA, page_size, gmem, 3 * size),
		     EEXIST, "bind a page of a full file");
	for (i = 0; i < nr; i += 2) {
		EXPECT_ERRNO(__vm_delete_slot(vm, SLOT + i), 0, "delete");
		EXPECT_ERRNO(bind_at(SLOT + i, 2 * GPA + i * SIZE, size, gmem,
				     (nr - 1 - i) * size), 0, "bind again");
	}
	for (i = 0; i < nr; i++)
		EXPECT_ERRNO(__vm_delete_slot(vm, SLOT + i), 0, "delete");
	expect_bindable("many slots");
}

static int set_plain(uint32_t flags, uint64_t gpa, uint64_t size, void *mem)
{
	return __vm_set_region2(vm, SLOT, flags, gpa, size, mem, -1, 0);
}

/* A bound slot can be deleted, and nothing else. */
static void test_immutable(void)
{
	int other = create_file(vm, FILE_SIZE);

	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, gmem, 0), 0, "bind");
	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, gmem, 0), EINVAL, "the same");
	EXPECT_ERRNO(bind_at(SLOT, 2 * GPA, SIZE, gmem, 0), EINVAL, "move");
	EXPECT_ERRNO(bind_at(SLOT, GPA, 2 * SIZE, gmem, 0), EINVAL, "grow");
	EXPECT_ERRNO(bind_at(SLOT, GPA, page_size, gmem, 0), EINVAL, "shrink");
	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, gmem, SIZE), EINVAL,
		     "another offset");
	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, other, 0), EINVAL,
		     "another file");
	EXPECT_ERRNO(__vm_set_region2(vm, SLOT, GMEM, GPA, SIZE,
				      hva + SIZE, gmem, 0), EINVAL,
		     "another hva");
	EXPECT_ERRNO(set_plain(0, GPA, SIZE, hva), EINVAL, "unbind");
	EXPECT_ERRNO(set_plain(0, 2 * GPA, SIZE, hva), EINVAL,
		     "unbind and move");
	EXPECT_ERRNO(set_plain(KVM_MEM_LOG_DIRTY_PAGES, GPA, SIZE, hva),
		     EINVAL, "unbind and log");
	EXPECT_ERRNO(__vm_set_user_memory_region(vm, SLOT, 0, GPA, SIZE, hva),
		     EINVAL, "unbind by the first ioctl");
	EXPECT_ERRNO(__vm_delete_slot(vm, SLOT), 0, "delete");
	EXPECT_ERRNO(__vm_delete_slot(vm, SLOT), EINVAL, "delete again");
	close(other);
	expect_bindable("refused changes");
}

static void test_plain_slot_cannot_be_bound(void)
{
	EXPECT_ERRNO(set_plain(0, GPA, SIZE, hva), 0, "a plain slot");
	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, gmem, 0), EINVAL,
		     "bind a slot that exists");
	EXPECT_ERRNO(set_plain(0, 2 * GPA, SIZE, hva), 0, "move it");
	EXPECT_ERRNO(__vm_delete_slot(vm, SLOT), 0, "delete");
	expect_bindable("a plain slot");
}

static void test_delete_by_either_ioctl(void)
{
	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, gmem, 0), 0, "bind");
	EXPECT_ERRNO(set_plain(0, 0, 0, NULL), 0, "delete, no flags");
	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, gmem, 0), 0, "bind");
	EXPECT_ERRNO(bind_at(SLOT, GPA, 0, gmem, 0), 0,
		     "delete, flag GUEST_MEMFD");
	EXPECT_ERRNO(bind_at(SLOT, GPA, SIZE, gmem, 0), 0, "bind");
	EXPECT_ERRNO(__vm_delete_slot(vm, SLOT), 0,
		     "delete by the first ioctl");
	EXPECT_ERRNO(bind_at(SLOT, GPA, 0, gmem, 0), EINVAL,
		     "delete what is not there");
}

static void test_padding(void)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = SLOT,
		.flags = GMEM,
		.guest_phys_addr = GPA,
		.memory_size = SIZE,
		.userspace_addr = (uintptr_t)hva,
		.guest_memfd = gmem,
		.pad1 = -1,
	};

	memset(region.pad2, 0xff, sizeof(region.pad2));
	EXPECT_ERRNO(__vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region), 0,
		     "pad1 and pad2 not zero");
	EXPECT_ERRNO(__vm_delete_slot(vm, SLOT), 0, "delete");
}

/* Without GUEST_MEMFD the new ioctl is the old one. */
static void test_plain_slots(struct kvm_vm *plain)
{
	uint64_t bitmap[SIZE / SIZE_4K / 64];	/* for any page size */
	const uint32_t log = KVM_MEM_LOG_DIRTY_PAGES;

	EXPECT_ERRNO(__vm_set_region2(plain, 0, 0, GPA, SIZE, hva, -1, -1), 0,
		     "a slot, fd and offset not looked at");
	EXPECT_ERRNO(__vm_set_region2(plain, 0, 0, GPA, SIZE, hva, 0, 0), 0,
		     "the same slot again");
	EXPECT_ERRNO(__vm_set_region2(plain, 0, log, GPA, SIZE, hva, 0, 0), 0,
		     "start its dirty log");
	kvm_vm_get_dirty_log(plain, 0, bitmap);
	EXPECT_ERRNO(__vm_set_user_memory_region(plain, 0, 0, GPA, SIZE, hva),
		     0, "stop it by the first ioctl");
	EXPECT_ERRNO(__vm_set_region2(plain, 0, 0, 2 * GPA, SIZE, hva, 0, 0),
		     0, "move it");
	EXPECT_ERRNO(__vm_set_region2(plain, 0, 0, 2 * GPA, page_size, hva, 0,
				      0), EINVAL, "shrink it");
	EXPECT_ERRNO(__vm_set_region2(plain, 1, 0, 2 * GPA, SIZE, hva, 0, 0),
		     EEXIST, "another one over it");
	if (vm_check_cap(plain, KVM_CAP_READONLY_MEM)) {
		EXPECT_ERRNO(__vm_set_region2(plain, 1, KVM_MEM_READONLY, GPA,
					      SIZE, hva, 0, 0), 0, "a ROM");
		EXPECT_ERRNO(__vm_set_region2(plain, 1, 0, GPA, SIZE, hva, 0,
					      0), EINVAL, "make it writable");
		EXPECT_ERRNO(__vm_set_region2(plain, 1, 0, GPA, 0, hva, 0, 0),
			     0, "delete it");
	}
	EXPECT_ERRNO(__vm_set_region2(plain, 0, 0, 0, 0, NULL, 0, 0), 0,
		     "delete the first");
}

static void expect_bind_plain(struct kvm_vm *plain, int fd, int err,
			      const char *what)
{
	int ret = __vm_set_region2(plain, 0, GMEM, GPA, SIZE, hva, fd, 0);

	EXPECT_ERRNO(ret, err, "ordinary VM: bind %s", what);
	if (!ret)
		vm_delete_slot(plain, 0);
}

/*
 * An ordinary VM has no private memory for a file to be, so that it can only
 * use one that is all of a slot's memory.
 */
static void test_default_vm(void)
{
	struct kvm_vm *plain = vm_create_barebones();
	int mappable, fd = vm_create_guest_memfd(plain, SIZE, 0);

	EXPECT_EQ(vm_check_cap(plain, KVM_CAP_USER_MEMORY2), 1,
		  "KVM_CAP_USER_MEMORY2 of an ordinary VM");
	expect_bind_plain(plain, fd, EINVAL, "a file that cannot be mapped");
	expect_bind_plain(plain, gmem, EINVAL, "another VM's file");
	if (vm_check_cap(plain, KVM_CAP_GUEST_MEMFD_FLAGS) &
	    GUEST_MEMFD_FLAG_MMAP) {
		mappable = vm_create_guest_memfd(plain, SIZE,
						 GUEST_MEMFD_FLAG_MMAP);
		expect_bind_plain(plain, mappable, 0, "one that can be mapped");
		close(mappable);
	}
	close(fd);
	test_plain_slots(plain);
	kvm_vm_free(plain);
}

static void test_type(unsigned long type, uint64_t flags)
{
	vm = vm_create_barebones_type(type);
	file_flags = flags;
	gmem = create_file(vm, FILE_SIZE);
	hva = map_anonymous(FILE_SIZE, SIZE_2M);

	test_old_ioctl();
	test_flags();
	test_wrong_files();
	test_duplicate_descriptor();
	test_offsets();
	test_offsets_of_huge_file();
	test_common_checks();
	test_gfn_overlap();
	test_file_overlap();
	test_many_slots();
	test_immutable();
	test_plain_slot_cannot_be_bound();
	test_delete_by_either_ioctl();
	test_padding();
	test_plain_slots(vm);
	test_default_vm();

	munmap(hva, FILE_SIZE);
	close(gmem);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_USER_MEMORY2));
	test_gmem_vm_types(test_type);
	return test_verdict();
}
