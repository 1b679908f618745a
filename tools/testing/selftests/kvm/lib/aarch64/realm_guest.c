// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that run in a realm: what it can ask its RMM and its host for.
 */
#include "realm.h"
#include "gic.h"

void guest_smc(struct smc_regs *regs)
{
	register uint64_t *x asm("x19") = regs->x;

	asm volatile("ldp x0, x1, [%0]\n\t"
		     "ldp x2, x3, [%0, #16]\n\t"
		     "ldp x4, x5, [%0, #32]\n\t"
		     "ldp x6, x7, [%0, #48]\n\t"
		     "ldr x8, [%0, #64]\n\t"
		     "smc #0\n\t"
		     "stp x0, x1, [%0]\n\t"
		     "stp x2, x3, [%0, #16]\n\t"
		     "stp x4, x5, [%0, #32]\n\t"
		     "stp x6, x7, [%0, #48]\n\t"
		     "str x8, [%0, #64]"
		     : : "r"(x)
		     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8",
		       "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
		       "x17", "memory");
}

uint64_t guest_smc4(uint64_t fid, uint64_t x1, uint64_t x2, uint64_t x3)
{
	struct smc_regs regs = { { fid, x1, x2, x3 } };

	guest_smc(&regs);
	return regs.x[0];
}

uint64_t guest_set_ripas(uint64_t base, uint64_t top, uint64_t ripas,
			 uint64_t flags)
{
	struct smc_regs regs = {
		{ RSI_IPA_STATE_SET, base, top, ripas, flags }
	};

	guest_smc(&regs);
	if (regs.x[0] != RSI_SUCCESS)
		return base | regs.x[0] << 1;
	return regs.x[1] | (regs.x[2] == RSI_REJECT ? SET_RIPAS_REJECTED : 0);
}

uint64_t guest_convert(uint64_t base, uint64_t top, uint64_t ripas)
{
	uint64_t ret;

	while (base < top) {
		ret = guest_set_ripas(base, top, ripas, RSI_CHANGE_DESTROYED);
		if (SET_RIPAS_STATUS(ret) || ret & SET_RIPAS_REJECTED)
			break;
		base = SET_RIPAS_BASE(ret);
	}
	return base;
}

uint64_t guest_ripas(uint64_t gpa)
{
	struct smc_regs regs = { { RSI_IPA_STATE_GET, gpa, gpa + SIZE_4K } };

	guest_smc(&regs);
	return regs.x[0] ? -1 : regs.x[2];
}

uint64_t guest_read_measurement(uint64_t index, uint64_t to)
{
	struct smc_regs regs = { { RSI_MEASUREMENT_READ, index } };
	int i;

	guest_smc(&regs);
	for (i = 0; i < 8; i++)
		guest_write(to + i * 8, regs.x[1 + i]);
	return regs.x[0];
}

static struct rsi_realm_config config __aligned(SIZE_4K);
static struct rsi_host_call host_call __aligned(0x100);

/* Within one page. */
static uint64_t ipa_of(void *va)
{
	uint64_t par;

	asm volatile("at s1e1r, %1\n\t"
		     "isb\n\t"
		     "mrs %0, par_el1" : "=r"(par) : "r"(va) : "memory");
	return (par & GENMASK(47, 12)) | ((uintptr_t)va & (SIZE_4K - 1));
}

uint64_t guest_read_config(uint64_t to)
{
	uint64_t ret = guest_smc4(RSI_REALM_CONFIG, ipa_of(&config), 0, 0);

	guest_write(to, config.ipa_width);
	guest_write(to + 8, config.hash_algo);
	return ret;
}

/* Gives the host's answer, x0 to x3, to @to. */
uint64_t guest_host_call(uint64_t imm, uint64_t x0, uint64_t x1, uint64_t to)
{
	uint64_t ret;
	int i;

	host_call = (struct rsi_host_call) { .imm = imm, .gprs = { x0, x1 } };
	ret = guest_smc4(RSI_HOST_CALL, ipa_of(&host_call), 0, 0);
	for (i = 0; i < 4; i++)
		guest_write(to + i * 8, READ_ONCE(host_call.gprs[i]));
	return ret;
}

uint64_t guest_current_el(void)
{
	return read_sysreg(CurrentEL) >> 2;
}

void guest_spin(void)
{
	for (;;)
		cpu_relax();
}

uint64_t guest_mpidr(void)
{
	return read_sysreg(mpidr_el1);
}

uint64_t guest_gic_init(uint64_t nr_cpus)
{
	write_sysreg((uintptr_t)vectors, vbar_el1);
	isb();
	gic_init(GIC_V3, nr_cpus, (void *)REALM_GICD, (void *)REALM_GICR);
	return 0;
}
