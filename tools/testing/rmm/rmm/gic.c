// SPDX-License-Identifier: GPL-2.0-only
/* The virtual CPU interface of a REC: list registers, active priorities, control. */
#include "arch.h"

#define ICH_AP0R0_EL2	S3_4_C12_C8_0
#define ICH_AP1R0_EL2	S3_4_C12_C9_0
#define ICH_VTR_EL2	S3_4_C12_C11_1

/* List registers have to be named one by one. */
#define LRS(R)								\
	R(0, S3_4_C12_C12_0)	R(1, S3_4_C12_C12_1)	R(2, S3_4_C12_C12_2)	\
	R(3, S3_4_C12_C12_3)	R(4, S3_4_C12_C12_4)	R(5, S3_4_C12_C12_5)	\
	R(6, S3_4_C12_C12_6)	R(7, S3_4_C12_C12_7)	R(8, S3_4_C12_C13_0)	\
	R(9, S3_4_C12_C13_1)	R(10, S3_4_C12_C13_2)	R(11, S3_4_C12_C13_3)	\
	R(12, S3_4_C12_C13_4)	R(13, S3_4_C12_C13_5)	R(14, S3_4_C12_C13_6)	\
	R(15, S3_4_C12_C13_7)

unsigned int gic_nr_lrs(void)
{
	return (read_sysreg(ICH_VTR_EL2) & 0x1f) + 1;
}

void gic_save(struct gic_state *gic)
{
	unsigned int nr = gic_nr_lrs();

	gic->hcr = read_sysreg(ICH_HCR_EL2);
	gic->vmcr = read_sysreg(ICH_VMCR_EL2);
	gic->ap0r0 = read_sysreg(ICH_AP0R0_EL2);
	gic->ap1r0 = read_sysreg(ICH_AP1R0_EL2);
#define SAVE(n, reg)							\
	if (n < nr)							\
		gic->lrs[n] = read_sysreg(reg);
	LRS(SAVE)
}

void gic_load(const struct gic_state *gic)
{
	unsigned int nr = gic_nr_lrs();

	write_sysreg(gic->vmcr, ICH_VMCR_EL2);
	write_sysreg(gic->ap0r0, ICH_AP0R0_EL2);
	write_sysreg(gic->ap1r0, ICH_AP1R0_EL2);
#define LOAD(n, reg)							\
	if (n < nr)							\
		write_sysreg(gic->lrs[n], reg);
	LRS(LOAD)
	isb();
	write_sysreg(gic->hcr, ICH_HCR_EL2);
}
