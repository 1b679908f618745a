// SPDX-License-Identifier: GPL-2.0-only
/* The RMP's checks of accesses and of VMRUN. */
#include "host.h"

#define GPA	0x40000000ULL
#define ENC	(SNPM_ERROR_RMP | SNPM_ERROR_ENC)

/* A valid and an invalid page of the guest, its 2 MiB, one of nobody. */
static u64 valid, invalid, large, shared;

static void setup(void)
{
	platform_init();
	valid = any_page();
	invalid = any_page();
	shared = any_page();
	large = any_region();
	give(valid, GPA, false, false);
	give(invalid, GPA + PAGE(1), false, false);
	give(large, GPA + SZ_2M, true, false);
	snpm_pvalidate(&(struct snpm_guest_insn) {
		.gpa = GPA, .spa = valid, .asid = ASID, .rdx = 1 });
	snpm_pvalidate(&(struct snpm_guest_insn) {
		.gpa = GPA + SZ_2M, .spa = large, .nested = SNPM_2M,
		.asid = ASID, .rcx = 1, .rdx = 1 });
	state_is(valid, GUEST_VALID);
	state_is(large, GUEST_VALID);
}

#define access_is(kind_, error_, ...)					\
	access_expect(__LINE__, SNPM_FAULT_##kind_, error_,		\
		      &(struct snpm_access) { __VA_ARGS__ })

static void access_expect(int line, enum snpm_fault_kind kind, u64 error,
			  const struct snpm_access *a)
{
	struct snpm_fault f;

	machine_save();
	f = snpm_check(a);
	expect(f.kind == kind && f.error == error,
	       "line %d: fault %u (%#llx), should be %u (%#llx)", line, f.kind,
	       f.error, kind, error);
	expect(machine_is_saved(), "line %d: it changed something", line);
}

static void test_host(void)
{
	const enum snpm_accessor who[] = { SNPM_HOST, SNPM_GUEST };

	setup();
	access_is(NONE, 0, .type = SNPM_WRITE, .spa = shared);
	access_is(NONE, 0, .type = SNPM_WRITE, .spa = UNCOVERED);
	access_is(NONE, 0, .type = SNPM_WRITE, .spa = NOWHERE);
	access_is(PF, SNPM_ERROR_RMP, .type = SNPM_WRITE, .spa = valid);
	access_is(PF, SNPM_ERROR_RMP, .type = SNPM_WALK, .spa = valid);
	access_is(PF, SNPM_ERROR_RMP, .type = SNPM_WRITE,
		  .spa = large + PAGE(200) + 8);
	/* One page of the mapping suffices */
	access_is(PF, SNPM_ERROR_RMP, .type = SNPM_WRITE, .size = SNPM_2M,
		  .spa = shared);
	access_is(PF, SNPM_ERROR_RMP, .type = SNPM_WRITE, .size = SNPM_1G,
		  .spa = shared);
	access_is(NONE, 0, .type = SNPM_WRITE, .size = SNPM_2M,
		  .spa = large + SZ_2M);
	for (unsigned int i = 0; i < ARRAY_SIZE(who); i++) {
		access_is(NONE, 0, .who = who[i], .type = SNPM_READ, .spa = valid);
		access_is(NONE, 0, .who = who[i], .type = SNPM_FETCH, .spa = valid);
	}
	access_is(NPF, SNPM_ERROR_RMP, .who = SNPM_GUEST, .type = SNPM_WRITE,
		  .spa = valid);
	access_is(NPF, SNPM_ERROR_RMP, .who = SNPM_GUEST, .type = SNPM_WALK,
		  .spa = valid);
	access_is(NONE, 0, .who = SNPM_GUEST, .type = SNPM_WRITE, .spa = shared);
}

#define GUEST(type_, spa_, gpa_)					\
	.who = SNPM_SNP_GUEST, .type = type_, .spa = spa_, .gpa = gpa_,	\
	.asid = ASID

