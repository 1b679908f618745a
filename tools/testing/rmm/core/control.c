// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model's own calls: commands that fail and RECs that exit on request, and
 * counts.
 *
 * A command that is to fail does so before it looks at its arguments, so that
 * whatever the host passed, nothing has happened.
 */
#include "control.h"
#include "granule.h"
#include "model.h"
#include "rmi.h"

static struct {
	/* Of the failing command; how many more to it, itself included */
	u64 status;
	u64 left;
	/* The command that is counted, 0: each */
	u32 only;
	u64 calls;
} control;

/* Exits still to come */
static struct {
	u64 left;
	u8 reason;
	u64 esr;
} next_exit;

void control_init(void)
{
	mem_zero(&control, sizeof(control));
	mem_zero(&next_exit, sizeof(next_exit));
}

u64 control_count(u32 fid)
{
	if (control.only && control.only != fid)
		return RMI_SUCCESS;
	control.calls++;
	if (!control.left || --control.left)
		return RMI_SUCCESS;
	return control.status;
}

static bool is_failure(u64 status)
{
	return (status & 0xff) != RMI_SUCCESS && !(status >> 16);
}

static u64 fail_nth(u64 nth, u64 status, u64 only)
{
	if (nth && !is_failure(status))
		return RMI_ERROR_INPUT;
	if (only && !rmi_is_command(only))
		return RMI_ERROR_INPUT;
	mem_zero(&control, sizeof(control));
	control.left = nth;
	control.status = status;
	control.only = only;
	return RMI_SUCCESS;
}

static u64 set_next_exit(u64 nr, u64 reason, u64 esr)
{
	if (reason > 0xff)
		return RMI_ERROR_INPUT;
	next_exit.left = nr;
	next_exit.reason = reason;
	next_exit.esr = esr;
	return RMI_SUCCESS;
}

bool control_take_exit(struct rmi_rec_exit *exit)
{
	if (!next_exit.left)
		return false;
	next_exit.left--;
	exit->exit_reason = next_exit.reason;
	exit->esr = next_exit.esr;
	return true;
}

static u64 uid(u64 *out)
{
	static const u32 words[] = MODEL_UID_WORDS;

	for (unsigned int i = 1; i < ARRAY_SIZE(words); i++)
		out[i] = words[i];
	return words[0];
}

static u64 granules(u64 *out)
{
	for (unsigned int i = 0; i < GRANULE_STATES; i++)
		out[1 + i] = granules_in(i);
	return RMI_SUCCESS;
}

u64 control_call(const u64 *x, u64 *out)
{
	switch (x[0]) {
	case MODEL_UID:
		return uid(out);
	case MODEL_FAIL_NTH:
		return fail_nth(x[1], x[2], x[3]);
	case MODEL_CALLS:
		out[1] = control.calls;
		out[2] = control.left;
		out[3] = next_exit.left;
		return RMI_SUCCESS;
	case MODEL_GRANULES:
		return granules(out);
	case MODEL_NOT_SCRUBBED:
		out[1] = granules_not_scrubbed();
		return RMI_SUCCESS;
	case MODEL_NEXT_EXIT:
		return set_next_exit(x[1], x[2], x[3]);
	default:
		return SMC_NOT_SUPPORTED;
	}
}
