// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs whose type says that they are SEV, SEV-ES or SEV-SNP guests: which types
 * there are, KVM_SEV_INIT2, and that they do not run before they can.
 */
#include <linux/kvm_host.h>
#include <linux/psp-sev.h>
#include <linux/uaccess.h>

#include "svm.h"
#include "x86.h"

static_assert(sizeof(struct kvm_sev_init) == 48);

/* Of the protocol between a guest and KVM, in the GHCB. */
#define GHCB_VERSION_INIT2_MAX	(IS_ENABLED(CONFIG_KVM_AMD_SNP) ? 2 : 1)

/* Features of VMSAs that user space may ask for: none so far. */
static const u64 supported_vmsa_features;

/**
 * sev_offer_vm_types() - Offer the types of VMs that the processor has.
 * @sev: SEV is enabled
 * @es: SEV-ES is
 * @snp: SEV-SNP is
 */
void __init sev_offer_vm_types(bool sev, bool es, bool snp)
{
	if (sev)
		kvm_caps.vendor_vm_types |= BIT(KVM_X86_SEV_VM);
	if (es)
		kvm_caps.vendor_vm_types |= BIT(KVM_X86_SEV_ES_VM);
	if (snp)
		kvm_caps.vendor_vm_types |= BIT(KVM_X86_SNP_VM);
}

/**
 * sev_dev_get_attr() - An attribute of /dev/kvm.
 * @group: KVM_X86_GRP_SEV
 * @attr: KVM_X86_SEV_VMSA_FEATURES
 * @val: set to the value
 *
 * Return: 0; -ENXIO if there is no such attribute.
 */
int sev_dev_get_attr(u32 group, u64 attr, u64 *val)
{
	if (group != KVM_X86_GRP_SEV || attr != KVM_X86_SEV_VMSA_FEATURES)
		return -ENXIO;

	*val = supported_vmsa_features;
	return 0;
}

static bool init_is_valid(const struct kvm_sev_init *init, bool es)
{
	u64 features = es ? supported_vmsa_features : 0;
	u16 version = es ? GHCB_VERSION_INIT2_MAX : 0;

	return !init->flags && !(init->vmsa_features & ~features) &&
	       init->ghcb_version <= version;
}

/* What user space leaves to KVM; -EINVAL if it cannot be had. */
static int complete_init(struct kvm *kvm, struct kvm_sev_init *init, bool es)
{
	if (es && !init->ghcb_version)
		init->ghcb_version = GHCB_VERSION_INIT2_MAX;
	if (kvm->arch.vm_type != KVM_X86_SNP_VM)
		return 0;
	if (init->ghcb_version < 2)
		return -EINVAL;

	init->vmsa_features |= SVM_SEV_FEAT_SNP_ACTIVE;
	return 0;
}

/* What of it may ask the firmware, whose status @error is set to. */
static int init_guest(struct kvm *kvm, struct kvm_sev_init *init, bool es,
		      int *error)
{
	int ret;

	ret = complete_init(kvm, init, es);
	if (!ret && kvm->arch.vm_type == KVM_X86_SNP_VM)
		ret = snp_guest_init(kvm, error);
	return ret ? ret : sev_guest_init(kvm, init, es, error);
}

/**
 * sev_guest_init2() - KVM_SEV_INIT2: make a VM what its type says.
 * @kvm: the VM
 * @argp: the command, with a struct kvm_sev_init; the firmware's status is set,
 *	0 if it has not refused
 *
 * Context: may sleep, with kvm->lock held.
 * Return: 0; -EINVAL for a VM of another type, one that is active or has vCPUs,
 * for flags, features of the VMSA or a version of the GHCB that there are not;
 * -EFAULT; or an error of snp_guest_init() or sev_guest_init().
 */
int sev_guest_init2(struct kvm *kvm, struct kvm_sev_cmd *argp)
{
	bool es = kvm->arch.vm_type != KVM_X86_SEV_VM;
	struct kvm_sev_init init;
	int error = 0, ret;

	lockdep_assert_held(&kvm->lock);
	argp->error = 0;

	if (!has_sev_type(kvm) || sev_guest(kvm) || kvm->created_vcpus)
		return -EINVAL;
	if (copy_from_user(&init, u64_to_user_ptr(argp->data), sizeof(init)))
		return -EFAULT;
	if (!init_is_valid(&init, es))
		return -EINVAL;

	ret = init_guest(kvm, &init, es, &error);
	/* SEV's own buffers can be lost before it is asked. */
	if (ret == -EIO && error != SEV_RET_NO_FW_CALL)
		argp->error = error;
	return ret;
}

/**
 * sev_type_pre_run() - Whether a vCPU of a VM of these types can run.
 * @vcpu: the vCPU
 *
 * Return: 1; -EINVAL before KVM_SEV_INIT2, before an SNP guest is launched, and
 * for a vCPU that was no part of that.
 */
int sev_type_pre_run(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;

	if (!sev_guest(kvm))
		return -EINVAL;
	if (!sev_snp_guest(kvm))
		return 1;

	return snp_is_launched(kvm) && vcpu->arch.guest_state_protected ?
	       1 : -EINVAL;
}
