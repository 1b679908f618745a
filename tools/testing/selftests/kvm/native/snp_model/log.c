// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel prints. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

char kernel_log[4096];

void log_line(const char *fmt, ...)
{
	size_t used = strlen(kernel_log);
	va_list args;

	va_start(args, fmt);
	vsnprintf(kernel_log + used, sizeof(kernel_log) - used, fmt, args);
	va_end(args);
}
