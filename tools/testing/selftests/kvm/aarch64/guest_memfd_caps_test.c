// SPDX-License-Identifier: GPL-2.0-only
/*
 * What arm64 says that it has of guest_memfd: host-mapped files for ordinary VMs,
 * which have neither memory attributes nor private memory; realms have.
 */
#include "guest_memfd.h"

static const struct {
	const char *name;
	long cap, number;
	int value;
} caps[] = {
	{ "KVM_CAP_USER_MEMORY2", KVM_CAP_USER_MEMORY2, 231, 1 },
	{ "KVM_CAP_MEMORY_FAULT_INFO", KVM_CAP_MEMORY_FAULT_INFO, 232, 1 },
	{ "KVM_CAP_MEMORY_ATTRIBUTES", KVM_CAP_MEMORY_ATTRIBUTES, 233, 0 },
	{ "KVM_CAP_GUEST_MEMFD", KVM_CAP_GUEST_MEMFD, 234, 1 },
	{ "KVM_CAP_PRE_FAULT_MEMORY", KVM_CAP_PRE_FAULT_MEMORY, 236, 0 },
	{ "KVM_CAP_GUEST_MEMFD_FLAGS", KVM_CAP_GUEST_MEMFD_FLAGS, 244,
	  GMEM_SHARED },
};

/* A kernel built for realms says what they could have, RMM or none. */
static int attributes_of_kvm(void)
{
	return kvm_check_cap(KVM_CAP_MEMORY_ATTRIBUTES);
}

static void test_caps(struct kvm_vm *vm)
{
	int i;

	EXPECT(!(attributes_of_kvm() & ~KVM_MEMORY_ATTRIBUTE_PRIVATE),
	       "/dev/kvm: memory attributes should be PRIVATE or none, are %#x",
	       attributes_of_kvm());

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		EXPECT_EQ(caps[i].cap, caps[i].number, "number of %s",
			  caps[i].name);
		if (caps[i].cap != KVM_CAP_MEMORY_ATTRIBUTES)
			EXPECT_EQ(kvm_check_cap(caps[i].cap), caps[i].value,
				  "/dev/kvm: %s", caps[i].name);
		EXPECT_EQ(vm_check_cap(vm, caps[i].cap), caps[i].value,
			  "VM: %s", caps[i].name);
	}
}

static void test_no_private_memory(struct kvm_vm *vm)
{
	struct kvm_pre_fault_memory range = { .size = getpagesize() };
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, 0, NULL);
	bool has_call = attributes_of_kvm();

	EXPECT_ERRNO(__vm_set_attributes(vm, 0, getpagesize(),
					 KVM_MEMORY_ATTRIBUTE_PRIVATE),
		     has_call ? EINVAL : ENOTTY, "KVM_SET_MEMORY_ATTRIBUTES");
	EXPECT_ERRNO(__vm_set_attributes(vm, 0, getpagesize(), 0),
		     has_call ? 0 : ENOTTY, "KVM_SET_MEMORY_ATTRIBUTES to none");
	EXPECT_ERRNO(__vcpu_pre_fault(vcpu, &range), ENOTTY,
		     "KVM_PRE_FAULT_MEMORY");
}

int main(int argc, char *argv[])
{
	struct kvm_vm *vm;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_GUEST_MEMFD));
	vm = __vm_create(VM_MODE_DEFAULT, 1, 0);
	test_caps(vm);
	test_no_private_memory(vm);
	kvm_vm_free(vm);
	return test_verdict();
}
