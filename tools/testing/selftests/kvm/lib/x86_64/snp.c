// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEV-SNP guests: making a VM whose own memory is private, and its page tables.
 */
#include <linux/kvm_para.h>
#include <sys/mman.h>

#include "snp.h"

/* In a last entry of the page tables until they are sealed: no C-bit. */
#define PTE_SHARED	BIT_ULL(9)

/* Room for page tables: as if the guest had so many pages besides slot 0. */
#define EXTRA_PAGES	(64 * 512)

bool has_snp(void)
{
	return has_vm_type(KVM_X86_SNP_VM);
}

void require_snp(void)
{
	__TEST_REQUIRE(has_snp(),
		       "no SEV-SNP VMs: KVM_CAP_VM_TYPES is %#x, needs bit %d, which is kvm_amd with SNP or its model",
		       kvm_check_cap(KVM_CAP_VM_TYPES), KVM_X86_SNP_VM);
}

/* Page tables */

static uint64_t cbit(void)
{
	unsigned int bit = kvm_get_supported_cpuid_entry(0x8000001f)->ebx & 0x3f;

	TEST_ASSERT(bit >= 32 && bit < 52,
		    "CPUID 0x8000001f should say where the C-bit is, says %u",
		    bit);
	return 1ul << bit;
}

static uint64_t *last_entry(struct kvm_vm *vm, uint64_t va)
{
	uint64_t *table = addr_gpa2hva(vm, vm->pgd);
	int shift;

	for (shift = 39; ; shift -= 9) {
		table += va >> shift & 511;
		TEST_ASSERT(*table & PTE_PRESENT_MASK, "%#lx should be mapped",
			    va);
		if (shift == 12)
			return table;
		table = addr_gpa2hva(vm, *table & PHYSICAL_PAGE_MASK);
	}
}

static void share_mapping(struct kvm_vm *vm, uint64_t va, uint64_t size)
{
	uint64_t end = va + size;

	for (; va < end; va += SIZE_4K)
		*last_entry(vm, va) |= PTE_SHARED;
}

void snp_map(struct kvm_vm *vm, uint64_t gpa, uint64_t size)
{
	virt_map(vm, gpa, gpa, size / SIZE_4K);
	virt_map(vm, SNP_SHARED_VA(gpa), gpa, size / SIZE_4K);
	share_mapping(vm, SNP_SHARED_VA(gpa), size);
}

static void seal_table(struct snp *snp, uint64_t gpa, int level)
{
	uint64_t *table = addr_gpa2hva(snp->vm, gpa);
	int i;

	for (i = 0; i < 512; i++) {
		if (!(table[i] & PTE_PRESENT_MASK))
			continue;
		if (level > 1)
			seal_table(snp, table[i] & PHYSICAL_PAGE_MASK, level - 1);
		if (level > 1 || !(table[i] & PTE_SHARED))
			table[i] |= snp->cbit;
		table[i] &= ~PTE_SHARED;
	}
}

static void write_image(struct snp *snp, unsigned int i)
{
	snp_predict_vmsa(snp, i, addr_gva2hva(snp->vm, snp->image[i]));
}

void snp_seal(struct snp *snp)
{
	unsigned int i;

	for (i = 0; i < snp->nr_vcpus; i++)
		write_image(snp, i);
	seal_table(snp, snp->vm->pgd, 4);
}

/* The VM and its vCPUs */

static void add_shared(struct kvm_vm *vm, unsigned int nr_vcpus)
{
	unsigned int nr = nr_vcpus * SNP_PAGES_PER_VCPU;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, SNP_SHARED,
				    SNP_SHARED_SLOT, nr, 0);
	virt_map(vm, SNP_SHARED, SNP_SHARED, nr);
	share_mapping(vm, SNP_SHARED, nr * SIZE_4K);
}

