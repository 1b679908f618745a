// SPDX-License-Identifier: GPL-2.0-only
/* Failures that a test has asked for, by count. */
#include "inject.h"
#include "snp_port.h"

/* Under the RMP's lock. */
static struct snpm_failure failures[SNPM_NR_FAILING];

void snpm_fail(enum snpm_failing what, const struct snpm_failure *failure)
{
	const struct snpm_failure none = { 0 };

	snpm_port_rmp_lock();
	if (what < SNPM_NR_FAILING)
		failures[what] = failure ? *failure : none;
	snpm_port_rmp_unlock();
}

void snpm_failure_left(enum snpm_failing what, struct snpm_failure *failure)
{
	snpm_port_rmp_lock();
	*failure = failures[what];
	snpm_port_rmp_unlock();
}

u32 snpm_injected(enum snpm_failing what, u32 command)
{
	struct snpm_failure *f = &failures[what];

	if (!f->times || (f->command && f->command != command))
		return 0;
	if (f->skip) {
		f->skip--;
		return 0;
	}
	f->times--;
	return f->status;
}
