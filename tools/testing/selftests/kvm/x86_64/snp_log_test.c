// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel says about SEV-SNP while it boots: nothing, unless it was asked
 * for by kvm_amd.sev_snp or kvm_amd.snp_model; then in one line whether it is on,
 * and what KVM offers agrees with that.
 */
#include "guest_memfd.h"
#include "snp.h"

#define TAINT_TEST_BIT		18

#define HARDWARE		"SEV-SNP: "
#define MODEL			"SEV-SNP model: "
#define MODEL_IS_ON		"on: nothing that guests do here is confidential"

/* Lines that begin with "PREFIXon" or "PREFIXoff", of which the last is kept. */
struct said {
	unsigned int nr;
	char last[256];
};

/* Of a record, the text follows the first ';', up to the line's end. */
static void note(struct said *said, const char *prefix, char *record)
{
	char *text = strchr(record, ';');

	if (!text || strncmp(text + 1, prefix, strlen(prefix)))
		return;
	text += 1 + strlen(prefix);
	if (strncmp(text, "on", 2) && strncmp(text, "off", 3))
		return;
	said->nr++;
	text[strcspn(text, "\n")] = 0;
	snprintf(said->last, sizeof(said->last), "%s", text);
}

/* All records since boot. */
static void read_log(struct said *hardware, struct said *model)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	unsigned long seq, nr = 0;
	char record[8192];
	ssize_t n;

	__TEST_REQUIRE(fd >= 0, "/dev/kmsg cannot be read, errno %d", errno);
	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, record, sizeof(record) - 1)) > 0) {
		record[n] = 0;
		__TEST_REQUIRE(nr++ || (sscanf(record, "%*u,%lu", &seq) == 1 &&
					!seq),
			       "the first lines of the log have been lost");
		note(hardware, HARDWARE, record);
		note(model, MODEL, record);
	}
	__TEST_REQUIRE(errno != EPIPE, "lines of the log are being lost");
	TEST_ASSERT(nr && n < 0 && errno == EAGAIN,
		    "the log should be read to its end, errno %d after %lu records",
		    errno, nr);
	close(fd);
}

/* As kernels read a parameter. */
static bool is_true(const char *value)
{
	return *value == '1' || *value == 'y' || *value == 'Y' ||
	       !strcmp(value, "on");
}

static bool is_asked_for(const char *parameter)
{
	char line[4096], *word;
	FILE *file = fopen("/proc/cmdline", "r");
	bool found = false;

	TEST_ASSERT(file && fgets(line, sizeof(line), file),
		    "/proc/cmdline should be read, errno %d", errno);
	fclose(file);
	for (word = strtok(line, "\n "); word; word = strtok(NULL, "\n "))
		found |= !strncmp(word, parameter, strlen(parameter)) &&
			 is_true(word + strlen(parameter));
	return found;
}

static char read_byte(const char *path)
{
	FILE *file = fopen(path, "r");
	int byte;

	TEST_ASSERT(file, "%s should open, errno %d", path, errno);
	byte = fgetc(file);
	fclose(file);
	return byte;
}

static bool is_tainted(unsigned int bit)
{
	FILE *file = fopen("/proc/sys/kernel/tainted", "r");
	unsigned long taints;

	TEST_ASSERT(file && fscanf(file, "%lu", &taints) == 1,
		    "the taints should be read, errno %d", errno);
	fclose(file);
	return taints & 1ul << bit;
}

static void test_model(const struct said *model)
{
	EXPECT_EQ(model->nr, 1, "lines about the model");
	EXPECT(!strcmp(model->last, MODEL_IS_ON),
	       "the model should say \"" MODEL_IS_ON "\", says \"%s\"",
	       model->last);
	EXPECT(is_tainted(TAINT_TEST_BIT), "the model should taint the kernel");
	EXPECT(has_snp(), "SNP VMs should be offered");
}

static void test_hardware(const struct said *hardware)
{
	bool on = !strncmp(hardware->last, "on, ", 4);

	printf("%s%s\n", HARDWARE, hardware->last);
	EXPECT_EQ(hardware->nr, 1, "lines about SNP");
	EXPECT(on || (!strncmp(hardware->last, "off: ", 5) &&
		      hardware->last[5]),
	       "SNP should be on, or off with a reason, is \"%s\"",
	       hardware->last);
	if (!on)
		EXPECT(!has_snp(), "SNP VMs should not be offered");
}

int main(int argc, char *argv[])
{
	struct said hardware = {}, model = {};

	read_log(&hardware, &model);
	if (is_asked_for("kvm_amd.snp_model=")) {
		test_model(&model);
	} else if (is_asked_for("kvm_amd.sev_snp=")) {
		test_hardware(&hardware);
		EXPECT_EQ(model.nr, 0, "lines about the model");
	} else {
		EXPECT_EQ(hardware.nr, 0, "lines about SNP, not asked for");
		EXPECT_EQ(model.nr, 0, "lines about the model, not asked for");
		EXPECT(!has_snp(), "SNP VMs should not be offered");
	}
	if (!access("/sys/module/kvm_amd/parameters/sev_snp", R_OK))
		EXPECT_EQ(read_byte("/sys/module/kvm_amd/parameters/sev_snp"),
			  has_snp() ? 'Y' : 'N', "kvm_amd.sev_snp");
	return test_verdict();
}
