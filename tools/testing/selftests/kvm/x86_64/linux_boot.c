// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts a kernel by the 64-bit boot protocol (Documentation/x86/boot.rst):
 * the kernel, its zero page and its initrd in memory, an identity mapping, and
 * the registers of each vCPU.
 */
#include <asm/bootparam.h>
#include <asm/kvm_para.h>

#include "linux_boot.h"
#include "processor.h"

#define SETUP_HEADER		0x1f1	/* in the file, and in the zero page */
#define SETUP_HEADER_LENGTH	0x201	/* one byte: from 0x202 on */
#define SETUP_MAGIC		0x53726448	/* "HdrS" */
#define SETUP_VERSION_NEEDED	0x20c	/* the first with xloadflags */
#define SECTOR			512
#define ENTRY_64		0x200
#define LOADER_UNDEFINED	0xff
#define E820_RAM		1
#define E820_RESERVED		2

#define BOOT_CS			0x10
#define BOOT_DS			0x18

/* A flat segment, as the GDT and as KVM has it. */
#define GDT_CODE_64		0x00af9b000000ffffull
#define GDT_DATA		0x00cf93000000ffffull
#define TYPE_CODE		0xb
#define TYPE_DATA		0x3

#define PTE_PRESENT		(1ull << 0)
#define PTE_WRITABLE		(1ull << 1)
#define PTE_HUGE		(1ull << 7)

#define CPUID_1_ECX_TSC_DEADLINE	(1u << 24)
#define CPUID_1_ECX_HYPERVISOR		(1u << 31)

#define MSR_MTRR_DEF_TYPE	0x2ff
#define MTRR_ENABLED		(1u << 11)
#define MTRR_WRITE_BACK		6

const uint64_t linux_ram_base;
const uint64_t linux_ram_max = 3 * SIZE_1G;	/* above it are the APICs */

/* Neither firmware nor PCI, and the line that resets; no tests of timers. */
const char * const linux_arch_args = "acpi=off pci=off reboot=k no_timer_check tsc=reliable";

static void read_header(const struct linux_file *kernel, struct setup_header *hdr)
{
	uint8_t length;

	TEST_ASSERT(kernel->size > SETUP_HEADER + sizeof(*hdr),
		    "%s should be a bzImage, is of %zu bytes", kernel->path, kernel->size);
	length = kernel->data[SETUP_HEADER_LENGTH];
	memcpy(hdr, kernel->data + SETUP_HEADER,
	       min_t(size_t, sizeof(*hdr), 0x202 + length - SETUP_HEADER));

	TEST_ASSERT(hdr->header == SETUP_MAGIC && hdr->version >= SETUP_VERSION_NEEDED,
		    "%s should be a bzImage of boot protocol %#x or later", kernel->path,
		    SETUP_VERSION_NEEDED);
	TEST_ASSERT(hdr->xloadflags & XLF_KERNEL_64,
		    "%s should have a 64-bit entry", kernel->path);
}

uint64_t linux_kernel_end(const struct linux_file *kernel)
{
	struct setup_header hdr = { };

	read_header(kernel, &hdr);
	return hdr.pref_address + hdr.init_size;
}

static void load_kernel(struct linux_guest *guest, const struct linux_file *kernel,
			const struct setup_header *hdr)
{
	size_t start = ((hdr->setup_sects ?: 4) + 1) * SECTOR;

	TEST_ASSERT(start < kernel->size, "%s should be longer than its setup code",
		    kernel->path);
	TEST_ASSERT(hdr->pref_address + hdr->init_size < guest->shared_size,
		    "%s needs [%#llx, %#llx), but RAM to load it to ends at %#lx: more --memory",
		    kernel->path, hdr->pref_address, hdr->pref_address + hdr->init_size,
		    guest->shared_size);
	memcpy(guest->ram + hdr->pref_address, kernel->data + start, kernel->size - start);
}

