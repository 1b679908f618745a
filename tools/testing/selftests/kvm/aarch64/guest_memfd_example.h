/* SPDX-License-Identifier: GPL-2.0 */
/* What guest_memfd_example needs to know of arm64. */
#ifndef SELFTEST_KVM_GUEST_MEMFD_EXAMPLE_H
#define SELFTEST_KVM_GUEST_MEMFD_EXAMPLE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#define DEVICE_GPA	0x10000000

#define CORE_REG(name)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | \
			 KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(name))

/*
 * With the MMU off, the address of the byte in X0 and of the device in X1.
 *
 * Without its MMU the guest passes the caches by.  KVM cleans and invalidates
 * them when it maps a page for the guest: the host writes before that, and reads
 * once the guest has run; for more it takes a new page.
 */
static const uint32_t guest_code[] = {
	0x39400002,		/* again: ldrb w2, [x0] */
	0x11000442,		/*	  add  w2, w2, #1 */
	0x39000002,		/*	  strb w2, [x0] */
	0x39000022,		/*	  strb w2, [x1] */
	0x17fffffc,		/*	  b    again */
};

static inline int set_reg(int vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return ioctl(vcpu, KVM_SET_ONE_REG, &reg);
}

static inline int init_vcpu(int vm, int vcpu, uint64_t byte_gpa)
{
	struct kvm_vcpu_init init;

	if (ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init) ||
	    ioctl(vcpu, KVM_ARM_VCPU_INIT, &init))
		return -1;
	if (set_reg(vcpu, CORE_REG(regs.regs[0]), byte_gpa) ||
	    set_reg(vcpu, CORE_REG(regs.regs[1]), DEVICE_GPA))
		return -1;
	return set_reg(vcpu, CORE_REG(regs.pc), 0);
}

/* What the guest has reported, or -1 if it has exited for another reason. */
static inline int reported_byte(const struct kvm_run *run)
{
	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
	    run->mmio.phys_addr != DEVICE_GPA)
		return -1;
	return run->mmio.data[0];
}

/* For KVM_CREATE_VM, or -1 if there is no such type. */
static inline int private_vm_type(int kvm)
{
	return -1;
}

#endif /* SELFTEST_KVM_GUEST_MEMFD_EXAMPLE_H */
