/* SPDX-License-Identifier: GPL-2.0-only */
#include "setup_kernel.h"
