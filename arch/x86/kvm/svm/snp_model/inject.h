/* SPDX-License-Identifier: GPL-2.0-only */
/* Failures that a test has asked for. */
#ifndef SNP_MODEL_INJECT_H
#define SNP_MODEL_INJECT_H

#include "snp_model.h"

/* What to return instead of doing it; 0: do it.  Under the RMP's lock. */
u32 snpm_injected(enum snpm_failing what, u32 command);

#endif
