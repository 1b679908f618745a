// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM types: KVM_CAP_VM_TYPES and KVM_CREATE_VM agree on every number, and
 * each type has the capabilities of its kind of memory.
 */
#include <linux/kvm_para.h>

#include "apic.h"
#include "guest_agent.h"

#define NR_TYPES	64

#define SMRAM_SLOT	0x10001		/* in address space 1 */
#define SMRAM_GPA	0x30000		/* where SMBASE is after a reset */
#define SMRAM_SIZE	0x10000
#define SMI_ENTRY	0x8000		/* from SMBASE */
#define SMI_PORT	0x0e

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

/* System management mode */

static const uint8_t smi_handler[] = {
	0xe6, SMI_PORT,		/* out %al, $SMI_PORT */
	0x0f, 0xaa,		/* rsm */
};

/* Runs in the guest. */
static uint64_t self_smi(void)
{
	x2apic_enable();
	x2apic_write_reg(APIC_ICR, APIC_DEST_SELF | APIC_INT_ASSERT |
			 APIC_DM_SMI);
	return 1;
}

static void expect_smm(struct kvm_vcpu *vcpu, bool smm, bool pending,
		       const char *when)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(vcpu, &events);
	EXPECT_EQ(events.smi.smm, smm, "%s: smi.smm", when);
	EXPECT_EQ(events.smi.pending, pending, "%s: smi.pending", when);
}

static void test_smm_events(struct kvm_vcpu *vcpu, bool has_smm)
{
	const uint32_t valid = KVM_VCPUEVENT_VALID_SMM;
	const int err = has_smm ? 0 : EINVAL;
	const struct {
		uint32_t flags;
		bool smm, pending;
		int err;
	} cases[] = {
		{ valid, true, false, err },
		{ valid, false, true, err },
		{ valid, true, true, err },
		{ valid, false, false, 0 },
		{ 0, true, true, 0 },		/* not looked at */
	};
	struct kvm_vcpu_events events;
	bool set;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		vcpu_events_get(vcpu, &events);
		events.flags = cases[i].flags;
		events.smi.smm = cases[i].smm;
		events.smi.pending = cases[i].pending;
		EXPECT_ERRNO(__vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events),
			     cases[i].err, "events: flags %#x, smm %d, pending %d",
			     cases[i].flags, cases[i].smm, cases[i].pending);
		set = cases[i].flags && !cases[i].err;
		expect_smm(vcpu, set && cases[i].smm, set && cases[i].pending,
			   "after KVM_SET_VCPU_EVENTS");
	}
}

/* The guest ends up in the handler, or nothing happens. */
static void test_self_smi(struct agent *agent, bool has_smm)
{
	struct kvm_run *run = agent->vcpu->run;
	enum agent_stop stop;

	agent_start(agent, self_smi, 0, 0, 0, 0);
	if (has_smm) {
		vcpu_run(agent->vcpu);
		EXPECT(run->exit_reason == KVM_EXIT_IO &&
		       run->io.port == SMI_PORT && run->flags & KVM_RUN_X86_SMM,
		       "guest should be in SMM: %s, flags %#x",
		       exit_reason_str(run->exit_reason), run->flags);
		expect_smm(agent->vcpu, true, false, "in the handler");
	}
	stop = agent_run(agent);
	EXPECT(stop == AGENT_DONE && agent->value == 1,
	       "guest should go on after its SMI: %s",
	       agent_stop_name(agent, stop));
	EXPECT_EQ(run->flags & KVM_RUN_X86_SMM, 0, "KVM_RUN_X86_SMM");
	expect_smm(agent->vcpu, false, false, "after an SMI to itself");
}

static void *add_smram(struct kvm_vm *vm)
{
	void *hva = map_anonymous(SMRAM_SIZE, SMRAM_SIZE);

	memcpy(hva + SMI_ENTRY, smi_handler, sizeof(smi_handler));
	vm_set_user_memory_region(vm, SMRAM_SLOT, 0, SMRAM_GPA, SMRAM_SIZE,
				  hva);
	return hva;
}

/* A VM with one address space has no SMM, and nothing takes a vCPU there. */
static void test_smm(unsigned long type, bool has_smm)
{
	struct agent agent;
	struct kvm_vm *vm = agent_vm_create(type, 1, &agent);
	void *smram = has_smm ? add_smram(vm) : NULL;

	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_X86_SMM), has_smm,
		  "KVM_CAP_X86_SMM of a VM of type %lu", type);
	test_smm_events(agent.vcpu, has_smm);
	test_self_smi(&agent, has_smm);
	EXPECT_ERRNO(__vcpu_ioctl(agent.vcpu, KVM_SMI, NULL),
		     has_smm ? 0 : EINVAL, "KVM_SMI, VM of type %lu", type);
	expect_smm(agent.vcpu, false, has_smm, "after KVM_SMI");

	kvm_vm_free(vm);
	if (smram)
		munmap(smram, SMRAM_SIZE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_VM_TYPES));

	test_mask();
	test_creation();
	test_address_spaces(KVM_X86_DEFAULT_VM);
	if (kvm_has_cap(KVM_CAP_X86_SMM))
		test_smm(KVM_X86_DEFAULT_VM, true);
	else
		note_skipped("SMM of ordinary VMs: need KVM_CAP_X86_SMM");
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
	test_smm(KVM_X86_SW_PROTECTED_VM, false);

	return test_verdict();
}
