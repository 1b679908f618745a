/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where guest_memfd_linux puts what a kernel for x86-64 finds in memory when it
 * starts. All below 640 KiB, except the kernel and its initrd.
 */
#ifndef SELFTEST_KVM_X86_64_LINUX_BOOT_H
#define SELFTEST_KVM_X86_64_LINUX_BOOT_H

#include "linux_guest.h"

#define GDT_GPA		0x6000ul
#define ZERO_PAGE_GPA	0x7000ul
#define PML4_GPA	0x8000ul
#define PDPT_GPA	0x9000ul
#define PD_GPA		0xa000ul	/* four of them */
#define COMMAND_GPA	0x20000ul
#define MP_TABLE_GPA	0x9fc00ul	/* the last KiB of base memory: looked into */
#define BASE_MEMORY_END	0xa0000ul
#define HIGH_MEMORY_GPA	0x100000ul

void linux_write_mp_table(struct linux_guest *guest);

#endif /* SELFTEST_KVM_X86_64_LINUX_BOOT_H */
