// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding out whether there is an RMM that KVM can work with, and what it offers.
 */
#include <linux/bitfield.h>
#include <linux/kvm_host.h>

#include <asm/kvm_rmi.h>
#include <asm/rmi_cmds.h>
#include <asm/virt.h>

DEFINE_STATIC_KEY_FALSE(kvm_rmi_is_available);

static u64 feature_register0 __ro_after_init;

/**
 * rmi_feature_register0() - What the RMM offers.
 *
 * Return: RmiFeatureRegister0.
 */
u64 rmi_feature_register0(void)
{
	return feature_register0;
}

/**
 * kvm_realm_ipa_limit() - The largest size of a realm's addresses.
 *
 * Return: Bits; that is protected and unprotected addresses together.
 */
u32 kvm_realm_ipa_limit(void)
{
	return FIELD_GET(RMI_FEATURE_REGISTER_0_S2SZ, feature_register0);
}

/**
 * kvm_realm_max_lrs() - How many list registers a REC has.
 *
 * Return: That, at least one.
 */
unsigned int kvm_realm_max_lrs(void)
{
	return FIELD_GET(RMI_FEATURE_REGISTER_0_GICV3_NUM_LRS,
			 feature_register0) + 1;
}

/* What realms need of the host itself, the first that is not there. */
static const char *missing_in_host(void)
{
	if (!is_kernel_in_hyp_mode())
		return "VHE";
	if (kvm_vgic_global_state.type != VGIC_V3)
		return "GICv3";
	if (arm_smccc_1_1_get_conduit() != SMCCC_CONDUIT_SMC ||
	    arm_smccc_get_version() < ARM_SMCCC_VERSION_1_2)
		return "SMCCC 1.2 by SMC";
	return NULL;
}

static bool rmm_is_compatible(void)
{
	const unsigned long version = RMI_ABI_VERSION(RMI_ABI_MAJOR_VERSION,
						      RMI_ABI_MINOR_VERSION);
	unsigned long ret, lower, higher;

	ret = rmi_version(version, &lower, &higher);
	if (ret == (unsigned long)SMCCC_RET_NOT_SUPPORTED) {
		kvm_info("Realms: none, there is no RMM\n");
		return false;
	}
	if (ret == RMI_SUCCESS && lower == version)
		return true;

	kvm_info("Realms: none, RMM %lu.%lu to %lu.%lu is not compatible with %d.%d\n",
		 RMI_ABI_VERSION_GET_MAJOR(lower), RMI_ABI_VERSION_GET_MINOR(lower),
		 RMI_ABI_VERSION_GET_MAJOR(higher), RMI_ABI_VERSION_GET_MINOR(higher),
		 RMI_ABI_MAJOR_VERSION, RMI_ABI_MINOR_VERSION);
	return false;
}

/**
 * kvm_init_rmi() - Let there be realms, if the machine can have them.
 *
 * One line says what it has found, in any case.
 *
 * Context: Once, after the rest of KVM has been initialised and before
 * userspace can make VMs.
 */
void kvm_init_rmi(void)
{
	const char *missing = missing_in_host();

	if (missing) {
		kvm_info("Realms: none without %s\n", missing);
		return;
	}
	if (!rmm_is_compatible())
		return;

	if (rmi_features(0, &feature_register0)) {
		kvm_info("Realms: none, the RMM does not tell its features\n");
		return;
	}

	kvm_info("Realms: RMM %d.%d, %u-bit IPA, %u list registers\n",
		 RMI_ABI_MAJOR_VERSION, RMI_ABI_MINOR_VERSION,
		 kvm_realm_ipa_limit(), kvm_realm_max_lrs());
	static_branch_enable(&kvm_rmi_is_available);
}
