/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of the monitor that C cannot say: reset, vectors, registers of the lower world. */
#include "fw_map.h"

#define FRAME_SIZE 272

	.section .text.entry, "ax"
	.globl _start
/* Every CPU comes here at reset, all at once, without stack and MMU. */
_start:
	bl	cpu_index
	cmp	x0, #MAX_CPUS
	b.hs	hang
	mov	x19, x0
	ldr	x1, =stacks + STACK_SIZE
	mov	x2, #STACK_SIZE
	madd	x1, x0, x2, x1
	mov	sp, x1
	adr	x1, vectors
	msr	vbar_el3, x1
	isb
	cbnz	x19, secondary

	/* Memory outlives a reset of the machine, so nothing here is known to be zero. */
	ldr	x1, =bss_start
	ldr	x2, =bss_end
1:	stp	xzr, xzr, [x1], #16
	cmp	x1, x2
	b.lo	1b
	bl	boot_primary

	/* Cleared by the primary and before each reset: see release_secondaries(). */
secondary:
	ldr	x1, =secondaries_may_run
2:	wfe
	ldr	x2, [x1]
	cbz	x2, 2b
	bl	boot_secondary
hang:
	wfi
	b	hang

	.globl cpu_index
/* u64 cpu_index(void): as QEMU numbers CPUs, CPUS_PER_CLUSTER in one Aff1. Keeps x1 and on. */
cpu_index:
	mrs	x0, mpidr_el1
	and	x9, x0, #0xff
	ubfx	x0, x0, #8, #8
	mov	x10, #CPUS_PER_CLUSTER
	madd	x0, x0, x10, x9
	ret

	.macro vector kind
	.balign	128
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp]
	mov	x1, #\kind
	b	take_exception
	.endm

	.balign 2048
vectors:
	.irp kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector \kind
	.endr

take_exception:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x2, elr_el3
	stp	x30, x2, [sp, #240]
	mrs	x2, spsr_el3
	str	x2, [sp, #256]
	mov	x0, sp
	bl	handle_exception
	mov	x0, sp

	.globl enter_lower
/* void enter_lower(struct frame *frame): the frame ends at the top of the stack. */
enter_lower:
	mov	sp, x0
	ldr	x2, [sp, #256]
	msr	spsr_el3, x2
	ldp	x30, x2, [sp, #240]
	msr	elr_el3, x2
	ldp	x28, x29, [sp, #224]
	ldp	x26, x27, [sp, #208]
	ldp	x24, x25, [sp, #192]
	ldp	x22, x23, [sp, #176]
	ldp	x20, x21, [sp, #160]
	ldp	x18, x19, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp], #FRAME_SIZE
	eret

	.ltorg

	.section .rodata.rmm, "a"
	.globl rmm_image, rmm_image_end
	.balign 16
rmm_image:
	.incbin RMM_IMAGE
	.balign 8
rmm_image_end:
