// SPDX-License-Identifier: GPL-2.0-only
/* Stage 2 of realms: control registers of a table, and the end of cached translations. */
#include "arch.h"

#define VTCR_RES1		BIT(31)
#define VTCR_WRITE_BACK		(BIT(8) | BIT(10))
#define VTCR_INNER_SHAREABLE	(3UL << 12)
#define VTCR_SL0_SHIFT		6
#define VTCR_PS_SHIFT		16
#define VTCR_VS			BIT(19)
#define VTCR_DS			BIT(32)
#define VTCR_SL2		BIT(33)
#define PS_48			5UL
#define VTTBR_VMID_SHIFT	48

/* The encoding of a start level for 4 KiB granules; level -1 is SL2 with SL0 0. */
static u64 start_level_bits(int level)
{
	static const u8 sl0[] = { 2, 1, 0, 3 };

	if (level < 0)
		return VTCR_SL2;
	return (u64)sl0[level] << VTCR_SL0_SHIFT;
}

static u64 output_size(bool lpa2)
{
	u64 range = read_sysreg(id_aa64mmfr0_el1) & 0xf;

	return (lpa2 || range < PS_48 ? range : PS_48) << VTCR_PS_SHIFT;
}

void stage2_load(const struct rmm_s2 *s2)
{
	u64 vtcr = VTCR_RES1 | VTCR_WRITE_BACK | VTCR_VS | (64 - s2->ipa_bits) |
		   start_level_bits(s2->start_level) | output_size(s2->lpa2) |
		   VTCR_INNER_SHAREABLE | (s2->lpa2 ? VTCR_DS : 0);

	write_sysreg(vtcr, vtcr_el2);
	write_sysreg(s2->base | (u64)s2->vmid << VTTBR_VMID_SHIFT, vttbr_el2);
	isb();
}

/* Stage 1 translations of the VMID hold results of stage 2, so they all go. */
void rmm_port_tlbi_vmid(u16 vmid)
{
	u64 vttbr = read_sysreg(vttbr_el2);

	dsb(ishst);
	write_sysreg((u64)vmid << VTTBR_VMID_SHIFT, vttbr_el2);
	isb();
	asm volatile("tlbi vmalls12e1is" ::: "memory");
	dsb(ish);
	write_sysreg(vttbr, vttbr_el2);
	isb();
}

/* One range is as dear as all on the machine that this is for. */
void rmm_port_tlbi_ipa(u16 vmid, u64 ipa, u64 size)
{
	(void)ipa;
	(void)size;
	rmm_port_tlbi_vmid(vmid);
}
