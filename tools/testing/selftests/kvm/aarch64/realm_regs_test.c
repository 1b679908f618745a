// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a REC can be read and set, and until when: registers, features, the
 * length of its vectors, and other ways into a vCPU.
 */
#include "realm.h"

#define REG_X(n)	(ARM64_CORE_REG(regs.regs[0]) + 2 * (n))
#define REG_PC		ARM64_CORE_REG(regs.pc)
#define REG_DFR0	KVM_ARM64_SYS_REG(SYS_ID_AA64DFR0_EL1)
#define REG_PMCR	KVM_ARM64_SYS_REG(SYS_PMCR_EL0)
#define REG_VLS		KVM_REG_ARM64_SVE_VLS

#define DFR0_BRPS_SHIFT	12
#define DFR0_WRPS_SHIFT	20
#define FIELD(val, shift)	((val) >> (shift) & 15)

static struct realm realm;
static struct kvm_vcpu *vcpu;

static void begin(uint32_t features)
{
	realm_create(&realm, &(struct realm_options){
		.nr_vcpus = 2,
		.features = features,
	});
	vcpu = realm.vcpus[0];
}

static void run_once(void)
{
	realm_load(&realm, &(struct realm_options){ .not_measured = true });
	agent_call(&realm.agents[0], guest_current_el);
}

/* Registers that other vCPUs have. */
static const struct {
	const char *name;
	uint64_t id;
} others[] = {
	{ "X8", REG_X(8) },
	{ "X30", REG_X(30) },
	{ "SP", ARM64_CORE_REG(regs.sp) },
	{ "SP_EL1", ARM64_CORE_REG(sp_el1) },
	{ "PSTATE", ARM64_CORE_REG(regs.pstate) },
	{ "ELR_EL1", ARM64_CORE_REG(elr_el1) },
	{ "SCTLR_EL1", KVM_ARM64_SYS_REG(SYS_SCTLR_EL1) },
	{ "TTBR0_EL1", KVM_ARM64_SYS_REG(SYS_TTBR0_EL1) },
	{ "MPIDR_EL1", KVM_ARM64_SYS_REG(SYS_MPIDR_EL1) },
	{ "ID_AA64PFR0_EL1", KVM_ARM64_SYS_REG(SYS_ID_AA64PFR0_EL1) },
	{ "timer control", KVM_REG_ARM_TIMER_CTL },
	{ "timer count", KVM_REG_ARM_TIMER_CNT },
	{ "PSCI version", KVM_REG_ARM_PSCI_VERSION },
	{ "standard calls", KVM_REG_ARM_STD_BMAP },
};

static bool is_listed(const struct kvm_reg_list *list, uint64_t id)
{
	uint64_t i;

	for (i = 0; i < list->n; i++)
		if (list->reg[i] == id)
			return true;
	return false;
}

static void test_list(bool has_sve)
{
	struct kvm_reg_list *list = vcpu_get_reg_list(vcpu);
	int i;

	for (i = 0; i < 8; i++)
		EXPECT(is_listed(list, REG_X(i)), "X%d should be listed", i);
	EXPECT(is_listed(list, REG_PC), "PC should be listed");
	EXPECT(is_listed(list, REG_DFR0), "DFR0 should be listed");
	EXPECT_EQ(is_listed(list, REG_VLS), has_sve, "SVE_VLS is listed");
	EXPECT(!is_listed(list, REG_PMCR), "PMCR should not be listed");
	EXPECT_EQ(list->n, 10 + has_sve, "length of the list");
	free(list);
}

