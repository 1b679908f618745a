/* SPDX-License-Identifier: GPL-2.0-only */
/* The bare test client, where the monitor puts what -kernel names. */
#include "fw_map.h"

OUTPUT_ARCH(aarch64)
ENTRY(client_entry)

SECTIONS
{
	. = KERNEL_BASE;
	.text : {
		*(.text.entry)
		*(.text .text.*)
	}
	.rodata : {
		*(.rodata .rodata.*)
	}
	. = ALIGN(4096);
	.data : {
		*(.data .data.*)
	}
	. = ALIGN(16);
	.bss (NOLOAD) : {
		bss_start = .;
		*(.bss .bss.* COMMON)
		. = ALIGN(16);
		bss_end = .;
	}
	/DISCARD/ : { *(.note*) *(.comment) *(.eh_frame*) }
}
