// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_PRE_FAULT_MEMORY: have guest memory mapped before the guest touches it.
 */
#include <linux/kvm_host.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "kvm_mm.h"

static_assert(sizeof(struct kvm_pre_fault_memory) == 64);

static int check_range(const struct kvm_pre_fault_memory *range)
{
	if (range->flags)
		return -EINVAL;
	if (!PAGE_ALIGNED(range->gpa) || !PAGE_ALIGNED(range->size))
		return -EINVAL;
	/* Neither empty nor around the end of the address space. */
	if (range->gpa + range->size <= range->gpa)
		return -EINVAL;
	return 0;
}

/* As in KVM_RUN: what is mapped to be written is dirty, and has to be logged. */
static bool dirty_ring_is_full(struct kvm_vcpu *vcpu)
{
	return vcpu->kvm->dirty_ring_size &&
	       kvm_dirty_ring_soft_full(&vcpu->dirty_ring);
}

/* Advance @range over what gets mapped. */
static int pre_fault(struct kvm_vcpu *vcpu, struct kvm_pre_fault_memory *range)
{
	long mapped;

	while (range->size) {
		if (signal_pending(current))
			return -EINTR;
		if (dirty_ring_is_full(vcpu))
			return -EAGAIN;

		mapped = kvm_arch_vcpu_pre_fault_memory(vcpu, range);
		if (mapped < 0)
			return mapped;

		range->gpa += mapped;
		range->size -= mapped;
		cond_resched();
	}
	return 0;
}

/**
 * kvm_vcpu_ioctl_pre_fault_memory() - KVM_PRE_FAULT_MEMORY.
 * @vcpu: The vCPU whose MMU maps the memory.
 * @argp: A struct kvm_pre_fault_memory; gpa and size in bytes.
 *
 * Gpa and size are advanced over what has been mapped, also on failure.
 *
 * Context: May sleep; with vcpu->mutex held.
 * Return: 0 if at least one page has been mapped; -EFAULT for @argp; -EINVAL
 * for the range; -EINTR; -EAGAIN while the vCPU's dirty ring is full; or what
 * kvm_arch_vcpu_pre_fault_memory() returns.
 */
int kvm_vcpu_ioctl_pre_fault_memory(struct kvm_vcpu *vcpu, void __user *argp)
{
	struct kvm_pre_fault_memory range;
	u64 size;
	int r;

	if (copy_from_user(&range, argp, sizeof(range)))
		return -EFAULT;

	r = check_range(&range);
	if (r)
		return r;

	size = range.size;

	vcpu_load(vcpu);
	kvm_vcpu_srcu_read_lock(vcpu);
	r = pre_fault(vcpu, &range);
	kvm_vcpu_srcu_read_unlock(vcpu);
	vcpu_put(vcpu);

	if (copy_to_user(argp, &range, sizeof(range)))
		return -EFAULT;

	return range.size == size ? r : 0;
}
