/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 1 descriptors and control values that monitor and RMM share: 4 KiB, 39 bits of VA. */
#ifndef PGTABLE_H
#define PGTABLE_H

#include "fw_map.h"
#include "sysreg.h"

#define PTRS_PER_TABLE		512

#define PTE_BLOCK		0x1UL
#define PTE_TABLE		0x3UL
#define PTE_NORMAL		(0UL << 2)
#define PTE_DEVICE		(1UL << 2)
#define PTE_NS			BIT(5)
#define PTE_AP_RES1		BIT(6)
#define PTE_RDONLY		BIT(7)
#define PTE_INNER_SHAREABLE	(3UL << 8)
#define PTE_AF			BIT(10)
#define PTE_NSE			BIT(11)
#define PTE_XN			BIT(54)

#define PTE_RAM			(PTE_BLOCK | PTE_NORMAL | PTE_AP_RES1 | \
				 PTE_INNER_SHAREABLE | PTE_AF | PTE_XN)
#define PTE_TEXT		((PTE_RAM & ~PTE_XN) | PTE_RDONLY)
#define PTE_IO			(PTE_BLOCK | PTE_DEVICE | PTE_AP_RES1 | PTE_AF | PTE_XN)

/* Attribute 0: write-back memory; 1: Device-nGnRE. */
#define MAIR_VALUE		0x04ffUL

/* 39 bits of input, 40 of output, walks cached, inner shareable; bits 31 and 23 are RES1. */
#define TCR_VALUE		(BIT(31) | BIT(23) | (2UL << 16) | (3UL << 12) | \
				 BIT(10) | BIT(8) | (64 - VA_BITS))

#define SCTLR_ON		(SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_I | SCTLR_WXN)

#endif
