// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delivers #VC into a 64-bit guest.  VMCB's injection would do on hardware; an
 * emulated CPU need not know that vector 29 has an error code.
 *
 * APM volume 2, "Long-Mode Interrupt Control Transfers".
 */
#include <linux/kvm_host.h>

#include "../../x86.h"
#include "kernel_cpu.h"

#define VC			29

#define SEG_L			BIT(9)
#define SEG_DPL_SHIFT		5

struct gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_mid;
	u32 offset_high;
	u32 rsvd;
};

static_assert(sizeof(struct gate) == 16);

#define GATE_PRESENT		BIT(7)
#define GATE_INTERRUPT		0xe
#define GATE_TRAP		0xf

/* As pushed, lowest address first. */
struct frame {
	u64 error_code;
	u64 rip;
	u64 cs;
	u64 rflags;
	u64 rsp;
	u64 ss;
};

/* Where the handler runs. */
struct handler {
	struct gate gate;
	u64 cs_descriptor;
	u64 stack;
	unsigned int dpl;
};

static enum snp_outcome shutdown(struct kvm_vcpu *vcpu)
{
	return snp_cpu_to_kvm(vcpu, SVM_EXIT_SHUTDOWN, 0, 0);
}

static u16 attributes(u64 descriptor)
{
	return (descriptor >> 40 & 0xff) | (descriptor >> 52 & 0xf) << 8;
}

static bool is_usable(const struct sev_es_save_area *vmsa,
		      const struct handler *h)
{
	u8 type = h->gate.type & 0xf;

	return h->gate.type & GATE_PRESENT &&
	       (type == GATE_INTERRUPT || type == GATE_TRAP) &&
	       attributes(h->cs_descriptor) & SEG_L && h->dpl <= vmsa->cpl;
}

/* 0: the stack stays. */
static u64 stack_slot(const struct sev_es_save_area *vmsa,
		      const struct handler *h)
{
	unsigned int ist = h->gate.ist & 7;

	if (ist)
		return vmsa->tr.base + 0x24 + 8 * (ist - 1);
	return h->dpl < vmsa->cpl ? vmsa->tr.base + 4 : 0;
}

static enum snp_outcome find_stack(struct kvm_vcpu *vcpu, struct handler *h)
{
	const struct sev_es_save_area *vmsa = snp_cpu_of(vcpu)->vmsa;
	enum snp_outcome outcome = SNP_DONE;
	u64 slot = stack_slot(vmsa, h);

	h->stack = vmsa->rsp;
	if (slot)
		outcome = snp_guest_read(vcpu, slot, &h->stack,
					 sizeof(h->stack));
	h->stack = ALIGN_DOWN(h->stack, 16) - sizeof(struct frame);
	return outcome;
}

static enum snp_outcome find_handler(struct kvm_vcpu *vcpu, struct handler *h)
{
	const struct sev_es_save_area *vmsa = snp_cpu_of(vcpu)->vmsa;
	enum snp_outcome outcome;

	if (vmsa->idtr.limit < (VC + 1) * sizeof(h->gate) - 1)
		return shutdown(vcpu);
	outcome = snp_guest_read(vcpu, vmsa->idtr.base + VC * sizeof(h->gate),
				 &h->gate, sizeof(h->gate));
	if (outcome != SNP_DONE)
		return outcome;
	outcome = snp_guest_read(vcpu, vmsa->gdtr.base + (h->gate.selector & ~7),
				 &h->cs_descriptor, sizeof(h->cs_descriptor));
	if (outcome != SNP_DONE)
		return outcome;
	h->dpl = attributes(h->cs_descriptor) >> SEG_DPL_SHIFT & 3;
	if (!is_usable(vmsa, h))
		return shutdown(vcpu);
	return find_stack(vcpu, h);
}

static void enter_handler(struct sev_es_save_area *vmsa, const struct handler *h)
{
	const struct gate *gate = &h->gate;

	vmsa->rip = gate->offset_low | (u64)gate->offset_mid << 16 |
		    (u64)gate->offset_high << 32;
	vmsa->rsp = h->stack;
	vmsa->rflags &= ~(u64)(X86_EFLAGS_TF | X86_EFLAGS_NT | X86_EFLAGS_RF |
			       X86_EFLAGS_VM);
	if ((gate->type & 0xf) == GATE_INTERRUPT)
		vmsa->rflags &= ~(u64)X86_EFLAGS_IF;
	if (h->dpl < vmsa->cpl)
		vmsa->ss = (struct vmcb_seg) {
			.selector = h->dpl,
			.attrib = h->dpl << SEG_DPL_SHIFT,
		};
	vmsa->cs = (struct vmcb_seg) {
		.selector = (gate->selector & ~3) | h->dpl,
		.attrib = attributes(h->cs_descriptor),
		.limit = U32_MAX,
	};
	vmsa->cpl = h->dpl;
}

/**
 * snp_cpu_vc() - #VC at the instruction that has exited.
 * @vcpu: the vCPU
 * @error_code: of the exception: mostly an exit code
 *
 * A guest that cannot take it is shut down, as by a third fault.
 *
 * Context: may sleep.
 * Return: SNP_RESUME; SNP_TO_KVM with a shutdown or with a nested fault, after
 * which the instruction exits again; SNP_NO_MEMORY.
 */
enum snp_outcome snp_cpu_vc(struct kvm_vcpu *vcpu, u32 error_code)
{
	struct sev_es_save_area *vmsa = snp_cpu_of(vcpu)->vmsa;
	const struct frame frame = {
		.error_code = error_code,
		.rip = vmsa->rip,
		.cs = vmsa->cs.selector,
		.rflags = vmsa->rflags,
		.rsp = vmsa->rsp,
		.ss = vmsa->ss.selector,
	};
	enum snp_outcome outcome;
	struct handler h;

	if (!(vmsa->efer & EFER_LMA))
		return shutdown(vcpu);
	outcome = find_handler(vcpu, &h);
	if (outcome == SNP_DONE)
		outcome = snp_guest_write(vcpu, h.stack, &frame, sizeof(frame));
	/* A page fault there would be the guest's second. */
	if (outcome == SNP_RESUME) {
		kvm_clear_exception_queue(vcpu);
		return shutdown(vcpu);
	}
	if (outcome != SNP_DONE)
		return outcome;
	enter_handler(vmsa, &h);
	return SNP_RESUME;
}
