// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process on board: runs the tests that /tests.list names, one after
 * the other, and tells the host on virtio-serial ports of its own what became
 * of each.
 *
 * /tests.list holds one line per test: name, time limit in seconds and command
 * line, separated by tabs. A name without a command is of a kind of test that
 * the kernel itself makes: "kunit:GLOB" for the suites it ran while booting,
 * "kmemleak" for what has leaked by now.
 *
 * Port "verdict" gets
 *	begin NAME
 *	end NAME exit STATUS | end NAME signal NUMBER | end NAME timeout SECONDS
 *	taint NAME HEX		new taint flags of the kernel, before its "end"
 *	done
 * Port "output" gets what the tests print, each under a line "=== NAME".
 * The console gets the same beginnings and ends, to tell whose a splat is.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KUNIT_DIR	"/sys/kernel/debug/kunit"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
/* Bad page, machine died, warning, soft lockup. */
#define TAINT_MASK	(1ul << 5 | 1ul << 7 | 1ul << 9 | 1ul << 14)
#define MAX_ARGS	64

static int verdict = -1, output = -1, kmsg = -1;

static void __attribute__((format(printf, 2, 3))) tell(int fd, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (len >= (int)sizeof(line))
		len = sizeof(line) - 1;
	if (write(fd, line, len) != len)
		tell(STDERR_FILENO, "init: a port is gone: %s\n", strerror(errno));
}

static void __attribute__((noreturn)) leave(void)
{
	sync();
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		tell(STDERR_FILENO, "init: %s to %s: %s\n", value, path, strerror(errno));
	close(fd);
}

static void mount_all(void)
{
	static const char * const mounts[][3] = {
		/* type, where, options */
		{ "devtmpfs", "/dev", NULL },
		{ "proc", "/proc", NULL },
		{ "sysfs", "/sys", NULL },
		{ "tmpfs", "/tmp", NULL },
		{ "tmpfs", "/dev/shm", NULL },
		{ "hugetlbfs", "/dev/hugepages", NULL },
		{ "debugfs", "/sys/kernel/debug", NULL },
		{ "tracefs", "/sys/kernel/tracing", NULL },
		{ "cgroup2", "/sys/fs/cgroup", NULL },
		{ NULL },
	};
	size_t i;

	for (i = 0; mounts[i][0]; i++) {
		mkdir(mounts[i][1], 0755);
		if (mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, mounts[i][2]))
			tell(STDERR_FILENO, "init: no %s: %s\n", mounts[i][0], strerror(errno));
	}
	put("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
}

static void raise_limits(void)
{
	struct rlimit files = { 1 << 20, 1 << 20 }, none = { 0, 0 };
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_MEMLOCK, &all);
	setrlimit(RLIMIT_CORE, &none);
}

static int open_port(const char *want)
{
	static const char dir[] = "/sys/class/virtio-ports";
	char path[512], name[64] = "";
	struct dirent *entry;
	int fd = -1;
	DIR *ports = opendir(dir);
	FILE *file;

	while (ports && (entry = readdir(ports)) && fd < 0) {
		snprintf(path, sizeof(path), "%s/%s/name", dir, entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "%63s", name) == 1 && !strcmp(name, want)) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			fd = open(path, O_WRONLY | O_CLOEXEC);
		}
		fclose(file);
	}
	if (ports)
		closedir(ports);
	return fd;
}

/* QEMU tells the kernel of its ports and their names at some time of the boot. */
static int await_port(const char *want)
{
	int fd, tries = 1000;

	while ((fd = open_port(want)) < 0 && tries--)
		usleep(10 * 1000);
	return fd;
}

static unsigned long taint(void)
{
	unsigned long flags = 0;
	FILE *file = fopen("/proc/sys/kernel/tainted", "r");

	if (file) {
		if (fscanf(file, "%lu", &flags) != 1)
			flags = 0;
		fclose(file);
	}
	return flags & TAINT_MASK;
}

static void test_begins(const char *name)
{
	tell(kmsg, "<6>selftest: begin %s\n", name);
	tell(output, "=== %s\n", name);
	tell(verdict, "begin %s\n", name);
}

static void test_ends(const char *name, const char *how, int value)
{
	static unsigned long known;
	unsigned long fresh = taint() & ~known;

	tell(kmsg, "<6>selftest: end %s\n", name);
	if (fresh)
		tell(verdict, "taint %s %lx\n", name, fresh);
	known |= fresh;
	tell(verdict, "end %s %s %d\n", name, how, value);
}

