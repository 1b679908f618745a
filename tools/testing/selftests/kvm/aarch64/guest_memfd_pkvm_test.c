// SPDX-License-Identifier: GPL-2.0-only
/*
 * Under protected KVM there is no guest_memfd, and every call says so.
 */
#include "guest_memfd.h"

#define GPA	(4 * SIZE_1G)
#define SIZE	SIZE_2M

static void test_no_file(struct kvm_vm *vm)
{
	const uint64_t flags[] = { 0, GUEST_MEMFD_FLAG_MMAP, GMEM_SHARED };
	int i;

	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_GUEST_MEMFD), 0,
		  "VM: KVM_CAP_GUEST_MEMFD");
	EXPECT_EQ(kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS), 0,
		  "/dev/kvm: KVM_CAP_GUEST_MEMFD_FLAGS");
	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_GUEST_MEMFD_FLAGS), 0,
		  "VM: KVM_CAP_GUEST_MEMFD_FLAGS");
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_ERRNO(__vm_create_guest_memfd(vm, SIZE, flags[i]),
			     ENOTTY, "guest_memfd with flags %#lx", flags[i]);
}

/* The flag is refused whatever file it comes with; without it, all is well. */
static void test_no_slot(struct kvm_vm *vm)
{
	void *hva = map_anonymous(SIZE, SIZE_2M);
	int i, fds[] = { -1, vm->fd, kvm_memfd_alloc(SIZE, false) };

	for (i = 0; i < ARRAY_SIZE(fds); i++)
		EXPECT_ERRNO(__vm_set_region2(vm, 1, KVM_MEM_GUEST_MEMFD, GPA,
					      SIZE, hva, fds[i], 0), EINVAL,
			     "slot with KVM_MEM_GUEST_MEMFD, file %d", i);
	EXPECT_ERRNO(__vm_set_region2(vm, 1, 0, GPA, SIZE, hva, -1, 0), 0,
		     "ordinary slot");
	vm_delete_slot(vm, 1);
	close(fds[2]);
	munmap(hva, SIZE);
}

int main(int argc, char *argv[])
{
	struct kvm_vm *vm;

	__TEST_REQUIRE(!kvm_has_cap(KVM_CAP_GUEST_MEMFD),
		       "not protected KVM: guest_memfd is there");
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_USER_MEMORY2));
	vm = vm_create_barebones();
	test_no_file(vm);
	test_no_slot(vm);
	kvm_vm_free(vm);
	return test_verdict();
}
