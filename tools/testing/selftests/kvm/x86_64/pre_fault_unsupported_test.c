// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_PRE_FAULT_MEMORY where KVM cannot know what to map: with shadow paging,
 * and on a vCPU that stopped in a nested guest with page tables of its own.
 */
#include "guest_memfd.h"
#include "processor.h"
#include "svm_util.h"

#define PAGE		SIZE_4K
#define GPA		(4 * SIZE_1G)
#define SIZE		(8 * PAGE)
#define TABLES		(GPA + SIZE_1G)
#define TABLES_SLOT	2
#define NESTED_USER_RW	0x7ull
#define NESTED_HUGE	0x80ull

enum stage {
	STAGE_L1 = 1,
	STAGE_L2,
	STAGE_L1_AGAIN,
};

static void l2_code(void)
{
	GUEST_SYNC(STAGE_L2);
	vmmcall();
}

/* Its guest has nested paging if @nested_cr3 is not 0. */
static void l1_code(struct svm_test_data *svm, uint64_t nested_cr3)
{
	unsigned long stack[256];

	GUEST_SYNC(STAGE_L1);
	generic_svm_setup(svm, l2_code, &stack[ARRAY_SIZE(stack)]);
	if (nested_cr3) {
		svm->vmcb->control.nested_ctl = SVM_NESTED_CTL_NP_ENABLE;
		svm->vmcb->control.nested_cr3 = nested_cr3;
	}
	run_guest(svm->vmcb, svm->vmcb_gpa);
	GUEST_SYNC(STAGE_L1_AGAIN);
}

/*
 * Nested page tables that map the first GiB to itself, in a memslot of their
 * own; returns their address.
 */
static uint64_t nested_tables(struct kvm_vm *vm)
{
	uint64_t gpas[3], *tables[3];
	int i;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, TABLES,
				    TABLES_SLOT, ARRAY_SIZE(tables), 0);
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		gpas[i] = TABLES + i * PAGE;
		tables[i] = addr_gpa2hva(vm, gpas[i]);
	}
	tables[0][0] = gpas[1] | NESTED_USER_RW;
	tables[1][0] = gpas[2] | NESTED_USER_RW;
	for (i = 0; i < 512; i++)
		tables[2][i] = i * SIZE_2M | NESTED_USER_RW | NESTED_HUGE;
	return gpas[0];
}

static struct kvm_vm *create_vm(struct kvm_vcpu **vcpu, void *guest_code)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, guest_code);

	vm_set_user_memory_region(vm, 1, 0, GPA, SIZE,
				  map_anonymous(SIZE, SIZE_2M));
	return vm;
}

/* A call that fails leaves the range as it was. */
static void expect_pre_fault(struct kvm_vcpu *vcpu, uint64_t gpa,
			     uint64_t size, int err, const char *when)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = size };

	EXPECT_ERRNO(__vcpu_pre_fault(vcpu, &range), err, "[%#lx, +%#lx), %s",
		     gpa, size, when);
	EXPECT_EQ(range.gpa, err ? gpa : gpa + size, "gpa, %s", when);
	EXPECT_EQ(range.size, err ? size : 0, "size, %s", when);
}

/* What is wrong with the range comes first, what is at it does not. */
static void test_shadow_paging(void)
{
	const struct {
		uint64_t gpa, size;
		int err;
	} cases[] = {
		{ GPA, SIZE, EOPNOTSUPP },
		{ GPA, PAGE, EOPNOTSUPP },
		{ 2 * GPA, PAGE, EOPNOTSUPP },
		{ GPA, 0, EINVAL },
		{ GPA + 1, PAGE, EINVAL },
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create_vm(&vcpu, NULL);
	int i;

	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_PRE_FAULT_MEMORY), 0,
		  "KVM_CAP_PRE_FAULT_MEMORY of a VM");
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		expect_pre_fault(vcpu, cases[i].gpa, cases[i].size,
				 cases[i].err, "shadow paging");
	kvm_vm_free(vm);
}

static void run_to(struct kvm_vcpu *vcpu, enum stage stage)
{
	struct ucall uc;
	uint64_t cmd;

	vcpu_run(vcpu);
	cmd = get_ucall(vcpu, &uc);
	TEST_ASSERT(cmd == UCALL_SYNC && uc.args[1] == stage,
		    "guest should stop at stage %d, exit %s, ucall %lu at %lu",
		    stage, exit_reason_str(vcpu->run->exit_reason), cmd,
		    uc.args[1]);
}

/* The guest does not use the range, so that each step has pages of its own. */
static void test_nested(bool nested_paging, int err, const char *what)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create_vm(&vcpu, l1_code);
	vm_vaddr_t svm;

	vcpu_alloc_svm(vm, &svm);
	vcpu_args_set(vcpu, 2, svm, nested_paging ? nested_tables(vm) : 0);

	run_to(vcpu, STAGE_L1);
	expect_pre_fault(vcpu, GPA, PAGE, 0, "before the nested guest");
	run_to(vcpu, STAGE_L2);
	expect_pre_fault(vcpu, GPA, PAGE, err, what);
	expect_pre_fault(vcpu, GPA + PAGE, 2 * PAGE, err, what);
	run_to(vcpu, STAGE_L1_AGAIN);
	expect_pre_fault(vcpu, GPA + 3 * PAGE, PAGE, 0,
			 "after the nested guest");
	kvm_vm_free(vm);
}

/* The vCPU is in a nested guest that no root can be made for any more. */
static void test_nested_tables_gone(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create_vm(&vcpu, l1_code);
	vm_vaddr_t svm;

	vcpu_alloc_svm(vm, &svm);
	vcpu_args_set(vcpu, 2, svm, nested_tables(vm));
	run_to(vcpu, STAGE_L1);
	run_to(vcpu, STAGE_L2);
	vm_mem_region_delete(vm, TABLES_SLOT);
	expect_pre_fault(vcpu, GPA, 2 * PAGE, EOPNOTSUPP,
			 "nested page tables that are gone");
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_VM_TYPES));

	if (!kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY)) {
		test_shadow_paging();
		note_skipped("nested guests: no two-dimensional paging");
		return test_verdict();
	}
	note_skipped("shadow paging: for kvm_amd.npt=0 and kvm_intel.ept=0");
	if (kvm_cpu_has(X86_FEATURE_SVM)) {
		test_nested(true, EOPNOTSUPP, "nested paging");
		test_nested_tables_gone();
		test_nested(false, 0, "a nested guest without nested paging");
	} else {
		note_skipped("nested guests: need SVM");
	}
	return test_verdict();
}