static void add_special(struct snp *snp)
{
	int i;

	for (i = 0; i < SNP_NR_SPECIAL; i++) {
		snp->special[i] = vm_vaddr_alloc_page(snp->vm);
		snp->special_gpa[i] = addr_gva2gpa(snp->vm, snp->special[i]);
	}
	memset(addr_gva2hva(snp->vm, snp->special[SNP_UNMEASURED]), 0x5a,
	       SIZE_4K);
	snp_fill_cpuid(snp);
}

void snp_create_vm(struct snp *snp, const struct snp_options *options)
{
	int ret;

	*snp = (struct snp) {
		.fd = -1,
		.nr_vcpus = options->nr_vcpus ?: 1,
		.cbit = cbit(),
		.policy = options->policy ?: SNP_POLICY,
	};
	vm_type_default = KVM_X86_SNP_VM;
	snp->vm = __vm_create(VM_MODE_DEFAULT, snp->nr_vcpus, EXTRA_PAGES);
	vm_type_default = 0;
	if (!options->no_hypercall)
		vm_enable_cap(snp->vm, KVM_CAP_EXIT_HYPERCALL,
			      1 << KVM_HC_MAP_GPA_RANGE);
	ret = snp_init2(snp->vm, snp->vmsa_features);
	TEST_ASSERT(!ret, KVM_IOCTL_ERROR(KVM_SEV_INIT2, ret));
	snp->size = memslot2region(snp->vm, 0)->region.memory_size;
}

/* Of all vCPUs, before any of them is there: they know each other's. */
static void alloc_vmsas(struct snp *snp)
{
	unsigned int i;

	for (i = 0; i < snp->nr_vcpus; i++) {
		snp->image[i] = vm_vaddr_alloc_page(snp->vm);
		do {
			/* Hardware may not like a VMSA at 2 MiB. */
			snp->vmsa[i] = vm_vaddr_alloc_page(snp->vm);
			snp->vmsa_gpa[i] = addr_gva2gpa(snp->vm, snp->vmsa[i]);
		} while (!(snp->vmsa_gpa[i] % SIZE_2M));
	}
}

static void write_cpu(struct snp *snp, unsigned int i, uint64_t stack)
{
	struct snp_cpu *cpu;
	unsigned int j;

	snp->cpu[i] = vm_vaddr_alloc_page(snp->vm);
	cpu = addr_gva2hva(snp->vm, snp->cpu[i]);
	*cpu = (struct snp_cpu) {
		.self = (void *)snp->cpu[i],
		.stack = stack,
		.mailbox = (void *)SNP_MAILBOX(i),
		.ghcb = (void *)SNP_GHCB(i),
		.id = i,
		.secrets = (void *)snp->special[SNP_SECRETS],
		.seqno = 1,
	};
	for (j = 0; j < snp->nr_vcpus; j++) {
		cpu->image[j] = (void *)snp->image[j];
		cpu->vmsa[j] = (void *)snp->vmsa[j];
		cpu->vmsa_gpa[j] = snp->vmsa_gpa[j];
	}
}

/* CR4.MCE, as KVM sets it for a guest where the host has it. */
static void set_sregs(struct snp *snp, unsigned int i)
{
	struct kvm_sregs *sregs = &snp->sregs[i];

	vcpu_init_descriptor_tables(snp->vcpus[i]);
	vcpu_sregs_get(snp->vcpus[i], sregs);
	sregs->gs.base = snp->cpu[i];
	sregs->cr3 |= snp->cbit;
	sregs->cr4 |= X86_CR4_MCE;
	vcpu_sregs_set(snp->vcpus[i], sregs);
}

/* As VMMs do: KVM knows a vCPU's local APIC as a target once it was set. */
static void set_lapic(struct kvm_vcpu *vcpu)
{
	struct kvm_lapic_state lapic;

	vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic);
	vcpu_ioctl(vcpu, KVM_SET_LAPIC, &lapic);
}

