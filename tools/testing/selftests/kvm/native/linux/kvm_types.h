/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_KVM_TYPES_H
#define _LINUX_KVM_TYPES_H

#include <linux/types.h>

typedef u64 gfn_t;

#endif
