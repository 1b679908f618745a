/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls that only the model has, for tests of a host: in SMCCC's range of
 * SiP services, behind a UID that says whose services they are.
 */
#ifndef RMM_MODEL_H
#define RMM_MODEL_H

#include "rmm_types.h"

/* x0..x3 back: the four words of the UID. */
#define MODEL_UID		0x8200ff01u
/* 6c8f2d4b-51e3-4a07-9b6e-d2f0375ac918 */
#define MODEL_UID_WORDS		{ 0x4b2d8f6c, 0x074ae351, 0xf0d26e9b, 0x18c95a37 }

#define MODEL_FID(n)		(0xc2000000u | (n))

/*
 * Of the RMI commands from here on, the x1-th answers x2, a status with its
 * index, without doing anything; those before and behind it are as ever.  The
 * status can be one that RMM 1.0 does not have.
 * x1 0: none does.  x3: a command's FID, to count that command alone; 0: all.
 * x0 back: RMI_SUCCESS or RMI_ERROR_INPUT, with nothing changed.
 */
#define MODEL_FAIL_NTH		MODEL_FID(0)
/*
 * x1 back: commands counted since; x2: how many more to the failing one, or 0;
 * x3: how many exits of MODEL_NEXT_EXIT are still to come.
 */
#define MODEL_CALLS		MODEL_FID(1)
/* x1..x7 back: granules of RAM in each state, in the order of enum granule_state. */
#define MODEL_GRANULES		MODEL_FID(2)
/* x1 back: granules undelegated so far that were not all zeroes; 0, or a bug. */
#define MODEL_NOT_SCRUBBED	MODEL_FID(3)

/*
 * The next x1 entries of RECs, 0: none, that would run the REC do not: x2 is the
 * exit reason, x3 the ESR of the record, all else as of any exit.  RMM 1.0 need
 * not have such a reason.
 * x0 back: RMI_SUCCESS, or RMI_ERROR_INPUT if x2 is no byte, with nothing changed.
 */
#define MODEL_NEXT_EXIT		MODEL_FID(4)

#define MODEL_FID_LAST		MODEL_NEXT_EXIT

#endif
