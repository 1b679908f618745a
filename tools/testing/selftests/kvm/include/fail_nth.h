/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls into the kernel in which allocations fail.
 *
 * A call that fails says so by its errno and has changed nothing; a call that
 * gets by without the memory has done all of its work; the next try succeeds.
 */
#ifndef SELFTEST_KVM_FAIL_NTH_H
#define SELFTEST_KVM_FAIL_NTH_H

#include <stdbool.h>

/*
 * One call: @prepare brings about the state before it and @undo takes back
 * what it has done; @before and @after check the state that a failure leaves
 * and that of success; @arm is for each try.
 */
struct fail_call {
	const char *name;
	void (*prepare)(void);
	int (*call)(void);
	void (*before)(const char *when);
	void (*after)(const char *when);
	void (*undo)(void);
	void (*arm)(void);
	int err;		/* of a failure; 0 stands for ENOMEM */
	int patience;		/* failures in a row that it takes; 0: none */
	bool sampled;		/* fail_each() may leave some out: see there */
};

void no_step(void);
void no_check(const char *when);

void fail_nth_begin(void);
void fail_nth_end(void);

/* Each allocation of the call fails once. */
void fail_each(const struct fail_call *call);

/* All of its allocations fail from some point on: from each such point. */
void fail_from_each(const struct fail_call *call);

/* Both, for a table of calls. */
void fail_calls(const struct fail_call *calls, int nr);

#endif /* SELFTEST_KVM_FAIL_NTH_H */
