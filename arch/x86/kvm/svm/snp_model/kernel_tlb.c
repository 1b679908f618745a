// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TLB of the model's CPU: own nested page tables, with pages of 4 KiB that
 * were found in KVM's and passed the RMP's checks, by guest physical address
 * and C-bit.
 *
 * As of any TLB, KVM flushes before it relies on a mapping being gone: it asks
 * for that before the next VMRUN, and only then is an entry used.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "../../mmu.h"
#include "kernel_cpu.h"

#define LEVELS			4
#define ENTRIES			512
#define ADDR_MASK		GENMASK_ULL(51, PAGE_SHIFT)

static unsigned int index_at(u64 gpa, int level)
{
	return gpa >> (PAGE_SHIFT + 9 * (level - 1)) & (ENTRIES - 1);
}

int snp_tlb_init(struct snp_tlb *tlb)
{
	tlb->root = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return tlb->root ? 0 : -ENOMEM;
}

void snp_tlb_destroy(struct snp_tlb *tlb)
{
	int i;

	for (i = 0; i < SNP_TLB_PAGES; i++)
		free_page((unsigned long)tlb->tables[i]);
	free_page((unsigned long)tlb->root);
}

/* Tables are used again, but for the root. */
void snp_tlb_flush(struct snp_tlb *tlb)
{
	tlb->root[0] = 0;
	tlb->root[index_at(SNP_C_MASK, LEVELS)] = 0;
	tlb->used = 0;
}

static u64 *new_table(struct snp_tlb *tlb)
{
	u64 **table = &tlb->tables[tlb->used];

	if (!*table)
		*table = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	else
		clear_page(*table);
	if (*table)
		tlb->used++;
	return *table;
}

/**
 * snp_tlb_insert() - Remember a translation.
 * @tlb: of a vCPU that does not run
 * @gpa: guest physical address, with the C-bit
 * @entry: of the last level; what is there for @gpa is replaced
 *
 * Everything else may be forgotten for it.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int snp_tlb_insert(struct snp_tlb *tlb, u64 gpa, u64 entry)
{
	u64 *table = tlb->root, *next;
	int level;

	if (tlb->used + LEVELS > SNP_TLB_PAGES)
		snp_tlb_flush(tlb);
	for (level = LEVELS; level > 1; level--) {
		u64 *e = &table[index_at(gpa, level)];

		next = *e & PT_PRESENT_MASK ? __va(__sme_clr(*e & ADDR_MASK)) :
				    new_table(tlb);
		if (!next)
			return -ENOMEM;
		*e = __sme_pa(next) | PT_PRESENT_MASK | PT_WRITABLE_MASK |
		     PT_USER_MASK | PT_ACCESSED_MASK;
		table = next;
	}
	table[index_at(gpa, 1)] = entry;
	return 0;
}

static enum snpm_page_size size_at(int level)
{
	switch (level) {
	case PG_LEVEL_4K:
		return SNPM_4K;
	case PG_LEVEL_2M:
		return SNPM_2M;
	default:
		return SNPM_1G;
	}
}

static u64 find_leaf(struct kvm_vcpu *vcpu, gpa_t gpa, int *level)
{
	u64 pte = to_svm(vcpu)->vmcb->control.nested_cr3;
	u64 *table;

	for (*level = vcpu->arch.mmu->root_role.level; *level; (*level)--) {
		table = __va(__sme_clr(pte & ADDR_MASK));
		pte = READ_ONCE(table[index_at(gpa, *level)]);
		if (!(pte & PT_PRESENT_MASK) || pte & PT_PAGE_SIZE_MASK || *level == PG_LEVEL_4K)
			return pte;
	}
	return 0;
}

/* What a page table walk would take as a fault with RSVD. */
bool snp_leaf_is_reserved(const struct snp_leaf *leaf)
{
	return leaf->pte & rsvd_bits(boot_cpu_data.x86_phys_bits, 51);
}

/**
 * snp_npt_lookup() - Walk KVM's nested page tables.
 * @vcpu: the vCPU
 * @gpa: guest physical address, without the C-bit
 * @leaf: set to what is there, with a reference if it is memory
 *
 * Context: any but with mmu_lock.
 * Return: whether something is present; snp_leaf_put() it then.
 */
bool snp_npt_lookup(struct kvm_vcpu *vcpu, gpa_t gpa, struct snp_leaf *leaf)
{
	u64 offset_mask;
	int level;

	leaf->page = NULL;
	/* Nothing that is mapped can be freed under both. */
	read_lock(&vcpu->kvm->mmu_lock);
	rcu_read_lock();
	leaf->pte = find_leaf(vcpu, gpa, &level);
	leaf->size = size_at(level);
	offset_mask = (PAGE_SIZE << 9 * (level - 1)) - 1;
	leaf->spa = (__sme_clr(leaf->pte & ADDR_MASK) & ~offset_mask) |
		    (gpa & offset_mask);
	if (leaf->pte & PT_PRESENT_MASK && !snp_leaf_is_reserved(leaf) &&
	    pfn_valid(PHYS_PFN(leaf->spa))) {
		leaf->page = pfn_to_page(PHYS_PFN(leaf->spa));
		if (!get_page_unless_zero(leaf->page))
			leaf->page = NULL;
	}
	rcu_read_unlock();
	read_unlock(&vcpu->kvm->mmu_lock);
	return leaf->pte & PT_PRESENT_MASK;
}

void snp_leaf_put(struct snp_leaf *leaf)
{
	if (leaf->page)
		put_page(leaf->page);
	leaf->page = NULL;
}
