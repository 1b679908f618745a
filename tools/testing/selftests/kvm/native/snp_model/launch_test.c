// SPDX-License-Identifier: GPL-2.0-only
/* LAUNCH_UPDATE and LAUNCH_FINISH, but for digest, CPUID and ID block. */
#include <string.h>

#include "host.h"
#include "snp_port.h"

#define GPA	0x100000000ULL

static void test_update(void)
{
	u64 spa;

	world_launching();
	spa = guest_page(GPA);
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(NORMAL, spa + 8));
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(NORMAL, spa),
	      .launch_update.page = SNPFW_PAGE_NORMAL << 1 | BIT(5));
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(NORMAL, spa),
	      .launch_update.rsvd = 1);
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(NORMAL, spa),
	      .launch_update.rsvd2 = 1);
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(NORMAL, spa),
	      .launch_update.rsvd3 = 1);
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(NORMAL, spa),
	      .launch_update.page = 0);
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(NORMAL, spa),
	      .launch_update.page = 7 << 1);
	/* States */
	fw_is(INVALID_PAGE_STATE, LAUNCH_UPDATE, UPDATE(NORMAL, any_page()));
	fw_is(INVALID_PAGE_STATE, LAUNCH_UPDATE, UPDATE(NORMAL, w.out));
	fw_is(INVALID_PAGE_STATE, LAUNCH_UPDATE, UPDATE(NORMAL, w.gctx));
	fw_is(INVALID_PAGE_STATE, LAUNCH_UPDATE, UPDATE(NORMAL, UNCOVERED));
}

static void test_update_page(void)
{
	struct snpfw_launch_update u;
	u64 spa, mutable, large;

	world_launching();
	spa = guest_page(GPA);
	mutable = any_page();
	give(mutable, GPA + PAGE(1), false, false);
	large = guest_region(GPA + SZ_2M);
	fw_is(INVALID_PAGE_STATE, LAUNCH_UPDATE, UPDATE(NORMAL, mutable));
	/* Sizes */
	u = (struct snpfw_launch_update) {
		.gctx = w.gctx, .spa = spa,
		.page = SNPFW_PAGE_NORMAL << 1 | SNPFW_UPDATE_2M,
	};
	fw_is(INVALID_PAGE_SIZE, LAUNCH_UPDATE, .launch_update = u);
	fw_is(INVALID_PAGE_SIZE, LAUNCH_UPDATE, UPDATE(NORMAL, large));
	fw_is(INVALID_PAGE_STATE, LAUNCH_UPDATE, UPDATE(NORMAL, large + PAGE(1)));
	for (u32 type = SNPFW_PAGE_VMSA; type <= SNPFW_PAGE_CPUID; type++) {
		if (type == SNPFW_PAGE_ZERO || type == SNPFW_PAGE_UNMEASURED)
			continue;
		fw_is(INVALID_PAGE_SIZE, LAUNCH_UPDATE, UPDATE(NORMAL, large),
		      .launch_update.page = type << 1 | SNPFW_UPDATE_2M);
	}
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(NORMAL, spa));
	state_is(spa, GUEST_VALID);
	fw_is(INVALID_PAGE_STATE, LAUNCH_UPDATE, UPDATE(NORMAL, spa));
	u.spa = large;
	fw_is(SUCCESS, LAUNCH_UPDATE, .launch_update = u);
	state_is(large, GUEST_VALID);
	expect(entry_of(large)->pagesize, "it is smashed");
}

static void test_update_guest(void)
{
	u64 spa;

	world_created();
	spa = guest_page(GPA);
	fw_is(INVALID_GUEST_STATE, LAUNCH_UPDATE, UPDATE(NORMAL, spa));
	launch_start(POLICY);
	fw_is(INACTIVE, LAUNCH_UPDATE, UPDATE(NORMAL, spa));
	fw_is(SUCCESS, ACTIVATE, .activate = { w.gctx, ASID + 1 });
	fw_is(INVALID_PAGE_OWNER, LAUNCH_UPDATE, UPDATE(NORMAL, spa));
	world_launching();
	spa = guest_page(GPA);
	fw_is(SUCCESS, LAUNCH_FINISH, .launch_finish = { .gctx = w.gctx });
	fw_is(INVALID_GUEST_STATE, LAUNCH_UPDATE, UPDATE(NORMAL, spa));
}