static void test_shared(void)
{
	setup();
	access_is(NONE, 0, GUEST(SNPM_WRITE, shared, GPA));
	access_is(NONE, 0, GUEST(SNPM_READ, shared, GPA));
	/* Ciphertext may be read */
	access_is(NONE, 0, GUEST(SNPM_READ, valid, GPA));
	access_is(NPF, SNPM_ERROR_RMP, GUEST(SNPM_WRITE, valid, GPA));
}

static void test_private(void)
{
	const enum snpm_access_type types[] = {
		SNPM_READ, SNPM_WRITE, SNPM_FETCH, SNPM_WALK,
	};

	setup();
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		enum snpm_access_type t = types[i];

		access_is(NONE, 0, GUEST(t, valid + 8, GPA + 8), .encrypted = true);
		access_is(NONE, 0, GUEST(t, large + PAGE(3), GPA + SZ_2M + PAGE(3)),
			  .encrypted = true, .size = SNPM_2M);
		access_is(NONE, 0, GUEST(t, large + PAGE(3), GPA + SZ_2M + PAGE(3)),
			  .encrypted = true, .size = SNPM_1G);
		/* Covered, the guest's, there, mutable, of that size */
		access_is(NPF, ENC, GUEST(t, UNCOVERED, GPA), .encrypted = true);
		access_is(NPF, ENC, GUEST(t, shared, GPA), .encrypted = true);
		access_is(NPF, ENC, GUEST(t, valid, GPA + PAGE(1)),
			  .encrypted = true);
		access_is(NPF, ENC, GUEST(t, large, GPA + SZ_2M + PAGE(1)),
			  .encrypted = true, .size = SNPM_2M);
		access_is(NPF, ENC, GUEST(t, valid, GPA), .encrypted = true,
			  .size = SNPM_2M);
		access_is(NPF, ENC, GUEST(t, large, GPA + SZ_2M),
			  .encrypted = true);
		/* Valid, after all that */
		access_is(VC, SNPM_VC_NOT_VALIDATED,
			  GUEST(t, invalid, GPA + PAGE(1)), .encrypted = true);
		access_is(NPF, ENC, GUEST(t, invalid, GPA + PAGE(1)),
			  .encrypted = true, .size = SNPM_2M);
		/* And only then VMPL */
		access_is(NPF, ENC | SNPM_ERROR_VMPL, GUEST(t, valid, GPA),
			  .encrypted = true, .vmpl = 1);
		access_is(VC, SNPM_VC_NOT_VALIDATED,
			  GUEST(t, invalid, GPA + PAGE(1)), .encrypted = true,
			  .vmpl = 1);
		access_is(NPF, ENC | SNPM_ERROR_VMPL, GUEST(t, valid, GPA),
			  .encrypted = true, .vmpl = SNPM_NR_VMPL);
	}
	/* Another guest's */
	access_is(NPF, ENC, .who = SNPM_SNP_GUEST, .spa = valid, .gpa = GPA,
		  .asid = ASID + 1, .encrypted = true);
	access_is(NPF, ENC, .who = SNPM_SNP_GUEST, .spa = shared, .gpa = 0,
		  .encrypted = true);
	/* Immutable */
	give(valid, GPA, false, true);
	access_is(NPF, ENC, GUEST(SNPM_READ, valid, GPA), .encrypted = true);
}

/* Fetches and walks are private whatever the guest's page tables say. */
static void test_implied(void)
{
	setup();
	access_is(NONE, 0, GUEST(SNPM_FETCH, valid, GPA));
	access_is(NONE, 0, GUEST(SNPM_WALK, valid, GPA));
	access_is(NPF, ENC, GUEST(SNPM_FETCH, shared, GPA));
	access_is(NPF, ENC, GUEST(SNPM_WALK, shared, GPA));
}