/* As high as it can be, where the kernel does not unpack itself. */
static void load_initrd(struct linux_guest *guest, const struct linux_file *initrd,
			struct setup_header *hdr)
{
	uint64_t gpa;

	TEST_ASSERT(initrd->size < guest->shared_size, "%s should fit into RAM", initrd->path);
	gpa = (guest->shared_size - initrd->size) & ~(uint64_t)(SIZE_4K - 1);
	TEST_ASSERT(gpa >= hdr->pref_address + hdr->init_size,
		    "%s of %zu bytes does not fit into RAM beside the kernel: more --memory",
		    initrd->path, initrd->size);
	memcpy(guest->ram + gpa, initrd->data, initrd->size);
	hdr->ramdisk_image = gpa;
	hdr->ramdisk_size = initrd->size;
}

static void load_command_line(struct linux_guest *guest, const char *args,
			      struct setup_header *hdr)
{
	TEST_ASSERT(strlen(args) <= hdr->cmdline_size,
		    "the command line should have at most %u bytes, has %zu",
		    hdr->cmdline_size, strlen(args));
	strcpy(guest->ram + COMMAND_GPA, args);
	hdr->cmd_line_ptr = COMMAND_GPA;
}

static void add_e820(struct boot_params *params, uint64_t start, uint64_t end,
		     uint32_t type)
{
	params->e820_table[params->e820_entries++] = (struct boot_e820_entry) {
		.addr = start,
		.size = end - start,
		.type = type,
	};
}

static uint64_t load_all(struct linux_guest *guest, const struct linux_file *kernel,
			 const struct linux_file *initrd, const char *args)
{
	struct boot_params *params = (void *)guest->ram + ZERO_PAGE_GPA;
	struct setup_header *hdr = &params->hdr;

	read_header(kernel, hdr);
	hdr->type_of_loader = LOADER_UNDEFINED;
	load_kernel(guest, kernel, hdr);
	load_initrd(guest, initrd, hdr);
	load_command_line(guest, args, hdr);
	add_e820(params, 0, MP_TABLE_GPA, E820_RAM);
	add_e820(params, MP_TABLE_GPA, BASE_MEMORY_END, E820_RESERVED);
	add_e820(params, HIGH_MEMORY_GPA, guest->ram_size, E820_RAM);
	return hdr->pref_address + ENTRY_64;
}

/* The first 4 GiB, each address to itself, in pages of 2 MiB. */
static void write_page_tables(struct linux_guest *guest)
{
	uint64_t *pml4 = (void *)guest->ram + PML4_GPA;
	uint64_t *pdpt = (void *)guest->ram + PDPT_GPA;
	uint64_t *pd = (void *)guest->ram + PD_GPA;
	uint64_t i;

	pml4[0] = PDPT_GPA | PTE_PRESENT | PTE_WRITABLE;
	for (i = 0; i < 4; i++)
		pdpt[i] = (PD_GPA + i * SIZE_4K) | PTE_PRESENT | PTE_WRITABLE;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = i * SIZE_2M | PTE_PRESENT | PTE_WRITABLE | PTE_HUGE;
}

static void write_gdt(struct linux_guest *guest)
{
	uint64_t *gdt = (void *)guest->ram + GDT_GPA;

	gdt[BOOT_CS / 8] = GDT_CODE_64;
	gdt[BOOT_DS / 8] = GDT_DATA;
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment) {
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = 1,
		.g = 1,
		.l = type == TYPE_CODE,
		.db = type != TYPE_CODE,
	};
}

