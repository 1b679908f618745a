// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU (10.0, for one) reports a WFIT or WFET that traps as a WFI or WFE, without its register.
 * Which one it was is in the instruction.
 */
#include "arch.h"
#include "../core/esr.h"

#define PAR_F			BIT(0)
#define PAR_PA			0xffffffffff000UL
#define PSTATE_EL1		BIT(2)

#define INSN_RD			0x1fU
#define INSN_WFET		0xd5031000U
#define INSN_WFIT		0xd5031020U

/* PAR_EL1 of the instruction at @va, with the realm's registers loaded and left as they are. */
static u64 translate(u64 va, u64 pstate)
{
	u64 was = read_sysreg(par_el1), par;

	if (pstate & PSTATE_EL1)
		asm volatile("at s12e1r, %0\n\tisb" : : "r"(va) : "memory");
	else
		asm volatile("at s12e0r, %0\n\tisb" : : "r"(va) : "memory");
	par = read_sysreg(par_el1);
	write_sysreg(was, par_el1);
	return par;
}

/* A page may have been the realm's a moment ago: the lock keeps it from leaving now. */
static u32 instruction_at(u64 pc, u64 pstate)
{
	u64 par = translate(pc, pstate), pa = par & PAR_PA;
	u32 insn = 0, *va;

	if (par & PAR_F)
		return 0;
	rmm_port_lock();
	if (!rmm_port_is_ns(pa)) {
		va = rmm_port_map(pa, RMM_PAS_REALM);
		insn = va[(pc & (GRANULE_SIZE - 1)) / sizeof(*va)];
		rmm_port_unmap(va);
	}
	rmm_port_unlock();
	return insn;
}

u64 wfx_syndrome(u64 esr, u64 pc, u64 pstate)
{
	u32 insn;

	if (ESR_EC(esr) != ESR_EC_WFX || (esr & ESR_WFX_TIMEOUT))
		return esr;
	insn = instruction_at(pc, pstate);
	if ((insn & ~INSN_RD) != INSN_WFIT && (insn & ~INSN_RD) != INSN_WFET)
		return esr;
	return esr | ESR_WFX_TIMEOUT | ESR_WFX_RV | (u64)(insn & INSN_RD) << ESR_WFX_RN_SHIFT;
}
