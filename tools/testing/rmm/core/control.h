/* SPDX-License-Identifier: GPL-2.0-only */
/* The model's own calls: what fails or exits on request, and counts. */
#ifndef RMM_CONTROL_H
#define RMM_CONTROL_H

#include "rmm_types.h"

struct rmi_rec_exit;

void control_init(void);
/* Counts a command that is about to run: the status it is to fail with, or 0. */
u64 control_count(u32 fid);
/* For a REC that is about to run: whether it exits instead, with what is in @exit. */
bool control_take_exit(struct rmi_rec_exit *exit);
/* rmi.c: whether it is a command's FID. */
bool rmi_is_command(u64 fid);
/* One of the calls of model.h; all else answers SMC_NOT_SUPPORTED. */
u64 control_call(const u64 *x, u64 *out);

#endif
