// SPDX-License-Identifier: GPL-2.0-only
/*
 * GICv3: hands every interrupt to the Non-secure world, and lets a CPU that is off sleep until
 * another one kicks it.
 */
#include "monitor.h"
#include "sysreg.h"

#define GICD_CTLR		0x0000
#define GICD_CTLR_GRP1		BIT(1)
#define GICD_CTLR_ARE		BIT(4)
#define GICD_CTLR_DS		BIT(6)

#define GICR_WAKER		0x0014
#define GICR_WAKER_SLEEP	BIT(1)
#define GICR_WAKER_ASLEEP	BIT(2)
#define GICR_SGI		0x10000
#define GICR_IGROUPR0		(GICR_SGI + 0x080)
#define GICR_ISENABLER0		(GICR_SGI + 0x100)
#define GICR_ICENABLER0		(GICR_SGI + 0x180)
#define GICR_ICPENDR0		(GICR_SGI + 0x280)

#define SRE_ALL			0xf
#define IGRPEN1_EL3_NS		BIT(0)
#define KICK_SGI		15
#define SGIR_INTID_SHIFT	24
#define SGIR_AFF1_SHIFT		16

static uintptr_t gicr(u32 offset)
{
	return (uintptr_t)ns_ptr(GICR_BASE + cpu_index() * GICR_STRIDE + offset);
}

/*
 * With one security state the kernel owns groups and priorities, and this cannot be undone. The
 * access is in Root, for DS listens to no Non-secure one: it only works while the GPT is off.
 */
void gic_init(void)
{
	mmio_write(GICD_BASE + GICD_CTLR, GICD_CTLR_DS);
	mmio_write(GICD_BASE + GICD_CTLR, GICD_CTLR_DS | GICD_CTLR_ARE | GICD_CTLR_GRP1);
}

void gic_cpu_init(void)
{
	write_sysreg(SRE_ALL, ICC_SRE_EL3);
	isb();
	write_sysreg(SRE_ALL, ICC_SRE_EL2);
	write_sysreg(SRE_ALL, ICC_SRE_EL1);
	isb();
}

/* The kernel left the redistributor as it liked: only the kick may wake this CPU. */
void gic_doze_begin(void)
{
	mmio_write(gicr(GICR_WAKER), mmio_read(gicr(GICR_WAKER)) & ~GICR_WAKER_SLEEP);
	while (mmio_read(gicr(GICR_WAKER)) & GICR_WAKER_ASLEEP)
		;
	mmio_write(gicr(GICR_ICENABLER0), ~0U);
	mmio_write(gicr(GICR_IGROUPR0), ~0U);
	mmio_write(gicr(GICR_ISENABLER0), BIT(KICK_SGI));
	write_sysreg(0xff, ICC_PMR_EL1);
	write_sysreg(IGRPEN1_EL3_NS, ICC_IGRPEN1_EL3);
	isb();
}

/* Returns at the first kick since the last return, perhaps earlier. */
void gic_doze(void)
{
	dsb(sy);
	wfi();
	mmio_write(gicr(GICR_ICPENDR0), BIT(KICK_SGI));
	dsb(sy);
}

void gic_doze_end(void)
{
	write_sysreg(0, ICC_IGRPEN1_EL3);
	mmio_write(gicr(GICR_ICENABLER0), ~0U);
	mmio_write(gicr(GICR_ICPENDR0), ~0U);
	isb();
}

void gic_kick(u32 cpu)
{
	u64 target = BIT(cpu % CPUS_PER_CLUSTER) |
		     (u64)(cpu / CPUS_PER_CLUSTER) << SGIR_AFF1_SHIFT |
		     (u64)KICK_SGI << SGIR_INTID_SHIFT;

	dsb(ishst);
	write_sysreg(target, ICC_ASGI1R_EL1);
	isb();
}
