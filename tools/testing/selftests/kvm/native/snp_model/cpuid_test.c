// SPDX-License-Identifier: GPL-2.0-only
/* The check of a CPUID page, and the table that comes back. */
#include <string.h>

#include "host.h"
#include "snp_port.h"

#define GPA	0x100000000ULL

enum { EAX, EBX, ECX, EDX };

static u64 spa;
static struct snpfw_cpuid_page *page;

static void setup(void)
{
	world_launching();
	spa = guest_page(GPA);
	page = machine_va(spa);
	memset(page, 0, PAGE_SIZE);
}

static struct snpfw_cpuid_fn *add(u32 function, u32 index)
{
	struct snpfw_cpuid_fn *fn = &page->fn[page->count++];

	fn->eax_in = function;
	fn->ecx_in = index;
	snpm_port_cpuid(function, index, fn->out);
	return fn;
}

static void test_good(void)
{
	const u32 functions[] = {
		0, 1, 2, 7, 0xb, 0xd, 0x80000000, 0x80000001, 0x80000007,
		0x80000008, 0x8000000a, 0x8000001f, 0x40000000,
	};

	setup();
	for (unsigned int i = 0; i < ARRAY_SIZE(functions); i++)
		add(functions[i], 0);
	add(0xd, 1);
	/* Less than the machine has */
	page->fn[1].out[ECX] = 0;
	page->fn[3].out[EAX] = 0;
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(CPUID, spa));
	state_is(spa, GUEST_VALID);
	expect_eq(page->count, ARRAY_SIZE(functions) + 1);
}

static void test_full(void)
{
	setup();
	while (page->count < SNPFW_CPUID_MAX)
		add(0x40000000 + page->count, 0);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(CPUID, spa));
}

static void test_malformed(void)
{
	setup();
	add(1, 0);
	page->count = SNPFW_CPUID_MAX + 1;
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(CPUID, spa));
	page->count = ~0u;
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(CPUID, spa));
	page->count = 1;
	page->rsvd = 1;
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(CPUID, spa));
	page->rsvd = 0;
	page->rsvd2 = 1;
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(CPUID, spa));
	page->rsvd2 = 0;
	page->fn[0].rsvd = 1;
	fw_is(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(CPUID, spa));
	page->fn[0].rsvd = 0;
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(CPUID, spa));
}

/*
 * One register is made wrong: it is refused, the page comes back with what
 * @fixed says in it and is otherwise as it was; then it is taken.
 */
static void wrong(u32 function, u32 index, int reg, u32 value, u32 fixed)
{
	struct snpfw_cpuid_page before;
	struct snpfw_cpuid_fn *fn;
	u8 ld[48];

	setup();
	add(0x80000000, 0);
	fn = add(function, index);
	add(7, 0);
	fn->out[reg] = value;
	memcpy(&before, page, sizeof(before));
	memcpy(ld, gctx()->ld, sizeof(ld));
	fw_is_changing(INVALID_PARAM, LAUNCH_UPDATE, UPDATE(CPUID, spa));
	state_is(spa, PRE_GUEST);
	expect(!memcmp(ld, gctx()->ld, sizeof(ld)), "it was measured");
	expect(fn->out[reg] == fixed, "%#x/%u register %d is %#x, should be %#x",
	       function, index, reg, fn->out[reg], fixed);
	before.fn[1].out[reg] = fixed;
	expect(!memcmp(&before, page, sizeof(before)), "more has changed");
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(CPUID, spa));
}

static u32 machine_has(u32 function, u32 index, int reg)
{
	u32 out[4];

	snpm_port_cpuid(function, index, out);
	return out[reg];
}

static void test_rules(void)
{
	u32 m;

	/* The same */
	m = machine_has(0, 0, EBX);
	wrong(0, 0, EBX, m - 1, m);
	m = machine_has(1, 0, EBX);
	wrong(1, 0, EBX, m ^ 0x0100, m);
	/* No bit more */
	m = machine_has(1, 0, EDX);
	wrong(1, 0, EDX, ~0u, m);
	m = machine_has(7, 0, EBX);
	wrong(7, 0, EBX, ~m | 0x10, m & (~m | 0x10));
	wrong(0x8000001f, 0, EAX, ~0u, machine_has(0x8000001f, 0, EAX));
	/* No larger number */
	m = machine_has(0, 0, EAX);
	wrong(0, 0, EAX, m + 1, m);
	m = machine_has(0xd, 1, EBX);
	wrong(0xd, 1, EBX, ~0u, m);
	/* None in a byte; the others are less already */
	m = machine_has(0x80000008, 0, EAX);
	wrong(0x80000008, 0, EAX, (m & 0xff) + 1, m & 0xff);
}

/* What the table says nothing about, and bits that software sets. */
static void test_free(void)
{
	setup();
	add(0x15, 0)->out[EAX] = ~0u;
	add(0x80000002, 0)->out[EDX] = ~0u;
	add(7, 1)->out[EAX] = ~0u;
	add(0xd, 9)->out[EBX] = ~0u;
	add(1, 0)->out[EBX] ^= 0xff000000;
	page->fn[4].out[ECX] ^= BIT(31) | BIT(27);
	add(7, 0)->out[ECX] ^= BIT(4);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(CPUID, spa));
}

int main(void)
{
	const struct test tests[] = {
		{ "what the machine has, and less", test_good },
		{ "a full table", test_full },
		{ "malformed tables", test_malformed },
		{ "what is too much comes back corrected", test_rules },
		{ "what nobody checks", test_free },
	};

	return run_tests("cpuid", tests, ARRAY_SIZE(tests));
}
