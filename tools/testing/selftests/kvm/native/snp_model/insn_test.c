// SPDX-License-Identifier: GPL-2.0-only
/* PVALIDATE and RMPADJUST. */
#include <string.h>

#include "host.h"

#define GPA		0x40000000ULL
#define NPF		(SNPM_ERROR_RMP | SNPM_ERROR_ENC)

static u64 small, large;

/* A valid instruction for each of them. */
static struct snpm_guest_insn on_small(u64 rdx)
{
	return (struct snpm_guest_insn) {
		.gpa = GPA, .spa = small, .asid = ASID, .rdx = rdx,
	};
}

static struct snpm_guest_insn on_large(u64 rdx)
{
	return (struct snpm_guest_insn) {
		.gpa = GPA + SZ_2M, .spa = large, .nested = SNPM_2M,
		.asid = ASID, .rcx = 1, .rdx = rdx,
	};
}

static void setup(void)
{
	platform_init();
	small = any_page();
	large = any_region();
	give(small, GPA, false, false);
	give(large, GPA + SZ_2M, true, false);
}

typedef struct snpm_guest_result insn_fn(const struct snpm_guest_insn *i);

/* What comes out, and that nothing changes unless it is a success. */
static void insn_is(int line, insn_fn *fn, struct snpm_guest_insn i, u32 eax,
		    bool carry)
{
	struct snpm_guest_result r;
	const char *broken;

	machine_save();
	r = fn(&i);
	expect(r.fault.kind == SNPM_FAULT_NONE && r.eax == eax &&
	       r.carry == carry,
	       "line %d: fault %u (%#llx), EAX %u, CF %d, should be EAX %u, CF %d",
	       line, r.fault.kind, r.fault.error, r.eax, r.carry, eax, carry);
	expect(!(eax || carry) || machine_is_saved(),
	       "line %d: it changed something", line);
	broken = snpm_check_invariants();
	expect(!broken, "line %d: %s", line, broken);
}

static void fault_is(int line, insn_fn *fn, struct snpm_guest_insn i,
		     enum snpm_fault_kind kind, u64 error)
{
	struct snpm_guest_result r;

	machine_save();
	r = fn(&i);
	expect(r.fault.kind == kind && r.fault.error == error,
	       "line %d: fault %u (%#llx), EAX %u, should be %u (%#llx)", line,
	       r.fault.kind, r.fault.error, r.eax, kind, error);
	expect(machine_is_saved(), "line %d: it changed something", line);
}

#define pvalidate_is(eax, carry, ...) \
	insn_is(__LINE__, snpm_pvalidate, __VA_ARGS__, eax, carry)
#define rmpadjust_is(eax, ...) \
	insn_is(__LINE__, snpm_rmpadjust, __VA_ARGS__, eax, false)
#define pvalidate_faults(kind, error, ...) \
	fault_is(__LINE__, snpm_pvalidate, __VA_ARGS__, kind, error)
#define rmpadjust_faults(kind, error, ...) \
	fault_is(__LINE__, snpm_rmpadjust, __VA_ARGS__, kind, error)

static void test_pvalidate(void)
{
	setup();
	pvalidate_is(SNPM_SUCCESS, true, on_small(0));
	pvalidate_is(SNPM_SUCCESS, false, on_small(1));
	state_is(small, GUEST_VALID);
	pvalidate_is(SNPM_SUCCESS, true, on_small(1));
	pvalidate_is(SNPM_SUCCESS, true, on_small(~0ULL));
	pvalidate_is(SNPM_SUCCESS, false, on_small(0));
	state_is(small, GUEST_INVALID);
	pvalidate_is(SNPM_SUCCESS, false, on_large(1));
	state_is(large, GUEST_VALID);
	expect_eq(snpm_count(SNPM_PAGE_GUEST_VALID), 512);
	pvalidate_is(SNPM_SUCCESS, true, on_large(1));
	pvalidate_is(SNPM_SUCCESS, false, on_large(0));
}

/* The operand's size, and what both instructions make of it. */
static void check_operand(insn_fn *fn, u64 rdx)
{
	struct snpm_guest_insn i;

	i = on_small(rdx);
	i.rcx = 2;
	insn_is(__LINE__, fn, i, SNPM_FAIL_INPUT, false);
	i = on_large(rdx);
	i.gpa += PAGE(1);
	insn_is(__LINE__, fn, i, SNPM_FAIL_INPUT, false);
	/* 2 MiB asked for, 4 KiB in the RMP or in the nested tables */
	i = on_small(rdx);
	i.rcx = 1;
	insn_is(__LINE__, fn, i, SNPM_FAIL_SIZEMISMATCH, false);
	i = on_large(rdx);
	i.nested = SNPM_4K;
	insn_is(__LINE__, fn, i, SNPM_FAIL_SIZEMISMATCH, false);
	/* 4 KiB asked for, 2 MiB in the RMP */
	i = on_large(rdx);
	i.rcx = 0;
	fault_is(__LINE__, fn, i, SNPM_FAULT_NPF, NPF | SNPM_ERROR_SIZEM);
	i.gpa += PAGE(9);
	i.spa += PAGE(9);
	fault_is(__LINE__, fn, i, SNPM_FAULT_NPF, NPF | SNPM_ERROR_SIZEM);
	/* A large nested mapping of small pages */
	i = on_small(rdx);
	i.nested = SNPM_2M;
	fault_is(__LINE__, fn, i, SNPM_FAULT_NPF, NPF);
}

