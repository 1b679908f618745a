// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory as its CPU sees it, by virtual address and in long mode:
 * for what the model does in place of instructions.
 */
#include <linux/kvm_host.h>
#include <linux/mm.h>

#include "../../mmu.h"
#include "../../x86.h"
#include "kernel_cpu.h"
#include "snp_port.h"

#define PT_LEVELS		4
#define PT_ADDR			GENMASK_ULL(51, PAGE_SHIFT)

static bool in_long_mode(const struct sev_es_save_area *vmsa)
{
	return vmsa->efer & EFER_LMA && vmsa->cr0 & X86_CR0_PG &&
	       !(vmsa->cr4 & X86_CR4_LA57);
}

static enum snp_outcome page_fault(struct kvm_vcpu *vcpu, gva_t gva,
				   u32 error_code)
{
	snp_cpu_of(vcpu)->vmsa->cr2 = gva;
	kvm_queue_exception_e(vcpu, PF_VECTOR, error_code);
	return SNP_RESUME;
}

/* An access within a page; @gpa has the C-bit. */
static enum snp_outcome copy(struct kvm_vcpu *vcpu, u64 gpa, void *buf,
			     unsigned int size, bool write)
{
	u64 error_code = PFERR_USER_MASK | PFERR_GUEST_FINAL_MASK;
	struct snp_leaf leaf;
	bool found;
	void *va;

	if (gpa & SNP_C_MASK)
		error_code |= SNPM_ERROR_ENC;
	if (write)
		error_code |= PFERR_WRITE_MASK;
	found = snp_npt_lookup(vcpu, gpa & ~SNP_C_MASK, &leaf);
	if (!found || !leaf.page || (write && !(leaf.pte & PT_WRITABLE_MASK))) {
		snp_leaf_put(&leaf);
		return snp_cpu_npf_to_kvm(vcpu, error_code, gpa & ~SNP_C_MASK);
	}
	va = snpm_port_map(leaf.spa & PAGE_MASK);
	if (va && write)
		memcpy(va + offset_in_page(gpa), buf, size);
	else if (va)
		memcpy(buf, va + offset_in_page(gpa), size);
	if (va)
		snpm_port_unmap(va);
	snp_leaf_put(&leaf);
	return va ? SNP_DONE : SNP_NO_MEMORY;
}

static u64 offset_at(int level)
{
	return (PAGE_SIZE << 9 * (level - 1)) - 1;
}

/**
 * snp_guest_translate() - Walk the guest's page tables.
 * @vcpu: the vCPU
 * @gva: guest virtual address
 * @write: whether it is written by a supervisor
 * @gpa: set to the guest physical address, with the C-bit
 *
 * Context: may sleep.
 * Return: SNP_DONE; SNP_RESUME with a page fault for the guest; SNP_TO_KVM with
 * a nested fault; SNP_NO_MEMORY.
 */
enum snp_outcome snp_guest_translate(struct kvm_vcpu *vcpu, gva_t gva,
				     bool write, u64 *gpa)
{
	const struct sev_es_save_area *vmsa = snp_cpu_of(vcpu)->vmsa;
	u32 error_code = write ? PFERR_WRITE_MASK : 0;
	enum snp_outcome outcome;
	u64 pte = vmsa->cr3;
	u64 table;
	int level;

	if (!in_long_mode(vmsa))
		return snp_cpu_to_kvm(vcpu, SVM_EXIT_SHUTDOWN, 0, 0);
	for (level = PT_LEVELS; level; level--) {
		/* Page tables are private, whatever their entries say. */
		table = (pte & PT_ADDR) | SNP_C_MASK;
		table += (gva >> (PAGE_SHIFT + 9 * (level - 1)) & 511) * 8;
		outcome = copy(vcpu, table, &pte, sizeof(pte), false);
		if (outcome != SNP_DONE)
			return outcome;
		if (!(pte & PT_PRESENT_MASK))
			return page_fault(vcpu, gva, error_code);
		if (write && !(pte & PT_WRITABLE_MASK))
			return page_fault(vcpu, gva,
					  error_code | PFERR_PRESENT_MASK);
		if (level == 1 || (level < PT_LEVELS && pte & PT_PAGE_SIZE_MASK))
			break;
	}
	*gpa = (pte & PT_ADDR & ~offset_at(level)) | (gva & offset_at(level));
	return SNP_DONE;
}

static enum snp_outcome access(struct kvm_vcpu *vcpu, gva_t gva, void *buf,
			       unsigned int size, bool write)
{
	enum snp_outcome outcome;
	unsigned int part;
	u64 gpa;

	for (; size; size -= part, buf += part, gva += part) {
		part = min_t(u64, size, PAGE_SIZE - offset_in_page(gva));
		outcome = snp_guest_translate(vcpu, gva, write, &gpa);
		if (outcome == SNP_DONE)
			outcome = copy(vcpu, gpa, buf, part, write);
		if (outcome != SNP_DONE)
			return outcome;
	}
	return SNP_DONE;
}

/**
 * snp_guest_read() - Read guest memory.
 * @vcpu: the vCPU
 * @gva: guest virtual address
 * @to: where to
 * @size: bytes
 *
 * Context: may sleep.
 * Return: as snp_guest_translate().
 */
enum snp_outcome snp_guest_read(struct kvm_vcpu *vcpu, gva_t gva, void *to,
				unsigned int size)
{
	return access(vcpu, gva, to, size, false);
}

/**
 * snp_guest_write() - Write guest memory.
 * @vcpu: the vCPU
 * @gva: guest virtual address
 * @from: what
 * @size: bytes; written in part if a fault comes in between
 *
 * Context: may sleep.
 * Return: as snp_guest_translate().
 */
enum snp_outcome snp_guest_write(struct kvm_vcpu *vcpu, gva_t gva,
				 const void *from, unsigned int size)
{
	return access(vcpu, gva, (void *)from, size, true);
}
