/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many bytes the kernel holds in slab objects, exactly: the caches give
 * their per-CPU slabs back before they are counted.
 */
#ifndef SELFTEST_KVM_SLAB_USAGE_H
#define SELFTEST_KVM_SLAB_USAGE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>

/* The cache that holds the nodes of every xarray. */
#define SLAB_XARRAY_NODES "radix_tree_node"

static inline void slab_shrink(const char *cache)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		perror(path);
	close(fd);
}

/* Objects freed by RCU count until their grace period and its callbacks are over. */
static inline void slab_wait_for_rcu(void)
{
	syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	usleep(100 * 1000);
}

/*
 * Adds up the bytes in the objects of @cache, or of all caches if it is NULL,
 * and shrinks each on the way if @shrink. Negative where that is not for us to know.
 */
static inline long slab_walk(const char *cache, bool shrink)
{
	FILE *info = fopen("/proc/slabinfo", "r");
	long objects, size, sum = 0;
	char line[512], name[64];

	if (!info)
		return -1;

	while (fgets(line, sizeof(line), info)) {
		if (sscanf(line, "%63s %ld %*d %ld", name, &objects, &size) != 3)
			continue;
		if (cache && strcmp(name, cache))
			continue;
		if (shrink)
			slab_shrink(name);
		sum += objects * size;
	}
	fclose(info);
	return sum;
}

static inline long slab_usage(const char *cache)
{
	slab_wait_for_rcu();
	slab_walk(cache, true);
	return slab_walk(cache, false);
}

#endif /* SELFTEST_KVM_SLAB_USAGE_H */