static void add_vcpu(struct snp *snp, unsigned int i, bool off)
{
	struct kvm_mp_state uninitialized = { KVM_MP_STATE_UNINITIALIZED };

	snp->vcpus[i] = vm_vcpu_add(snp->vm, i, snp_entry);
	vcpu_regs_get(snp->vcpus[i], &snp->regs[i]);
	write_cpu(snp, i, snp->regs[i].rsp);
	set_sregs(snp, i);
	set_lapic(snp->vcpus[i]);
	if (off)
		vcpu_mp_state_set(snp->vcpus[i], &uninitialized);
	agent_init_ops(&snp->agents[i], snp->vcpus[i], &snp_agent_ops);
}

/* Ends a call; its frame is forgotten. */
static void guest_trap(struct ex_regs *regs)
{
	struct snp_mailbox *mailbox = snp_this_cpu()->mailbox;
	uint64_t cr2;

	asm volatile("mov %%cr2, %0" : "=r"(cr2));
	mailbox->vector = regs->vector;
	mailbox->error = regs->error_code;
	mailbox->rip = regs->rip;
	mailbox->cr2 = cr2;
	mailbox->value = SNP_TRAP(regs->vector, regs->error_code);
	snp_end_call(AGENT_PORT_TRAP);
	asm volatile("jmp snp_agent");
}

void snp_add_vcpus(struct snp *snp, const struct snp_options *options)
{
	unsigned int i;

	add_shared(snp->vm, snp->nr_vcpus);
	add_special(snp);
	alloc_vmsas(snp);
	vm_init_descriptor_tables(snp->vm);
	for (i = 0; i < 32; i++)
		vm_install_exception_handler(snp->vm, i, guest_trap);
	for (i = 0; i < snp->nr_vcpus; i++)
		add_vcpu(snp, i, i && options->others_off);
}

void snp_create(struct snp *snp, const struct snp_options *options)
{
	snp_create_vm(snp, options);
	snp_add_vcpus(snp, options);
}

/* Memory */

void snp_add_area(struct snp *snp, struct gmem_area *area, uint32_t slot,
		  uint64_t gpa, uint64_t size)
{
	TEST_ASSERT(snp->nr_areas < SNP_AREAS, "there are %u areas already",
		    snp->nr_areas);
	gmem_area_add(area, snp->vm, slot, gpa, size);
	snp_map(snp->vm, gpa, size);
	snp->areas[snp->nr_areas++] = area;
}

void snp_bind(struct snp *snp)
{
	struct kvm_vm *vm = snp->vm;
	void *hva = memslot2region(vm, 0)->host_mem;

	vm_delete_slot(vm, 0);
	snp->fd = vm_create_guest_memfd(vm, snp->size, 0);
	vm_bind_guest_memfd(vm, 0, 0, snp->size, hva, snp->fd, 0);
	vm_set_private(vm, 0, snp->size);
}

void snp_load(struct snp *snp, const struct snp_options *options)
{
	int ret;

	snp_seal(snp);
	snp_bind(snp);
	ret = snp_start(snp);
	TEST_ASSERT(!ret, KVM_IOCTL_ERROR(KVM_SEV_SNP_LAUNCH_START, ret));
	ret = snp_update_all(snp, !options->not_measured);
	TEST_ASSERT(!ret, KVM_IOCTL_ERROR(KVM_SEV_SNP_LAUNCH_UPDATE, ret));
	ret = snp_finish(snp);
	TEST_ASSERT(!ret, KVM_IOCTL_ERROR(KVM_SEV_SNP_LAUNCH_FINISH, ret));
}

void snp_make(struct snp *snp, const struct snp_options *options)
{
	snp_create(snp, options);
	snp_load(snp, options);
}

void snp_free(struct snp *snp)
{
	unsigned int i;

	for (i = 0; i < snp->nr_areas; i++)
		gmem_area_free(snp->areas[i]);
	if (snp->fd >= 0)
		close(snp->fd);
	kvm_vm_free(snp->vm);
}
