// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_MEMORY_ATTRIBUTES: which ranges and which attributes are accepted,
 * and by which VMs.  What the guest makes of them is another test's story.
 */
#include "guest_memfd.h"

#define PRIVATE	KVM_MEMORY_ATTRIBUTE_PRIVATE
#define PAGE	SIZE_4K
#define GPA	SIZE_1G

static struct kvm_vm *vm;

static int set_flags(uint64_t flags)
{
	struct kvm_memory_attributes args = {
		.address = GPA,
		.size = PAGE,
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
		EXPECT_ERRNO(__vm_set_attributes(vm, GPA, PAGE, bit),
			     bit == PRIVATE ? 0 : EINVAL, "attribute bit %d",
			     i);
		if (bit == PRIVATE)
			continue;
		EXPECT_ERRNO(__vm_set_attributes(vm, GPA, PAGE, PRIVATE | bit),
			     EINVAL, "PRIVATE and attribute bit %d", i);
	}
	EXPECT_ERRNO(__vm_set_attributes(vm, GPA, PAGE, -1), EINVAL,
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
		{ -PAGE, 0, EINVAL },
		{ GPA, 1, EINVAL },
		{ GPA, PAGE - 1, EINVAL },
		{ GPA, PAGE + 1, EINVAL },
		{ GPA, PAGE / 2, EINVAL },
		{ GPA + 1, PAGE, EINVAL },
		{ GPA + PAGE / 2, PAGE, EINVAL },
		{ GPA + PAGE / 2, PAGE / 2, EINVAL },
		{ GPA + PAGE / 2, PAGE + PAGE / 2, EINVAL },
		{ GPA, -1ull, EINVAL },
		{ GPA, -PAGE, EINVAL },
		{ GPA, -GPA, EINVAL },
		{ GPA, -GPA + PAGE, EINVAL },
		{ -1ull, PAGE, EINVAL },
		{ -PAGE, PAGE, EINVAL },
		{ -PAGE, 2 * PAGE, EINVAL },
		{ -2 * PAGE, 2 * PAGE, EINVAL },
		{ -2 * PAGE, 3 * PAGE, EINVAL },
		{ -2 * PAGE, -2 * PAGE, EINVAL },
		{ 1ull << 63, 1ull << 63, EINVAL },
		{ -2 * PAGE, PAGE, 0 },
		{ -3 * PAGE, 2 * PAGE, 0 },
		{ -SIZE_2M, SIZE_2M - PAGE, 0 },
		{ (1ull << 63) - PAGE, PAGE, 0 },
		{ (1ull << 63) - PAGE, 2 * PAGE, 0 },
		{ 1ull << 63, PAGE, 0 },
		{ 1ull << 52, PAGE, 0 },
		{ (1ull << 48) - PAGE, 2 * PAGE, 0 },
		{ 0, PAGE, 0 },
		{ GPA, PAGE, 0 },
		{ GPA - SIZE_2M + PAGE, 2 * SIZE_2M, 0 },
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
	EXPECT_ERRNO(__vm_set_attributes(vm, GPA + PAGE, PAGE, PRIVATE), 0,
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
	EXPECT_ERRNO(__vm_set_attributes(vm, GPA + 2 * SIZE_2M - PAGE,
					 2 * PAGE, PRIVATE), 0,
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
		SIZE_1T, SIZE_1T + PAGE, 1ull << 52, 1ull << 63, -2 * PAGE,
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
		EXPECT_ERRNO(__vm_set_attributes(vm, PAGE, sizes[i] - 2 * PAGE,
						 0), 0,
			     "all of it but the first and last page to shared");
		EXPECT_ERRNO(__vm_set_attributes(vm, 0, sizes[i], 0), 0,
			     "[0, %#lx) to shared", sizes[i]);
		EXPECT_ERRNO(__vm_set_attributes(vm, PAGE, sizes[i], PRIVATE),
			     0,
			     "[%#lx, +%#lx) to private", PAGE, sizes[i]);
		EXPECT_ERRNO(__vm_set_attributes(vm, 0, -PAGE, 0), 0,
			     "everything to shared");
	}
	EXPECT_ERRNO(__vm_set_attributes(vm, 0, -PAGE, PRIVATE), 0,
		     "all but the last page to private");
	EXPECT_ERRNO(__vm_set_attributes(vm, PAGE, -PAGE, PRIVATE), EINVAL,
		     "all but the first page to private");
}

static void test_default_vm(void)
{
	struct kvm_vm *plain = vm_create_barebones();
	int ret;

	EXPECT_EQ(vm_check_cap(plain, KVM_CAP_MEMORY_ATTRIBUTES), 0,
		  "KVM_CAP_MEMORY_ATTRIBUTES of an ordinary VM");
	ret = __vm_set_attributes(plain, GPA, PAGE, PRIVATE);
	EXPECT(ret < 0 && (errno == EINVAL || errno == ENOTTY),
	       "private memory in an ordinary VM should fail with EINVAL or ENOTTY, returned %d errno %d",
	       ret, errno);
	kvm_vm_free(plain);
}

int main(int argc, char *argv[])
{
	vm = vm_create_barebones_type(private_vm_type());

	test_capability();
	test_bits();
	test_ranges();
	test_argument();
	test_repeated();
	test_slots_do_not_matter();
	test_huge_ranges();
	test_default_vm();

	kvm_vm_free(vm);
	return test_verdict();
}
