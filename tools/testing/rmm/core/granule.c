// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states of physical granules.
 *
 * UNDELEGATED	the host's or the secure world's; the core never writes it but
 *		for the structures a host passes by address
 * DELEGATED	in Realm PAS, all zeroes, no user
 * RD		a realm; refs: its RECs
 * REC		refs: 1 while it runs
 * REC_AUX	belongs to a REC; refs: 0
 * DATA		mapped by one entry of one realm; refs: 0
 * RTT		a table; refs: its live entries
 *
 * Only DELEGATED leads to any other state, and whatever leaves a state with
 * contents is scrubbed on its way to DELEGATED.  All of this under the lock.
 */
#include "granule.h"

static const struct rmm_range *ram;
static unsigned int nr_ram;
static struct granule *granules;
static u64 nr_in[GRANULE_STATES];
static u64 nr_not_scrubbed;

u64 rmm_granules_size(const struct rmm_range *range, unsigned int nr)
{
	u64 size = 0;

	for (unsigned int i = 0; i < nr; i++)
		size += (range[i].size >> GRANULE_SHIFT) * sizeof(*granules);
	return size;
}

void granules_init(const struct rmm_config *config)
{
	ram = config->ram;
	nr_ram = config->nr_ram;
	granules = config->granules;
	mem_zero(granules, rmm_granules_size(ram, nr_ram));
	mem_zero(nr_in, sizeof(nr_in));
	nr_not_scrubbed = 0;
	nr_in[GRANULE_UNDELEGATED] = rmm_granules_size(ram, nr_ram) / sizeof(*granules);
}

u64 granules_in(enum granule_state state)
{
	return nr_in[state];
}

u64 granules_not_scrubbed(void)
{
	return nr_not_scrubbed;
}

struct granule *granule_find(u64 pa)
{
	struct granule *first = granules;

	if (!IS_ALIGNED(pa, GRANULE_SIZE))
		return NULL;
	for (unsigned int i = 0; i < nr_ram; i++) {
		if (pa >= ram[i].base && pa - ram[i].base < ram[i].size)
			return first + ((pa - ram[i].base) >> GRANULE_SHIFT);
		first += ram[i].size >> GRANULE_SHIFT;
	}
	return NULL;
}

struct granule *granule_nth(u64 n, u64 *pa)
{
	u64 left = n;

	for (unsigned int i = 0; i < nr_ram; i++) {
		u64 nr = ram[i].size >> GRANULE_SHIFT;

		if (left < nr) {
			*pa = ram[i].base + (left << GRANULE_SHIFT);
			return granules + n;
		}
		left -= nr;
	}
	return NULL;
}

struct granule *granule_find_in(u64 pa, enum granule_state state)
{
	struct granule *g = granule_find(pa);

	return g && g->state == state ? g : NULL;
}

bool granule_is(u64 pa, enum granule_state state)
{
	return granule_find_in(pa, state);
}

bool granule_is_ns(u64 pa)
{
	return granule_is(pa, GRANULE_UNDELEGATED) && rmm_port_is_ns(pa);
}

static void granule_scrub(u64 pa)
{
	void *va = rmm_port_map(pa, RMM_PAS_REALM);

	mem_zero(va, GRANULE_SIZE);
	rmm_port_unmap(va);
}

bool is_zero(const void *p, u64 size)
{
	const u8 *b = p;

	/* Each byte is as the one before it. */
	return !b[0] && !__builtin_memcmp(b, b + 1, size - 1);
}

bool granule_is_scrubbed(u64 pa)
{
	void *va = rmm_port_map(pa, RMM_PAS_REALM);
	bool zero = is_zero(va, GRANULE_SIZE);

	rmm_port_unmap(va);
	return zero;
}

static void granule_set(u64 pa, enum granule_state from, enum granule_state to)
{
	struct granule *g = granule_find_in(pa, from);

	rmm_assert(g && !g->refs);
	g->state = to;
	nr_in[from]--;
	nr_in[to]++;
}

void granule_delegate(u64 pa)
{
	granule_set(pa, GRANULE_UNDELEGATED, GRANULE_DELEGATED);
	rmm_port_delegate(pa);
	granule_scrub(pa);
}

/* A DELEGATED granule is all zeroes already; a test of a host asks if it was. */
void granule_undelegate(u64 pa)
{
	nr_not_scrubbed += !granule_is_scrubbed(pa);
	granule_set(pa, GRANULE_DELEGATED, GRANULE_UNDELEGATED);
	rmm_port_undelegate(pa);
}

void granule_claim(u64 pa, enum granule_state state)
{
	granule_set(pa, GRANULE_DELEGATED, state);
}

void granule_release(u64 pa, enum granule_state state)
{
	granule_scrub(pa);
	granule_set(pa, state, GRANULE_DELEGATED);
}

void *granule_map(u64 pa, enum granule_state state)
{
	rmm_assert(granule_is(pa, state));
	return rmm_port_map(pa, RMM_PAS_REALM);
}

void granule_unmap(void *va)
{
	rmm_port_unmap(va);
}

bool ns_read(void *to, u64 pa, u64 size)
{
	u64 page = ALIGN_DOWN(pa, GRANULE_SIZE);
	u8 *va;

	if (!granule_is_ns(page))
		return false;
	va = rmm_port_map(page, RMM_PAS_NS);
	mem_copy(to, va + (pa - page), size);
	rmm_port_unmap(va);
	return true;
}

bool ns_write(u64 pa, const void *from, u64 size)
{
	u64 page = ALIGN_DOWN(pa, GRANULE_SIZE);
	u8 *va;

	if (!granule_is_ns(page))
		return false;
	va = rmm_port_map(page, RMM_PAS_NS);
	mem_copy(va + (pa - page), from, size);
	rmm_port_unmap(va);
	return true;
}

u64 rmi_granule_delegate(u64 pa)
{
	if (!granule_is_ns(pa))
		return RMI_ERROR_INPUT;
	granule_delegate(pa);
	return RMI_SUCCESS;
}

u64 rmi_granule_undelegate(u64 pa)
{
	if (!granule_is(pa, GRANULE_DELEGATED))
		return RMI_ERROR_INPUT;
	granule_undelegate(pa);
	return RMI_SUCCESS;
}
