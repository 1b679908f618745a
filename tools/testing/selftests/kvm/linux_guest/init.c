// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first and only process of the guest that guest_memfd_linux boots: fills
 * most of the memory from all CPUs, checks each part on another CPU than filled
 * it, and reports on ttyS1.
 *
 * The report is one line, "status STATUS pages PAGES cpus CPUS": how many pages it
 * filled and still holds, for the host to find.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#include "linux_guest_page.h"

#define REPORT_PORT	"/dev/ttyS1"
#define MAX_CPUS	64
#define MIB		(1ul << 20)

/* Without ACPI a PC cannot power off. */
#ifdef __x86_64__
#define END		RB_AUTOBOOT
#else
#define END		RB_POWER_OFF
#endif

/* Of /proc/sys/kernel/tainted. */
#define TAINT_WARN	(1ul << 9)

/* What stays free, for the kernel: this much and one part in sixteen. */
#define MARGIN		(4 * MIB)

static char *memory;
static uint64_t nr_pages;
static int nr_cpus;
static pthread_barrier_t all_filled;
static uint64_t nr_wrong;

static void __attribute__((noreturn, format(printf, 3, 4)))
finish(int status, uint64_t pages, const char *fmt, ...)
{
	va_list ap;
	int port;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	tcdrain(STDOUT_FILENO);

	port = open(REPORT_PORT, O_WRONLY | O_NOCTTY);
	if (port < 0)
		printf("no %s: %s\n", REPORT_PORT, strerror(errno));
	dprintf(port, "status %d pages %llu cpus %d\n", status,
		(unsigned long long)pages, nr_cpus);
	tcdrain(port);
	reboot(END);
	for (;;)
		pause();
}

static uint64_t read_meminfo(const char *key)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long kib;
	char line[128], name[64];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63[^:]: %llu", name, &kib) == 2 && !strcmp(name, key)) {
			fclose(file);
			return kib << 10;
		}
	finish(1, 0, "no %s in /proc/meminfo", key);
}

/* A warning of the guest's kernel: it has found something that should not be. */
static int has_warned(void)
{
	FILE *file = fopen("/proc/sys/kernel/tainted", "r");
	unsigned long taint = 0;

	if (!file || fscanf(file, "%lu", &taint) != 1)
		finish(1, 0, "no /proc/sys/kernel/tainted");
	fclose(file);
	return !!(taint & TAINT_WARN);
}

static void run_on(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) || sched_getcpu() != cpu)
		finish(1, 0, "CPU %d does not take a thread: %s", cpu, strerror(errno));
}

static uint64_t part_start(int part) { return nr_pages * part / nr_cpus; }

static void fill_part(int part)
{
	uint64_t i;

	for (i = part_start(part); i < part_start(part + 1); i++)
		linux_page_fill((uint64_t *)(memory + i * LINUX_PAGE_SIZE), i);
}

static void check_part(int part)
{
	uint64_t i, *page;

	for (i = part_start(part); i < part_start(part + 1); i++) {
		page = (uint64_t *)(memory + i * LINUX_PAGE_SIZE);
		if (!linux_page_is_filled(page) || page[1] != i)
			__atomic_fetch_add(&nr_wrong, 1, __ATOMIC_RELAXED);
	}
}

static void *work(void *arg)
{
	int cpu = (long)arg;

	run_on(cpu);
	fill_part(cpu);
	pthread_barrier_wait(&all_filled);
	check_part((cpu + 1) % nr_cpus);
	return NULL;
}

static void fill_and_check(void)
{
	pthread_t threads[MAX_CPUS];
	long i;

	pthread_barrier_init(&all_filled, NULL, nr_cpus);
	for (i = 0; i < nr_cpus; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i))
			finish(1, 0, "no thread for CPU %ld", i);
	for (i = 0; i < nr_cpus; i++)
		pthread_join(threads[i], NULL);
}

static void allocate(void)
{
	uint64_t available = read_meminfo("MemAvailable");
	uint64_t reserve = MARGIN + available / 16;

	if (available <= reserve)
		finish(1, 0, "only %llu KiB available", (unsigned long long)available >> 10);
	nr_pages = (available - reserve) / LINUX_PAGE_SIZE;
	memory = mmap(NULL, nr_pages * LINUX_PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		finish(1, 0, "no memory: %s", strerror(errno));
}

int main(void)
{
	struct utsname name;

	if (mount("proc", "/proc", "proc", 0, NULL))
		finish(1, 0, "no /proc: %s", strerror(errno));
	uname(&name);
	nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (nr_cpus > MAX_CPUS)
		nr_cpus = MAX_CPUS;
	printf("Linux %s, %d CPUs, MemTotal %llu KiB\n", name.release, nr_cpus,
	       (unsigned long long)read_meminfo("MemTotal") >> 10);

	allocate();
	fill_and_check();
	if (nr_wrong)
		finish(1, nr_pages, "memory: %llu of %llu pages are wrong",
		       (unsigned long long)nr_wrong, (unsigned long long)nr_pages);
	if (has_warned())
		finish(1, nr_pages, "the guest's kernel has warned: see with loglevel=8");
	finish(0, nr_pages, "memory: %llu MiB filled and checked, %d CPUs",
	       (unsigned long long)(nr_pages * LINUX_PAGE_SIZE / MIB), nr_cpus);
}
