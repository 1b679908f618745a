// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM types: KVM_CAP_VM_TYPES and KVM_CREATE_VM agree on every number, and
 * each type has the capabilities of its kind of memory.
 */
#include <linux/kvm_para.h>

#include "guest_memfd.h"
#include "processor.h"

#define NR_TYPES	64

static int create_vm(uint64_t type)
{
	int kvm = open_kvm_dev_path_or_exit();
	int fd = __kvm_ioctl(kvm, KVM_CREATE_VM, (void *)type);
	int err = errno;

	close(kvm);
	errno = err;
	return fd;
}

static void test_creation(void)
{
	const uint64_t odd[] = {
		64, 1ull << 31, 1ull << 32, (1ull << 32) + 1, 1ull << 62, -1,
	};
	uint64_t type;
	int i, fd;

	for (type = 0; type < NR_TYPES; type++) {
		fd = create_vm(type);
		EXPECT_ERRNO(fd, type < 32 && has_vm_type(type) ? 0 : EINVAL,
			     "KVM_CREATE_VM of type %lu, supported mask %#x",
			     type, kvm_check_cap(KVM_CAP_VM_TYPES));
		if (fd >= 0)
			close(fd);
	}
	for (i = 0; i < ARRAY_SIZE(odd); i++)
		EXPECT_ERRNO(create_vm(odd[i]), EINVAL,
			     "KVM_CREATE_VM of type %#lx", odd[i]);
}

static void test_mask(void)
{
	uint64_t mask = kvm_check_cap(KVM_CAP_VM_TYPES);

	EXPECT(mask & 1 << KVM_X86_DEFAULT_VM,
	       "ordinary VMs should be supported, mask %#lx", mask);
	if (!kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY))
		EXPECT(!(mask & 1 << KVM_X86_SW_PROTECTED_VM),
		       "without two-dimensional paging there should be no software-protected VMs, mask %#lx",
		       mask);
}

static void test_system_capabilities(void)
{
	const struct {
		const char *name;
		long cap;
		uint64_t value;
	} cases[] = {
		{ "USER_MEMORY2", KVM_CAP_USER_MEMORY2, 1 },
		{ "MEMORY_FAULT_INFO", KVM_CAP_MEMORY_FAULT_INFO, 1 },
		{ "MEMORY_ATTRIBUTES", KVM_CAP_MEMORY_ATTRIBUTES,
		  KVM_MEMORY_ATTRIBUTE_PRIVATE },
		{ "GUEST_MEMFD", KVM_CAP_GUEST_MEMFD, 1 },
		{ "PRE_FAULT_MEMORY", KVM_CAP_PRE_FAULT_MEMORY, 1 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_EQ(kvm_check_cap(cases[i].cap), cases[i].value,
			  "KVM_CAP_%s of /dev/kvm", cases[i].name);
	EXPECT(kvm_check_cap(KVM_CAP_EXIT_HYPERCALL) & 1 << KVM_HC_MAP_GPA_RANGE,
	       "KVM_CAP_EXIT_HYPERCALL should have MAP_GPA_RANGE, is %#x",
	       kvm_check_cap(KVM_CAP_EXIT_HYPERCALL));
}

static void test_vm_capabilities(unsigned long type, int attributes, int gmem)
{
	struct kvm_vm *vm = vm_create_barebones_type(type);
	const struct {
		const char *name;
		long cap;
		int value;
	} cases[] = {
		{ "USER_MEMORY2", KVM_CAP_USER_MEMORY2, 1 },
		{ "MEMORY_FAULT_INFO", KVM_CAP_MEMORY_FAULT_INFO, 1 },
		{ "MEMORY_ATTRIBUTES", KVM_CAP_MEMORY_ATTRIBUTES, attributes },
		{ "GUEST_MEMFD", KVM_CAP_GUEST_MEMFD, gmem },
		{ "PRE_FAULT_MEMORY", KVM_CAP_PRE_FAULT_MEMORY, 1 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_EQ(vm_check_cap(vm, cases[i].cap), cases[i].value,
			  "KVM_CAP_%s of a VM of type %lu", cases[i].name,
			  type);
	kvm_vm_free(vm);
}

/* Informational: none of them can be enabled. */
static void test_enable(void)
{
	const long caps[] = {
		KVM_CAP_USER_MEMORY2, KVM_CAP_MEMORY_FAULT_INFO,
		KVM_CAP_MEMORY_ATTRIBUTES, KVM_CAP_GUEST_MEMFD,
		KVM_CAP_VM_TYPES, KVM_CAP_PRE_FAULT_MEMORY,
	};
	struct kvm_vm *vm = vm_create_barebones_type(private_vm_type());
	int i;

	for (i = 0; i < ARRAY_SIZE(caps); i++)
		EXPECT_ERRNO(__vm_enable_cap(vm, caps[i], 1), EINVAL,
			     "KVM_ENABLE_CAP of %ld", caps[i]);
	kvm_vm_free(vm);
}

/* The second address space is for SMM, which sees no private memory. */
static void test_address_spaces(unsigned long type)
{
	struct kvm_vm *vm = vm_create_barebones_type(type);
	int nr = vm_check_cap(vm, KVM_CAP_MULTI_ADDRESS_SPACE);
	void *hva = map_anonymous(SIZE_2M, SIZE_2M);
	int id, err;

	/* Not reported where KVM is built with one address space. */
	nr = nr ?: 1;
	if (type)
		EXPECT_EQ(nr, 1, "address spaces of a VM of type %lu", type);
	for (id = 0; id < 4; id++) {
		err = id < nr ? 0 : EINVAL;
		EXPECT_ERRNO(__vm_set_user_memory_region(vm, id << 16, 0,
							 SIZE_1G, SIZE_2M, hva),
			     err, "slot in address space %d of %d, type %lu",
			     id, nr, type);
		EXPECT_ERRNO(__vm_set_region2(vm, id << 16 | 1, 0, 2 * SIZE_1G,
					      SIZE_2M, hva, -1, 0),
			     err, "slot 2 in address space %d of %d, type %lu",
			     id, nr, type);
	}
	munmap(hva, SIZE_2M);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_VM_TYPES));

	test_mask();
	test_creation();
	test_address_spaces(KVM_X86_DEFAULT_VM);
	if (!has_private_vm()) {
		note_skipped("capabilities: no VM type with private memory");
		return test_verdict();
	}

	test_system_capabilities();
	test_vm_capabilities(KVM_X86_DEFAULT_VM, 0, 1);
	test_vm_capabilities(KVM_X86_SW_PROTECTED_VM,
			     KVM_MEMORY_ATTRIBUTE_PRIVATE, 1);
	test_enable();
	test_address_spaces(KVM_X86_SW_PROTECTED_VM);

	return test_verdict();
}
