// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of KVM's capabilities a realm has.
 */
#include <linux/kvm_host.h>

#include <asm/kvm_rmi.h>

/**
 * kvm_realm_has_cap() - Ask whether a capability means anything to realms.
 * @cap: KVM_CAP_*, one of those that the architecture answers for.
 *
 * What is not here is about what the host cannot see or change, or what a realm
 * does not have.  None can be enabled but those that all architectures have.
 *
 * Return: True if the answer for a realm is the same as for any VM.
 */
bool kvm_realm_has_cap(long cap)
{
	switch (cap) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_SYNC_MMU:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_READONLY_MEM:
	case KVM_CAP_MEMORY_FAULT_INFO:
	case KVM_CAP_ONE_REG:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_ARM_PSCI:
	case KVM_CAP_ARM_PSCI_0_2:
	case KVM_CAP_ARM_IRQ_LINE_LAYOUT_2:
	case KVM_CAP_VCPU_ATTRIBUTES:
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
	case KVM_CAP_MAX_VCPU_ID:
	case KVM_CAP_MSI_DEVID:
	case KVM_CAP_ARM_VM_IPA_SIZE:
	case KVM_CAP_ARM_PMU_V3:
	case KVM_CAP_ARM_SVE:
	case KVM_CAP_ARM_PTRAUTH_ADDRESS:
	case KVM_CAP_ARM_PTRAUTH_GENERIC:
	case KVM_CAP_GUEST_DEBUG_HW_BPS:
	case KVM_CAP_GUEST_DEBUG_HW_WPS:
	case KVM_CAP_ARM_RMI:
		return true;
	default:
		return false;
	}
}

/**
 * kvm_realm_check_extension() - KVM_CHECK_EXTENSION where realms differ.
 * @kvm: The VM, or NULL for what the host can do at best.
 * @cap: KVM_CAP_*
 * @r: What is true for other VMs; changed to what is true for this one.
 */
void kvm_realm_check_extension(struct kvm *kvm, long cap, int *r)
{
	u64 features = rmi_feature_register0();

	if (!static_branch_unlikely(&kvm_rmi_is_available))
		return;
	if (cap == KVM_CAP_ARM_RMI)
		*r = 1;
	if (!kvm || !kvm_is_realm(kvm))
		return;

	if (!kvm_realm_has_cap(cap))
		*r = 0;
	else if (cap == KVM_CAP_ARM_VM_IPA_SIZE)
		*r = kvm_realm_ipa_limit();
	else if (cap == KVM_CAP_ARM_SVE)
		*r &= !!(features & RMI_FEATURE_REGISTER_0_SVE_EN);
	else if (cap == KVM_CAP_ARM_PMU_V3)
		*r &= !!(features & RMI_FEATURE_REGISTER_0_PMU_EN);
}
