// SPDX-License-Identifier: GPL-2.0-only
/*
 * What userspace can choose of a REC, and until when: features with
 * KVM_ARM_VCPU_INIT, registers with KVM_SET_ONE_REG.
 *
 * X0 to X7 and the PC are what a REC starts with, and can be set until it is
 * created.  The vector length and the numbers of breakpoints, watchpoints and
 * event counters are the realm's, the same for all of its RECs, and can be set
 * until that is created, up to what the RMM offers.  KVM_GET_REG_LIST lists
 * these and no more.
 */
#include <linux/bitfield.h>
#include <linux/kvm_host.h>
#include <linux/uaccess.h>

#include <kvm/arm_pmu.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_rmi.h>
#include <asm/sysreg.h>

#define CORE_REG(name)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
			 KVM_REG_ARM_CORE_REG(name))
#define REG_X(n)	(CORE_REG(regs.regs[0]) + (n) * sizeof(u64) / sizeof(u32))
#define REG_PC		CORE_REG(regs.pc)
#define REG_DFR0	ARM64_SYS_REG(3, 0, 0, 5, 0)
#define REG_PMCR	ARM64_SYS_REG(3, 3, 9, 12, 0)

#define DFR0_BRPS	ARM64_FEATURE_MASK(ID_AA64DFR0_EL1_BRPs)
#define DFR0_WRPS	ARM64_FEATURE_MASK(ID_AA64DFR0_EL1_WRPs)
#define PMCR_N		(ARMV8_PMU_PMCR_N_MASK << ARMV8_PMU_PMCR_N_SHIFT)

/*
 * What the RMM offers, as in struct realm_config: of breakpoints and watchpoints
 * one less than there are, of event counters as many as there are.
 */
static unsigned int max_bps(void)
{
	return FIELD_GET(RMI_FEATURE_REGISTER_0_NUM_BPS, rmi_feature_register0());
}

static unsigned int max_wps(void)
{
	return FIELD_GET(RMI_FEATURE_REGISTER_0_NUM_WPS, rmi_feature_register0());
}

static unsigned int max_ctrs(void)
{
	return FIELD_GET(RMI_FEATURE_REGISTER_0_PMU_NUM_CTRS,
			 rmi_feature_register0());
}

static unsigned int max_vq(void)
{
	return FIELD_GET(RMI_FEATURE_REGISTER_0_SVE_VL,
			 rmi_feature_register0()) + 1;
}

/**
 * kvm_rec_has_feature() - Say whether a feature of vCPUs means nothing but REC.
 * @vcpu: A vCPU.
 * @feature: The bit's number.
 *
 * Return: True if it can be ignored.
 */
bool kvm_rec_has_feature(const struct kvm_vcpu *vcpu, unsigned int feature)
{
	return vcpu_is_rec(vcpu) && feature == KVM_ARM_VCPU_REC;
}

static bool is_open(struct kvm *kvm)
{
	lockdep_assert_held(&kvm->arch.config_lock);

	return kvm_realm_state(kvm) == REALM_STATE_NONE;
}

static bool rmm_has_features_of(struct kvm_vcpu *vcpu)
{
	u64 reg0 = rmi_feature_register0();

	if (vcpu_has_feature(vcpu, KVM_ARM_VCPU_EL1_32BIT))
		return false;
	if (vcpu_has_feature(vcpu, KVM_ARM_VCPU_SVE) &&
	    !(reg0 & RMI_FEATURE_REGISTER_0_SVE_EN))
		return false;
	return !kvm_vcpu_has_pmu(vcpu) || (reg0 & RMI_FEATURE_REGISTER_0_PMU_EN);
}

/**
 * kvm_rec_check_features() - See whether a vCPU can have its features.
 * @vcpu: Any vCPU, in KVM_ARM_VCPU_INIT.
 *
 * Context: May sleep; under vcpu->mutex.
 * Return: 0; -EINVAL if it is a realm's, and the RMM does not offer them or the
 * realm exists and was created with others.
 */
int kvm_rec_check_features(struct kvm_vcpu *vcpu)
{
	const struct realm_config *config = &vcpu->kvm->arch.realm.config;
	int ret = 0;

	if (!vcpu_is_rec(vcpu))
		return 0;
	if (!rmm_has_features_of(vcpu))
		return -EINVAL;
	mutex_lock(&vcpu->kvm->arch.config_lock);
	if (!is_open(vcpu->kvm) &&
	    (config->sve != vcpu_has_feature(vcpu, KVM_ARM_VCPU_SVE) ||
	     config->pmu != kvm_vcpu_has_pmu(vcpu)))
		ret = -EINVAL;
	mutex_unlock(&vcpu->kvm->arch.config_lock);
	return ret;
}

static void choose_sve(struct kvm_vcpu *vcpu, unsigned int vq)
{
	struct realm_config *config = &vcpu->kvm->arch.realm.config;

	vcpu->arch.sve_max_vl = sve_vl_from_vq(vq);
	config->sve = true;
	config->sve_vl = vq - 1;
}