/* The page is not the guest's, or not where it says. */
static void check_owner(insn_fn *fn, u64 rdx)
{
	struct snpm_guest_insn i;
	u64 free, fixed;

	free = any_page();
	fixed = guest_page(GPA + PAGE(4));
	i = on_small(rdx);
	i.asid++;
	fault_is(__LINE__, fn, i, SNPM_FAULT_NPF, NPF);
	i = on_small(rdx);
	i.gpa += PAGE(1);
	fault_is(__LINE__, fn, i, SNPM_FAULT_NPF, NPF);
	i = on_large(rdx);
	i.gpa += SZ_2M;
	fault_is(__LINE__, fn, i, SNPM_FAULT_NPF, NPF);
	i = on_small(rdx);
	i.spa = free;
	fault_is(__LINE__, fn, i, SNPM_FAULT_NPF, NPF);
	i.asid = 0;
	fault_is(__LINE__, fn, i, SNPM_FAULT_NPF, NPF);
	i = on_small(rdx);
	i.spa = UNCOVERED;
	fault_is(__LINE__, fn, i, SNPM_FAULT_NPF, NPF);
	/* Immutable */
	i = on_small(rdx);
	i.spa = fixed;
	i.gpa = GPA + PAGE(4);
	fault_is(__LINE__, fn, i, SNPM_FAULT_NPF, NPF);
}

static void test_pvalidate_operand(void)
{
	struct snpm_guest_insn i;

	setup();
	check_operand(snpm_pvalidate, 1);
	check_owner(snpm_pvalidate, 1);
	i = on_small(1);
	i.vmpl = 1;
	pvalidate_faults(SNPM_FAULT_GP, 0, i);
}

#define ADJUST(vmpl, perms)	((perms) << 8 | (vmpl))
#define RW			(SNPM_PERM_READ | SNPM_PERM_WRITE)

static void validate(void)
{
	pvalidate_is(SNPM_SUCCESS, false, on_small(1));
	pvalidate_is(SNPM_SUCCESS, false, on_large(1));
}

static void test_rmpadjust(void)
{
	struct snpm_guest_insn i;

	setup();
	rmpadjust_faults(SNPM_FAULT_VC, SNPM_VC_NOT_VALIDATED,
			 on_small(ADJUST(1, RW)));
	validate();
	rmpadjust_is(SNPM_SUCCESS, on_small(ADJUST(1, RW)));
	expect_eq(entry_of(small)->perms[1], RW);
	rmpadjust_is(SNPM_SUCCESS, on_large(ADJUST(3, SNPM_PERM_ALL)));
	expect_eq(entry_of(large)->perms[3], SNPM_PERM_ALL);
	rmpadjust_is(SNPM_FAIL_INPUT, on_small(ADJUST(4, RW)));
	rmpadjust_is(SNPM_FAIL_INPUT, on_small(ADJUST(1, 0x20)));
	rmpadjust_is(SNPM_FAIL_INPUT, on_large(ADJUST(1, RW) | SNPM_ADJUST_VMSA));
	/* Not oneself, nobody above, and no more than one has */
	rmpadjust_is(SNPM_FAIL_PERMISSION, on_small(ADJUST(0, RW)));
	i = on_small(ADJUST(1, RW));
	i.vmpl = 1;
	rmpadjust_is(SNPM_FAIL_PERMISSION, i);
	i.rdx = ADJUST(2, RW | SNPM_PERM_EXEC_USER);
	rmpadjust_is(SNPM_FAIL_PERMISSION, i);
	i.rdx = ADJUST(2, SNPM_PERM_READ);
	rmpadjust_is(SNPM_SUCCESS, i);
	expect_eq(entry_of(small)->perms[2], SNPM_PERM_READ);
	i.vmpl = SNPM_NR_VMPL;
	rmpadjust_is(SNPM_FAIL_INPUT, i);
}

static void test_rmpadjust_operand(void)
{
	setup();
	validate();
	check_operand(snpm_rmpadjust, ADJUST(1, RW));
	check_owner(snpm_rmpadjust, ADJUST(1, RW));
}

static void test_vmsa(void)
{
	struct snpm_guest_insn i;

	setup();
	validate();
	rmpadjust_is(SNPM_SUCCESS, on_small(ADJUST(1, RW) | SNPM_ADJUST_VMSA));
	expect(entry_of(small)->vmsa, "no VMSA");
	/* Only VMPL0 decides about that */
	i = on_small(ADJUST(2, SNPM_PERM_READ));
	i.vmpl = 1;
	rmpadjust_is(SNPM_SUCCESS, i);
	expect(entry_of(small)->vmsa, "no VMSA");
	expect(snpm_vmrun(any_page(), small, ASID).kind == SNPM_FAULT_NONE,
	       "it does not run");
	rmpadjust_is(SNPM_FAIL_INUSE, on_small(ADJUST(1, 0)));
	snpm_vmexit(PAGE(1), small);
	rmpadjust_is(SNPM_SUCCESS, on_small(ADJUST(1, 0)));
	expect(!entry_of(small)->vmsa, "a VMSA");
}

int main(void)
{
	const struct test tests[] = {
		{ "PVALIDATE", test_pvalidate },
		{ "the operand of PVALIDATE", test_pvalidate_operand },
		{ "RMPADJUST", test_rmpadjust },
		{ "the operand of RMPADJUST", test_rmpadjust_operand },
		{ "RMPADJUST and VMSAs", test_vmsa },
	};

	return run_tests("insn", tests, ARRAY_SIZE(tests));
}
