/* SPDX-License-Identifier: GPL-2.0-only */
/* The model's own calls: a command that fails on request, and counts. */
#ifndef RMM_CONTROL_H
#define RMM_CONTROL_H

#include "rmm_types.h"

void control_init(void);
/* Counts a command that is about to run: the status it is to fail with, or 0. */
u64 control_count(u32 fid);
/* rmi.c: whether it is a command's FID. */
bool rmi_is_command(u64 fid);
/* One of the calls of model.h; all else answers SMC_NOT_SUPPORTED. */
u64 control_call(const u64 *x, u64 *out);

#endif