/* A failure in the middle leaves digest and page as they were. */
static void test_update_fails(void)
{
	u64 spa, large;

	world_launching();
	spa = guest_page(GPA);
	large = guest_region(GPA + SZ_2M);
	for (int i = 0; i < 2; i++) {
		machine.sha_fails = i;
		fw_is(HWERROR_PLATFORM, LAUNCH_UPDATE, UPDATE(NORMAL, spa));
	}
	machine.sha_fails = 700;
	fw_is(HWERROR_PLATFORM, LAUNCH_UPDATE, UPDATE(NORMAL, large),
	      .launch_update.page = SNPFW_PAGE_NORMAL << 1 | SNPFW_UPDATE_2M);
	machine.sha_fails = -1;
	machine.hole = large + PAGE(300);
	fw_is(INVALID_ADDRESS, LAUNCH_UPDATE, UPDATE(NORMAL, large),
	      .launch_update.page = SNPFW_PAGE_NORMAL << 1 | SNPFW_UPDATE_2M);
	machine.hole = spa;
	fw_is(INVALID_ADDRESS, LAUNCH_UPDATE, UPDATE(CPUID, spa));
	machine.hole = NOWHERE;
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(NORMAL, spa));
}

static void test_contents(void)
{
	u64 normal, zero, unmeasured, large;

	world_launching();
	normal = guest_page(GPA);
	zero = guest_page(GPA + PAGE(1));
	unmeasured = guest_page(GPA + PAGE(2));
	large = guest_region(GPA + SZ_2M);
	memset(machine_va(normal), 0x11, PAGE_SIZE);
	memset(machine_va(unmeasured), 0x22, PAGE_SIZE);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(NORMAL, normal));
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(ZERO, zero));
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(UNMEASURED, unmeasured));
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(ZERO, large),
	      .launch_update.page = SNPFW_PAGE_ZERO << 1 | SNPFW_UPDATE_2M);
	expect_eq(*(u8 *)machine_va(normal + 0xfff), 0x11);
	expect_eq(*(u8 *)machine_va(unmeasured + 0xfff), 0x22);
	expect(snpm_fw_is_zero(machine_va(zero), PAGE_SIZE), "4 KiB");
	expect(snpm_fw_is_zero(machine_va(large), SZ_2M), "2 MiB");
}

static void test_secrets(void)
{
	const struct snpfw_secrets *s;
	u32 regs[4];
	u64 spa;

	world_launching();
	spa = guest_page(GPA);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(SECRETS, spa));
	s = machine_va(spa);
	snpm_port_cpuid(1, 0, regs);
	expect_eq(s->version, SNPFW_SECRETS_VERSION);
	expect_eq(s->fms, regs[0]);
	expect_eq(s->gosvw[2], 3);
	expect(!memcmp(s->vmpck, gctx()->vmpck, sizeof(s->vmpck)), "keys");
	expect(!memcmp((u8 *)s + 0x20, gctx()->vmpck[0], 32), "VMPCK0");
	expect(snpm_fw_is_zero(s->os, PAGE_SIZE - offsetof(struct snpfw_secrets, os)),
	       "the rest is not zero");
}