static void test_set(bool ran)
{
	uint64_t val, i;

	for (i = 0; i < 8; i++)
		EXPECT_ERRNO(__vcpu_set_reg(realm.vcpus[1], REG_X(i), i),
			     ran ? EPERM : 0, "set X%lu", i);
	EXPECT_ERRNO(__vcpu_set_reg(realm.vcpus[1], REG_PC, 0),
		     ran ? EPERM : 0, "set PC");
	for (i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_ERRNO(__vcpu_set_reg(vcpu, others[i].id, 0), EINVAL,
			     "set %s", others[i].name);
	EXPECT_ERRNO(__vcpu_get_reg(vcpu, KVM_REG_ARM_PSCI_VERSION, &val),
		     ENOENT, "get PSCI version");
}

/* One less for the realm, which the other REC has, too. */
static void expect_fewer(unsigned int shift, bool ran, const char *what)
{
	uint64_t dfr0, of_other;

	vcpu_get_reg(vcpu, REG_DFR0, &dfr0);
	dfr0 -= 1ul << shift;
	EXPECT_ERRNO(__vcpu_set_reg(vcpu, REG_DFR0, dfr0), ran ? EPERM : 0,
		     "fewer %s", what);
	if (ran)
		return;
	vcpu_get_reg(realm.vcpus[1], REG_DFR0, &of_other);
	EXPECT_EQ(of_other, dfr0, "%s of the other REC", what);
}

/* Breakpoints and watchpoints: less than there are, not more. */
static void test_debug(bool ran)
{
	uint64_t dfr0, bps, wps;

	vcpu_get_reg(vcpu, REG_DFR0, &dfr0);
	bps = FIELD(dfr0, DFR0_BRPS_SHIFT);
	wps = FIELD(dfr0, DFR0_WRPS_SHIFT);
	printf("%lu breakpoints, %lu watchpoints\n", bps + 1, wps + 1);
	EXPECT_ERRNO(__vcpu_set_reg(vcpu, REG_DFR0, dfr0), 0, "same DFR0");
	if (bps < 15)
		EXPECT_ERRNO(__vcpu_set_reg(vcpu, REG_DFR0,
					    dfr0 | 15ul << DFR0_BRPS_SHIFT),
			     EINVAL, "more breakpoints");
	if (wps < 15)
		EXPECT_ERRNO(__vcpu_set_reg(vcpu, REG_DFR0,
					    dfr0 | 15ul << DFR0_WRPS_SHIFT),
			     EINVAL, "more watchpoints");
	EXPECT_ERRNO(__vcpu_set_reg(vcpu, REG_DFR0, dfr0 ^ 1ul << 40), EINVAL,
		     "another field of DFR0");
	if (bps)
		expect_fewer(DFR0_BRPS_SHIFT, ran, "breakpoints");
	if (wps)
		expect_fewer(DFR0_WRPS_SHIFT, ran, "watchpoints");
}

static uint64_t guest_dfr0(void)
{
	return read_sysreg(id_aa64dfr0_el1);
}

/* The realm has as many as it was created with. */
static void test_debug_in_realm(void)
{
	uint64_t dfr0, in_realm;

	vcpu_get_reg(vcpu, REG_DFR0, &dfr0);
	in_realm = agent_call(&realm.agents[0], guest_dfr0);
	EXPECT_EQ(FIELD(in_realm, DFR0_BRPS_SHIFT),
		  FIELD(dfr0, DFR0_BRPS_SHIFT), "breakpoints in the realm");
	EXPECT_EQ(FIELD(in_realm, DFR0_WRPS_SHIFT),
		  FIELD(dfr0, DFR0_WRPS_SHIFT), "watchpoints in the realm");
}

static void test_other_ways(void)
{
	struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE };
	struct kvm_vcpu_events events = { .exception.serror_pending = 1 };
	struct kvm_mp_state state;

	EXPECT_ERRNO(__vcpu_ioctl(vcpu, KVM_SET_GUEST_DEBUG, &debug), EINVAL,
		     "KVM_SET_GUEST_DEBUG");
	EXPECT_ERRNO(__vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events), EINVAL,
		     "an SError for a REC");
	for (state.mp_state = 0; state.mp_state < 16; state.mp_state++)
		EXPECT_ERRNO(__vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &state),
			     state.mp_state == KVM_MP_STATE_RUNNABLE ? 0 :
			     EINVAL, "KVM_SET_MP_STATE %u of a REC that is on",
			     state.mp_state);
	EXPECT(agent_call(&realm.agents[0], guest_dfr0),
	       "a REC that is still on should answer");
}

/* Scalable vectors */

static uint64_t guest_vector_length(void)
{
	uint64_t bytes;

	write_sysreg(read_sysreg(cpacr_el1) | 3ul << 16, cpacr_el1);
	isb();
	write_sysreg_s(15, SYS_ZCR_EL1);
	isb();
	asm volatile(".arch_extension sve\n\trdvl %0, #1" : "=r"(bytes));
	return bytes;
}

