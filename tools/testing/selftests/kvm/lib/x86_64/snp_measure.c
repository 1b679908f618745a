// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launch digest, computed beside the firmware: its records, and the VMSA of a
 * vCPU, as KVM makes it from the registers that were set.
 */
#include "snp.h"

#define PAT_AFTER_RESET	0x0007040600070406ul
#define FCW_AFTER_RESET	0x37f
#define MXCSR_AFTER_RESET 0x1f80

/* PAGE_INFO of the firmware ABI, "Launch Digest" */
struct page_info {
	uint8_t digest[SHA384_SIZE];
	uint8_t contents[SHA384_SIZE];
	uint16_t length;
	uint8_t type, imi;
	uint8_t vmpl3, vmpl2, vmpl1, rsvd;
	uint64_t gpa;
};

static_assert(sizeof(struct page_info) == 0x70);

static bool has_contents(uint8_t type)
{
	return type == KVM_SEV_SNP_PAGE_TYPE_NORMAL || type == SNP_PAGE_VMSA;
}

void snp_measure(uint8_t ld[SHA384_SIZE], uint8_t type, uint64_t gpa,
		 const void *page)
{
	struct page_info info = {
		.length = sizeof(info),
		.type = type,
		.gpa = gpa,
	};

	memcpy(info.digest, ld, SHA384_SIZE);
	if (has_contents(type))
		snp_sha384(page, SIZE_4K, info.contents);
	snp_sha384(&info, sizeof(info), ld);
}

static struct snp_vmsa_segment segment(const struct kvm_segment *s)
{
	return (struct snp_vmsa_segment) {
		.selector = s->selector,
		.attributes = s->type | s->s << 4 | s->dpl << 5 |
			      (s->present && !s->unusable) << 7 | s->avl << 8 |
			      s->l << 9 | s->db << 10 | s->g << 11,
		.limit = s->limit,
		.base = s->base,
	};
}

static void predict_segments(const struct kvm_sregs *s, struct snp_vmsa *vmsa)
{
	vmsa->es = segment(&s->es);
	vmsa->cs = segment(&s->cs);
	vmsa->ss = segment(&s->ss);
	vmsa->ds = segment(&s->ds);
	vmsa->fs = segment(&s->fs);
	vmsa->gs = segment(&s->gs);
	vmsa->ldtr = segment(&s->ldt);
	vmsa->tr = segment(&s->tr);
	vmsa->gdtr.limit = s->gdt.limit;
	vmsa->gdtr.base = s->gdt.base;
	vmsa->idtr.limit = s->idt.limit;
	vmsa->idtr.base = s->idt.base;
	vmsa->cpl = s->ss.dpl;
}

static void predict_registers(const struct kvm_regs *r, struct snp_vmsa *vmsa)
{
	vmsa->rax = r->rax;
	vmsa->rbx = r->rbx;
	vmsa->rcx = r->rcx;
	vmsa->rdx = r->rdx;
	vmsa->rsp = r->rsp;
	vmsa->rbp = r->rbp;
	vmsa->rsi = r->rsi;
	vmsa->rdi = r->rdi;
	vmsa->r8 = r->r8;
	vmsa->r9 = r->r9;
	vmsa->r10 = r->r10;
	vmsa->r11 = r->r11;
	vmsa->r12 = r->r12;
	vmsa->r13 = r->r13;
	vmsa->r14 = r->r14;
	vmsa->r15 = r->r15;
	vmsa->rip = r->rip;
	vmsa->rflags = r->rflags;
}

/* What nobody has set is as after a reset. */
static const struct snp_vmsa reset = {
	.dr6 = 0xffff0ff0,
	.dr7 = 0x400,
	.g_pat = PAT_AFTER_RESET,
	.xcr0 = 1,
	.mxcsr = MXCSR_AFTER_RESET,
	.x87_fcw = FCW_AFTER_RESET,
};

/*
 * The registers are no longer KVM's to read once the guest is launched, those of
 * snp_entry() have not changed since they were set.
 */
void snp_predict_vmsa(struct snp *snp, unsigned int i, struct snp_vmsa *vmsa)
{
	const struct kvm_sregs *sregs = &snp->sregs[i];

	*vmsa = reset;
	predict_segments(sregs, vmsa);
	predict_registers(&snp->regs[i], vmsa);
	vmsa->efer = sregs->efer | EFER_SVME;
	vmsa->cr0 = sregs->cr0;
	vmsa->cr3 = sregs->cr3;
	vmsa->cr4 = sregs->cr4;
	vmsa->sev_features = snp->vmsa_features | SNP_FEAT_SNP_ACTIVE;
}

/* What LAUNCH_FINISH measures. */
void snp_measure_vmsas(struct snp *snp)
{
	struct snp_vmsa vmsa;
	unsigned int i;

	for (i = 0; i < snp->nr_vcpus; i++) {
		snp_predict_vmsa(snp, i, &vmsa);
		snp_measure(snp->ld, SNP_PAGE_VMSA, SNP_VMSA_GPA, &vmsa);
	}
}
