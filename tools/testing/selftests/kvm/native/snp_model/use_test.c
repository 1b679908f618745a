// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's use of the RMP, arch/x86/virt/svm/rmp.c, on the model: what goes
 * through its operations, and what of the direct map is there meanwhile.
 */
#include <errno.h>
#include <string.h>

#include <asm/snp_host.h>

#include "host.h"
#include "kernel.h"

#define GPA		0x40000000ULL
#define PFN(spa)	((spa) >> PAGE_SHIFT)

static bool mapped[MEM_PAGES];
static bool no_memory;
static unsigned long relaxed;
static unsigned int direct_map_level = PG_LEVEL_2M;

void cpu_relax(void)
{
	relaxed++;
}

bool pfn_valid(unsigned long pfn)
{
	return pfn < MEM_PAGES;
}

/* The direct map is at address 0; from VMAP on all memory is mapped again. */
#define VMAP	(1UL << 40)

bool virt_addr_valid(unsigned long va)
{
	return va < PAGE(MEM_PAGES);
}

u64 phys_of(const void *va)
{
	return (uintptr_t)va;
}

pte_t *lookup_address(unsigned long address, unsigned int *level)
{
	static pte_t pte;

	if (address < VMAP)
		return NULL;
	address -= VMAP;
	*level = direct_map_level;
	pte.pfn = (address & page_level_mask(direct_map_level)) >> PAGE_SHIFT;
	pte.present = address < PAGE(MEM_PAGES);
	return &pte;
}

static u32 model_rmpupdate(u64 spa, const struct snp_rmp_state *state)
{
	struct snpm_rmp_state new;

	static_assert(sizeof(new) == sizeof(*state));
	memcpy(&new, state, sizeof(new));
	return snpm_rmpupdate(spa, &new);
}

/* As hardware has it: an entry for each page, that of 2 MiB at the first. */
static bool raw_entries;

static bool model_read(u64 pfn, struct snp_rmp_entry *to)
{
	enum snpm_page_state state;
	struct snpm_rmp_entry e;

	if (!snpm_lookup(PAGE(pfn), &e, &state))
		return false;
	if (raw_entries)
		e = *entry_of(PAGE(pfn));
	*to = (struct snp_rmp_entry) {
		.gpa = (u64)e.gfn << PAGE_SHIFT,
		.asid = e.asid,
		.assigned = e.assigned,
		.large = e.pagesize,
		.immutable = e.immutable,
		.vmsa = e.vmsa,
		.validated = e.validated,
	};
	memcpy(to->raw, &e, sizeof(to->raw));
	return true;
}

static void set_mapped(u64 pfn, enum pg_level level, bool is)
{
	for (int i = 0; i < (level == PG_LEVEL_2M ? 512 : 1); i++)
		mapped[pfn + i] = is;
}

static int model_before_assign(u64 pfn, enum pg_level level)
{
	if (no_memory)
		return -ENOMEM;
	set_mapped(pfn, level, false);
	return 0;
}

static void model_after_release(u64 pfn, enum pg_level level)
{
	set_mapped(pfn, level, true);
}

static const struct snp_rmp_ops model = {
	.rmpupdate = model_rmpupdate,
	.psmash = snpm_psmash,
	.read = model_read,
	.before_assign = model_before_assign,
	.after_release = model_after_release,
};

/* No page that the host cannot write is mapped, and no other is missing. */
static void check_direct_map(void)
{
	const char *broken = snpm_check_invariants();
	enum snpm_page_state state;
	struct snpm_rmp_entry e;

	expect(!broken, "%s", broken);
	for (u64 pfn = 0; pfn < MEM_PAGES; pfn++) {
		snpm_lookup(PAGE(pfn), &e, &state);
		expect(mapped[pfn] == !e.assigned, "page %llu is %s and %s", pfn,
		       snpm_state_name(state), mapped[pfn] ? "mapped" : "not");
	}
}

static void setup(void)
{
	platform_init();
	memset(mapped, true, sizeof(mapped));
	memset(kernel_log, 0, sizeof(kernel_log));
	expect_eq(snp_set_rmp_ops(&model), 0);
}

