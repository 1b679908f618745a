// SPDX-License-Identifier: GPL-2.0-only
/*
 * The check of a CPUID page: what a guest is told must not exceed the machine.
 *
 * The ABI leaves the policy to the firmware.  Here it is a table: functions
 * that it does not name are the guest's own business.
 */
#include "fw.h"

enum rule {
	ANY,
	/* The machine's value. */
	SAME,
	/* No bit that the machine lacks. */
	SUBSET,
	/* No number above the machine's. */
	AT_MOST,
	/* The same for each byte. */
	AT_MOST_BYTES,
};

struct policy {
	u32 function;
	/* NO_INDEX: ECX does not matter. */
	u32 index;
	u8 rule[4];
	/* Bits that the guest's or the host's software sets. */
	u32 free[4];
};

#define NO_INDEX	(~0U)

#define OSXSAVE		BIT(27)
#define HYPERVISOR	BIT(31)
#define OSPKE		BIT(4)
#define EBX_1_CLFLUSH	0x0000ff00U

static const struct policy policies[] = {
	{ 0x00000000, NO_INDEX, { AT_MOST, SAME, SAME, SAME } },
	{ 0x00000001, NO_INDEX, { AT_MOST, SAME, SUBSET, SUBSET },
	  { 0, ~EBX_1_CLFLUSH, OSXSAVE | HYPERVISOR, 0 } },
	{ 0x00000007, 0, { AT_MOST, SUBSET, SUBSET, SUBSET },
	  { 0, 0, OSPKE, 0 } },
	{ 0x0000000d, 0, { SUBSET, AT_MOST, AT_MOST, SUBSET } },
	{ 0x0000000d, 1, { SUBSET, AT_MOST, SUBSET, SUBSET } },
	{ 0x80000000, NO_INDEX, { AT_MOST, SAME, SAME, SAME } },
	{ 0x80000001, NO_INDEX, { AT_MOST, ANY, SUBSET, SUBSET } },
	{ 0x80000007, NO_INDEX, { ANY, SUBSET, ANY, SUBSET } },
	{ 0x80000008, NO_INDEX, { AT_MOST_BYTES, SUBSET, ANY, AT_MOST } },
	{ 0x8000000a, NO_INDEX, { AT_MOST, AT_MOST, ANY, SUBSET } },
	{ 0x8000001f, NO_INDEX, { SUBSET, AT_MOST_BYTES, AT_MOST, AT_MOST } },
};

static const struct policy *find_policy(const struct snpfw_cpuid_fn *fn)
{
	const struct policy *p;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		p = &policies[i];
		if (p->function == fn->eax_in &&
		    (p->index == NO_INDEX || p->index == fn->ecx_in))
			return p;
	}
	return NULL;
}

static u32 least_bytes(u32 a, u32 b)
{
	u32 least = 0, mask;

	for (mask = 0xff; mask; mask <<= 8)
		least |= min(a & mask, b & mask);
	return least;
}

static u32 apply(enum rule rule, u32 value, u32 machine)
{
	switch (rule) {
	case SAME:
		return machine;
	case SUBSET:
		return value & machine;
	case AT_MOST:
		return min(value, machine);
	case AT_MOST_BYTES:
		return least_bytes(value, machine);
	default:
		return value;
	}
}

/* Whether it was in order; it is afterwards. */
static bool sanitize(struct snpfw_cpuid_fn *fn)
{
	const struct policy *p = find_policy(fn);
	bool good = true;
	u32 machine[4];
	unsigned int i;

	if (!p)
		return true;
	snpm_port_cpuid(fn->eax_in, fn->ecx_in, machine);
	for (i = 0; i < 4; i++) {
		u32 value = apply(p->rule[i], fn->out[i] & ~p->free[i],
				  machine[i] & ~p->free[i]);

		value |= fn->out[i] & p->free[i];
		good &= value == fn->out[i];
		fn->out[i] = value;
	}
	return good;
}

static bool is_well_formed(const struct snpfw_cpuid_page *page)
{
	u32 i;

	if (page->count > SNPFW_CPUID_MAX || page->rsvd || page->rsvd2)
		return false;
	for (i = 0; i < page->count; i++)
		if (page->fn[i].rsvd)
			return false;
	return true;
}

u32 snpm_fw_sanitize_cpuid(struct snpfw_cpuid_page *page)
{
	bool good = true;
	u32 i;

	if (!is_well_formed(page))
		return SNPFW_INVALID_PARAM;
	for (i = 0; i < page->count; i++)
		good &= sanitize(&page->fn[i]);
	return good ? SNPFW_SUCCESS : SNPFW_INVALID_PARAM;
}
