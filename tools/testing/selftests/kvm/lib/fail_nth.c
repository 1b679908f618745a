// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of a call fails once, and then all of them from some point
 * on.
 *
 * /proc/thread-self/fail-nth makes the n-th allocation from now fail, for all
 * n until a call ends before its n-th.  A call that tries in vain without
 * sleeping and then again passes such a test; failslab with a budget in bytes,
 * for this thread alone, leaves it nothing to try.
 */
#include <fcntl.h>

#include "fail_nth.h"
#include "guest_memfd.h"

#define MAX_N		2000
#define BUDGET_STEP	320
#define MAX_BUDGET	(128 * 1024 + page_size)

static int fail_nth = -1, make_it_fail = -1;

void no_step(void)
{
}

void no_check(const char *when)
{
}

static void set_number(int fd, int number)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", number);

	TEST_ASSERT(pwrite(fd, text, len, 0) == len,
		    "fault injection should accept %d, errno %d", number,
		    errno);
}

static int get_number(int fd)
{
	char text[16] = "";

	TEST_ASSERT(pread(fd, text, sizeof(text) - 1, 0) > 0,
		    "fault injection should be readable, errno %d", errno);
	return atoi(text);
}

static void set_failslab(const char *name, int number)
{
	char path[64], text[16];

	snprintf(path, sizeof(path), "/sys/kernel/debug/failslab/%s", name);
	snprintf(text, sizeof(text), "%d", number);
	TEST_ASSERT(!write_file(path, text), "%s should accept %d", path,
		    number);
}

static int try_call(const struct fail_call *call)
{
	if (call->arm)
		call->arm();
	return call->call();
}

/* The n-th allocation of the call fails; true if the call has one. */
static bool inject(const struct fail_call *call, int n, int *ret, int *err)
{
	bool injected;

	if (call->arm)
		call->arm();
	set_number(fail_nth, n);
	*ret = call->call();
	*err = errno;
	injected = !get_number(fail_nth);
	set_number(fail_nth, 0);
	return injected;
}

/*
 * The allocations of the call fail that come after @budget bytes of them, all
 * or as many as it has patience for.
 */
static void run_dry(const struct fail_call *call, int budget, int *ret,
		    int *err)
{
	set_failslab("space", budget);
	set_failslab("times", call->patience ?: -1);
	if (call->arm)
		call->arm();
	set_number(make_it_fail, 1);
	*ret = call->call();
	*err = errno;
	set_number(make_it_fail, 0);
}

static void check_failure(const struct fail_call *call, const char *when,
			  int err)
{
	int want = call->err ?: ENOMEM;

	EXPECT(err == want, "%s: should fail with %d, failed with %d (%s)",
	       when, want, err, strerror(err));
	call->before(when);
	EXPECT_ERRNO(try_call(call), 0, "%s: the next try", when);
}

/*
 * Each n, one after the other.
 *
 * Creating a VM is sampled: it makes some hundred files in debugfs, which it can
 * do without, by several allocations each, and each try creates a VM and waits
 * for one to go away.  In a row of failures that do no harm, steps become longer.
 */
static int next_n(const struct fail_call *call, int n, int spared)
{
	return n + 1 + (call->sampled ? spared / 2 : 0);
}

void fail_each(const struct fail_call *call)
{
	int n, ret, err, nr_failed = 0, nr_tried = 0, spared = 0;
	bool injected = true;
	char when[80];

	for (n = 1; injected && n < MAX_N; n = next_n(call, n, spared)) {
		snprintf(when, sizeof(when), "%s, allocation %d", call->name,
			 n);
		call->prepare();
		injected = inject(call, n, &ret, &err);
		spared = ret < 0 ? 0 : spared + 1;
		nr_tried += injected;
		if (ret < 0) {
			nr_failed++;
			EXPECT(injected, "%s: should succeed, errno %d (%s)",
			       when, err, strerror(err));
			check_failure(call, when, err);
		}
		call->after(when);
		call->undo();
	}
	EXPECT(!injected, "%s: should have less than %d allocations",
	       call->name, MAX_N);
	EXPECT(nr_tried || !call->patience,
	       "%s: should have allocations, none failed", call->name);
	printf("%-36s %3d allocations failed, %3d were needed\n", call->name,
	       nr_tried, nr_failed);
}

/* By steps of 320 bytes up to 5 KiB, then by longer ones. */
static int next_budget(int budget)
{
	return budget + max(BUDGET_STEP, budget / 16);
}

void fail_from_each(const struct fail_call *call)
{
	int budget, ret = -1, err = 0, nr_tried = 0, nr_failed = 0, enough = 0;
	char when[80];

	for (budget = 0; budget < MAX_BUDGET && enough < 3;
	     budget = next_budget(budget)) {
		snprintf(when, sizeof(when), "%s with %d bytes", call->name,
			 budget);
		call->prepare();
		run_dry(call, budget, &ret, &err);
		nr_tried++;
		enough = ret < 0 ? 0 : enough + 1;
		if (ret < 0) {
			nr_failed++;
			check_failure(call, when, err);
		}
		call->after(when);
		call->undo();
	}
	EXPECT(ret >= 0, "%s: should succeed with %lu bytes, errno %d (%s)",
	       call->name, MAX_BUDGET, err, strerror(err));
	printf("%-36s %3d of %3d budgets were too small\n", call->name,
	       nr_failed, nr_tried);
}

void fail_calls(const struct fail_call *calls, int nr)
{
	for (; nr; nr--, calls++) {
		fail_each(calls);
		fail_from_each(calls);
	}
}

void fail_nth_begin(void)
{
	static const struct {
		const char *path, *value;
	} settings[] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "failslab/task-filter", "Y" },
		{ "failslab/interval", "1" },
		{ "failslab/probability", "100" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
	};
	char path[96];
	int i;

	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	make_it_fail = open("/proc/thread-self/make-it-fail", O_RDWR);
	__TEST_REQUIRE(fail_nth >= 0 && make_it_fail >= 0,
		       "no /proc/thread-self/fail-nth: needs CONFIG_FAULT_INJECTION");
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s",
			 settings[i].path);
		__TEST_REQUIRE(!write_file(path, settings[i].value),
			       "cannot write %s: needs CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC, debugfs",
			       path);
	}
}

void fail_nth_end(void)
{
	set_failslab("probability", 0);
	close(fail_nth);
	close(make_it_fail);
}