static int private(u64 spa, enum pg_level level)
{
	int ret = rmp_make_private(PFN(spa), GPA, level, ASID, false);

	check_direct_map();
	return -ret;
}

static int shared(u64 spa, enum pg_level level)
{
	int ret = rmp_make_shared(PFN(spa), level);

	check_direct_map();
	return -ret;
}

static void test_no_rmp(void)
{
	struct snp_rmp_ops other = { 0 };
	bool assigned;
	int level;

	platform_init();
	expect(!snp_rmp_enabled(), "enabled");
	expect_eq(-rmp_make_private(1, GPA, PG_LEVEL_4K, ASID, false), ENODEV);
	expect_eq(-rmp_make_shared(1, PG_LEVEL_4K), ENODEV);
	expect_eq(-psmash(512), ENODEV);
	expect_eq(-snp_lookup_rmpentry(1, &assigned, &level), ENODEV);
	snp_dump_hva_rmpentry(0);
	expect(!*kernel_log, "%s", kernel_log);
	expect_eq(snp_set_rmp_ops(&model), 0);
	expect_eq(-snp_set_rmp_ops(&other), EBUSY);
	expect_eq(-snp_set_rmp_ops(&model), EBUSY);
	snp_clear_rmp_ops(&other);
	expect(snp_rmp_enabled(), "not enabled");
	snp_clear_rmp_ops(&model);
	expect(!snp_rmp_enabled(), "enabled");
}

static void test_small(void)
{
	u64 spa;

	setup();
	spa = any_page();
	expect_eq(private(spa, PG_LEVEL_4K), 0);
	state_is(spa, GUEST_INVALID);
	expect_eq(entry_of(spa)->gfn, GPA >> PAGE_SHIFT);
	expect_eq(shared(spa, PG_LEVEL_4K), 0);
	state_is(spa, HYPERVISOR);
	/* The firmware's */
	expect_eq(rmp_make_private(PFN(spa), 0, PG_LEVEL_4K, 0, true), 0);
	state_is(spa, FIRMWARE);
	expect_eq(shared(spa, PG_LEVEL_4K), EFAULT);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = spa);
	expect_eq(shared(spa, PG_LEVEL_4K), 0);
}

static void test_large(void)
{
	u64 spa;

	setup();
	spa = any_region();
	expect_eq(private(spa, PG_LEVEL_2M), 0);
	state_is(spa + PAGE(511), GUEST_INVALID);
	expect_eq(shared(spa, PG_LEVEL_2M), 0);
	expect_eq(snpm_count(SNPM_PAGE_HYPERVISOR), RMP_PAGES);
}

static void test_einval(void)
{
	u64 spa;

	setup();
	spa = any_region();
	expect_eq(private(spa, PG_LEVEL_1G), EINVAL);
	expect_eq(private(spa, PG_LEVEL_NONE), EINVAL);
	expect_eq(private(spa + PAGE(1), PG_LEVEL_2M), EINVAL);
	expect_eq(private(NOWHERE, PG_LEVEL_4K), EINVAL);
	expect_eq(shared(spa, PG_LEVEL_1G), EINVAL);
	expect_eq(shared(spa + PAGE(1), PG_LEVEL_2M), EINVAL);
	expect_eq(shared(NOWHERE, PG_LEVEL_4K), EINVAL);
	expect_eq(-psmash(PFN(NOWHERE)), EINVAL);
	/* There, but not covered */
	expect_eq(private(UNCOVERED, PG_LEVEL_4K), EFAULT);
	expect(!*kernel_log, "%s", kernel_log);
}

