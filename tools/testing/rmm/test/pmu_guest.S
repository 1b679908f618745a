/* SPDX-License-Identifier: GPL-2.0-only */
/* One page of code for R-EL1 that counts software's increments with two counters. */
#include "realm_guest.h"

#define PMCR_E		1
#define COUNTERS	3

	.arch	armv8.2-a
	.section .rodata.guest, "a"
	.balign	4096
	.globl	pmu_guest
pmu_guest:
	adr	x19, record
	mov	x5, #COUNTERS
	/* The event SW_INCR is 0. */
	mov	x6, #1
	msr	pmselr_el0, x6
	isb
	msr	pmxevtyper_el0, xzr
	msr	pmxevcntr_el0, xzr
	msr	pmselr_el0, xzr
	isb
	msr	pmxevtyper_el0, xzr
	msr	pmxevcntr_el0, xzr
	msr	pmcntenset_el0, x5
	mov	x6, #PMCR_E
	msr	pmcr_el0, x6
	isb
	msr	pmswinc_el0, x5
	msr	pmswinc_el0, x5
	mov	x6, #2
	msr	pmswinc_el0, x6
	isb
	mrs	x6, pmcr_el0
	mrs	x7, id_aa64dfr0_el1
	stp	x6, x7, [x19, #8]
	host_call CALL_COUNTERS

	mrs	x7, pmselr_el0
	mrs	x6, pmxevcntr_el0
	stp	x6, x7, [x19, #8]
	mov	x6, #1
	msr	pmselr_el0, x6
	isb
	mrs	x6, pmxevcntr_el0
	mrs	x7, pmcntenset_el0
	stp	x6, x7, [x19, #24]
	host_call CALL_KEPT

	/* Counter 1 runs over. */
	mov	w6, #-1
	msr	pmxevcntr_el0, x6
	mov	x6, #2
	msr	pmintenset_el1, x6
	isb
	msr	pmswinc_el0, x6
	isb
	mrs	x6, pmovsset_el0
	mrs	x7, pmxevcntr_el0
	stp	x6, x7, [x19, #8]
	host_call CALL_OVERFLOW

	mov	x6, #2
	msr	pmovsclr_el0, x6
	isb
	mrs	x6, pmovsset_el0
	str	x6, [x19, #8]
	host_call CALL_CLEARED
	b	.

	.ltorg
	.balign	256
record:
	.balign	4096
