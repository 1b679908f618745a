// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel says about realms while it boots: one line, whatever it found.
 */
#include <fcntl.h>

#include "realm.h"

#define PREFIX		"Realms: "

/* The records of the log that have it; the last of them goes to @line. */
static int find_lines(int kmsg, char *line, size_t size, bool *is_whole)
{
	char record[2048], *text;
	bool first = true;
	int nr = 0;
	ssize_t len;

	while ((len = read(kmsg, record, sizeof(record) - 1)) > 0) {
		record[len] = '\0';
		/* "level,number,time,flags;text" */
		if (first)
			*is_whole = !atoi(strchr(record, ',') + 1);
		first = false;
		text = strstr(record, PREFIX);
		if (!text)
			continue;
		snprintf(line, size, "%.*s", (int)strcspn(text, "\n"), text);
		nr++;
	}
	EXPECT(len < 0 && errno == EAGAIN, "the log should be read to its end");
	return nr;
}

int main(int argc, char *argv[])
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), nr;
	bool is_whole = false;
	char line[256] = "";

	__TEST_REQUIRE(kmsg >= 0, "cannot open /dev/kmsg");
	__TEST_REQUIRE(getpagesize() == SIZE_4K,
		       "realms need a kernel with pages of 4 KiB");
	nr = find_lines(kmsg, line, sizeof(line), &is_whole);
	__TEST_REQUIRE(is_whole, "the beginning of the log is lost");
	EXPECT_EQ(nr, 1, "lines with \"" PREFIX "\"");
	EXPECT_EQ(!strncmp(line, PREFIX "RMM ", strlen(PREFIX "RMM ")),
		  has_realms(), "\"%s\": says that there are realms", line);
	EXPECT_EQ(!strncmp(line, PREFIX "none", strlen(PREFIX "none")),
		  !has_realms(), "\"%s\": says that there are none", line);
	printf("%s\n", line);
	return test_verdict();
}
