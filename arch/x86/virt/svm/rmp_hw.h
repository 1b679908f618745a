/* SPDX-License-Identifier: GPL-2.0-only */
/* The processor's RMP. */
#ifndef _VIRT_SVM_RMP_HW_H
#define _VIRT_SVM_RMP_HW_H

#include <asm/snp_host.h>

/* Before the entries there is room for the processor's bookkeeping. */
#define RMP_BOOKKEEPING_SIZE	SZ_16K
#define RMP_ENTRY_SIZE		16

extern const struct snp_rmp_ops snp_rmp_hw_ops;

/* @entries: mapped for good; before anything looks at the RMP */
void snp_rmp_hw_init(const void *entries, u64 nr_entries);

#endif
