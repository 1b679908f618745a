// SPDX-License-Identifier: GPL-2.0-only
/* Userspace of the boot test: turns CPU 1 off and on, says so, and powers the machine off. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#define CPU1_ONLINE "/sys/devices/system/cpu/cpu1/online"

static int write_cpu1(const char *value)
{
	int fd = open(CPU1_ONLINE, O_WRONLY), ok;

	if (fd < 0)
		return 0;
	ok = write(fd, value, 1) == 1;
	close(fd);
	return ok;
}

int main(void)
{
	printf("userspace is reached with %ld CPUs\n", sysconf(_SC_NPROCESSORS_ONLN));
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	if (access(CPU1_ONLINE, F_OK))
		printf("no CPU hotplug in this kernel\n");
	else if (write_cpu1("0") && write_cpu1("1"))
		printf("CPU 1 went off and on\n");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 1;
}
