/* SPDX-License-Identifier: GPL-2.0-only */
/* A host for tests: commands and instructions, checked, and a guest. */
#ifndef NATIVE_HOST_H
#define NATIVE_HOST_H

#include "machine.h"

/* The status asserted, the invariants, and that a failure changes nothing. */
#define fw_is(status, ID, ...)						\
	fw_expect(__FILE__, __LINE__, SNPFW_##status, SNPFW_##ID, #ID,	\
		  &(union snpfw_buffer) { __VA_ARGS__ }, true)
/* The same where a failure may change a page. */
#define fw_is_changing(status, ID, ...)					\
	fw_expect(__FILE__, __LINE__, SNPFW_##status, SNPFW_##ID, #ID,	\
		  &(union snpfw_buffer) { __VA_ARGS__ }, false)
void fw_expect(const char *file, int line, u32 status, u32 id,
	       const char *name, const union snpfw_buffer *b, bool unchanged);
/* The status alone. */
u32 fw(u32 id, const union snpfw_buffer *b);

/* RMPUPDATE and PSMASH likewise. */
#define rmp_is(result, spa, ...)					\
	rmp_expect(__FILE__, __LINE__, SNPM_##result, spa,		\
		   &(struct snpm_rmp_state) { __VA_ARGS__ })
#define psmash_is(result, spa)						\
	psmash_expect(__FILE__, __LINE__, SNPM_##result, spa)
void rmp_expect(const char *file, int line, u32 result, u64 spa,
		const struct snpm_rmp_state *new);
void psmash_expect(const char *file, int line, u32 result, u64 spa);

/* Pages nobody has used; the first is the command buffer's. */
u64 any_page(void);
/* 2 MiB of them, aligned. */
u64 any_region(void);
u64 firmware_page(void);
/* Assigned to the guest; PRE_GUEST. */
u64 guest_page(u64 gpa);
u64 guest_region(u64 gpa);
void give(u64 spa, u64 gpa, bool large, bool immutable);

enum snpm_page_state state_of(u64 spa);
#define state_is(spa, state)						\
	expect(state_of(spa) == SNPM_PAGE_##state, "%#llx is %s",	\
	       (u64)(spa), snpm_state_name(state_of(spa)))
struct snpm_rmp_entry *entry_of(u64 spa);

#define ASID		5
#define POLICY		(SNPFW_POLICY_ONE | SNPFW_POLICY_SMT)

/* A guest: its context, and a page of the firmware's for what it answers. */
struct world {
	u64 gctx, out;
};

extern struct world w;

/* After INIT and DF_FLUSH. */
void platform_init(void);
/* And with a guest in INIT, LAUNCH with an ASID, RUNNING. */
void world_created(void);
void world_launching(void);
void world_running(void);
struct snpm_gctx *gctx(void);

void df_flush(void);
void launch_start(u64 policy);
#define UPDATE(type, spa_)						\
	.launch_update = { .gctx = w.gctx, .spa = spa_,			\
			   .page = SNPFW_PAGE_##type << 1 }

#endif
