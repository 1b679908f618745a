// SPDX-License-Identifier: GPL-2.0-only
/*
 * The binary interface: what a VMM of another language or with headers of its
 * own has to know is numbers, and each stands here once more.
 *
 * Numbers and layouts of <linux/kvm.h> are checked by the compiler; that the
 * kernel goes by the same ones is shown by calls with nothing but numbers.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "abi_assert.h"
#include "guest_memfd.h"

/* ioctls */
ASSERT_NUMBER(KVM_SET_USER_MEMORY_REGION2, 0x40a0ae49);
ASSERT_NUMBER(KVM_SET_MEMORY_ATTRIBUTES, 0x4020aed2);
ASSERT_NUMBER(KVM_CREATE_GUEST_MEMFD, 0xc040aed4);
ASSERT_NUMBER(KVM_PRE_FAULT_MEMORY, 0xc040aed5);

/* Structures */
ASSERT_SIZE(kvm_userspace_memory_region2, 160);
ASSERT_FIELD(kvm_userspace_memory_region2, slot, 0, 4);
ASSERT_FIELD(kvm_userspace_memory_region2, flags, 4, 4);
ASSERT_FIELD(kvm_userspace_memory_region2, guest_phys_addr, 8, 8);
ASSERT_FIELD(kvm_userspace_memory_region2, memory_size, 16, 8);
ASSERT_FIELD(kvm_userspace_memory_region2, userspace_addr, 24, 8);
ASSERT_FIELD(kvm_userspace_memory_region2, guest_memfd_offset, 32, 8);
ASSERT_FIELD(kvm_userspace_memory_region2, guest_memfd, 40, 4);
ASSERT_FIELD(kvm_userspace_memory_region2, pad1, 44, 4);
ASSERT_FIELD(kvm_userspace_memory_region2, pad2, 48, 112);

ASSERT_SIZE(kvm_memory_attributes, 32);
ASSERT_FIELD(kvm_memory_attributes, address, 0, 8);
ASSERT_FIELD(kvm_memory_attributes, size, 8, 8);
ASSERT_FIELD(kvm_memory_attributes, attributes, 16, 8);
ASSERT_FIELD(kvm_memory_attributes, flags, 24, 8);

ASSERT_SIZE(kvm_create_guest_memfd, 64);
ASSERT_FIELD(kvm_create_guest_memfd, size, 0, 8);
ASSERT_FIELD(kvm_create_guest_memfd, flags, 8, 8);
ASSERT_FIELD(kvm_create_guest_memfd, reserved, 16, 48);

ASSERT_SIZE(kvm_pre_fault_memory, 64);
ASSERT_FIELD(kvm_pre_fault_memory, gpa, 0, 8);
ASSERT_FIELD(kvm_pre_fault_memory, size, 8, 8);
ASSERT_FIELD(kvm_pre_fault_memory, flags, 16, 8);
ASSERT_FIELD(kvm_pre_fault_memory, padding, 24, 40);

/* The exit; the part of kvm_run for each reason begins at 32. */
ASSERT_NUMBER(KVM_EXIT_MEMORY_FAULT, 39);
ASSERT_FIELD(kvm_run, exit_reason, 8, 4);
ASSERT_FIELD(kvm_run, memory_fault.flags, 32, 8);
ASSERT_FIELD(kvm_run, memory_fault.gpa, 40, 8);
ASSERT_FIELD(kvm_run, memory_fault.size, 48, 8);

/* Flags */
ASSERT_NUMBER(KVM_MEM_GUEST_MEMFD, 4);
ASSERT_NUMBER(KVM_MEMORY_ATTRIBUTE_PRIVATE, 8);
ASSERT_NUMBER(KVM_MEMORY_EXIT_FLAG_PRIVATE, 8);
ASSERT_NUMBER(GUEST_MEMFD_FLAG_MMAP, 1);
ASSERT_NUMBER(GUEST_MEMFD_FLAG_INIT_SHARED, 2);

/* Capabilities */
ASSERT_NUMBER(KVM_CAP_EXIT_HYPERCALL, 201);
ASSERT_NUMBER(KVM_CAP_USER_MEMORY2, 231);
ASSERT_NUMBER(KVM_CAP_MEMORY_FAULT_INFO, 232);
ASSERT_NUMBER(KVM_CAP_MEMORY_ATTRIBUTES, 233);
ASSERT_NUMBER(KVM_CAP_GUEST_MEMFD, 234);
ASSERT_NUMBER(KVM_CAP_VM_TYPES, 235);
ASSERT_NUMBER(KVM_CAP_PRE_FAULT_MEMORY, 236);
ASSERT_NUMBER(KVM_CAP_GUEST_MEMFD_FLAGS, 244);

#ifdef __x86_64__
ASSERT_NUMBER(KVM_X86_DEFAULT_VM, 0);
ASSERT_NUMBER(KVM_X86_SW_PROTECTED_VM, 1);
#endif

/* Not in <linux/kvm.h> of this base: a VMM finds that it is not there. */
#define SET_MEMORY_ATTRIBUTES2	0xc080aed2

#define GPA	SIZE_1G
#define SIZE	SIZE_2M

/* An argument, of up to 160 bytes, and what is behind it. */
struct words {
	uint64_t at[21];
};