/* The page and the direct map are as they were. */
static void test_failures(void)
{
	u64 spa, large;

	setup();
	spa = any_page();
	large = any_region();
	no_memory = true;
	expect_eq(private(spa, PG_LEVEL_4K), ENOMEM);
	state_is(spa, HYPERVISOR);
	no_memory = false;
	expect_eq(private(large + PAGE(3), PG_LEVEL_4K), 0);
	memset(kernel_log, 0, sizeof(kernel_log));
	expect_eq(-rmp_make_private(PFN(large), GPA, PG_LEVEL_2M, ASID, false),
		  EFAULT);
	expect(strstr(kernel_log, "failed: 4"), "%s", kernel_log);
	state_is(large, HYPERVISOR);
	state_is(large + PAGE(3), GUEST_INVALID);
	/* An assigned page that cannot be assigned anew */
	expect_eq(rmp_make_private(PFN(spa), GPA, PG_LEVEL_4K, ASID, true), 0);
	expect_eq(private(spa, PG_LEVEL_4K), EFAULT);
	state_is(spa, PRE_GUEST);
}

/* Taken back from between assigned ones; the host is to write it alone. */
static void test_part_of_large(void)
{
	u64 large;

	setup();
	large = any_region();
	expect_eq(private(large, PG_LEVEL_2M), 0);
	expect_eq(psmash(PFN(large)), 0);
	no_memory = true;
	expect_eq(shared(large + PAGE(5), PG_LEVEL_4K), ENOMEM);
	state_is(large + PAGE(5), GUEST_INVALID);
	no_memory = false;
	expect_eq(shared(large + PAGE(5), PG_LEVEL_4K), 0);
	state_is(large + PAGE(5), HYPERVISOR);
	state_is(large + PAGE(6), GUEST_INVALID);
}

static void fail_with(u32 skip, u32 times, u32 status)
{
	snpm_fail(SNPM_FAIL_RMPUPDATE, &(struct snpm_failure) {
		.skip = skip, .times = times, .status = status });
}

static void test_retry(void)
{
	u64 spa;

	setup();
	spa = any_page();
	fail_with(0, 50, SNPM_FAIL_OVERLAP);
	expect_eq(private(spa, PG_LEVEL_4K), 0);
	expect_eq(relaxed, 50);
	fail_with(0, 50, SNPM_FAIL_OVERLAP);
	expect_eq(shared(spa, PG_LEVEL_4K), 0);
	/* Not for ever */
	fail_with(0, ~0u, SNPM_FAIL_OVERLAP);
	expect_eq(private(spa, PG_LEVEL_4K), EFAULT);
	/* Nothing else is tried again */
	relaxed = 0;
	fail_with(0, 1, SNPM_FAIL_INUSE);
	expect_eq(private(spa, PG_LEVEL_4K), EFAULT);
	expect_eq(relaxed, 0);
	expect_eq(private(spa, PG_LEVEL_4K), 0);
	fail_with(0, 1, SNPM_FAIL_PERMISSION);
	expect_eq(shared(spa, PG_LEVEL_4K), EFAULT);
	expect_eq(shared(spa, PG_LEVEL_4K), 0);
}

static void lookup_is(u64 spa, bool assigned, int level)
{
	bool got_assigned;
	int got_level;

	expect_eq(snp_lookup_rmpentry(PFN(spa), &got_assigned, &got_level), 0);
	expect(got_assigned == assigned && got_level == level,
	       "%#llx: assigned %d, level %d", spa, got_assigned, got_level);
}

static void check_lookup(bool raw)
{
	bool assigned;
	u64 large;
	int level;

	raw_entries = raw;
	large = any_region();
	lookup_is(large, false, PG_LEVEL_4K);
	expect_eq(private(large, PG_LEVEL_2M), 0);
	lookup_is(large, true, PG_LEVEL_2M);
	lookup_is(large + PAGE(511), true, PG_LEVEL_2M);
	expect_eq(snp_rmp_asid(PFN(large) + 511), ASID);
	expect_eq(psmash(PFN(large) + 100), 0);
	lookup_is(large + PAGE(511), true, PG_LEVEL_4K);
	expect_eq(shared(large + PAGE(5), PG_LEVEL_4K), 0);
	lookup_is(large + PAGE(5), false, PG_LEVEL_4K);
	expect_eq(snp_rmp_asid(PFN(large) + 5), 0);
	expect_eq(snp_rmp_asid(PFN(large) + 6), ASID);
	expect_eq(-snp_lookup_rmpentry(PFN(UNCOVERED), &assigned, &level), EFAULT);
}

