/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls between the RMM at R-EL2 and the monitor at EL3: SMC64 fast calls, private to this
 * firmware.
 *
 * Entry of the RMM, once on each CPU at boot: x0 index of the CPU, x1 and x2 first byte and end
 * of normal RAM. CPU 0 enters alone and first. The RMM answers with MON_BOOT_DONE, and each
 * return from MON_BOOT_DONE or MON_RMI_DONE is a new RMI call of the host, its x0..x7 unchanged.
 */
#ifndef MONITOR_ABI_H
#define MONITOR_ABI_H

#define MON_BOOT_DONE		0xc40001b0
/* x1..x8: the host's x0..x7. */
#define MON_RMI_DONE		0xc40001b1
/* x1: a granule; x0 back: MON_OK or MON_REFUSED, with nothing changed. */
#define MON_DELEGATE		0xc40001b2
#define MON_UNDELEGATE		0xc40001b3
/* x1: a granule; x0 back: 1 if it can be delegated, otherwise 0. */
#define MON_IS_NS		0xc40001b6
/* x1: a character for the monitor's console. */
#define MON_PUTC		0xc40001b4
/* The machine is turned off. */
#define MON_PANIC		0xc40001b5

#define MON_OK			0
#define MON_REFUSED		1

#endif