static int run_command(char *line)
{
	char *argv[MAX_ARGS + 1], *save;
	int argc = 0;

	for (argv[argc] = strtok_r(line, " ", &save); argv[argc] && argc < MAX_ARGS;)
		argv[++argc] = strtok_r(NULL, " ", &save);
	argv[argc] = NULL;
	setsid();
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execvp(argv[0], argv);
	fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
	return 127;
}

/* Waits at most @limit seconds for @child. True if it ended; its wait status in @status. */
static int wait_for(pid_t child, int limit, int *status)
{
	struct timespec now, until, left;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += limit;
	for (;;) {
		while ((pid = waitpid(-1, status, WNOHANG)) > 0)
			if (pid == child)
				return 1;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= until.tv_sec)
			return 0;
		left = (struct timespec){ until.tv_sec - now.tv_sec, 0 };
		sigtimedwait(&set, NULL, &left);
	}
}

static void run_test(const char *name, int limit, char *command)
{
	int status = 0, ended;
	pid_t child;

	test_begins(name);
	child = fork();
	if (!child)
		_exit(run_command(command));
	ended = child > 0 && wait_for(child, limit, &status);
	/* What it left behind must not disturb the next one. */
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (!ended)
		test_ends(name, "timeout", limit);
	else if (WIFSIGNALED(status))
		test_ends(name, "signal", WTERMSIG(status));
	else
		test_ends(name, "exit", WEXITSTATUS(status));
}

/*
 * Copies a file to the output; returns how many bytes, and in @failed whether a
 * line begins "not ok".
 */
static size_t copy_out(const char *path, int *failed)
{
	char line[1024];
	size_t size = 0;
	FILE *file = fopen(path, "r");

	while (file && fgets(line, sizeof(line), file)) {
		size += strlen(line);
		if (!strncmp(line + strspn(line, " "), "not ok ", 7))
			*failed = 1;
		tell(output, "%s", line);
	}
	if (file)
		fclose(file);
	return size;
}

static void report_kunit(const char *glob)
{
	char path[512], name[300];
	struct dirent *suite;
	DIR *dir = opendir(KUNIT_DIR);
	int failed;

	while (dir && (suite = readdir(dir))) {
		snprintf(name, sizeof(name), "kunit:%s", suite->d_name);
		if (suite->d_name[0] == '.' || fnmatch(glob, name, 0))
			continue;
		test_begins(name);
		failed = 0;
		snprintf(path, sizeof(path), KUNIT_DIR "/%s/results", suite->d_name);
		if (!copy_out(path, &failed))
			failed = 1;
		test_ends(name, "exit", failed);
	}
	if (dir)
		closedir(dir);
}

static void report_leaks(void)
{
	int unused;

	if (access(KMEMLEAK, R_OK))
		return;
	test_begins("kmemleak");
	put(KMEMLEAK, "scan");
	sleep(6);			/* it reports what is older than 5 s */
	put(KMEMLEAK, "scan");
	test_ends("kmemleak", "exit", copy_out(KMEMLEAK, &unused) ? 1 : 0);
}

static void run_list(FILE *list)
{
	char *line = NULL, *name, *limit, *command, *save;
	size_t size = 0;

	while (getline(&line, &size, list) > 0) {
		line[strcspn(line, "\n")] = '\0';
		name = strtok_r(line, "\t", &save);
		limit = strtok_r(NULL, "\t", &save);
		command = strtok_r(NULL, "\t", &save);
		if (command)
			run_test(name, atoi(limit), command);
		else if (name && !strcmp(name, "kmemleak"))
			report_leaks();
		else if (name)
			report_kunit(name);
	}
	free(line);
}

static void run_shell(void)
{
	pid_t child = fork();
	int status;

	if (!child) {
		setsid();
		execl("/bin/busybox", "cttyhack", "sh", "-l", NULL);
		execl("/bin/busybox", "sh", "-l", NULL);
		perror("no shell on board");
		_exit(1);
	}
	while (waitpid(-1, &status, 0) != child)
		;
}

int main(void)
{
	sigset_t set;
	FILE *list;

	mount_all();
	raise_limits();
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setenv("PATH", "/tests:/bin", 1);
	setenv("HOME", "/", 1);
	if (chdir("/tests"))
		leave();

	list = fopen("/tests.list", "re");
	if (!list) {
		run_shell();
		leave();
	}
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	verdict = await_port("verdict");
	output = await_port("output");
	if (kmsg < 0 || verdict < 0 || output < 0) {
		tell(STDERR_FILENO, "init: no port to report on\n");
		leave();
	}
	run_list(list);
	tell(verdict, "done\n");
	leave();
}
