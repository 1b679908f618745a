/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of guest_memfd_linux for arm64 know of each other.
 */
#ifndef SELFTEST_KVM_AARCH64_LINUX_BOOT_H
#define SELFTEST_KVM_AARCH64_LINUX_BOOT_H

#include "linux_guest.h"
#include "linux_guest_fdt.h"

/* Below it is the board. */
#define RAM_GPA		0x40000000ul

/* When all vCPUs are there: it has a redistributor for each. */
void linux_create_gic(struct linux_guest *guest);

/* What there is beside RAM, into the root node; when the vCPUs are initialized. */
void linux_describe_board(struct linux_guest *guest, struct fdt *fdt);

#endif /* SELFTEST_KVM_AARCH64_LINUX_BOOT_H */
