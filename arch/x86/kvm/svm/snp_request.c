// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages between SNP guests and the firmware, which KVM carries and cannot
 * read: SNP_GUEST_REQUEST on behalf of the guest.
 *
 * The guest's pages are shared memory and can change at any time, so the
 * firmware works on copies.
 */
#include <linux/kvm_host.h>
#include <linux/pfn.h>
#include <linux/psp-sev.h>
#include <linux/sev-guest.h>

#include <asm/sev-common.h>
#include <asm/svm.h>

#include "cpuid.h"
#include "svm.h"

/* Beside the errors in sev-guest.h: the host is at fault, not the guest. */
#define SNP_GUEST_VMM_ERR_GENERIC	U32_MAX

/* SEV-SNP firmware ABI, "Guest Messages": where in a message its type is */
#define MESSAGE_TYPE			0x34
#define MESSAGE_REPORT_REQ		5

/* GHCB specification: an entry of the certificate table; zeroes end it */
#define CERTIFICATE_ENTRY_SIZE		24

static int respond(struct vcpu_svm *svm, u32 vmm_error, u32 fw_error)
{
	ghcb_set_sw_exit_info_2(svm->sev_es.ghcb,
				SNP_GUEST_VMM_ERR(vmm_error) | fw_error);
	return 1;
}

/* Memory at all: with an answer that is lost the guest would lose count. */
static bool is_shared_page(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	return kvm_vcpu_is_legal_aligned_gpa(vcpu, gpa, PAGE_SIZE) &&
	       kvm_is_visible_gfn(vcpu->kvm, gpa_to_gfn(gpa)) &&
	       !kvm_mem_is_private(vcpu->kvm, gpa_to_gfn(gpa));
}

/*
 * Have the firmware write to @response, a page of its own.  Returns 0; -EIO
 * with its status if it refuses; or another error.
 */
static int ask_firmware(struct kvm_snp *snp, void *request, void *response,
			int *status)
{
	struct sev_data_snp_guest_request cmd = {
		.gctx_paddr = __psp_pa(snp->context),
		.req_paddr = __psp_pa(request),
		.res_paddr = __psp_pa(response),
	};
	int ret;

	/* One vCPU at a time, so that no guest holds the others up. */
	mutex_lock(&snp->request_lock);
	ret = snp_do_cmd(SEV_CMD_SNP_GUEST_REQUEST, &cmd, status);
	mutex_unlock(&snp->request_lock);
	return ret;
}

/* The firmware's answer to @request, as a response in the GHCB. */
static int carry(struct vcpu_svm *svm, void *request, gpa_t response_gpa)
{
	struct kvm *kvm = svm->vcpu.kvm;
	int status = 0, ret;
	void *response;

	response = snp_alloc_firmware_page(GFP_KERNEL_ACCOUNT);
	if (!response)
		return respond(svm, snp_firmware_answers() ?
				    SNP_GUEST_VMM_ERR_BUSY :
				    SNP_GUEST_VMM_ERR_GENERIC, 0);

	ret = ask_firmware(&to_kvm_svm(kvm)->sev_info.snp, request, response,
			   &status);
	/* If it does not come back it is lost, and not to be freed. */
	if (snp_reclaim_page(PHYS_PFN(__pa(response))))
		return respond(svm, SNP_GUEST_VMM_ERR_GENERIC, 0);

	if (ret == -EIO && status > 0)
		respond(svm, 0, status);
	else if (ret)
		respond(svm, SNP_GUEST_VMM_ERR_GENERIC, 0);
	else if (kvm_write_guest(kvm, response_gpa, response, PAGE_SIZE))
		snp_ghcb_error(svm, GHCB_ERR_INVALID_INPUT);
	else
		respond(svm, 0, 0);

	clear_page(response);
	free_page((unsigned long)response);
	return 1;
}

/*
 * Certificates go with the request of a report, in the pages at RAX, RBX of
 * them.  There are none: the table is its end.  Returns true to go on.
 */
static bool give_certificates(struct vcpu_svm *svm, const u8 *request)
{
	struct kvm_vcpu *vcpu = &svm->vcpu;
	gpa_t gpa = vcpu->arch.regs[VCPU_REGS_RAX];

	if (request[MESSAGE_TYPE] != MESSAGE_REPORT_REQ)
		return true;

	if (!vcpu->arch.regs[VCPU_REGS_RBX]) {
		vcpu->arch.regs[VCPU_REGS_RBX] = 1;
		respond(svm, SNP_GUEST_VMM_ERR_INVALID_LEN, 0);
		return false;
	}
	if (!is_shared_page(vcpu, gpa) ||
	    kvm_clear_guest(vcpu->kvm, gpa, CERTIFICATE_ENTRY_SIZE)) {
		snp_ghcb_error(svm, GHCB_ERR_INVALID_INPUT);
		return false;
	}
	return true;
}

static int guest_request(struct vcpu_svm *svm, bool extended)
{
	gpa_t request_gpa = svm->vmcb->control.exit_info_1;
	gpa_t response_gpa = svm->vmcb->control.exit_info_2;
	struct kvm *kvm = svm->vcpu.kvm;
	void *request;

	if (request_gpa == response_gpa ||
	    !is_shared_page(&svm->vcpu, request_gpa) ||
	    !is_shared_page(&svm->vcpu, response_gpa))
		return snp_ghcb_error(svm, GHCB_ERR_INVALID_INPUT);

	request = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!request)
		return respond(svm, SNP_GUEST_VMM_ERR_BUSY, 0);

	if (kvm_read_guest(kvm, request_gpa, request, PAGE_SIZE))
		snp_ghcb_error(svm, GHCB_ERR_INVALID_INPUT);
	else if (!extended || give_certificates(svm, request))
		carry(svm, request, response_gpa);

	free_page((unsigned long)request);
	return 1;
}

/**
 * snp_guest_request() - Guest request: carry a message to the firmware.
 * @svm: the vCPU, with its GHCB mapped; the message is in the shared page at
 *	SW_EXITINFO1, the answer comes to that at SW_EXITINFO2
 *
 * Context: May sleep; with kvm->srcu held.
 * Return: 1 with the result in the GHCB: the firmware's status in the low half
 * of SW_EXITINFO2, KVM's own error in the high half.
 */
int snp_guest_request(struct vcpu_svm *svm)
{
	return guest_request(svm, false);
}

/**
 * snp_ext_guest_request() - The same, with certificates for a report.
 * @svm: the vCPU; where they go is in RAX, how many pages in RBX
 *
 * Without a page for the table, RBX is set to what it needs.
 *
 * Context: May sleep; with kvm->srcu held.
 * Return: as snp_guest_request().
 */
int snp_ext_guest_request(struct vcpu_svm *svm)
{
	return guest_request(svm, true);
}
