/* SPDX-License-Identifier: GPL-2.0-only */
/* The fields of ESR_EL2 and HPFAR_EL2 that the core looks at. */
#ifndef RMM_ESR_H
#define RMM_ESR_H

#include "rmm_types.h"

#define ESR_EC(esr)		((esr) >> 26 & 0x3f)
#define ESR_EC_MASK		(0x3full << 26)
#define ESR_IL			BIT(25)
#define ESR_EC_WFX		0x01
#define ESR_EC_SMC64		0x17
#define ESR_EC_SYSREG		0x18
#define ESR_EC_INSN_ABORT	0x20
#define ESR_EC_DATA_ABORT	0x24

/* Aborts */
#define ESR_FSC(esr)		((esr) & 0x3f)
#define ESR_FSC_MASK		0x3full
#define ESR_WNR			BIT(6)
#define ESR_S1PTW		BIT(7)
#define ESR_EA			BIT(9)
#define ESR_FNV			BIT(10)
#define ESR_SF			BIT(15)
#define ESR_SRT(esr)		((unsigned int)((esr) >> 16 & 0x1f))
#define ESR_SSE			BIT(21)
#define ESR_SAS(esr)		((unsigned int)((esr) >> 22 & 3))
#define ESR_SAS_MASK		(3ull << 22)
#define ESR_ISV			BIT(24)

/* What a host may see of any abort, and of one that it is to emulate. */
#define ESR_ABORT		(ESR_EC_MASK | ESR_IL | ESR_FSC_MASK | ESR_FNV | \
				 ESR_EA)
#define ESR_EMULATED		(ESR_ABORT | ESR_ISV | ESR_SAS_MASK | ESR_SF | \
				 ESR_WNR)

/* What a host may see of an SError: AET and IDS among it. */
#define ESR_IDS			BIT(24)
#define ESR_AET_MASK		(7ull << 10)
#define ESR_SERROR		(ESR_EC_MASK | ESR_IL | ESR_IDS | ESR_AET_MASK | \
				 ESR_EA | ESR_FSC_MASK)

/* WFx: which of the four it is, and with a timeout the register that has it. */
#define ESR_WFX_TI		3ull
#define ESR_WFX_TIMEOUT		BIT(1)
#define ESR_WFX_RV		BIT(2)
#define ESR_WFX_RN_SHIFT	5
#define ESR_WFX_RN(esr)		((unsigned int)((esr) >> ESR_WFX_RN_SHIFT & 0x1f))

/* System registers */
#define ESR_SYS_READ		BIT(0)
#define ESR_SYS_RT(esr)		((unsigned int)((esr) >> 5 & 0x1f))
#define ESR_SYS_RT_MASK		(0x1full << 5)
#define ESR_SYS_REG		((3ull << 20) | (7ull << 17) | (7ull << 14) | \
				 (0xfull << 10) | (0xfull << 1))
#define ESR_SYS(op0, op1, crn, crm, op2) \
	((op0##ull << 20) | (op2##ull << 17) | (op1##ull << 14) | \
	 (crn##ull << 10) | (crm##ull << 1))
#define ESR_SYS_ICC_DIR		ESR_SYS(3, 0, 12, 11, 1)
#define ESR_SYS_ICC_SGI1R	ESR_SYS(3, 0, 12, 11, 5)
#define ESR_SYS_ICC_ASGI1R	ESR_SYS(3, 0, 12, 11, 6)
#define ESR_SYS_ICC_SGI0R	ESR_SYS(3, 0, 12, 11, 7)

/* Bits 51:12 of an IPA are bits 43:4 of HPFAR_EL2. */
#define HPFAR_IPA(hpfar)	(((hpfar) & ((BIT(44) - 1) & ~0xfull)) << 8)
#define IPA_HPFAR(ipa)		((ipa) >> 12 << 4)

#endif
