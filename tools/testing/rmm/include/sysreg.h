/* SPDX-License-Identifier: GPL-2.0-only */
/* System registers: access, the names that older assemblers lack, the bits that are used. */
#ifndef SYSREG_H
#define SYSREG_H

#include "fw_types.h"

#define str_(x)			#x
#define str(x)			str_(x)
#define read_sysreg(reg) ({						\
	u64 value_;							\
	asm volatile("mrs %0, " str(reg) : "=r" (value_) :: "memory");	\
	value_;								\
})
#define write_sysreg(value, reg)					\
	asm volatile("msr " str(reg) ", %x0" :: "rZ" ((u64)(value)) : "memory")

#define isb()			asm volatile("isb" ::: "memory")
#define dsb(kind)		asm volatile("dsb " #kind ::: "memory")
#define wfi()			asm volatile("wfi" ::: "memory")
#define wfe()			asm volatile("wfe" ::: "memory")
#define sev()			asm volatile("sev" ::: "memory")

static inline u64 field(u64 value, int shift)
{
	return (value >> shift) & 0xf;
}

#define SCTLR_RES1		0x30c50830UL
#define SCTLR_M			BIT(0)
#define SCTLR_C			BIT(2)
#define SCTLR_SA		BIT(3)
#define SCTLR_I			BIT(12)
#define SCTLR_WXN		BIT(19)

#define SPSR_EL2H_MASKED	0x3c9UL
#define SPSR_EL_SHIFT		2
#define ESR_EC_SHIFT		26
#define EC_SMC64		0x17

/* GPT registers. */
#define GPTBR_EL3		S3_6_C2_C1_4
#define GPCCR_EL3		S3_6_C2_C1_6

/* GIC. */
#define ICC_PMR_EL1		S3_0_C4_C6_0
#define ICC_ASGI1R_EL1		S3_0_C12_C11_6
#define ICC_SRE_EL1		S3_0_C12_C12_5
#define ICC_SRE_EL2		S3_4_C12_C9_5
#define ICC_SRE_EL3		S3_6_C12_C12_5
#define ICC_IGRPEN1_EL3		S3_6_C12_C12_7
#define ICH_HCR_EL2		S3_4_C12_C11_0
#define ICH_VMCR_EL2		S3_4_C12_C11_7

/* Vector lengths. */
#define ZCR_EL2			S3_4_C1_C2_0
#define ZCR_EL3			S3_6_C1_C2_0
#define SMCR_EL2		S3_4_C1_C2_6
#define SMCR_EL3		S3_6_C1_C2_6
#define ID_AA64PFR1_EL1		S3_0_C0_C4_1
#define ID_AA64ZFR0_EL1		S3_0_C0_C4_4
#define ID_AA64MMFR2_EL1	S3_0_C0_C7_2
#define ID_AA64MMFR3_EL1	S3_0_C0_C7_3

/* EL2. */
#define HFGRTR_EL2		S3_4_C1_C1_4
#define HFGWTR_EL2		S3_4_C1_C1_5
#define HFGITR_EL2		S3_4_C1_C1_6
#define HDFGRTR_EL2		S3_4_C3_C1_4
#define HDFGWTR_EL2		S3_4_C3_C1_5
#define HAFGRTR_EL2		S3_4_C3_C1_6
#define HCRX_EL2		S3_4_C1_C2_2
#define SCTLR2_EL2		S3_4_C1_C0_3
#define TRFCR_EL2		S3_4_C1_C2_1
#define TTBR1_EL2		S3_4_C2_C0_1
#define TCR2_EL2		S3_4_C2_C0_3
#define VNCR_EL2		S3_4_C2_C2_0
#define VSESR_EL2		S3_4_C5_C2_3
#define TFSR_EL2		S3_4_C5_C6_0
#define PIRE0_EL2		S3_4_C10_C2_2
#define PIR_EL2			S3_4_C10_C2_3
#define VDISR_EL2		S3_4_C12_C1_1
#define CONTEXTIDR_EL2		S3_4_C13_C0_1
#define SCXTNUM_EL2		S3_4_C13_C0_7
#define CNTPOFF_EL2		S3_4_C14_C0_6

#endif