#define UNTOUCHED	0x5a5a5a5a5a5a5a5aul

/* The number has the size of the argument: the kernel writes no further. */
static long call(int fd, unsigned long number, struct words *words)
{
	const int end = (number >> 16 & 0x3fff) / 8;
	long ret;
	int err;

	words->at[end] = UNTOUCHED;
	ret = ioctl(fd, number, words->at);
	err = errno;
	EXPECT_EQ(words->at[end], UNTOUCHED, "word behind the argument of %#lx",
		  number);
	errno = err;
	return ret;
}

/* @flags: of files that a VM of this type can bind. */
static void test_calls(unsigned long type, uint64_t flags)
{
	struct kvm_vm *vm = vm_create_barebones_type(type);
	struct words create = { { SIZE, flags } }, again = { { SIZE, flags } };
	void *hva = map_anonymous(SIZE, SIZE_2M);
	int fd = call(vm->fd, 0xc040aed4, &create);
	struct words bind = {
		{ 4ull << 32 | 3, GPA, SIZE, (uintptr_t)hva, page_size, fd },
	};
	struct stat st;

	EXPECT_ERRNO(fd, 0, "0xc040aed4, size in word 0");
	EXPECT_ERRNO(fstat(fd, &st), 0, "fstat()");
	EXPECT_EQ(st.st_size, SIZE, "size of the file");
	again.at[1] |= 1ull << 63;
	EXPECT_ERRNO(call(vm->fd, 0xc040aed4, &again), EINVAL,
		     "0xc040aed4 with an unknown flag in word 1");

	EXPECT_ERRNO(call(vm->fd, 0x40a0ae49, &bind), EINVAL,
		     "0x40a0ae49, offset in word 4, past the end by a page");
	bind.at[4] = 0;
	EXPECT_ERRNO(call(vm->fd, 0x40a0ae49, &bind), 0, "0x40a0ae49");
	EXPECT_ERRNO(__vm_delete_slot(vm, 3), 0, "delete slot 3");
	bind.at[5] = -1u;
	EXPECT_ERRNO(call(vm->fd, 0x40a0ae49, &bind), EBADF,
		     "0x40a0ae49, no file in word 5");

	EXPECT_ERRNO(call(fd, SET_MEMORY_ATTRIBUTES2, &create), ENOTTY,
		     "%#x on the file", SET_MEMORY_ATTRIBUTES2);
	munmap(hva, SIZE);
	close(fd);
	kvm_vm_free(vm);
}

static void test_attributes(void)
{
	struct kvm_vm *vm = vm_create_barebones_type(private_vm_type());
	struct words set = { { GPA, SIZE, 8 } };

	EXPECT_ERRNO(call(vm->fd, 0x4020aed2, &set), 0,
		     "0x4020aed2, attributes in word 2");
	set.at[2] = 1;
	EXPECT_ERRNO(call(vm->fd, 0x4020aed2, &set), EINVAL,
		     "0x4020aed2, attribute bit 0");
	set.at[2] = 8;
	set.at[3] = 1;
	EXPECT_ERRNO(call(vm->fd, 0x4020aed2, &set), EINVAL,
		     "0x4020aed2, flags in word 3");
	EXPECT_ERRNO(call(vm->fd, SET_MEMORY_ATTRIBUTES2, &set), ENOTTY,
		     "%#x on a VM", SET_MEMORY_ATTRIBUTES2);
	kvm_vm_free(vm);
}

static void test_pre_fault(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, NULL);
	void *hva = map_anonymous(SIZE, SIZE_2M);
	struct words range = { { GPA, SIZE + page_size } };

	vm_set_user_memory_region(vm, 3, 0, GPA, SIZE, hva);
	EXPECT_ERRNO(call(vcpu->fd, 0xc040aed5, &range), 0, "0xc040aed5");
	EXPECT_EQ(range.at[0], GPA + SIZE, "gpa, word 0, advanced");
	EXPECT_EQ(range.at[1], page_size, "size, word 1, what is left");
	range.at[2] = 1;
	EXPECT_ERRNO(call(vcpu->fd, 0xc040aed5, &range), EINVAL,
		     "0xc040aed5, flags in word 2");
	munmap(hva, SIZE);
	kvm_vm_free(vm);
}

/* A number that the kernel has for something else would have another value. */
static void test_capabilities(void)
{
	struct kvm_vm *vm = vm_create_barebones_type(gmem_vm_type());
	const struct {
		unsigned long number;
		uint64_t value;
	} cases[] = {
		{ 231, 1 },
		{ 232, 1 },
		{ 233, has_private_vm() ? 8 : 0 },
		{ 234, 1 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_EQ(ioctl(vm->fd, KVM_CHECK_EXTENSION, cases[i].number),
			  cases[i].value, "capability %lu of a VM",
			  cases[i].number);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_USER_MEMORY2));

	test_gmem_vm_types(test_calls);
	test_capabilities();
	if (has_private_vm())
		test_attributes();
	else
		note_skipped("attributes: no VM type with private memory");
	if (kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY))
		test_pre_fault();
	else
		note_skipped("pre-faults: need KVM_CAP_PRE_FAULT_MEMORY");
	return test_verdict();
}
