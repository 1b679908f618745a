// SPDX-License-Identifier: GPL-2.0-only
/* What a test can do to the harness: `run.sh --self-test` runs each and checks what comes out. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	return fd < 0 || write(fd, text, strlen(text)) < 0;
}

static int get(const char *path)
{
	int fd = open(path, O_RDONLY);
	char byte;

	return fd < 0 || read(fd, &byte, 1) < 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	printf("about to %s\n", what);
	fflush(stdout);
	if (!strcmp(what, "pass"))
		return 0;
	if (!strcmp(what, "skip"))
		return 4;
	if (!strcmp(what, "hang"))
		for (;;)
			pause();
	if (!strcmp(what, "panic"))
		return put("/proc/sysrq-trigger", "c");
	if (!strcmp(what, "silence"))
		return reboot(RB_POWER_OFF);
	/* The kernel itself touches what is a realm's, or an SNP guest's. */
	if (!strcmp(what, "granule"))
		return get("/sys/kernel/debug/kvm/rmi/page");
	if (!strcmp(what, "assigned"))
		return get("/sys/kernel/debug/snp_model/page");
	if (!strcmp(what, "warn"))
		return put("/dev/kmsg", "<4>WARNING: CPU: 0 PID: 1 at no place at all\n");
	return 1;
}
