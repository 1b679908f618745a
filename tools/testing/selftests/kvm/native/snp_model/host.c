// SPDX-License-Identifier: GPL-2.0-only
/* A host for tests: commands and instructions, checked, and a guest. */
#include <string.h>

#include "host.h"

struct world w;

#define COMMAND_SPA	0ULL

static u64 next_page, next_region;

u32 fw(u32 id, const union snpfw_buffer *b)
{
	u32 ret;

	memcpy(machine_va(COMMAND_SPA), b, sizeof(*b));
	ret = snpm_command(id, COMMAND_SPA);
	expect(!machine.mapped, "%#x leaves %d pages mapped", id, machine.mapped);
	expect(!machine.fw_locked && !machine.rmp_locked,
	       "%#x leaves a lock taken", id);
	return ret;
}

static void check_after(const char *file, int line, const char *name,
			bool unchanged)
{
	const char *broken = snpm_check_invariants();

	if (broken)
		printf("%s:%d: after %s: %s\n", file, line, name, broken);
	if (unchanged && !machine_is_saved()) {
		printf("%s:%d: %s failed, but changed something\n", file, line,
		       name);
		machine_fail();
	}
	if (broken)
		machine_fail();
}

void fw_expect(const char *file, int line, u32 status, u32 id,
	       const char *name, const union snpfw_buffer *b, bool unchanged)
{
	u32 ret;

	memcpy(machine_va(COMMAND_SPA), b, sizeof(*b));
	machine_save();
	ret = fw(id, b);
	if (ret != status) {
		printf("%s:%d: %s is %#x, should be %#x\n", file, line, name,
		       ret, status);
		machine_fail();
	}
	check_after(file, line, name, unchanged && status);
}

void rmp_expect(const char *file, int line, u32 result, u64 spa,
		const struct snpm_rmp_state *new)
{
	u32 ret;

	machine_save();
	ret = snpm_rmpupdate(spa, new);
	if (ret != result) {
		printf("%s:%d: RMPUPDATE of %#llx is %u, should be %u\n", file,
		       line, spa, ret, result);
		machine_fail();
	}
	check_after(file, line, "RMPUPDATE", result);
}

void psmash_expect(const char *file, int line, u32 result, u64 spa)
{
	u32 ret;

	machine_save();
	ret = snpm_psmash(spa);
	if (ret != result) {
		printf("%s:%d: PSMASH of %#llx is %u, should be %u\n", file,
		       line, spa, ret, result);
		machine_fail();
	}
	check_after(file, line, "PSMASH", result);
}

u64 any_page(void)
{
	expect(next_page < SNPM_2M_PAGES, "out of pages");
	return PAGE(next_page++);
}

u64 any_region(void)
{
	expect(next_region < RMP_PAGES / SNPM_2M_PAGES, "out of regions");
	return next_region++ * SZ_2M;
}

void give(u64 spa, u64 gpa, bool large, bool immutable)
{
	rmp_is(SUCCESS, spa, .gpa = gpa, .assigned = 1, .asid = ASID,
	       .pagesize = large, .immutable = immutable);
}

u64 guest_page(u64 gpa)
{
	u64 spa = any_page();

	give(spa, gpa, false, true);
	return spa;
}

u64 guest_region(u64 gpa)
{
	u64 spa = any_region();

	give(spa, gpa, true, true);
	return spa;
}

u64 firmware_page(void)
{
	u64 spa = any_page();

	rmp_is(SUCCESS, spa, .assigned = 1, .immutable = 1);
	return spa;
}

struct snpm_rmp_entry *entry_of(u64 spa)
{
	return machine.rmp + (spa >> PAGE_SHIFT);
}

enum snpm_page_state state_of(u64 spa)
{
	struct snpm_rmp_entry e;
	enum snpm_page_state state;

	snpm_lookup(spa, &e, &state);
	return state;
}

void df_flush(void)
{
	snpm_wbinvd();
	fw_is(SUCCESS, DF_FLUSH);
}

static void init(const struct snpm_config *config)
{
	machine_init(config);
	next_page = 1;
	next_region = 1;
}

void platform_init(void)
{
	init(&default_config);
	fw_is(SUCCESS, INIT);
	df_flush();
}

void world_created(void)
{
	platform_init();
	w.gctx = firmware_page();
	w.out = firmware_page();
	fw_is(SUCCESS, GCTX_CREATE, .addr.spa = w.gctx);
}

void launch_start(u64 policy)
{
	fw_is(SUCCESS, LAUNCH_START, .launch_start = {
		.gctx = w.gctx, .policy = policy,
		.gosvw = { 1, 2, 3 },
	});
}

void world_launching(void)
{
	world_created();
	launch_start(POLICY);
	fw_is(SUCCESS, ACTIVATE, .activate = { w.gctx, ASID });
}

void world_running(void)
{
	world_launching();
	fw_is(SUCCESS, LAUNCH_FINISH, .launch_finish = { .gctx = w.gctx });
}

struct snpm_gctx *gctx(void)
{
	return machine_va(w.gctx);
}
