/* SPDX-License-Identifier: GPL-2.0-only */
/* One page of code for R-EL1, and the page's record for host calls. */
#include "realm_guest.h"

	.arch	armv8.2-a
	.section .rodata.guest, "a"
	.balign	4096
	.globl	realm_guest
realm_guest:
	ldr	w0, =0xc4000190
	mov	x1, #0x10000
	smc	#0
	adr	x19, record
	stp	x0, x1, [x19, #8]
	host_call CALL_VERSION

	/* What the host gave goes through memory that faults first, and to a device. */
	ldr	x22, [x19, #8]
	mov	x3, #IPA_FAULTS
	str	x22, [x3]
	ldr	x23, [x3]
	mov	x4, #IPA_DEVICE
	str	w23, [x4]
	ldrsh	x24, [x4, #4]

	mov	x5, #(3 << 20)
	msr	cpacr_el1, x5
	isb
	fmov	d31, x24
	mrs	x25, id_aa64pfr0_el1
	stp	x24, x25, [x19, #8]
	mrs	x25, mpidr_el1
	str	x25, [x19, #24]
	host_call CALL_RESULTS

	/* Vector state outlives an exit. */
	fmov	x26, d31
	str	x26, [x19, #8]
	host_call CALL_VECTOR
	/* A timer that fires at once, and the interrupt that the host makes of it. */
	adr	x0, guest_vectors
	msr	vbar_el1, x0
	mov	x0, #1
	msr	S3_0_C12_C12_7, x0
	mov	x0, #0xf0
	msr	S3_0_C4_C6_0, x0
	mov	x27, #0
	msr	cntv_cval_el0, xzr
	mov	x0, #1
	msr	cntv_ctl_el0, x0
	isb
	msr	daifclr, #2
1:	cbz	x27, 1b
	msr	daifset, #2
	str	x27, [x19, #8]
	host_call CALL_INTERRUPT

	wfi
	mrs	x0, S3_0_C0_C6_2
	tst	x0, #0xf
	b.eq	2f
	mov	x9, #WFIT_UNTIL
	.inst	0xd5031029	// WFIT X9
2:	ldr	w0, =0x84000008
	smc	#0
	b	.

	/* Acknowledge, turn the timer off, end. */
guest_irq:
	mrs	x27, S3_0_C12_C12_0
	msr	cntv_ctl_el0, xzr
	isb
	msr	S3_0_C12_C12_1, x27
	eret

	.ltorg
	.balign	256
record:
	.balign	256
	.balign	2048
guest_vectors:
	.skip	0x280
	b	guest_irq
	.balign	4096
