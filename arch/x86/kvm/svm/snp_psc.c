// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page state changes that SNP guests ask for: handed to userspace, which sets
 * the attribute of the memory, range by range.
 *
 * A batch is in the guest's memory, where other vCPUs can change it at any
 * time.  So the header is read once, each entry once before it is handed out,
 * and what is written there is for the guest alone.
 */
#include <linux/kvm_host.h>
#include <linux/kvm_para.h>

#include <asm/sev-common.h>
#include <asm/svm.h>

#include "cpuid.h"
#include "svm.h"

/* The most that userspace gets at a time. */
#define MAX_PAGES	PTRS_PER_PMD

/* In the high half of the MSR, any error is as good as another. */
#define PSC_MSR_ERROR	(VMGEXIT_PSC_ERROR_GENERIC | GHCB_MSR_PSC_RESP)

/* Frames of one state to be. */
struct psc_range {
	gfn_t gfn;
	u64 npages;
	u8 operation;
	bool huge;
};

union psc_entry_word {
	u64 word;
	struct psc_entry entry;
};

static_assert(sizeof(union psc_entry_word) == sizeof(u64));
static_assert(sizeof(struct snp_psc_desc) == GHCB_SHARED_BUF_SIZE);

static bool userspace_takes_it(struct kvm *kvm)
{
	return kvm->arch.hypercall_exit_enabled & BIT(KVM_HC_MAP_GPA_RANGE);
}

static bool is_range_legal(struct kvm_vcpu *vcpu, const struct psc_range *range)
{
	return kvm_vcpu_is_legal_gpa(vcpu, gfn_to_gpa(range->gfn)) &&
	       kvm_vcpu_is_legal_gpa(vcpu, gfn_to_gpa(range->gfn +
						      range->npages - 1));
}

static int exit_with(struct kvm_vcpu *vcpu, const struct psc_range *range,
		     int (*complete)(struct kvm_vcpu *vcpu))
{
	u64 attrs = range->huge ? KVM_MAP_GPA_RANGE_PAGE_SZ_2M :
				  KVM_MAP_GPA_RANGE_PAGE_SZ_4K;

	if (range->operation == SNP_PAGE_STATE_PRIVATE)
		attrs |= KVM_MAP_GPA_RANGE_ENCRYPTED;

	vcpu->run->exit_reason = KVM_EXIT_HYPERCALL;
	memset(&vcpu->run->hypercall, 0, sizeof(vcpu->run->hypercall));
	vcpu->run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	vcpu->run->hypercall.args[0] = gfn_to_gpa(range->gfn);
	vcpu->run->hypercall.args[1] = range->npages;
	vcpu->run->hypercall.args[2] = attrs;
	vcpu->run->hypercall.longmode = 1;
	vcpu->arch.complete_userspace_io = complete;
	return 0;
}

static int complete_msr(struct kvm_vcpu *vcpu)
{
	to_svm(vcpu)->vmcb->control.ghcb_gpa = vcpu->run->hypercall.ret ?
					       PSC_MSR_ERROR : GHCB_MSR_PSC_RESP;
	return 1;
}

/**
 * snp_psc_msr() - Change the state of one page.
 * @svm: the vCPU
 * @ghcb_msr: the request
 *
 * Return: 1 with an error in control.ghcb_gpa; 0 to exit to userspace, whose
 * answer is the response.
 */
int snp_psc_msr(struct vcpu_svm *svm, u64 ghcb_msr)
{
	const struct psc_range range = {
		.gfn = GHCB_MSR_PSC_REQ_TO_GFN(ghcb_msr),
		.npages = 1,
		.operation = GHCB_MSR_PSC_REQ_TO_OP(ghcb_msr),
	};

	if (!userspace_takes_it(svm->vcpu.kvm) ||
	    !is_range_legal(&svm->vcpu, &range) ||
	    (range.operation != SNP_PAGE_STATE_PRIVATE &&
	     range.operation != SNP_PAGE_STATE_SHARED)) {
		svm->vmcb->control.ghcb_gpa = PSC_MSR_ERROR;
		return 1;
	}
	return exit_with(&svm->vcpu, &range, complete_msr);
}

/* Where the batch is; checked by find_batch(). */
static struct snp_psc_desc *batch(struct vcpu_svm *svm)
{
	return (void *)svm->sev_es.ghcb +
	       offset_in_page(svm->sev_es.sw_scratch);
}

/* How many entries the shared buffer has room for; -EINVAL if none. */
static int find_batch(struct vcpu_svm *svm)
{
	const unsigned int start = offsetof(struct ghcb, shared_buffer);
	const unsigned int end = start + GHCB_SHARED_BUF_SIZE;
	u64 gpa = svm->sev_es.sw_scratch;
	unsigned int offset = offset_in_page(gpa);

	if ((gpa & PAGE_MASK) != svm->vmcb->control.ghcb_gpa)
		return -EINVAL;
	if (offset < start || offset + sizeof(struct psc_hdr) > end)
		return -EINVAL;
	return (end - offset - sizeof(struct psc_hdr)) /
	       sizeof(struct psc_entry);
}

static struct psc_entry read_entry(struct vcpu_svm *svm, unsigned int i)
{
	union psc_entry_word from;

	from.word = READ_ONCE(*(u64 *)&batch(svm)->entries[i]);
	return from.entry;
}