static void choose_pmu(struct kvm_vcpu *vcpu)
{
	struct realm_config *config = &vcpu->kvm->arch.realm.config;
	unsigned int n = FIELD_GET(PMCR_N, __vcpu_sys_reg(vcpu, PMCR_EL0));

	if (config->pmu)
		return;
	config->pmu = true;
	config->pmu_num_ctrs = min(n, max_ctrs());
}

/**
 * kvm_rec_fits_realm() - Compare a REC with what its realm is created with.
 * @vcpu: The REC, initialised.
 *
 * Return: True if the features that have to be equal are.
 */
bool kvm_rec_fits_realm(const struct kvm_vcpu *vcpu)
{
	const struct realm_config *config = &vcpu->kvm->arch.realm.config;

	if (config->sve != vcpu_has_sve(vcpu) ||
	    config->pmu != kvm_vcpu_has_pmu(vcpu))
		return false;
	return !config->sve ||
	       vcpu_sve_max_vq(vcpu) == config->sve_vl + 1U;
}

/* The first decides, unless somebody chooses otherwise while it is possible. */
static void init_sve(struct kvm_vcpu *vcpu)
{
	const struct realm_config *config = &vcpu->kvm->arch.realm.config;

	if (config->sve)
		vcpu->arch.sve_max_vl = sve_vl_from_vq(config->sve_vl + 1);
	else if (is_open(vcpu->kvm))
		choose_sve(vcpu, min(vcpu_sve_max_vq(vcpu), max_vq()));
}

/**
 * kvm_rec_init() - The end of KVM_ARM_VCPU_INIT.
 * @vcpu: Any vCPU, with features that it can have, just reset.
 *
 * Context: May sleep; under vcpu->mutex.
 */
void kvm_rec_init(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;

	if (!vcpu_is_rec(vcpu))
		return;
	mutex_lock(&kvm->arch.config_lock);
	if (vcpu_has_sve(vcpu) && !kvm_arm_vcpu_sve_finalized(vcpu))
		init_sve(vcpu);
	if (kvm_vcpu_has_pmu(vcpu) && is_open(kvm))
		choose_pmu(vcpu);
	mutex_unlock(&kvm->arch.config_lock);
}

/**
 * kvm_rec_set_sve_vq() - Limit the vector length, for all RECs of the realm.
 * @vcpu: The REC, which has SVE, not finalised.
 * @vq: In 128 bits; the CPUs have it.
 *
 * Context: May sleep; under vcpu->mutex.
 * Return: 0; -EINVAL if the RMM does not offer so much; -EPERM if the realm
 * has another one and exists.
 */
int kvm_rec_set_sve_vq(struct kvm_vcpu *vcpu, unsigned int vq)
{
	struct kvm *kvm = vcpu->kvm;
	int ret = 0;

	if (vq > max_vq())
		return -EINVAL;
	mutex_lock(&kvm->arch.config_lock);
	if (is_open(kvm))
		choose_sve(vcpu, vq);
	else if (vq == kvm->arch.realm.config.sve_vl + 1U)
		vcpu->arch.sve_max_vl = sve_vl_from_vq(vq);
	else
		ret = -EPERM;
	mutex_unlock(&kvm->arch.config_lock);
	return ret;
}

static u64 dfr0_of(const struct kvm_vcpu *vcpu)
{
	const struct realm_config *config = &vcpu->kvm->arch.realm.config;
	u64 val = read_sanitised_ftr_reg(SYS_ID_AA64DFR0_EL1);

	val &= ARM64_FEATURE_MASK(ID_AA64DFR0_EL1_DebugVer) |
	       (kvm_vcpu_has_pmu(vcpu) ?
		ARM64_FEATURE_MASK(ID_AA64DFR0_EL1_PMUVer) : 0);
	return val | FIELD_PREP(DFR0_BRPS, config->num_bps) |
	       FIELD_PREP(DFR0_WRPS, config->num_wps);
}

/* All but the two numbers stays as it is. */
static int set_dfr0(struct kvm_vcpu *vcpu, u64 val)
{
	struct realm_config *config = &vcpu->kvm->arch.realm.config;
	u64 bps = FIELD_GET(DFR0_BRPS, val), wps = FIELD_GET(DFR0_WRPS, val);
	u64 old = dfr0_of(vcpu);

	if (val == old)
		return 0;
	if (((val ^ old) & ~(DFR0_BRPS | DFR0_WRPS)) ||
	    bps > max_bps() || wps > max_wps())
		return -EINVAL;
	if (!is_open(vcpu->kvm))
		return -EPERM;
	config->num_bps = bps;
	config->num_wps = wps;
	return 0;
}

