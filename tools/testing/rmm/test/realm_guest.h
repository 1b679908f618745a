/* SPDX-License-Identifier: GPL-2.0-only */
/* What the realm's code and its host agree on. */
#ifndef REALM_GUEST_H
#define REALM_GUEST_H

#define IPA_CODE	0x1000
#define IPA_FAULTS	0x3000
#define IPA_TOP		0x4000
#define IPA_DEVICE	0x100000000
#define IPA_BITS	33

#define CALL_VERSION	0x11
#define CALL_RESULTS	0x22
#define CALL_VECTOR	0x33
#define CALL_INTERRUPT	0x44

#define WFIT_UNTIL	0x7fff00000000

#define CALL_LENGTH	0x55
#define CALL_SVE	0x66
#define CALL_DEBUG	0x77
#define CALL_POINTS	0x88
#define CALL_COUNTERS	0x99
#define CALL_KEPT	0xaa
#define CALL_OVERFLOW	0xbb
#define CALL_CLEARED	0xcc

#define TIMER_INTID	27
#define PMU_INTID	23

#ifdef __ASSEMBLER__
	/* x19: the page's record for host calls. */
	.macro	host_call imm
	mov	w0, #\imm
	strh	w0, [x19]
	mov	w0, #0x0199
	movk	w0, #0xc400, lsl #16
	mov	x1, x19
	smc	#0
	.endm
#endif

#endif
