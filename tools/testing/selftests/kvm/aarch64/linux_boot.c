// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts a kernel as Documentation/arm64/booting.rst has it: the Image, its
 * initrd and the device tree in memory, the MMU off.
 */
#include <endian.h>

#include "linux_boot.h"
#include "processor.h"

#define IMAGE_MAGIC		0x644d5241	/* "ARM\x64" */
#define IMAGE_BIG_ENDIAN	0x1

/* More than the size of a page, and so that no page has two of the loaded. */
#define LOAD_ALIGN		0x10000ul
#define FDT_SIZE		0x10000ul

struct image_header {
	uint32_t code[2];
	uint64_t text_offset;
	uint64_t image_size;
	uint64_t flags;
	uint64_t reserved[3];
	uint32_t magic;
	uint32_t pe_header;
};

const uint64_t linux_ram_base = RAM_GPA;
/* Kernel and initrd are in one window of 32 GiB. */
const uint64_t linux_ram_max = 32 * SIZE_1G - RAM_GPA;

const char * const linux_arch_args = "";

static struct image_header read_header(const struct linux_file *kernel)
{
	struct image_header hdr;

	TEST_ASSERT(kernel->size > sizeof(hdr), "%s should be an arm64 Image, is of %zu bytes",
		    kernel->path, kernel->size);
	memcpy(&hdr, kernel->data, sizeof(hdr));
	TEST_ASSERT(le32toh(hdr.magic) == IMAGE_MAGIC,
		    "%s should be an arm64 Image, not compressed", kernel->path);
	hdr.text_offset = le64toh(hdr.text_offset);
	hdr.image_size = le64toh(hdr.image_size);
	hdr.flags = le64toh(hdr.flags);
	TEST_ASSERT(hdr.text_offset < SIZE_2M && hdr.image_size >= kernel->size,
		    "%s of %zu bytes: bad text_offset %#lx or image_size %#lx",
		    kernel->path, kernel->size, hdr.text_offset, hdr.image_size);
	TEST_ASSERT(!(hdr.flags & IMAGE_BIG_ENDIAN), "%s should be little-endian", kernel->path);
	return hdr;
}

uint64_t linux_kernel_end(const struct linux_file *kernel)
{
	struct image_header hdr = read_header(kernel);

	return hdr.text_offset + hdr.image_size;
}

/* Returns the entry. */
static uint64_t load_kernel(struct linux_guest *guest, const struct linux_file *kernel)
{
	uint64_t offset = read_header(kernel).text_offset;

	TEST_ASSERT(linux_kernel_end(kernel) <= guest->ram_size,
		    "%s needs %#lx bytes of RAM, there are %#lx: more --memory",
		    kernel->path, linux_kernel_end(kernel), guest->ram_size);
	memcpy(guest->ram + offset, kernel->data, kernel->size);
	return RAM_GPA + offset;
}

/* The device tree is below it, both as high in RAM as can be. */
static uint64_t initrd_offset(struct linux_guest *guest, const struct linux_file *kernel,
			      const struct linux_file *initrd)
{
	uint64_t need = linux_kernel_end(kernel) + initrd->size + FDT_SIZE + 2 * LOAD_ALIGN;

	TEST_ASSERT(need <= guest->ram_size,
		    "%s of %zu bytes does not fit into RAM beside the kernel: more --memory",
		    initrd->path, initrd->size);
	return align_down(guest->ram_size - initrd->size, LOAD_ALIGN);
}

static void describe_start(struct fdt *fdt, const char *args, uint64_t start, uint64_t end)
{
	fdt_begin_node(fdt, "chosen");
	fdt_prop_string(fdt, "bootargs", args);
	fdt_prop_string(fdt, "stdout-path", "serial0");
	fdt_prop_u64s(fdt, "linux,initrd-start", start);
	fdt_prop_u64s(fdt, "linux,initrd-end", end);
	fdt_end_node(fdt);
}

static void describe_memory(struct linux_guest *guest, struct fdt *fdt)
{
	fdt_begin_node(fdt, "memory@%lx", RAM_GPA);
	fdt_prop_string(fdt, "device_type", "memory");
	fdt_prop_u64s(fdt, "reg", RAM_GPA, guest->ram_size);
	fdt_end_node(fdt);
}

static void begin_root(struct fdt *fdt, void *blob)
{
	fdt_begin(fdt, blob, FDT_SIZE);
	fdt_prop_string(fdt, "compatible", "linux,dummy-virt");
	fdt_prop_string(fdt, "model", "guest_memfd_linux");
	fdt_prop_u32s(fdt, "#address-cells", 2);
	fdt_prop_u32s(fdt, "#size-cells", 2);
}

/* The initrd, and the device tree that tells of it; returns where the latter is. */
static uint64_t load_rest(struct linux_guest *guest, uint64_t offset,
			  const struct linux_file *initrd, const char *args)
{
	uint64_t start = RAM_GPA + offset;
	struct fdt fdt;

	memcpy(guest->ram + offset, initrd->data, initrd->size);
	begin_root(&fdt, guest->ram + offset - FDT_SIZE);
	linux_describe_board(guest, &fdt);
	describe_memory(guest, &fdt);
	describe_start(&fdt, args, start, start + initrd->size);
	fdt_finish(&fdt);
	return start - FDT_SIZE;
}

/* All but the first wait until the guest starts them. */
static void init_vcpu(struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu_init init;

	vm_ioctl(vcpu->vm, KVM_ARM_PREFERRED_TARGET, &init);
	memset(init.features, 0, sizeof(init.features));
	init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (vcpu->id)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT, &init);
}

void linux_load(struct linux_guest *guest, const struct linux_file *kernel,
		const struct linux_file *initrd, const char *args)
{
	uint64_t entry = load_kernel(guest, kernel);
	uint64_t offset = initrd_offset(guest, kernel, initrd);
	int i;

	linux_create_gic(guest);
	for (i = 0; i < guest->nr_cpus; i++)
		init_vcpu(guest->vcpus[i]);
	vcpu_args_set(guest->vcpus[0], 1, load_rest(guest, offset, initrd, args));
	vcpu_set_reg(guest->vcpus[0], ARM64_CORE_REG(regs.pc), entry);
}
