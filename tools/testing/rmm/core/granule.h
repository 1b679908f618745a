/* SPDX-License-Identifier: GPL-2.0-only */
/* The states of physical granules and the transitions between them. */
#ifndef RMM_GRANULE_H
#define RMM_GRANULE_H

#include "rmm_port.h"

/* Who may use a granule; see granule.c for what each state holds. */
enum granule_state {
	GRANULE_UNDELEGATED,
	GRANULE_DELEGATED,
	GRANULE_RD,
	GRANULE_REC,
	GRANULE_REC_AUX,
	GRANULE_DATA,
	GRANULE_RTT,
	GRANULE_STATES,
};

struct granule {
	u8 state;
	u8 pad;
	/* What else keeps the granule from being destroyed; see granule.c. */
	u16 refs;
	/* Scratch of the invariant checker. */
	u16 seen;
	u16 counted;
};

void granules_init(const struct rmm_config *config);

/* NULL if @pa is not aligned or not memory. */
struct granule *granule_find(u64 pa);
/* The same, also NULL if it is in any other state. */
struct granule *granule_find_in(u64 pa, enum granule_state state);
bool granule_is(u64 pa, enum granule_state state);
/* Whether [pa, pa + GRANULE_SIZE) is memory that the host owns. */
bool granule_is_ns(u64 pa);
/* How many are in a state. */
u64 granules_in(enum granule_state state);
/* How many the host has got back that were not all zeroes: 0, or a bug here. */
u64 granules_not_scrubbed(void);
/* Whether @size bytes are all zero. */
bool is_zero(const void *p, u64 size);
/* Whether one in Realm PAS is all zeroes. */
bool granule_is_scrubbed(u64 pa);
/* The i-th granule of all and its address; NULL past the end. */
struct granule *granule_nth(u64 i, u64 *pa);

/* Transitions.  The caller has checked that they are legal. */
void granule_delegate(u64 pa);
void granule_undelegate(u64 pa);
void granule_claim(u64 pa, enum granule_state state);
void granule_release(u64 pa, enum granule_state state);

/* The contents of a granule in Realm PAS. */
void *granule_map(u64 pa, enum granule_state state);
void granule_unmap(void *va);

/* Copies from and to a granule of the host; false if it is not the host's. */
bool ns_read(void *to, u64 pa, u64 size);
bool ns_write(u64 pa, const void *from, u64 size);

u64 rmi_granule_delegate(u64 pa);
u64 rmi_granule_undelegate(u64 pa);

/* For what cannot happen: firmware that is wrong stops. */
#define rmm_assert(cond)	do { if (!(cond)) __builtin_trap(); } while (0)

#endif
