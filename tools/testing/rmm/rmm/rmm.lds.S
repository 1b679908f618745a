/* SPDX-License-Identifier: GPL-2.0-only */
/* The RMM in its reserved memory: 2 MiB of code and constants, then data. */
#include "fw_map.h"

OUTPUT_ARCH(aarch64)
ENTRY(rmm_entry)

SECTIONS
{
	. = RMM_BASE;
	.text : {
		*(.text.entry)
		*(.text .text.*)
	}
	.rodata : {
		*(.rodata .rodata.*)
	}
	. = ALIGN(16);
	data_image = .;
	ASSERT(. < RMM_DATA, "code and constants fill their 2 MiB")

	. = RMM_DATA;
	.data : AT(data_image) {
		data_start = .;
		*(.data .data.*)
		. = ALIGN(16);
		data_end = .;
	}
	.bss (NOLOAD) : {
		bss_start = .;
		*(.bss .bss.* COMMON)
		. = ALIGN(4096);
		bss_end = .;
	}
	ASSERT(. < RMM_BASE + RMM_SIZE, "the data does not fit the RMM's memory")
	/DISCARD/ : { *(.note*) *(.comment) *(.eh_frame*) }
}
