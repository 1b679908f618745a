// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_MEMORY_ATTRIBUTES: which ranges and which attributes are accepted,
 * and by which VMs.  What the guest makes of them is another test's story.
 */
#include "guest_memfd.h"

#define PRIVATE	KVM_MEMORY_ATTRIBUTE_PRIVATE
#define GPA	SIZE_1G

static struct kvm_vm *vm;

static int set_flags(uint64_t flags)
{
	struct kvm_memory_attributes args = {
		.address = GPA,
		.size = page_size,
		.attributes = PRIVATE,
		.flags = flags,
	};

	return __vm_ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &args);
}

static void test_capability(void)
{
	EXPECT_EQ(kvm_check_cap(KVM_CAP_MEMORY_ATTRIBUTES), PRIVATE,
		  "KVM_CAP_MEMORY_ATTRIBUTES of /dev/kvm");
	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_MEMORY_ATTRIBUTES), PRIVATE,
		  "KVM_CAP_MEMORY_ATTRIBUTES of a VM with private memory");
}

static void test_bits(void)
{
	uint64_t bit;
	int i;

	for (i = 0; i < 64; i++) {
		bit = 1ull << i;
		EXPECT_ERRNO(set_flags(bit), EINVAL, "flag bit %d", i);
		EXPECT_ERRNO(__vm_set_attributes(vm, GPA, page_size, bit),
			     bit == PRIVATE ? 0 : EINVAL, "attribute bit %d",
			     i);
		if (bit == PRIVATE)
			continue;
		EXPECT_ERRNO(__vm_set_attributes(vm, GPA, page_size,
						 PRIVATE | bit),
			     EINVAL, "PRIVATE and attribute bit %d", i);
	}
	EXPECT_ERRNO(__vm_set_attributes(vm, GPA, page_size, -1), EINVAL,
		     "all attribute bits");
	EXPECT_ERRNO(set_flags(-1), EINVAL, "all flag bits");
	EXPECT_ERRNO(set_flags(0), 0, "no flag");
}

/*
 * The last page of the address space is out of reach: a range that ends at
 * 2^64 wraps.
 */
static void test_ranges(void)
{
	const struct {
		uint64_t gpa, size;
		int err;
	} cases[] = {
		{ 0, 0, EINVAL },
		{ GPA, 0, EINVAL },
		{ -page_size, 0, EINVAL },
		{ GPA, 1, EINVAL },
		{ GPA, page_size - 1, EINVAL },
		{ GPA, page_size + 1, EINVAL },
		{ GPA, page_size / 2, EINVAL },
		{ GPA + 1, page_size, EINVAL },
		{ GPA + page_size / 2, page_size, EINVAL },
		{ GPA + page_size / 2, page_size / 2, EINVAL },
		{ GPA + page_size / 2, page_size + page_size / 2, EINVAL },
		{ GPA, -1ull, EINVAL },
		{ GPA, -page_size, EINVAL },
		{ GPA, -GPA, EINVAL },
		{ GPA, -GPA + page_size, EINVAL },
		{ -1ull, page_size, EINVAL },
		{ -page_size, page_size, EINVAL },
		{ -page_size, 2 * page_size, EINVAL },
		{ -2 * page_size, 2 * page_size, EINVAL },
		{ -2 * page_size, 3 * page_size, EINVAL },
		{ -2 * page_size, -2 * page_size, EINVAL },
		{ 1ull << 63, 1ull << 63, EINVAL },
		{ -2 * page_size, page_size, 0 },
		{ -3 * page_size, 2 * page_size, 0 },
		{ -SIZE_2M, SIZE_2M - page_size, 0 },
		{ (1ull << 63) - page_size, page_size, 0 },
		{ (1ull << 63) - page_size, 2 * page_size, 0 },
		{ 1ull << 63, page_size, 0 },
		{ 1ull << 52, page_size, 0 },
		{ (1ull << 48) - page_size, 2 * page_size, 0 },
		{ 0, page_size, 0 },
		{ GPA, page_size, 0 },
		{ GPA - SIZE_2M + page_size, 2 * SIZE_2M, 0 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_ERRNO(__vm_set_attributes(vm, cases[i].gpa,
						 cases[i].size, PRIVATE),
			     cases[i].err, "[%#lx, +%#lx) to private",
			     cases[i].gpa, cases[i].size);
		EXPECT_ERRNO(__vm_set_attributes(vm, cases[i].gpa,
						 cases[i].size, 0),
			     cases[i].err, "[%#lx, +%#lx) to shared",
			     cases[i].gpa, cases[i].size);
	}
}

static void test_argument(void)
{
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_MEMORY_ATTRIBUTES, NULL), EFAULT,
		     "a NULL argument");
	EXPECT_ERRNO(ioctl(vm->kvm_fd, KVM_SET_MEMORY_ATTRIBUTES, NULL), EINVAL,
		     "the ioctl on /dev/kvm");
}

