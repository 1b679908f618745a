/* SPDX-License-Identifier: GPL-2.0-only */
/* Where everything lies in QEMU's virt machine, for C, assembler and linker scripts. */
#ifndef FW_MAP_H
#define FW_MAP_H

/* Devices of the machine. */
#define FLASH_BASE		0x00000000
#define FLASH_SIZE		0x04000000
#define GICD_BASE		0x08000000
#define GICR_BASE		0x080a0000
#define GICR_STRIDE		0x00020000
#define UART0_BASE		0x09000000
#define FW_CFG_BASE		0x09020000
#define SECURE_UART_BASE	0x09040000
#define SECURE_GPIO_BASE	0x090b0000
#define SECURE_RAM_BASE		0x0e000000
#define SECURE_RAM_SIZE		0x01000000

/* The monitor's part of secure RAM: its data first, then the pool of level 1 GPTs. */
#define GPT_POOL_BASE		0x0e400000
#define GPT_POOL_SIZE		0x00c00000

/* Normal RAM: two trees, the RMM, the kernel. */
#define RAM_BASE		0x40000000
#define FDT_QEMU		0x40000000
#define FDT_OURS		0x40100000
#define FDT_OURS_MAX		0x000f0000
#define DMA_SCRATCH		0x401f0000
#define RMM_BASE		0x40200000
#define RMM_SIZE		0x02000000
#define RMM_DATA		0x40400000
#define KERNEL_BASE		0x42200000

#define MAX_CPUS		64
#define CPUS_PER_CLUSTER	16
#define STACK_SIZE		0x2000

/*
 * Virtual addresses of the monitor and of the RMM are 39 bits: the lower half is the identity
 * in the owner's physical address space, the upper half the same addresses in the Non-secure
 * one.
 */
#define VA_BITS			39
#define NS_ALIAS		0x4000000000

#endif
