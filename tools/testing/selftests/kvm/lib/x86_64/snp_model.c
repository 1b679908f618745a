// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the model of SEV-SNP holds, and how to make its firmware and its RMP fail.
 */
#include "guest_memfd.h"
#include "snp.h"
#include "snp_model.h"

#define MODEL		"/sys/kernel/debug/snp_model/"
#define PATIENCE_MS	5000

bool has_snp_model(void)
{
	return !access(MODEL "states", R_OK) && !access(MODEL "leaked", R_OK) &&
	       !access(MODEL "fail", W_OK);
}

void require_snp_model(void)
{
	__TEST_REQUIRE(has_snp_model(),
		       "no " MODEL ": needs the model of SEV-SNP and debugfs");
}

/* The sum of lines "NAME COUNT", or "COUNT". */
static uint64_t sum_of(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned long sum = 0;
	char line[128], *number;

	TEST_ASSERT(file, "%s should open, errno %d", path, errno);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "hypervisor ", 11) ||
		    !strncmp(line, "hv-fixed ", 9) ||
		    !strncmp(line, "default ", 8))
			continue;
		number = strrchr(line, ' ');
		sum += strtoul(number ?: line, NULL, 0);
	}
	fclose(file);
	return sum;
}

uint64_t snp_model_held(void)
{
	return has_snp_model() ? sum_of(MODEL "states") : 0;
}

uint64_t snp_model_leaked(void)
{
	return has_snp_model() ? sum_of(MODEL "leaked") : 0;
}

/* Nothing may run meanwhile. */
static bool expect_invariants(const char *when)
{
	FILE *file = fopen(MODEL "invariants", "r");
	char line[128] = "";

	TEST_ASSERT(file, MODEL "invariants should open, errno %d", errno);
	if (fgets(line, sizeof(line), file))
		line[strcspn(line, "\n")] = 0;
	fclose(file);
	return EXPECT(!strcmp(line, "kept"), "%s: invariants of the model: %s",
		      when, line);
}

/* At the start of a test. */
static uint64_t held_at_start, leaked_at_start;

void snp_begin(void)
{
	require_snp();
	if (!has_snp_model())
		note_skipped("pages that are left over: needs the model of SEV-SNP");
	held_at_start = snp_model_held();
	leaked_at_start = snp_model_leaked();
}

bool snp_expect_all_back(const char *when)
{
	return snp_expect_pages(held_at_start, leaked_at_start, when);
}

bool snp_expect_pages(uint64_t held, uint64_t leaked, const char *when)
{
	uint64_t end = now_ms() + PATIENCE_MS;

	if (!has_snp_model())
		return true;
	while (snp_model_held() != held && now_ms() < end)
		usleep(1000);
	return EXPECT_EQ(snp_model_held(), held, "%s: pages that are not the hypervisor's",
			 when) &
	       EXPECT_EQ(snp_model_leaked(), leaked, "%s: pages leaked", when) &
	       expect_invariants(when);
}

/* Writes to a file, and reads what comes of it; 0, or -1 with errno. */
static int __printf(4, 5) ask(const char *path, char *answer, size_t size,
			      const char *fmt, ...)
{
	int fd = open(path, O_RDWR), err;
	ssize_t ret;
	va_list ap;

	TEST_ASSERT(fd >= 0, "%s should open, errno %d", path, errno);
	va_start(ap, fmt);
	ret = vdprintf(fd, fmt, ap);
	va_end(ap);
	if (ret > 0)
		ret = pread(fd, answer, size - 1, 0);
	err = errno;
	close(fd);
	errno = err;
	if (ret <= 0)
		return -1;
	answer[ret] = 0;
	return 0;
}

int snp_model_hooks(struct kvm_vm *vm, uint64_t gpa, unsigned int order,
		    unsigned int step, struct snp_hooks *hooks)
{
	char text[128];

	if (ask(MODEL "hooks", text, sizeof(text), "%d %lu %u %u", vm->fd,
		gpa / SIZE_4K, order, step))
		return -1;
	TEST_ASSERT(sscanf(text, "level %u private %u shared %u prepare_ns %lu invalidate_ns %lu",
			   &hooks->level, &hooks->private_level,
			   &hooks->shared_level, &hooks->prepare_ns,
			   &hooks->invalidate_ns) == 5,
		    MODEL "hooks says \"%s\"", text);
	return 0;
}

/* A line of at most so many at a time. */
#define MAX_ENTRIES	512ul

int snp_model_entries(struct kvm_vm *vm, uint64_t gpa, uint64_t size,
		      char *entries)
{
	char text[MAX_ENTRIES + 2];
	uint64_t end = gpa + size, nr;

	for (*entries = 0; gpa < end; gpa += nr * SIZE_4K, entries += nr) {
		nr = min((end - gpa) / SIZE_4K, MAX_ENTRIES);
		if (ask(MODEL "entry", text, sizeof(text), "%d %lu %lu", vm->fd,
			gpa / SIZE_4K, nr))
			return -1;
		TEST_ASSERT(strcspn(text, "\n") == nr,
			    MODEL "entry should say %lu letters, says \"%s\"",
			    nr, text);
		memcpy(entries, text, nr);
		entries[nr] = 0;
	}
	return 0;
}

int snp_model_join(struct kvm_vm *vm, uint64_t gpa)
{
	char text[64];

	snprintf(text, sizeof(text), "%d %lu", vm->fd, gpa / SIZE_4K);
	return write_file(MODEL "join", text);
}

static const char * const failing_names[] = {
	[SNP_FAILING_COMMAND] = "command",
	[SNP_FAILING_RMPUPDATE] = "rmpupdate",
	[SNP_FAILING_PSMASH] = "psmash",
};

void snp_model_fail(enum snp_failing what, unsigned int command,
		    unsigned int skip, unsigned int times, unsigned int status)
{
	char text[64];

	if (what == SNP_FAILING_NONE)
		snprintf(text, sizeof(text), "none");
	else if (what == SNP_FAILING_COMMAND)
		snprintf(text, sizeof(text), "command %u %u %u %u", command,
			 skip, times, status);
	else
		snprintf(text, sizeof(text), "%s %u %u %u",
			 failing_names[what], skip, times, status);
	TEST_ASSERT(!write_file(MODEL "fail", text),
		    MODEL "fail should accept \"%s\", errno %d", text, errno);
}

struct snp_failing_left snp_model_fail_left(enum snp_failing what)
{
	FILE *file = fopen(MODEL "fail", "r");
	struct snp_failing_left left;
	bool found = false;
	char name[16];

	TEST_ASSERT(file, MODEL "fail should open, errno %d", errno);
	while (!found && fscanf(file, "%15s %u %u", name, &left.skip,
				&left.times) == 3)
		found = !strcmp(name, failing_names[what]);
	fclose(file);
	TEST_ASSERT(found, MODEL "fail should say what is left of %s",
		    failing_names[what]);
	return left;
}