/* The frames of @entry that are left to do: false if they cannot be. */
static bool to_range(struct kvm_vcpu *vcpu, struct psc_entry entry,
		     struct psc_range *range)
{
	u64 npages = entry.pagesize ? PTRS_PER_PMD : 1;

	*range = (struct psc_range) {
		.gfn = entry.gfn,
		.npages = npages,
		.operation = entry.operation,
	};
	if (entry.cur_page > npages || !IS_ALIGNED(range->gfn, npages) ||
	    !is_range_legal(vcpu, range))
		return false;

	/* What is left of a 2 MiB page is 4 KiB pages. */
	range->huge = entry.pagesize && !entry.cur_page;
	range->gfn += entry.cur_page;
	range->npages -= entry.cur_page;
	return range->operation >= SNP_PAGE_STATE_PRIVATE &&
	       range->operation <= SNP_PAGE_STATE_UNSMASH;
}

/* Whether userspace is not needed: done before, or a hint about page sizes. */
static bool is_nothing(const struct psc_range *range)
{
	return !range->npages ||
	       range->operation == SNP_PAGE_STATE_PSMASH ||
	       range->operation == SNP_PAGE_STATE_UNSMASH;
}

static bool merge(struct psc_range *range, const struct psc_range *next)
{
	if (next->gfn != range->gfn + range->npages || !next->npages ||
	    next->operation != range->operation || next->huge != range->huge ||
	    range->npages + next->npages > MAX_PAGES)
		return false;

	range->npages += next->npages;
	return true;
}

/* Tell the guest how far the next @n entries have come: to their ends. */
static void advance(struct vcpu_svm *svm, unsigned int n)
{
	struct vcpu_snp *snp = &svm->sev_es.snp;
	struct snp_psc_desc *desc = batch(svm);
	struct psc_entry *entry;

	for (; n; n--) {
		entry = &desc->entries[snp->psc_next++];
		entry->cur_page = entry->pagesize ? PTRS_PER_PMD : 1;
	}
	WRITE_ONCE(desc->hdr.cur_entry, snp->psc_next);
}

static int finish(struct vcpu_svm *svm, u64 error)
{
	ghcb_set_sw_exit_info_2(svm->sev_es.ghcb, error);
	return 1;
}

/*
 * Find what is next to be done: 0 with @range, which is the entries from
 * psc_next on, psc_inflight of them, or none at the end of the batch; or an
 * error of the entry at psc_next.
 */
static u64 next_range(struct vcpu_svm *svm, struct psc_range *range)
{
	struct vcpu_snp *snp = &svm->sev_es.snp;
	struct psc_range more;
	unsigned int i;

	for (snp->psc_inflight = 0; snp->psc_next < snp->psc_end; ) {
		if (!to_range(&svm->vcpu, read_entry(svm, snp->psc_next), range))
			return VMGEXIT_PSC_ERROR_INVALID_ENTRY;
		if (!is_nothing(range))
			break;
		advance(svm, 1);
	}
	if (snp->psc_next == snp->psc_end)
		return 0;

	for (i = snp->psc_next + 1; i < snp->psc_end; i++)
		if (!to_range(&svm->vcpu, read_entry(svm, i), &more) ||
		    !merge(range, &more))
			break;
	snp->psc_inflight = i - snp->psc_next;
	return 0;
}

static int complete_batch(struct kvm_vcpu *vcpu);

static int go_on(struct vcpu_svm *svm)
{
	struct psc_range range;
	u64 error = next_range(svm, &range);

	if (error || !svm->sev_es.snp.psc_inflight)
		return finish(svm, error);
	return exit_with(&svm->vcpu, &range, complete_batch);
}

/* Userspace has done the entries that are in flight, or has not. */
static int complete_batch(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	if (vcpu->run->hypercall.ret)
		return finish(svm, VMGEXIT_PSC_ERROR_GENERIC);

	advance(svm, svm->sev_es.snp.psc_inflight);
	return go_on(svm);
}

/**
 * snp_psc_batch() - Change the state of a batch of pages.
 * @svm: the vCPU, with its GHCB mapped; the batch is in its shared buffer
 *
 * Consecutive entries go to userspace as one where they can.  In the header and
 * the entries the guest sees how far it has come; with an error, cur_entry is
 * the entry that it is about.
 *
 * Return: 1 with the result in the GHCB; 0 to exit to userspace, which
 * completes what it was asked for and is asked for the rest.
 */
int snp_psc_batch(struct vcpu_svm *svm)
{
	struct vcpu_snp *snp = &svm->sev_es.snp;
	int max = find_batch(svm);
	struct psc_hdr *hdr;
	u16 first, last;

	if (max < 0)
		return snp_ghcb_error(svm, GHCB_ERR_INVALID_SCRATCH_AREA);
	if (!userspace_takes_it(svm->vcpu.kvm))
		return finish(svm, VMGEXIT_PSC_ERROR_GENERIC);

	hdr = &batch(svm)->hdr;
	first = READ_ONCE(hdr->cur_entry);
	last = READ_ONCE(hdr->end_entry);
	if (last >= max)
		return finish(svm, VMGEXIT_PSC_ERROR_INVALID_HDR);
	/* That is how the guest sees that it is at the end. */
	if (first > last)
		return finish(svm, 0);

	snp->psc_next = first;
	snp->psc_end = last + 1;
	return go_on(svm);
}
