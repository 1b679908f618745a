/* SPDX-License-Identifier: GPL-2.0-only */
/* One page of code for R-EL1 that looks at its vectors before and after an exit. */
#include "realm_guest.h"

	.arch	armv8.2-a+sve
	.section .rodata.guest, "a"
	.balign	4096
	.globl	sve_guest
sve_guest:
	adr	x19, record
	/* All that there is of SVE, and at the greatest length. */
	mov	x5, #(3 << 20 | 3 << 16)
	msr	cpacr_el1, x5
	mov	x5, #15
	msr	S3_0_C1_C2_0, x5
	isb
	rdvl	x6, #1
	mrs	x7, id_aa64pfr0_el1
	stp	x6, x7, [x19, #8]
	index	z0.b, #0, #1
	index	z31.b, #5, #3
	ptrue	p3.s
	wrffr	p3.b
	ptrue	p7.h
	host_call CALL_LENGTH

	/* How many bytes and bits are not as they were. */
	ptrue	p0.b
	index	z1.b, #0, #1
	cmpne	p1.b, p0/z, z0.b, z1.b
	cntp	x20, p0, p1.b
	index	z1.b, #5, #3
	cmpne	p1.b, p0/z, z31.b, z1.b
	cntp	x21, p0, p1.b
	ptrue	p1.h
	eor	p1.b, p0/z, p1.b, p7.b
	cntp	x22, p0, p1.b
	ptrue	p1.s
	rdffr	p2.b
	eor	p1.b, p0/z, p1.b, p2.b
	cntp	x23, p0, p1.b
	mrs	x24, S3_0_C1_C2_0
	stp	x20, x21, [x19, #8]
	stp	x22, x23, [x19, #24]
	str	x24, [x19, #40]
	host_call CALL_SVE
	b	.

	.ltorg
	.balign	256
record:
	.balign	4096
