/* SPDX-License-Identifier: GPL-2.0-only */
/* R-EL2: entry on each CPU, the loop that serves the host's calls, and vectors. */
#include "fw_map.h"
#include "monitor_abi.h"
#include "rmm.h"

	.section .text.entry, "ax"
	.globl rmm_entry
/* x0 index of the CPU, x1 and x2 the range of RAM; CPU 0 alone comes first. */
rmm_entry:
	ldr	x3, =rmm_stacks + RMM_STACK_SIZE
	mov	x4, #RMM_STACK_SIZE
	madd	x3, x0, x4, x3
	mov	sp, x3
	adr	x3, vectors
	msr	vbar_el2, x3
	msr	tpidr_el2, x0
	isb
	mov	x19, x0
	cbnz	x0, 3f

	/* RAM is not zero after a reset of the machine. */
	ldr	x3, =bss_start
	ldr	x4, =bss_end
1:	stp	xzr, xzr, [x3], #16
	cmp	x3, x4
	b.lo	1b
	ldr	x3, =data_image
	ldr	x4, =data_start
	ldr	x5, =data_end
2:	cmp	x4, x5
	b.hs	4f
	ldp	x6, x7, [x3], #16
	stp	x6, x7, [x4], #16
	b	2b
4:	bl	rmm_boot_first
3:	bl	rmm_boot_cpu

	/* The frame of the calls: the registers and the link of the loop's return. */
	sub	sp, sp, #64
	ldr	w0, =MON_BOOT_DONE
	smc	#0
serve:
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	mov	x0, sp
	bl	rmm_handle_rmi
	ldp	x1, x2, [sp]
	ldp	x3, x4, [sp, #16]
	ldp	x5, x6, [sp, #32]
	ldp	x7, x8, [sp, #48]
	ldr	w0, =MON_RMI_DONE
	smc	#0
	b	serve

	.ltorg

	/* The RMM has no exception of its own to live with: those are fatal. */
	.macro own_vector kind
	.balign	128
	mov	x0, #\kind
	b	rmm_exception
	.endm

	/* Out of a realm: x0 and x1 join the vcpu that realm_enter() pushed. */
	.macro realm_vector kind
	.balign	128
	stp	x0, x1, [sp, #-16]!
	mov	x0, #\kind
	b	realm_exit
	.endm

	.balign 2048
vectors:
	.irp kind, 0, 1, 2, 3, 4, 5, 6, 7
	own_vector \kind
	.endr
	.irp kind, 8, 9, 10, 11
	realm_vector \kind
	.endr
	.irp kind, 12, 13, 14, 15
	own_vector \kind
	.endr
