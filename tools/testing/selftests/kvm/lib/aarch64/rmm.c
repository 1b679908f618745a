// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the RMM below the host holds, and how to make its commands fail.
 */
#include <fcntl.h>

#include "guest_memfd.h"
#include "rmm.h"

#define KVM_DEBUGFS	"/sys/kernel/debug/kvm/"
#define MODEL		KVM_DEBUGFS "rmi/"
#define PATIENCE_MS	5000

static uint64_t read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned long number;

	__TEST_REQUIRE(file, "cannot open %s: needs debugfs", path);
	TEST_ASSERT(fscanf(file, "%lu", &number) == 1,
		    "%s should be a number", path);
	fclose(file);
	return number;
}

static void write_number(const char *path, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%#lx", number);
	TEST_ASSERT(!write_file(path, text), "%s should accept %s, errno %d",
		    path, text, errno);
}

uint64_t rmm_delegated(void)
{
	return read_number(KVM_DEBUGFS "realm_granules_delegated");
}

uint64_t rmm_leaked(void)
{
	return read_number(KVM_DEBUGFS "realm_granules_leaked");
}

bool rmm_expect_granules(uint64_t delegated, uint64_t leaked, const char *when)
{
	uint64_t end = now_ms() + PATIENCE_MS;

	while (rmm_delegated() != delegated && now_ms() < end)
		usleep(1000);
	return EXPECT_EQ(rmm_delegated(), delegated, "%s: granules delegated",
			 when) &
	       EXPECT_EQ(rmm_leaked(), leaked, "%s: granules leaked", when);
}

bool rmm_is_model(void)
{
	return !access(MODEL "granules", R_OK);
}

void require_rmm_model(void)
{
	__TEST_REQUIRE(rmm_is_model(),
		       "no " MODEL ": needs the model RMM and CONFIG_KVM_ARM_RMI_MODEL");
}

uint64_t rmm_held(void)
{
	FILE *file = fopen(MODEL "granules", "r");
	unsigned long number, sum = 0;
	char state[32];

	TEST_ASSERT(file, MODEL "granules should open, errno %d", errno);
	while (fscanf(file, "%31s %lu", state, &number) == 2)
		if (strcmp(state, "undelegated"))
			sum += number;
	fclose(file);
	return sum;
}

uint64_t rmm_not_scrubbed(void)
{
	return read_number(MODEL "not_scrubbed");
}

void rmm_fail(uint64_t nth, uint32_t command, uint32_t status)
{
	write_number(MODEL "fail_status", status);
	write_number(MODEL "fail_command", command);
	write_number(MODEL "fail_nth", nth);
}

bool rmm_has_failed(void)
{
	return !read_number(MODEL "fail_nth");
}

void rmm_stop_failing(void)
{
	write_number(MODEL "fail_nth", 0);
}

void rmm_exit(uint64_t nr, uint32_t reason, uint64_t esr)
{
	write_number(MODEL "exit_reason", reason);
	write_number(MODEL "exit_esr", esr);
	write_number(MODEL "next_exit", nr);
}

uint64_t rmm_exits_left(void)
{
	return read_number(MODEL "next_exit");
}

void rmm_count(uint32_t command)
{
	write_number(MODEL "fail_command", command);
	write_number(MODEL "fail_nth", 0);
}

uint64_t rmm_counted(void)
{
	return read_number(MODEL "calls");
}
