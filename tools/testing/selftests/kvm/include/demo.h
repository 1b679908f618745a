/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a demonstration tells its story, a line a step, and stops when something
 * is not as it is told.
 */
#ifndef SELFTEST_KVM_DEMO_H
#define SELFTEST_KVM_DEMO_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../kselftest.h"

static inline void __attribute__((format(printf, 2, 3)))
tell(const char *step, const char *format, ...)
{
	va_list args;

	printf("%-8s ", step);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static inline void check(bool as_told, const char *what)
{
	if (as_told)
		return;
	printf("Not as told: %s\n", what);
	exit(KSFT_FAIL);
}

#endif
