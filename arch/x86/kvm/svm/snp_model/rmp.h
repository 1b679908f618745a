/* SPDX-License-Identifier: GPL-2.0-only */
/* The table: entries, leaves and states; all under the RMP's lock. */
#ifndef SNP_MODEL_RMP_H
#define SNP_MODEL_RMP_H

#include "snp_model.h"

#define SNPM_2M_PAGES		(SZ_2M >> PAGE_SHIFT)

void snpm_rmp_init(struct snpm_rmp_entry *table, u64 nr_pages);
u64 snpm_rmp_nr_pages(void);
/* All of it the hypervisor's. */
void snpm_rmp_clear(void);

/* NULL if the RMP does not cover it. */
struct snpm_rmp_entry *snpm_rmp_entry(u64 spa);
/*
 * The entry that decides about @spa: that of the 2 MiB page that it is in, or
 * else its own.
 */
struct snpm_rmp_entry *snpm_rmp_leaf(u64 spa);
bool snpm_rmp_covers(u64 spa, u64 size);
/* Whether none of [spa, spa + size) is assigned. */
bool snpm_rmp_is_hypervisors(u64 spa, u64 size);

static inline u64 snpm_entry_size(const struct snpm_rmp_entry *e)
{
	return e->pagesize ? SZ_2M : PAGE_SIZE;
}

static inline bool snpm_entry_maps(const struct snpm_rmp_entry *e, u64 spa,
				   u64 gpa)
{
	u64 offset = spa & (snpm_entry_size(e) - 1);

	return e->gfn + (offset >> PAGE_SHIFT) == gpa >> PAGE_SHIFT;
}

/* Of a leaf. */
enum snpm_page_state snpm_entry_state(const struct snpm_rmp_entry *e);

/*
 * Around each change of [spa, spa + size), which must not cut a 2 MiB page:
 * the counters follow.
 */
void snpm_rmp_begin(u64 spa, u64 size);
void snpm_rmp_end(u64 spa, u64 size);

/* Whether they are what one counts in the table. */
bool snpm_rmp_counts_are_right(void);
/* Pages of 4 KiB with that ASID; takes the lock itself. */
u64 snpm_rmp_asid_pages(u32 asid);

/*
 * For the firmware, which takes the lock for each: the entry of @spa itself
 * and its state, DEFAULT if there is none.  While a page is immutable only the
 * firmware changes it.
 */
enum snpm_page_state snpm_page_get(u64 spa, struct snpm_rmp_entry *entry);
enum snpm_page_state snpm_page_get_leaf(u64 spa, struct snpm_rmp_entry *entry);
/* A page that stays of its size and assigned, or not. */
void snpm_page_set(u64 spa, const struct snpm_rmp_entry *entry);
/* The hypervisor's for ever; does nothing to pages that are assigned. */
void snpm_page_fix(u64 spa);

#endif
