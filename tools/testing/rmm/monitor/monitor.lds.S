/* SPDX-License-Identifier: GPL-2.0-only */
/* Code and constants run from flash; data is in secure RAM, and none of it is initialized. */
#include "fw_map.h"

OUTPUT_ARCH(aarch64)
ENTRY(_start)

SECTIONS
{
	. = FLASH_BASE;
	.text : {
		*(.text.entry)
		*(.text .text.*)
	}
	.rodata : {
		*(.rodata .rodata.*)
	}
	ASSERT(. < FLASH_BASE + FLASH_SIZE, "the image does not fit the flash")

	. = SECURE_RAM_BASE;
	.bss (NOLOAD) : {
		bss_start = .;
		*(.bss .bss.* COMMON)
		. = ALIGN(16);
		bss_end = .;
	}
	ASSERT(. <= GPT_POOL_BASE, "the data runs into the GPT pool")
	.data : {
		data_start = .;
		*(.data .data.*)
		ASSERT(. == data_start, "initialized data has no place");
	}
	/DISCARD/ : { *(.note*) *(.comment) *(.eh_frame*) }
}