static void set_boot_registers(struct kvm_vcpu *vcpu, uint64_t entry)
{
	struct kvm_regs regs = { .rip = entry, .rsi = ZERO_PAGE_GPA, .rflags = 2 };
	struct kvm_sregs sregs;

	vcpu_sregs_get(vcpu, &sregs);
	sregs.cs = flat_segment(BOOT_CS, TYPE_CODE);
	sregs.ds = flat_segment(BOOT_DS, TYPE_DATA);
	sregs.es = sregs.ds;
	sregs.ss = sregs.ds;
	sregs.gdt.base = GDT_GPA;
	sregs.gdt.limit = BOOT_DS + 7;
	sregs.cr0 = X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_PG;
	sregs.cr3 = PML4_GPA;
	sregs.cr4 = X86_CR4_PAE;
	sregs.efer = EFER_LME | EFER_LMA;
	vcpu_sregs_set(vcpu, &sregs);
	vcpu_regs_set(vcpu, &regs);
}

/* One socket, its cores without siblings: what APIC ids there are, and whose this is. */
static void fit_topology(struct kvm_cpuid_entry2 *entry, uint32_t id, uint32_t nr)
{
	uint32_t bits = nr > 1 ? 32 - __builtin_clz(nr - 1) : 0;

	switch (entry->function) {
	case 0x1:
		entry->ebx = (entry->ebx & 0xffff) | nr << 16 | id << 24;
		break;
	case 0xb:
	case 0x1f:
		entry->eax = entry->index == 1 ? bits : 0;
		entry->ebx = entry->index == 1 ? nr : !entry->index;
		entry->ecx = entry->index;
		if (entry->index < 2)
			entry->ecx |= (entry->index + 1) << 8;
		entry->edx = id;
		break;
	case 0x80000008:
		entry->ecx = (nr - 1) | bits << 12;
		break;
	case 0x8000001e:
		entry->eax = id;
		entry->ebx = id;
		entry->ecx = 0;
		break;
	}
}

/* What KVM emulates, but leaves to user space to say. */
static void say_what_is_there(struct kvm_cpuid_entry2 *entry)
{
	if (entry->function != 1)
		return;

	entry->ecx |= CPUID_1_ECX_HYPERVISOR;
	if (kvm_check_cap(KVM_CAP_TSC_DEADLINE_TIMER))
		entry->ecx |= CPUID_1_ECX_TSC_DEADLINE;
}

/*
 * KVM reaches for what it shares with a guest through userspace_addr. Where
 * private memory is elsewhere, that leaves the clock, which Linux has in its
 * image.
 */
static void fit_paravirt(struct kvm_cpuid_entry2 *entry)
{
	if (entry->function == KVM_CPUID_FEATURES)
		entry->eax &= 1u << KVM_FEATURE_CLOCKSOURCE |
			      1u << KVM_FEATURE_CLOCKSOURCE2 |
			      1u << KVM_FEATURE_CLOCKSOURCE_STABLE_BIT |
			      1u << KVM_FEATURE_NOP_IO_DELAY;
}

static void init_vcpu(struct linux_guest *guest, struct kvm_vcpu *vcpu)
{
	uint32_t i;

	vcpu_init_cpuid(vcpu, kvm_get_supported_cpuid());
	for (i = 0; i < vcpu->cpuid->nent; i++) {
		fit_topology(&vcpu->cpuid->entries[i], vcpu->id, guest->nr_cpus);
		say_what_is_there(&vcpu->cpuid->entries[i]);
		if (guest->shared_size < guest->ram_size)
			fit_paravirt(&vcpu->cpuid->entries[i]);
	}
	vcpu_set_cpuid(vcpu);
	vcpu_set_msr(vcpu, MSR_MTRR_DEF_TYPE, MTRR_ENABLED | MTRR_WRITE_BACK);
}

/* All but the first vCPU stay as they are reset, until the guest starts them. */
void linux_load(struct linux_guest *guest, const struct linux_file *kernel,
		const struct linux_file *initrd, const char *args)
{
	uint64_t entry = load_all(guest, kernel, initrd, args);
	int i;

	write_page_tables(guest);
	write_gdt(guest);
	linux_write_mp_table(guest);
	for (i = 0; i < guest->nr_cpus; i++)
		init_vcpu(guest, guest->vcpus[i]);
	set_boot_registers(guest->vcpus[0], entry);
}
