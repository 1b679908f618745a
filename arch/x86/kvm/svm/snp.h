/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SEV-SNP guests: what KVM keeps of them, and the entry points file by file.
 * Included by svm.h alone.
 */
#ifndef __SVM_SNP_H
#define __SVM_SNP_H

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kvm_types.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/types.h>

#include <asm/sev-common.h>

struct kvm;
struct kvm_sev_cmd;
struct kvm_vcpu;
struct vcpu_svm;

/* Of a VM; under kvm->lock unless said otherwise. */
struct kvm_snp {
	/* The guest context page, the firmware's; from LAUNCH_START on. */
	void *context;
	u64 policy;
	/* LAUNCH_FINISH has succeeded: the guest may run.  Read without lock. */
	bool finished;
	/* Something that is lost has the ASID: no other guest can have it. */
	bool asid_lost;

	/* snp_request.c: held while the firmware works for the guest */
	struct mutex request_lock;
};

/* Of a vCPU; its own, unless said otherwise. */
struct vcpu_snp {
	/* snp_ghcb.c: what the guest has registered, INVALID_GPA before. */
	gpa_t ghcb_gpa;
	/*
	 * snp_psc.c: the batch's entries [psc_next, psc_end) are not done; on
	 * the first psc_inflight of them userspace is working.
	 */
	u16 psc_next;
	u16 psc_end;
	u16 psc_inflight;

	/* snp_fault.c: the frame of the last fault without a reason */
	gfn_t rmp_fault_gfn;
	unsigned int rmp_fault_tries;

	/* snp_finish.c: the VMSA of the launch could not be taken back. */
	bool vmsa_lost;

	/*
	 * snp_ap.c, under ap_lock: whether to run from another VMSA from now
	 * on, or none, and which one from an INIT on; INVALID_GPA: none.
	 */
	struct mutex ap_lock;
	bool ap_pending;
	gpa_t ap_vmsa_gpa;
	gpa_t ap_init_gpa;
	/* snp_ap.c: the guest has replaced the VMSA of the launch */
	bool vmsa_by_guest;
	/* By this one, or INVALID_GPA; under mmu_lock, which it shares. */
	bool vmsa_stale;
	gpa_t vmsa_gpa;

#ifdef CONFIG_KVM_AMD_SNP_MODEL
	struct snp_cpu *cpu;
#endif
};

/* sev.c: SNP is on, and asked for */
#ifdef CONFIG_KVM_AMD_SEV
extern bool sev_snp_enabled;
#else
#define sev_snp_enabled false
#endif

/* sev.c: keeps ASIDs from being let go while others are flushed */
extern struct rw_semaphore sev_deactivate_lock;

#ifdef CONFIG_KVM_AMD_SNP

/* snp_launch.c */
int snp_guest_init(struct kvm *kvm, int *error);
int snp_launch_start(struct kvm *kvm, struct kvm_sev_cmd *argp);
int snp_launch_add_page(struct kvm *kvm, kvm_pfn_t pfn, gpa_t gpa, int type,
			int *error);
int snp_launch_update(struct kvm *kvm, struct kvm_sev_cmd *argp);
void snp_vm_destroy(struct kvm *kvm);

/* snp_finish.c */
int snp_launch_finish(struct kvm *kvm, struct kvm_sev_cmd *argp);
void snp_take_vmsa_back(struct kvm_vcpu *vcpu);

/* snp_mem.c */
int snp_gmem_prepare(struct kvm *kvm, kvm_pfn_t pfn, gfn_t gfn, int max_order);
void snp_gmem_invalidate(kvm_pfn_t start, kvm_pfn_t end);
int snp_gmem_max_mapping_level(struct kvm *kvm, kvm_pfn_t pfn, bool is_private);
void snp_lose_pages(kvm_pfn_t pfn, unsigned int nr);
bool snp_is_asid_lost(unsigned int asid);
int snp_take_page_back(kvm_pfn_t pfn);
struct page *snp_safe_alloc_page(gfp_t gfp);

#else

static inline int snp_guest_init(struct kvm *kvm, int *error)
{
	return -ENOTTY;
}

static inline int snp_launch_start(struct kvm *kvm, struct kvm_sev_cmd *argp)
{
	return -ENOTTY;
}

static inline int snp_launch_update(struct kvm *kvm, struct kvm_sev_cmd *argp)
{
	return -ENOTTY;
}

static inline int snp_launch_finish(struct kvm *kvm, struct kvm_sev_cmd *argp)
{
	return -ENOTTY;
}

static inline void snp_vm_destroy(struct kvm *kvm) {}

static inline void snp_take_vmsa_back(struct kvm_vcpu *vcpu) {}

#define snp_gmem_prepare		NULL
#define snp_gmem_invalidate		NULL
#define snp_gmem_max_mapping_level	NULL

static inline struct page *snp_safe_alloc_page(gfp_t gfp)
{
	return alloc_page(gfp | __GFP_ZERO);
}

#endif

#ifdef CONFIG_KVM_AMD_SNP

/* snp_fault.c */
int snp_handle_rmp_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code);

/* snp_ghcb.c */
void snp_vcpu_create(struct vcpu_svm *svm);
int snp_handle_msr_protocol(struct vcpu_svm *svm);
u64 snp_validate_vmgexit(struct vcpu_svm *svm, u64 exit_code);
int snp_handle_vmgexit(struct vcpu_svm *svm, u64 exit_code);
bool snp_ghcb_is_registered(struct vcpu_svm *svm, gpa_t gpa);
bool snp_end_reset_hold(struct vcpu_svm *svm);
int snp_ghcb_error(struct vcpu_svm *svm, u64 reason);

/* snp_psc.c */
int snp_psc_msr(struct vcpu_svm *svm, u64 ghcb_msr);
int snp_psc_batch(struct vcpu_svm *svm);

/* snp_ap.c */
int snp_ap_create(struct vcpu_svm *svm);
void snp_ap_init(struct kvm_vcpu *vcpu);
void snp_ap_update(struct kvm_vcpu *vcpu);
int snp_ap_reload(struct kvm_vcpu *vcpu);
void snp_ap_unmap(struct kvm *kvm, gfn_t start, gfn_t end);

/* snp_request.c */
int snp_guest_request(struct vcpu_svm *svm);
int snp_ext_guest_request(struct vcpu_svm *svm);

#else

static inline int snp_handle_rmp_fault(struct kvm_vcpu *vcpu, gpa_t gpa,
				       u64 error_code)
{
	return 1;
}

static inline void snp_vcpu_create(struct vcpu_svm *svm) {}

static inline int snp_handle_msr_protocol(struct vcpu_svm *svm)
{
	return 1;
}

static inline u64 snp_validate_vmgexit(struct vcpu_svm *svm, u64 exit_code)
{
	return GHCB_ERR_INVALID_EVENT;
}

static inline int snp_handle_vmgexit(struct vcpu_svm *svm, u64 exit_code)
{
	return -EINVAL;
}

static inline bool snp_ghcb_is_registered(struct vcpu_svm *svm, gpa_t gpa)
{
	return true;
}

static inline bool snp_end_reset_hold(struct vcpu_svm *svm)
{
	return false;
}

static inline int snp_ghcb_error(struct vcpu_svm *svm, u64 reason)
{
	return -EINVAL;
}

static inline void snp_ap_init(struct kvm_vcpu *vcpu) {}

#define snp_ap_update	NULL
#define snp_ap_reload	NULL
#define snp_ap_unmap	NULL

#endif

#endif