static u64 pmcr_of(const struct kvm_vcpu *vcpu)
{
	u64 val = __vcpu_sys_reg(vcpu, PMCR_EL0);

	/* What a guest can write is the realm's, and the host's is made up. */
	val &= ~(u64)(PMCR_N | ARMV8_PMU_PMCR_MASK);
	return val | FIELD_PREP(PMCR_N,
				vcpu->kvm->arch.realm.config.pmu_num_ctrs);
}

/* All but the number of counters stays as it is. */
static int set_pmcr(struct kvm_vcpu *vcpu, u64 val)
{
	struct realm_config *config = &vcpu->kvm->arch.realm.config;
	u64 n = FIELD_GET(PMCR_N, val);
	u64 old = pmcr_of(vcpu);

	if (!kvm_vcpu_has_pmu(vcpu))
		return -EINVAL;
	if (val == old)
		return 0;
	if (((val ^ old) & ~(u64)PMCR_N) || n > max_ctrs())
		return -EINVAL;
	if (!is_open(vcpu->kvm))
		return -EPERM;
	config->pmu_num_ctrs = n;
	return 0;
}

static int set_config_reg(struct kvm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	struct kvm *kvm = vcpu->kvm;
	u64 val;
	int ret;

	if (get_user(val, (u64 __user *)(unsigned long)reg->addr))
		return -EFAULT;
	mutex_lock(&kvm->arch.config_lock);
	ret = reg->id == REG_DFR0 ? set_dfr0(vcpu, val) : set_pmcr(vcpu, val);
	mutex_unlock(&kvm->arch.config_lock);
	return ret;
}

static bool is_start_reg(u64 id)
{
	unsigned int i;

	if (id == REG_PC)
		return true;
	for (i = 0; i < RMI_REC_CREATE_NR_GPRS; i++)
		if (id == REG_X(i))
			return true;
	return false;
}

/**
 * kvm_rec_num_regs() - Count the registers that can be set.
 * @vcpu: The REC.
 *
 * Return: Their number.
 */
unsigned long kvm_rec_num_regs(const struct kvm_vcpu *vcpu)
{
	return RMI_REC_CREATE_NR_GPRS + 2 + !!vcpu_has_sve(vcpu) +
	       !!kvm_vcpu_has_pmu(vcpu);
}

/**
 * kvm_rec_copy_reg_indices() - List the registers that can be set.
 * @vcpu: The REC.
 * @uindices: Room for as many as kvm_rec_num_regs() says.
 *
 * Return: 0 or -EFAULT.
 */
int kvm_rec_copy_reg_indices(const struct kvm_vcpu *vcpu, u64 __user *uindices)
{
	u64 ids[RMI_REC_CREATE_NR_GPRS + 4];
	unsigned int i, n = 0;

	for (i = 0; i < RMI_REC_CREATE_NR_GPRS; i++)
		ids[n++] = REG_X(i);
	ids[n++] = REG_PC;
	if (vcpu_has_sve(vcpu))
		ids[n++] = KVM_REG_ARM64_SVE_VLS;
	ids[n++] = REG_DFR0;
	if (kvm_vcpu_has_pmu(vcpu))
		ids[n++] = REG_PMCR;
	return copy_to_user(uindices, ids, n * sizeof(ids[0])) ? -EFAULT : 0;
}

/**
 * kvm_rec_get_reg() - KVM_GET_ONE_REG for a REC.
 * @vcpu: The REC.
 * @reg: The request, of an arm64 register.
 *
 * Return: 1 if it is a register as any other; else 0 or an error.
 */
int kvm_rec_get_reg(struct kvm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u64 __user *uaddr = (u64 __user *)(unsigned long)reg->addr;

	switch (reg->id & KVM_REG_ARM_COPROC_MASK) {
	case KVM_REG_ARM_FW:
	case KVM_REG_ARM_FW_FEAT_BMAP:
		return -ENOENT;
	}
	switch (reg->id) {
	case REG_DFR0:
		return put_user(dfr0_of(vcpu), uaddr);
	case REG_PMCR:
		if (!kvm_vcpu_has_pmu(vcpu))
			return -ENOENT;
		return put_user(pmcr_of(vcpu), uaddr);
	default:
		return 1;
	}
}

/**
 * kvm_rec_set_reg() - KVM_SET_ONE_REG for a REC.
 * @vcpu: The REC.
 * @reg: The request, of an arm64 register.
 *
 * Context: May sleep; under vcpu->mutex.
 * Return: 1 to set it as of any other vCPU; 0; -EINVAL for a register or value
 * that a REC cannot have; -EPERM for one that it is too late to set; -EFAULT.
 */
int kvm_rec_set_reg(struct kvm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	if (is_start_reg(reg->id))
		return kvm_rec_exists(vcpu) ? -EPERM : 1;

	switch (reg->id) {
	case KVM_REG_ARM64_SVE_VLS:
		return vcpu_has_sve(vcpu) ? 1 : -EINVAL;
	case REG_DFR0:
	case REG_PMCR:
		return set_config_reg(vcpu, reg);
	default:
		return -EINVAL;
	}
}
