/* SPDX-License-Identifier: GPL-2.0 */
/* What guest_memfd_example needs to know of x86-64. */
#ifndef SELFTEST_KVM_GUEST_MEMFD_EXAMPLE_H
#define SELFTEST_KVM_GUEST_MEMFD_EXAMPLE_H

#include <stdint.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#define PORT	0x10

/* In real mode, with the address of the byte in BX. */
static const uint8_t guest_code[] = {
	0xfe, 0x07,		/* again: incb (%bx) */
	0x8a, 0x07,		/*	  mov (%bx), %al */
	0xe6, PORT,		/*	  out %al, $PORT */
	0xeb, 0xf8,		/*	  jmp again */
};

/* A vCPU begins in real mode, but at the BIOS: send it to address 0. */
static inline int init_vcpu(int vm, int vcpu, uint64_t byte_gpa)
{
	struct kvm_regs regs = { .rip = 0, .rbx = byte_gpa, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return -1;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs))
		return -1;
	return ioctl(vcpu, KVM_SET_REGS, &regs);
}

/* What the guest has reported, or -1 if it has exited for another reason. */
static inline int reported_byte(const struct kvm_run *run)
{
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != PORT)
		return -1;
	return ((const uint8_t *)run)[run->io.data_offset];
}

/* For KVM_CREATE_VM, or -1 if there is no such type. */
static inline int private_vm_type(int kvm)
{
	int types = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);

	if (types < 0 || !(types & 1 << KVM_X86_SW_PROTECTED_VM))
		return -1;
	return KVM_X86_SW_PROTECTED_VM;
}

#endif /* SELFTEST_KVM_GUEST_MEMFD_EXAMPLE_H */