static void test_vmsa(void)
{
	u64 spa, plain;
	u8 *va;

	world_launching();
	spa = guest_page(GPA);
	plain = guest_page(GPA + PAGE(1));
	va = machine_va(spa);
	memset(va, 0x33, PAGE_SIZE);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(VMSA, spa),
	      .launch_update.vmpl1_perms = SNPM_PERM_READ,
	      .launch_update.vmpl2_perms = SNPM_PERM_WRITE,
	      .launch_update.vmpl3_perms = SNPM_PERM_EXEC_USER);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(NORMAL, plain));
	expect(entry_of(spa)->vmsa && !entry_of(plain)->vmsa, "VMSA");
	expect_eq(entry_of(spa)->perms[0], SNPM_PERM_ALL);
	expect_eq(entry_of(spa)->perms[1], SNPM_PERM_READ);
	expect_eq(entry_of(spa)->perms[2], SNPM_PERM_WRITE);
	expect_eq(entry_of(spa)->perms[3], SNPM_PERM_EXEC_USER);
	for (u64 i = 0; i < PAGE_SIZE; i++)
		expect(va[i] == 0x33, "byte %llu is %#x", i, va[i]);
	expect_eq(snpm_vmrun(any_page(), spa, ASID).kind, SNPM_FAULT_NONE);
}

#define FINISH(...) .launch_finish = { .gctx = w.gctx, __VA_ARGS__ }

static void test_finish(void)
{
	world_created();
	fw_is(INVALID_GUEST_STATE, LAUNCH_FINISH, FINISH());
	launch_start(POLICY);
	fw_is(INACTIVE, LAUNCH_FINISH, FINISH());
	fw_is(SUCCESS, ACTIVATE, .activate = { w.gctx, ASID });
	fw_is(INVALID_PARAM, LAUNCH_FINISH, FINISH(.flags = BIT(3)));
	fw_is(INVALID_PARAM, LAUNCH_FINISH, FINISH(.flags = BIT_ULL(63)));
	fw_is(INVALID_PARAM, LAUNCH_FINISH, FINISH(.flags = SNPFW_FINISH_AUTHOR));
	fw_is(SUCCESS, LAUNCH_FINISH,
	      FINISH(.flags = SNPFW_FINISH_NO_VCEK, .host_data = { 7, 8 }));
	expect_eq(gctx()->state, SNPFW_GUEST_RUNNING);
	expect_eq(gctx()->host_data[1], 8);
	expect(gctx()->no_vcek && !gctx()->has_id_block, "flags");
	expect_eq(snpm_fw.asids[ASID], ASID_IN_USE);
	fw_is(INVALID_GUEST_STATE, LAUNCH_FINISH, FINISH());
}

/* What the host does when it takes everything back. */
static void test_teardown(void)
{
	u64 pages[4], large;

	world_launching();
	for (int i = 0; i < 4; i++)
		pages[i] = guest_page(GPA + PAGE(i));
	large = guest_region(GPA + SZ_2M);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(NORMAL, pages[0]));
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(VMSA, pages[1]));
	/* The others never got that far */
	for (int i = 2; i < 4; i++)
		fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = pages[i]);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = large | SNPFW_ADDR_2M);
	for (int i = 0; i < 4; i++)
		rmp_is(SUCCESS, pages[i]);
	rmp_is(SUCCESS, large, .pagesize = 1);
	fw_is(SUCCESS, DECOMMISSION, .addr.spa = w.gctx);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = w.gctx);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = w.out);
	rmp_is(SUCCESS, w.gctx);
	rmp_is(SUCCESS, w.out);
	expect_eq(snpm_count(SNPM_PAGE_HYPERVISOR), RMP_PAGES);
	df_flush();
	fw_is(SUCCESS, SHUTDOWN);
}

int main(void)
{
	const struct test tests[] = {
		{ "LAUNCH_UPDATE and its buffer", test_update },
		{ "LAUNCH_UPDATE and the page", test_update_page },
		{ "LAUNCH_UPDATE and the guest", test_update_guest },
		{ "LAUNCH_UPDATE that fails late", test_update_fails },
		{ "contents of pages", test_contents },
		{ "the secrets page", test_secrets },
		{ "a VMSA", test_vmsa },
		{ "LAUNCH_FINISH", test_finish },
		{ "a launch taken back", test_teardown },
	};

	return run_tests("launch", tests, ARRAY_SIZE(tests));
}
