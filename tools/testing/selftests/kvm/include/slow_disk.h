/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk whose transfers take as long as the test wants.
 *
 * It is a network block device that the test itself serves from memory.  The
 * kernel transfers to and from the pages of whoever does direct I/O, and keeps
 * them until the transfer is over.
 */
#ifndef SELFTEST_KVM_SLOW_DISK_H
#define SELFTEST_KVM_SLOW_DISK_H

#include <stddef.h>

/* Of @size bytes at @data; returns a descriptor for direct I/O. */
int slow_disk_open(void *data, size_t size);
void slow_disk_close(void);

/*
 * The next transfer is held up when it has begun: its pages are taken, and
 * none or not all of the data has moved.
 */
void slow_disk_hold(void);
void slow_disk_wait_held(void);
void slow_disk_let_go(void);

#endif /* SELFTEST_KVM_SLOW_DISK_H */
