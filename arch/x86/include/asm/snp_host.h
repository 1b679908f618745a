/* SPDX-License-Identifier: GPL-2.0-only */
/* The RMP of a host of SEV-SNP guests. */
#ifndef _ASM_X86_SNP_HOST_H
#define _ASM_X86_SNP_HOST_H

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/types.h>

#include <asm/pgtable_types.h>

/* RMPUPDATE's operand at RCX. */
struct snp_rmp_state {
	u64 gpa;
	u8 assigned;
	u8 pagesize;
	u8 immutable;
	u8 rsvd;
	u32 asid;
};

static_assert(sizeof(struct snp_rmp_state) == 16);

/* An entry of the RMP has 10 bits for the ASID. */
#define SNP_RMP_NR_ASIDS	1024

/* What the instructions leave in EAX. */
#define RMPUPDATE_FAIL_OVERLAP	4
#define PSMASH_FAIL_INUSE	3

/* One entry of the table, whatever its layout. */
struct snp_rmp_entry {
	u64 gpa;
	u32 asid;
	bool assigned;
	bool large;
	bool immutable;
	bool vmsa;
	bool validated;
	u64 raw[2];
};

/**
 * struct snp_rmp_ops - where the RMP is: in the processor, or in a model
 *
 * @rmpupdate: the instruction; returns EAX
 * @psmash: the instruction; returns EAX
 * @read: copies the entry of that page, or of the 2 MiB page that it is in;
 *	false if the RMP does not cover it
 * @before_assign: makes the direct map fit for pages that the host cannot
 *	write, or that are next to such; may sleep; an error leaves them as they
 *	were
 * @after_release: the host can write the pages again; optional
 */
struct snp_rmp_ops {
	u32 (*rmpupdate)(u64 spa, const struct snp_rmp_state *state);
	u32 (*psmash)(u64 spa);
	bool (*read)(u64 pfn, struct snp_rmp_entry *entry);
	int (*before_assign)(u64 pfn, enum pg_level level);
	void (*after_release)(u64 pfn, enum pg_level level);
};

#ifdef CONFIG_SNP_RMP

int snp_set_rmp_ops(const struct snp_rmp_ops *ops);
void snp_clear_rmp_ops(const struct snp_rmp_ops *ops);
bool snp_rmp_enabled(void);

int snp_lookup_rmpentry(u64 pfn, bool *assigned, int *level);
u32 snp_rmp_asid(u64 pfn);
void snp_dump_rmpentry(u64 pfn);
bool snp_is_hva_assigned(unsigned long hva);
void snp_dump_hva_rmpentry(unsigned long hva);
int psmash(u64 pfn);
int rmp_make_private(u64 pfn, u64 gpa, enum pg_level level, u32 asid,
		     bool immutable);
int rmp_make_shared(u64 pfn, enum pg_level level);
void snp_leak_pages(u64 pfn, unsigned int npages);
unsigned long snp_nr_leaked_pages(void);

#else

static inline bool snp_rmp_enabled(void)
{
	return false;
}

static inline int snp_lookup_rmpentry(u64 pfn, bool *assigned, int *level)
{
	return -ENODEV;
}

static inline bool snp_is_hva_assigned(unsigned long hva)
{
	return false;
}

static inline void snp_dump_hva_rmpentry(unsigned long hva) {}

static inline int psmash(u64 pfn)
{
	return -ENODEV;
}

static inline int rmp_make_private(u64 pfn, u64 gpa, enum pg_level level,
				   u32 asid, bool immutable)
{
	return -ENODEV;
}

static inline int rmp_make_shared(u64 pfn, enum pg_level level)
{
	return -ENODEV;
}

static inline void snp_leak_pages(u64 pfn, unsigned int npages) {}

#endif

#endif
