// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd has no tags: a VM with the memory tagging extension cannot bind
 * it, and one that enables the extension afterwards cannot use it.
 */
#include "guest_agent.h"

#define GPA	(4 * SIZE_1G)
#define SIZE	SIZE_2M

static void test_enabled_first(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	void *hva = map_anonymous(SIZE, SIZE_2M);
	int fd;

	vm_enable_cap(vm, KVM_CAP_ARM_MTE, 0);
	fd = vm_create_guest_memfd(vm, SIZE, GMEM_SHARED);
	EXPECT_ERRNO(__vm_set_region2(vm, 1, KVM_MEM_GUEST_MEMFD, GPA, SIZE,
				      hva, fd, 0), EINVAL,
		     "bind to a VM with MTE");
	EXPECT_ERRNO(__vm_set_region2(vm, 1, 0, GPA, SIZE, hva, -1, 0), 0,
		     "ordinary slot of a VM with MTE");
	vm_delete_slot(vm, 1);
	close(fd);
	munmap(hva, SIZE);
	kvm_vm_free(vm);
}

static void test_enabled_later(void)
{
	struct kvm_vm *vm = __vm_create(VM_MODE_DEFAULT, 1, 0);
	struct gmem_area area;
	struct agent agent;

	gmem_area_add_mapped(&area, vm, 1, GPA, SIZE, GMEM_SHARED);
	vm_enable_cap(vm, KVM_CAP_ARM_MTE, 0);
	agent_init(&agent, vm_vcpu_add(vm, 0, agent_entry));
	agent_map(vm, GPA, SIZE);

	EXPECT_EQ(agent_call(&agent, guest_add, 1), 42, "guest's own memory");
	agent_expect_fault(&agent, guest_read, GPA, 0, GPA, false, EFAULT,
			   "read of guest_memfd with MTE");
	agent_expect_fault(&agent, guest_write, GPA, 1, GPA, false, EFAULT,
			   "write to guest_memfd with MTE");
	EXPECT_EQ(touch_write(area.hva), 0, "SIGBUS code of the host's write");
	gmem_area_free(&area);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	require_gmem_flags(GMEM_SHARED);
	__TEST_REQUIRE(kvm_has_cap(KVM_CAP_ARM_MTE), "no MTE on this host");
	test_enabled_first();
	test_enabled_later();
	return test_verdict();
}
