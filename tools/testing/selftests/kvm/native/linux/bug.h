/* SPDX-License-Identifier: GPL-2.0-only */
/* A warning of the code under test ends the test. */
#include "../../../../../include/asm/bug.h"
#include <stdlib.h>

#undef __WARN_printf
#define __WARN_printf(arg...)	do { printf(arg); fflush(stdout); abort(); } while (0)
