/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel prints. */
#ifndef NATIVE_LOG_H
#define NATIVE_LOG_H

extern char kernel_log[4096];

void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
