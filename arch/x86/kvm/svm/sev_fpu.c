// SPDX-License-Identifier: GPL-2.0-only
/* The floating point state that a vCPU starts with, in its VMSA. */
#include <linux/kvm_host.h>

#include <asm/fpu/api.h>

#include "svm.h"

/* XSAVE's standard format as far as the upper halves of the YMM registers. */
struct fpu_image {
	struct fxregs_state fx;
	struct xstate_header header;
	u8 ymm_high[256];
} __packed __aligned(64);

static_assert(offsetof(struct fpu_image, ymm_high) == 576);

#define NR_X87_REGS	8

/* Of a register: 8 bytes of significand, 2 of sign and exponent, padding. */
static void sync_x87_regs(struct sev_es_save_area *save,
			  const struct fxregs_state *fx)
{
	u8 *significands = save->fpreg_x87;
	u8 *exponents = significands + NR_X87_REGS * 8;
	const u8 *reg = (const u8 *)fx->st_space;
	unsigned int i;

	static_assert(sizeof(save->fpreg_x87) == NR_X87_REGS * 10);
	for (i = 0; i < NR_X87_REGS; i++, reg += 16) {
		memcpy(significands + i * 8, reg, 8);
		memcpy(exponents + i * 2, reg + 8, 2);
	}
}

static void sync_fx(struct sev_es_save_area *save, const struct fxregs_state *fx)
{
	save->x87_dp = fx->rdp;
	save->mxcsr = fx->mxcsr;
	save->x87_ftw = fx->twd;
	save->x87_fsw = fx->swd;
	save->x87_fcw = fx->cwd;
	save->x87_fop = fx->fop;
	save->x87_ds = 0;
	save->x87_cs = 0;
	save->x87_rip = fx->rip;
	sync_x87_regs(save, fx);
	memcpy(save->fpreg_xmm, fx->xmm_space, sizeof(save->fpreg_xmm));
}

/**
 * sev_es_sync_fpu() - Put the state of the FPU into the VMSA.
 * @svm: the vCPU; its VMSA is KVM's still, and its state not confidential
 *
 * Context: with vcpu->mutex held; the state is not loaded.
 */
void sev_es_sync_fpu(struct vcpu_svm *svm)
{
	struct sev_es_save_area *save = svm->sev_es.vmsa;
	struct kvm_vcpu *vcpu = &svm->vcpu;
	struct fpu_image image = {};

	lockdep_assert_held(&vcpu->mutex);

	fpu_copy_guest_fpstate_to_uabi(&vcpu->arch.guest_fpu, &image,
				       sizeof(image),
				       XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM,
				       vcpu->arch.pkru);
	sync_fx(save, &image.fx);
	memcpy(save->fpreg_ymm, image.ymm_high, sizeof(save->fpreg_ymm));
}
