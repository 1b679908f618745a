/* SPDX-License-Identifier: GPL-2.0-only */
/* One page of code for R-EL1 that runs into a breakpoint and a watchpoint of its own. */
#include "realm_guest.h"

#define MDSCR_MDE_KDE	0xa000
/* Enabled, at EL1, all four bytes; and loads and stores of eight. */
#define BCR_EL1		0x1e3
#define WCR_EL1		0x1ffb
#define EC_BREAKPOINT	0x31
#define EC_WATCHPOINT	0x35

	.arch	armv8.2-a
	.section .rodata.guest, "a"
	.balign	4096
	.globl	debug_guest
debug_guest:
	adr	x19, record
	adr	x20, target
	adr	x21, watched
	adr	x0, vectors
	msr	vbar_el1, x0
	mov	x22, #-1
	mov	x23, #-1
	mov	x24, #-1
	msr	oslar_el1, xzr
	msr	dbgbvr0_el1, x20
	mov	x0, #BCR_EL1
	msr	dbgbcr0_el1, x0
	msr	dbgwvr0_el1, x21
	mov	x0, #WCR_EL1
	msr	dbgwcr0_el1, x0
	mov	x0, #MDSCR_MDE_KDE
	msr	mdscr_el1, x0
	isb
	/* There is but one. */
	msr	dbgbvr1_el1, x20
	mrs	x1, id_aa64dfr0_el1
	mrs	x2, dbgbvr0_el1
	sub	x2, x2, x20
	stp	x1, x2, [x19, #8]
	mrs	x3, mdscr_el1
	stp	x3, x24, [x19, #24]
	host_call CALL_DEBUG

	msr	daifclr, #8
target:
	nop
	ldr	x0, [x21]
	msr	daifset, #8
	stp	x22, x25, [x19, #8]
	stp	x23, x26, [x19, #24]
	host_call CALL_POINTS
	b	.

/* Each exception once, with its address as far from where it should be. */
guest_sync:
	mrs	x9, esr_el1
	lsr	x9, x9, #26
	mrs	x10, elr_el1
	cmp	x9, #EC_BREAKPOINT
	b.eq	1f
	cmp	x9, #EC_WATCHPOINT
	b.eq	2f
	mov	x24, x9
	add	x10, x10, #4
	msr	elr_el1, x10
	eret
1:	mov	x22, x9
	sub	x25, x10, x20
	msr	dbgbcr0_el1, xzr
	isb
	eret
2:	mov	x23, x9
	mrs	x10, far_el1
	sub	x26, x10, x21
	msr	dbgwcr0_el1, xzr
	isb
	eret

	.ltorg
	.balign	8
watched:
	.quad	0
	.balign	256
record:
	.balign	2048
vectors:
	.skip	0x200
	b	guest_sync
	.balign	4096
