// SPDX-License-Identifier: GPL-2.0-only
/* Brings the RMM from flash and kernel and initramfs from QEMU's fw_cfg into RAM. */
#include "monitor.h"
#include "sysreg.h"

#define FW_CFG_DMA		0x10
#define FW_CFG_KERNEL_SIZE	0x08
#define FW_CFG_INITRD_SIZE	0x0b
#define FW_CFG_KERNEL_DATA	0x11
#define FW_CFG_INITRD_DATA	0x12

#define DMA_ERROR		BIT(0)
#define DMA_READ		BIT(1)
#define DMA_SELECT		BIT(3)
#define DMA_KEY_SHIFT		16

#define IMAGE_MAGIC		0x644d5241U
#define IMAGE_SIZE		16
#define IMAGE_MAGIC_AT		56

/* Big-endian, in RAM that QEMU's devices see. */
struct dma_request {
	u32 control;
	u32 length;
	u64 address;
};

static void read_item(u32 key, u64 pa, u32 size)
{
	struct dma_request *request = ns_ptr(DMA_SCRATCH);
	volatile u32 *control = &request->control;
	u32 state;

	request->length = be32(size);
	request->address = be64(pa);
	*control = be32(key << DMA_KEY_SHIFT | DMA_SELECT | DMA_READ);
	dsb(sy);
	*(volatile u64 *)ns_ptr(FW_CFG_BASE + FW_CFG_DMA) = be64(DMA_SCRATCH);
	do
		state = be32(*control);
	while (state & ~DMA_ERROR);
	if (state)
		panic("fw_cfg refuses to read");
}

static u32 read_size(u32 key)
{
	u64 pa = DMA_SCRATCH + sizeof(struct dma_request);

	read_item(key, pa, sizeof(u32));
	return *(volatile u32 *)ns_ptr(pa);
}

/* How much RAM the kernel takes: a Linux image says it, with its bss; else it is the file. */
static u64 footprint(u64 file_size)
{
	if (*(u32 *)ns_ptr(KERNEL_BASE + IMAGE_MAGIC_AT) != IMAGE_MAGIC)
		return file_size;
	return *(u64 *)ns_ptr(KERNEL_BASE + IMAGE_SIZE);
}

static void check_room(u64 pa, u64 size)
{
	if (size > machine.ram_top - pa)
		panic("kernel and initramfs do not fit the RAM");
}

/* Returns the address to start at. */
u64 load_kernel(u64 *initrd, u64 *initrd_size)
{
	u64 size = read_size(FW_CFG_KERNEL_SIZE);

	if (!size)
		panic("no -kernel given");
	check_room(KERNEL_BASE, size);
	read_item(FW_CFG_KERNEL_DATA, KERNEL_BASE, size);
	*initrd_size = read_size(FW_CFG_INITRD_SIZE);
	*initrd = ALIGN_UP(KERNEL_BASE + footprint(size), SZ_2M);
	check_room(*initrd, *initrd_size);
	if (*initrd_size)
		read_item(FW_CFG_INITRD_DATA, *initrd, *initrd_size);
	asm volatile("ic iallu" ::: "memory");
	dsb(sy);
	return KERNEL_BASE;
}

/* Called before the GPT is on: the RMM's memory is still everybody's. */
void load_rmm(void)
{
	u64 size = rmm_image_end - rmm_image, line;

	if (RMM_BASE + RMM_SIZE > machine.ram_top || machine.ram_base != RAM_BASE)
		panic("no room in RAM for the RMM");
	memcpy(ns_ptr(RMM_BASE), rmm_image, size);
	for (line = 0; line < size; line += 64)
		asm volatile("dc civac, %0" :: "r" (ns_ptr(RMM_BASE + line)) : "memory");
	asm volatile("ic iallu" ::: "memory");
	dsb(sy);
}