/* Setting what is set, and clearing what is clear, are no errors. */
static void test_repeated(void)
{
	int i;

	for (i = 0; i < 3; i++)
		EXPECT_ERRNO(__vm_set_attributes(vm, GPA, SIZE_2M, PRIVATE), 0,
			     "to private, time %d", i);
	EXPECT_ERRNO(__vm_set_attributes(vm, GPA + page_size, page_size,
					 PRIVATE), 0,
		     "part of it to private");
	for (i = 0; i < 3; i++)
		EXPECT_ERRNO(__vm_set_attributes(vm, 0, 4 * GPA, 0), 0,
			     "all to shared, time %d", i);
}

/* Attributes belong to gfns: they need no slot and outlive every slot. */
static void test_slots_do_not_matter(void)
{
	struct gmem_area area;

	EXPECT_ERRNO(__vm_set_attributes(vm, GPA, 4 * SIZE_2M, PRIVATE), 0,
		     "private where no slot is");
	gmem_area_add(&area, vm, 1, GPA + SIZE_2M, SIZE_2M);
	EXPECT_ERRNO(__vm_set_attributes(vm, GPA, 2 * SIZE_2M, 0), 0,
		     "shared across the start of a slot");
	EXPECT_ERRNO(__vm_set_attributes(vm, GPA + 2 * SIZE_2M - page_size,
					 2 * page_size, PRIVATE), 0,
		     "private across the end of a slot");
	gmem_area_free(&area);
	EXPECT_ERRNO(__vm_set_attributes(vm, GPA, 4 * SIZE_2M, 0), 0,
		     "shared where no slot is left");
}

/*
 * Ranges up to the whole address space.  A kernel that spends time on each
 * page would take hours, and is not asked.
 */
static void test_huge_ranges(void)
{
	const uint64_t sizes[] = {
		SIZE_1T, SIZE_1T + page_size, 1ull << 52, 1ull << 63,
		-2 * page_size,
	};
	uint64_t start = now_ms();
	int i;

	vm_set_private(vm, SIZE_1T, SIZE_1G);
	vm_set_shared(vm, SIZE_1T, SIZE_1G);
	if (now_ms() - start > 200) {
		note_skipped("huge ranges: 1 GiB takes %lu ms",
			     now_ms() - start);
		return;
	}

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_ERRNO(__vm_set_attributes(vm, 0, sizes[i], PRIVATE), 0,
			     "[0, %#lx) to private", sizes[i]);
		EXPECT_ERRNO(__vm_set_attributes(vm, page_size,
						 sizes[i] - 2 * page_size, 0),
			     0,
			     "all of it but the first and last page to shared");
		EXPECT_ERRNO(__vm_set_attributes(vm, 0, sizes[i], 0), 0,
			     "[0, %#lx) to shared", sizes[i]);
		EXPECT_ERRNO(__vm_set_attributes(vm, page_size, sizes[i],
						 PRIVATE), 0,
			     "[%#lx, +%#lx) to private", page_size, sizes[i]);
		EXPECT_ERRNO(__vm_set_attributes(vm, 0, -page_size, 0), 0,
			     "everything to shared");
	}
	EXPECT_ERRNO(__vm_set_attributes(vm, 0, -page_size, PRIVATE), 0,
		     "all but the last page to private");
	EXPECT_ERRNO(__vm_set_attributes(vm, page_size, -page_size, PRIVATE),
		     EINVAL, "all but the first page to private");
}

/* Kernels of machines that have no private memory do not know the ioctl. */
static void test_ordinary_vm(void)
{
	const bool known = kvm_check_cap(KVM_CAP_MEMORY_ATTRIBUTES);
	struct kvm_vm *plain = vm_create_barebones();

	EXPECT_EQ(vm_check_cap(plain, KVM_CAP_MEMORY_ATTRIBUTES), 0,
		  "KVM_CAP_MEMORY_ATTRIBUTES of an ordinary VM");
	EXPECT_ERRNO(__vm_set_attributes(plain, GPA, page_size, PRIVATE),
		     known ? EINVAL : ENOTTY, "private, ordinary VM");
	EXPECT_ERRNO(__vm_set_attributes(plain, GPA, page_size, 0),
		     known ? 0 : ENOTTY, "shared, ordinary VM");
	kvm_vm_free(plain);
}

int main(int argc, char *argv[])
{
	test_ordinary_vm();
	if (test_has_failed())
		return test_verdict();
	vm = vm_create_barebones_type(private_vm_type());

	test_capability();
	test_bits();
	test_ranges();
	test_argument();
	test_repeated();
	test_slots_do_not_matter();
	test_huge_ranges();

	kvm_vm_free(vm);
	return test_verdict();
}