static void test_lookup(void)
{
	setup();
	check_lookup(false);
	check_lookup(true);
}

static void test_psmash(void)
{
	u64 large;

	setup();
	large = any_region();
	expect_eq(private(large, PG_LEVEL_2M), 0);
	snpm_fail(SNPM_FAIL_PSMASH, &(struct snpm_failure) {
		.times = 1, .status = SNPM_FAIL_INUSE });
	expect_eq(psmash(PFN(large)), PSMASH_FAIL_INUSE);
	expect_eq(psmash(PFN(large)), 0);
	expect_eq(psmash(PFN(large)), SNPM_FAIL_BADADDR);
	check_direct_map();
}

static void said(const char *what)
{
	expect(strstr(kernel_log, what), "not '%s' in: %s", what, kernel_log);
}

static void test_dump(void)
{
	u64 large, spa;

	setup();
	raw_entries = true;
	large = any_region();
	spa = any_page();
	expect_eq(private(large, PG_LEVEL_2M), 0);
	entry_of(large)->validated = 1;
	entry_of(large)->vmsa = 1;
	entry_of(large)->immutable = 1;
	snp_dump_rmpentry(PFN(large) + 9);
	said("pfn 0x209: assigned 2M ASID 5 GPA 0x40000000 immutable validated VMSA");
	snp_dump_rmpentry(PFN(spa));
	said("shared 4K ASID 0");
	snp_dump_rmpentry(PFN(UNCOVERED));
	said("has no RMP entry");
	memset(kernel_log, 0, sizeof(kernel_log));
	snp_dump_hva_rmpentry(large + PAGE(0x76) + 5);
	said("pfn 0x276: assigned 2M");
	/* Also through a large mapping */
	snp_dump_hva_rmpentry(VMAP + large + PAGE(0x77) + 5);
	said("pfn 0x277: assigned 2M");
	direct_map_level = PG_LEVEL_4K;
	snp_dump_hva_rmpentry(VMAP + large + PAGE(0x78) + 5);
	said("pfn 0x278: assigned 2M");
	snp_dump_hva_rmpentry(VMAP + NOWHERE);
	said("is not mapped");
	memset(kernel_log, 0, sizeof(kernel_log));
	snp_dump_hva_rmpentry(2 * PAGE(MEM_PAGES));
	said("is not mapped");
}

static void test_hva(void)
{
	u64 large, spa;

	setup();
	raw_entries = true;
	large = any_region();
	spa = any_page();
	expect(!snp_is_hva_assigned(spa), "shared");
	expect_eq(private(large, PG_LEVEL_2M), 0);
	expect(snp_is_hva_assigned(large + PAGE(9) + 5), "of 2 MiB");
	expect_eq(private(spa, PG_LEVEL_4K), 0);
	expect(snp_is_hva_assigned(spa), "of 4 KiB");
	expect(!snp_is_hva_assigned(VMAP + spa), "not in the direct map");
	expect(!snp_is_hva_assigned(UNCOVERED), "without an entry");
	expect(!snp_is_hva_assigned(NOWHERE), "nowhere");
}

static void test_leak(void)
{
	setup();
	expect_eq(snp_nr_leaked_pages(), 0);
	snp_leak_pages(3, 2);
	snp_leak_pages(512, 512);
	expect_eq(snp_nr_leaked_pages(), 514);
	said("512 pages from pfn 0x200 on are lost, 514 in all");
}

int main(void)
{
	const struct test tests[] = {
		{ "without an RMP", test_no_rmp },
		{ "4 KiB", test_small },
		{ "2 MiB", test_large },
		{ "pages that are none", test_einval },
		{ "failures", test_failures },
		{ "a page of a large one", test_part_of_large },
		{ "retries", test_retry },
		{ "lookup", test_lookup },
		{ "psmash()", test_psmash },
		{ "dumps", test_dump },
		{ "addresses of assigned pages", test_hva },
		{ "pages that are lost", test_leak },
	};

	return run_tests("use", tests, ARRAY_SIZE(tests));
}
