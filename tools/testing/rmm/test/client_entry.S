/* SPDX-License-Identifier: GPL-2.0-only */
/* NS EL2 without an operating system: entry of both CPUs, vectors, calls with all registers. */
#include "fw_map.h"

	.section .text.entry, "ax"
	.globl client_entry, client_secondary
client_entry:
	ldr	x1, =stack_0_top
	mov	sp, x1
	adr	x1, vectors
	msr	vbar_el2, x1
	isb
	ldr	x1, =bss_start
	ldr	x2, =bss_end
1:	stp	xzr, xzr, [x1], #16
	cmp	x1, x2
	b.lo	1b
	bl	client_main
	.globl client_idle
client_idle:
	wfi
	b	client_idle

/* x0: what CPU_ON was given. */
client_secondary:
	ldr	x1, =stack_1_top
	mov	sp, x1
	adr	x1, vectors
	msr	vbar_el2, x1
	isb
	bl	client_second_cpu
3:	wfi
	b	3b

	.globl smc_call
/* void smc_call(u64 x[18]): x0..x17 in and out. */
smc_call:
	stp	x29, x30, [sp, #-32]!
	str	x0, [sp, #16]
	mov	x18, x0
	ldp	x0, x1, [x18]
	ldp	x2, x3, [x18, #16]
	ldp	x4, x5, [x18, #32]
	ldp	x6, x7, [x18, #48]
	ldp	x8, x9, [x18, #64]
	ldp	x10, x11, [x18, #80]
	ldp	x12, x13, [x18, #96]
	ldp	x14, x15, [x18, #112]
	ldp	x16, x17, [x18, #128]
	smc	#0
	ldr	x18, [sp, #16]
	stp	x0, x1, [x18]
	stp	x2, x3, [x18, #16]
	stp	x4, x5, [x18, #32]
	stp	x6, x7, [x18, #48]
	stp	x8, x9, [x18, #64]
	stp	x10, x11, [x18, #80]
	stp	x12, x13, [x18, #96]
	stp	x14, x15, [x18, #112]
	stp	x16, x17, [x18, #128]
	ldp	x29, x30, [sp], #32
	ret

	.globl probe
/*
 * u64 probe(u64 pa): reads the word there; 0, or the syndrome of the abort. The aborted load is
 * stepped over, and x9 says what happened.
 */
probe:
	mov	x9, #0
	ldr	x10, [x0]
	mov	x0, x9
	ret

	.ltorg

	.balign 2048
vectors:
	.rept 4
	.balign 128
	b	unexpected
	.endr
	/* Synchronous, of this level. */
	.balign 128
	mrs	x9, elr_el2
	add	x9, x9, #4
	msr	elr_el2, x9
	mrs	x9, esr_el2
	eret
	.rept 11
	.balign 128
	b	unexpected
	.endr
unexpected:
	bl	client_unexpected

	.bss
	.balign 16
	.skip 0x2000
stack_0_top:
	.skip 0x2000
stack_1_top:
