// SPDX-License-Identifier: GPL-2.0-only
/* SVE of a realm and of its host: lengths, and that neither disturbs the other's vectors. */
#include "realm.h"

#define ZCR_EL1			S3_0_C1_C2_0
#define ZCR_LEN_ALL		0xf
#define PFR0_SVE_SHIFT		32
/* 256 bits: less than the CPU's, so that the host has more to lose. */
#define REALM_VL		1
#define REALM_VECTOR_BYTES	32
#define HOST_ZCR_EL1		5

#define SVE			".arch_extension sve\n\t"

static void fill_vectors(void)
{
	asm volatile(SVE
		     "index	z0.b, #7, #5\n\t"
		     "index	z31.b, #9, #1\n\t"
		     "ptrue	p3.d\n\t"
		     "wrffr	p3.b\n\t"
		     "ptrue	p15.s" ::: "memory");
}

/* Bytes and predicate bits that are not as fill_vectors() left them. */
static u64 changed_vectors(void)
{
	u64 n, sum = 0;

#define ADD(code)							\
	asm volatile(SVE "ptrue p0.b\n\t" code "\n\tcntp %0, p0, p1.b"	\
		     : "=r" (n) :: "memory", "cc");			\
	sum += n
	ADD("index z1.b, #7, #5\n\tcmpne p1.b, p0/z, z0.b, z1.b");
	ADD("index z1.b, #9, #1\n\tcmpne p1.b, p0/z, z31.b, z1.b");
	ADD("ptrue p1.s\n\teor p1.b, p0/z, p1.b, p15.b");
	ADD("ptrue p1.d\n\trdffr p2.b\n\teor p1.b, p0/z, p1.b, p2.b");
	return sum;
}

static bool rmm_has_sve(void)
{
	u64 x[SMC_REGS] = { RMI_FEATURES };

	smc_call(x);
	return (x[1] & RMI_FEATURE0_SVE_EN) && RMI_FEATURE0_SVE_VL(x[1]) > REALM_VL;
}

static void run_sve(void)
{
	const struct rmi_rec_exit *exit = &realm_run()->exit;
	u64 changed = 0;
	int i;

	fill_vectors();
	realm_enter(0, 0, RMI_EXIT_HOST_CALL);
	expect("its vectors are as long as they should be", exit->gprs[0], REALM_VECTOR_BYTES);
	expect("the realm sees SVE", field(exit->gprs[1], PFR0_SVE_SHIFT), 1);
	expect("the host's vectors outlive a REC that has SVE", changed_vectors(), 0);
	fill_vectors();
	realm_enter(0, 0, RMI_EXIT_HOST_CALL);
	for (i = 0; i < 4; i++)
		changed += exit->gprs[i];
	expect("the realm's vectors outlive an exit", changed, 0);
	expect("so does its ZCR_EL1", exit->gprs[4], ZCR_LEN_ALL);
	expect("and the host's", read_sysreg(ZCR_EL1), HOST_ZCR_EL1);
}

void test_sve(void)
{
	const struct realm_shape shape = {
		.flags = RMI_REALM_FLAG_SVE,
		.sve_vl = REALM_VL,
		.code = sve_guest,
	};

	if (!rmm_has_sve()) {
		puts_("skip SVE in a realm: the CPU has none, or too short vectors\n");
		return;
	}
	write_sysreg(read_sysreg(cptr_el2) & ~(BIT(8) | BIT(10)), cptr_el2);
	write_sysreg(HOST_ZCR_EL1, ZCR_EL1);
	write_sysreg(ZCR_LEN_ALL, ZCR_EL2);
	isb();
	realm_build(&shape);
	run_sve();
	realm_take_down();
}
