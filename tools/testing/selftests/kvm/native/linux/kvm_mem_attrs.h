/* SPDX-License-Identifier: GPL-2.0-only */
#include "../../../../../../include/linux/kvm_mem_attrs.h"
