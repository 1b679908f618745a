/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel itself reads and writes of guest memory, by userspace_addr;
 * each architecture has its own.
 */
#ifndef SELFTEST_KVM_KERNEL_WRITER_H
#define SELFTEST_KVM_KERNEL_WRITER_H

#include "guest_agent.h"

struct kernel_writer {
	const char *what;
	/* Of the 8 bytes that change whenever there was something else. */
	uint64_t offset;
	/* From here on it writes to the page at @gpa; false: skipped, noted. */
	bool (*start)(struct agent *agent, uint64_t gpa);
	void (*write)(struct agent *agent, uint64_t gpa);
	void (*stop)(struct agent *agent);
};

/* The last one has no name. */
extern const struct kernel_writer kernel_writers[];

/* Whether the guest's page tables are among what it reads: shadow paging. */
bool kernel_reads_page_tables(void);

#endif /* SELFTEST_KVM_KERNEL_WRITER_H */