static int set_length(struct kvm_vcpu *vcpu, unsigned int vq)
{
	uint64_t vls[KVM_ARM64_SVE_VLS_WORDS] = {};
	struct kvm_one_reg reg = { .id = REG_VLS, .addr = (uintptr_t)vls };
	unsigned int i;

	if (__vcpu_ioctl(vcpu, KVM_GET_ONE_REG, &reg))
		return -1;
	for (i = vq; i < 64 * KVM_ARM64_SVE_VLS_WORDS; i++)
		vls[i / 64] &= ~(1ul << i % 64);
	return __vcpu_ioctl(vcpu, KVM_SET_ONE_REG, &reg);
}

static unsigned int max_length(void)
{
	uint64_t vls[KVM_ARM64_SVE_VLS_WORDS] = {};
	unsigned int i, max = 0;

	vcpu_get_reg(vcpu, REG_VLS, vls);
	for (i = 0; i < 64 * KVM_ARM64_SVE_VLS_WORDS; i++)
		if (vls[i / 64] & 1ul << i % 64)
			max = i + 1;
	return max;
}

static void finalize_sve(struct kvm_vcpu *vcpu)
{
	int feature = KVM_ARM_VCPU_SVE;

	vcpu_ioctl(vcpu, KVM_ARM_VCPU_FINALIZE, &feature);
}

static void test_sve_length(unsigned int vq)
{
	begin(1 << KVM_ARM_VCPU_SVE);
	EXPECT_ERRNO(set_length(vcpu, vq), 0, "vectors of %u bits", 128 * vq);
	EXPECT_ERRNO(set_length(realm.vcpus[1], vq), 0,
		     "vectors of %u bits, other REC", 128 * vq);
	finalize_sve(vcpu);
	finalize_sve(realm.vcpus[1]);
	EXPECT_ERRNO(set_length(vcpu, vq), EPERM, "length after FINALIZE");
	run_once();
	EXPECT_EQ(agent_call(&realm.agents[0], guest_vector_length), 16 * vq,
		  "bytes of a vector in the realm");
	realm_free(&realm);
}

/* Of the lengths that a mask may say, those that the CPU can have. */
static void test_sve_errors(unsigned int max)
{
	uint64_t vls[KVM_ARM64_SVE_VLS_WORDS] = {};
	struct kvm_one_reg reg = { .id = REG_VLS, .addr = (uintptr_t)vls };

	begin(1 << KVM_ARM_VCPU_SVE);
	EXPECT_ERRNO(__vcpu_ioctl(vcpu, KVM_SET_ONE_REG, &reg), EINVAL,
		     "vectors of no length");
	vcpu_get_reg(vcpu, REG_VLS, vls);
	vls[max / 64] |= 1ul << max % 64;
	EXPECT_ERRNO(__vcpu_ioctl(vcpu, KVM_SET_ONE_REG, &reg), EINVAL,
		     "longer vectors than there are");
	EXPECT_EQ(max_length(), max, "length after what was refused");
	realm_free(&realm);
}

/* The last choice is the realm's: a REC that is finalized before has another. */
static void test_sve_mismatch(void)
{
	begin(1 << KVM_ARM_VCPU_SVE);
	finalize_sve(vcpu);
	EXPECT_ERRNO(set_length(realm.vcpus[1], 1), 0, "another length");
	finalize_sve(realm.vcpus[1]);
	realm_load(&realm, &(struct realm_options){ .not_measured = true });
	EXPECT_ERRNO(__vcpu_run(vcpu), EINVAL,
		     "run with vectors of two lengths");
	realm_free(&realm);
}

static void test_sve(void)
{
	unsigned int max, vq;
	struct kvm_vm *vm = realm_vm_create(0, 1);
	bool has_sve = vm_check_cap(vm, KVM_CAP_ARM_SVE);

	kvm_vm_free(vm);
	if (!has_sve) {
		note_skipped("scalable vectors: the CPU or the RMM has none");
		return;
	}
	begin(1 << KVM_ARM_VCPU_SVE);
	max = max_length();
	printf("vectors of up to %u bits\n", 128 * max);
	test_list(true);
	realm_free(&realm);
	for (vq = 1; vq <= max; vq *= 2)
		test_sve_length(vq);
	test_sve_errors(max);
	if (max > 1)
		test_sve_mismatch();
}

int main(int argc, char *argv[])
{
	require_realms();
	begin(0);
	test_list(false);
	test_set(false);
	test_debug(false);
	realm_set_entry(&realm, 0);
	realm_set_entry(&realm, 1);
	run_once();
	test_list(false);
	test_set(true);
	test_debug(true);
	test_debug_in_realm();
	test_other_ways();
	realm_free(&realm);
	test_sve();
	return test_verdict();
}