static void test_perms(void)
{
	static const struct {
		u8 perms;
		bool read, write, user, super;
	} cases[] = {
		{ 0 },
		{ SNPM_PERM_READ, .read = true },
		{ SNPM_PERM_WRITE },
		{ SNPM_PERM_READ | SNPM_PERM_WRITE, .read = true, .write = true },
		{ SNPM_PERM_EXEC_USER, .user = true },
		{ SNPM_PERM_EXEC_SUPER, .super = true },
		{ SNPM_PERM_ALL, true, true, true, true },
	};
	struct snpm_access a = { GUEST(SNPM_READ, 0, GPA), .encrypted = true,
				 .vmpl = 2 };

	setup();
	a.spa = valid;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		entry_of(valid)->perms[2] = cases[i].perms;
		a.type = SNPM_READ;
		expect_eq(!snpm_check(&a).kind, cases[i].read);
		a.type = SNPM_WRITE;
		expect_eq(!snpm_check(&a).kind, cases[i].write);
		a.type = SNPM_WALK;
		expect_eq(!snpm_check(&a).kind, cases[i].write);
		a.type = SNPM_FETCH;
		expect_eq(!snpm_check(&a).kind, cases[i].super);
		a.user = true;
		expect_eq(!snpm_check(&a).kind, cases[i].user);
		a.user = false;
	}
}

static void vmrun_is(enum snpm_fault_kind kind, u64 vmcb, u64 vmsa, u32 asid)
{
	struct snpm_fault f;

	machine_save();
	f = snpm_vmrun(vmcb, vmsa, asid);
	expect(f.kind == kind, "fault %u, should be %u", f.kind, kind);
	expect(!kind || machine_is_saved(), "it changed something");
}

static void test_vmrun(void)
{
	u64 vmcb, vmsa;

	setup();
	vmcb = any_page();
	vmsa = valid;
	vmrun_is(SNPM_FAULT_VMEXIT_INVALID, vmcb, vmsa, ASID);
	entry_of(vmsa)->vmsa = 1;
	vmrun_is(SNPM_FAULT_GP, invalid, vmsa, ASID);
	vmrun_is(SNPM_FAULT_VMEXIT_INVALID, vmcb, UNCOVERED, ASID);
	vmrun_is(SNPM_FAULT_VMEXIT_INVALID, vmcb, shared, ASID);
	vmrun_is(SNPM_FAULT_VMEXIT_INVALID, vmcb, vmsa, ASID + 1);
	vmrun_is(SNPM_FAULT_VMEXIT_INVALID, vmcb, shared, 0);
	entry_of(vmsa)->immutable = 1;
	vmrun_is(SNPM_FAULT_VMEXIT_INVALID, vmcb, vmsa, ASID);
	entry_of(vmsa)->immutable = 0;
	vmrun_is(SNPM_FAULT_NONE, vmcb, vmsa, ASID);
	rmp_is(FAIL_INUSE, vmcb, .assigned = 1, .asid = ASID);
	rmp_is(FAIL_INUSE, vmsa);
	vmrun_is(SNPM_FAULT_VMEXIT_INVALID, shared, vmsa, ASID);
	vmrun_is(SNPM_FAULT_GP, vmcb, vmsa, ASID);
	snpm_vmexit(vmcb, vmsa);
	vmrun_is(SNPM_FAULT_NONE, UNCOVERED, vmsa, ASID);
	snpm_vmexit(UNCOVERED, vmsa);
	rmp_is(SUCCESS, vmsa);
	rmp_is(SUCCESS, vmcb, .assigned = 1, .asid = ASID);
}

int main(void)
{
	const struct test tests[] = {
		{ "of the host and of other guests", test_host },
		{ "to shared memory", test_shared },
		{ "to private memory", test_private },
		{ "that are always private", test_implied },
		{ "VMPL permissions", test_perms },
		{ "VMRUN", test_vmrun },
	};

	return run_tests("access", tests, ARRAY_SIZE(tests));
}
