/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers and layouts that an SNP guest deals with: GHCB specification 2.03,
 * VMSA of APM volume 2, secrets and messages of the firmware ABI (56860) 1.55.
 */
#ifndef SELFTEST_KVM_SNP_ABI_H
#define SELFTEST_KVM_SNP_ABI_H

#include <linux/build_bug.h>
#include <stddef.h>
#include <stdint.h>

/* The MSR of the GHCB: its address, or a call and its answer. */
#define SNP_MSR_GHCB		0xc0010130
#define SNP_MSR_INFO(v)		((v) & 0xffful)
#define SNP_MSR_DATA(v)		((v) >> 12)

#define SNP_MSR_SEV_INFO_RESP	0x001
#define SNP_MSR_SEV_INFO	0x002
#define SNP_MSR_CPUID		0x004
#define SNP_MSR_CPUID_RESP	0x005
#define SNP_MSR_RESET_HOLD	0x006
#define SNP_MSR_RESET_HOLD_RESP	0x007
#define SNP_MSR_PREFERRED	0x010
#define SNP_MSR_PREFERRED_RESP	0x011
#define SNP_MSR_REGISTER	0x012
#define SNP_MSR_REGISTER_RESP	0x013
#define SNP_MSR_PSC		0x014
#define SNP_MSR_PSC_RESP	0x015
#define SNP_MSR_FEATURES	0x080
#define SNP_MSR_FEATURES_RESP	0x081
#define SNP_MSR_TERMINATE	0x100

#define SNP_MSR_PSC_OF(gpa, op)	((uint64_t)(op) << 52 | (gpa) | SNP_MSR_PSC)
#define SNP_MSR_CPUID_OF(fn, reg) \
	((uint64_t)(fn) << 32 | (uint64_t)(reg) << 30 | SNP_MSR_CPUID)
#define SNP_MSR_TERMINATE_OF(set, code) \
	((uint64_t)(code) << 16 | (set) << 12 | SNP_MSR_TERMINATE)

#define SNP_FEATURE_SNP		(1ul << 0)
#define SNP_FEATURE_AP_CREATION	(1ul << 1)

/* Calls in a GHCB */
#define SNP_EXIT_CPUID		0x72
#define SNP_EXIT_IOIO		0x7b
#define SNP_EXIT_PSC		0x80000010ul
#define SNP_EXIT_REQUEST	0x80000011ul
#define SNP_EXIT_EXT_REQUEST	0x80000012ul
#define SNP_EXIT_AP_CREATION	0x80000013ul
#define SNP_EXIT_FEATURES	0x8000fffdul
#define SNP_EXIT_TERMINATE	0x8000fffeul

#define SNP_IOIO_OUT32(port)	((uint64_t)(port) << 16 | 1 << 6)

#define SNP_AP_CREATE_ON_INIT	0
#define SNP_AP_CREATE		1
#define SNP_AP_DESTROY		2

/* #VC, and its error code where a page is not validated */
#define SNP_VC_VECTOR		29
#define SNP_VC_NOT_VALIDATED	0x404

struct snp_ghcb {
	uint8_t rsvd[0x1f8];
	uint64_t rax;
	uint8_t rsvd2[0x108];
	uint64_t rcx, rdx, rbx;
	uint8_t rsvd3[0x70];
	uint64_t exit_code, exit_info_1, exit_info_2, scratch;
	uint8_t rsvd4[0x40];
	uint64_t valid[2];
	uint8_t rsvd5[0x400];
	uint8_t buffer[2032];
	uint8_t rsvd6[10];
	uint16_t version;
	uint32_t usage;
};

static_assert(offsetof(struct snp_ghcb, rcx) == 0x308);
static_assert(offsetof(struct snp_ghcb, exit_code) == 0x390);
static_assert(offsetof(struct snp_ghcb, valid) == 0x3f0);
static_assert(offsetof(struct snp_ghcb, buffer) == 0x800);
static_assert(sizeof(struct snp_ghcb) == 0x1000);

#define SNP_GHCB_INDEX(field)	(offsetof(struct snp_ghcb, field) / 8)
#define SNP_GHCB_VERSION	2

/* Page state changes: a header and its entries in the buffer of the GHCB */
#define SNP_PSC_PRIVATE		1
#define SNP_PSC_SHARED		2
#define SNP_PSC_MAX		253

struct snp_psc_header {
	uint16_t cur, end;
	uint32_t rsvd;
};

#define SNP_PSC_ENTRY(gpa, op, large) \
	((gpa) | (uint64_t)(op) << 52 | (uint64_t)(large) << 56)
#define SNP_PSC_CUR(entry)	((entry) & 0xfff)
#define SNP_PSC_GPA(entry)	((entry) & 0xffffffffff000ul)
#define SNP_PSC_OP(entry)	((entry) >> 52 & 0xf)
#define SNP_PSC_LARGE(entry)	((entry) >> 56 & 1)

/* What the host says of a GHCB, and of a request for certificates */
#define SNP_GHCB_ERROR		2
#define SNP_GHCB_NOT_REGISTERED	1
#define SNP_GHCB_MISSING_INPUT	4
#define SNP_GHCB_INVALID_INPUT	5
#define SNP_GHCB_INVALID_EVENT	6
#define SNP_REQUEST_NEEDS_PAGES	(1ul << 32)

#define SNP_PSC_BAD_HEADER	(1ul << 32 | 1)
#define SNP_PSC_BAD_ENTRY	(1ul << 32 | 2)
#define SNP_PSC_FAILED		(0x100ul << 32)

/* What PVALIDATE and RMPADJUST return in EAX */
#define SNP_FAIL_INPUT		1
#define SNP_FAIL_PERMISSION	2
#define SNP_FAIL_INUSE		3
#define SNP_FAIL_SIZEMISMATCH	6

#define SNP_ADJUST_VMPL1	1ul
#define SNP_ADJUST_PERMS(p)	((uint64_t)(p) << 8)
#define SNP_PERM_READ		1
#define SNP_PERM_WRITE		2
#define SNP_PERM_ALL		0xf
#define SNP_ADJUST_VMSA		(1ul << 16)

/* VMSA: what a CPU starts from */
#define SNP_VMSA_GPA		0xfffffffff000ul
#define SNP_FEAT_SNP_ACTIVE	1ul

struct snp_vmsa_segment {
	uint16_t selector, attributes;
	uint32_t limit;
	uint64_t base;
};

struct snp_vmsa {
	struct snp_vmsa_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t rsvd[0x2a];
	uint8_t vmpl, cpl;
	uint32_t rsvd2;
	uint64_t efer;
	uint8_t rsvd3[0x68];
	uint64_t xss, cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t rsvd4[0x58];
	uint64_t rsp;
	uint8_t rsvd5[0x18];
	uint64_t rax;
	uint8_t rsvd6[0x68];
	uint64_t g_pat;
	uint8_t rsvd7[0x98];
	uint64_t rcx, rdx, rbx, rsvd8, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint8_t rsvd9[0x30];
	uint64_t sev_features;
	uint8_t rsvd10[0x30];
	uint64_t xcr0;
	uint8_t rsvd11[0x18];
	uint32_t mxcsr;
	uint16_t x87_ftw, x87_fsw, x87_fcw;
	uint8_t rsvd12[0xbea];
};

static_assert(offsetof(struct snp_vmsa, efer) == 0xd0);
static_assert(offsetof(struct snp_vmsa, xss) == 0x140);
static_assert(offsetof(struct snp_vmsa, rsp) == 0x1d8);
static_assert(offsetof(struct snp_vmsa, rax) == 0x1f8);
static_assert(offsetof(struct snp_vmsa, g_pat) == 0x268);
static_assert(offsetof(struct snp_vmsa, rcx) == 0x308);
static_assert(offsetof(struct snp_vmsa, sev_features) == 0x3b0);
static_assert(offsetof(struct snp_vmsa, xcr0) == 0x3e8);
static_assert(offsetof(struct snp_vmsa, mxcsr) == 0x408);
static_assert(offsetof(struct snp_vmsa, x87_fcw) == 0x410);
static_assert(sizeof(struct snp_vmsa) == 0x1000);

/* Launch */
#define SNP_POLICY		0x30000ul
#define SNP_POLICY_DEBUG	(1ul << 19)
#define SNP_PAGE_VMSA		2

/* What vouches for a guest at LAUNCH_FINISH; numbers are little-endian. */
#define SNP_ID_P384_SHA384	1
#define SNP_ID_CURVE_P384	2

struct snp_id_block {
	uint8_t ld[48];
	uint8_t family_id[16], image_id[16];
	uint32_t version, guest_svn;
	uint64_t policy;
};

static_assert(sizeof(struct snp_id_block) == 0x60);

struct snp_signature {
	uint8_t r[72], s[72];
	uint8_t rsvd[0x170];
};

struct snp_public_key {
	uint32_t curve;
	uint8_t x[72], y[72];
	uint8_t rsvd[0x370];
};

struct snp_id_auth {
	uint32_t id_key_algo, author_key_algo;
	uint8_t rsvd[0x38];
	struct snp_signature id_block_sig;
	struct snp_public_key id_key;
	uint8_t rsvd2[0x3c];
	struct snp_signature id_key_sig;
	struct snp_public_key author_key;
	uint8_t rsvd3[0x37c];
};

static_assert(offsetof(struct snp_id_auth, id_key) == 0x240);
static_assert(offsetof(struct snp_id_auth, id_key_sig) == 0x680);
static_assert(sizeof(struct snp_id_auth) == 0x1000);

/* Statuses of the firmware */
#define SNP_FW_POLICY_FAILURE	0x07
#define SNP_FW_BAD_SIGNATURE	0x0a
#define SNP_FW_BAD_MEASUREMENT	0x0b
#define SNP_FW_INVALID_PARAM	0x16
#define SNP_FW_RESOURCE_LIMIT	0x17
#define SNP_FW_INVALID_KEY	0x27

/* Of the model alone: no status, the command is not answered. */
#define SNP_FW_NO_ANSWER	0xffff

/* Commands of the firmware */
#define SNP_CMD_DF_FLUSH	0x084
#define SNP_CMD_DECOMMISSION	0x090
#define SNP_CMD_ACTIVATE	0x091
#define SNP_CMD_GCTX_CREATE	0x093
#define SNP_CMD_GUEST_REQUEST	0x094
#define SNP_CMD_LAUNCH_START	0x0a0
#define SNP_CMD_LAUNCH_UPDATE	0x0a1
#define SNP_CMD_LAUNCH_FINISH	0x0a2
#define SNP_CMD_PAGE_RECLAIM	0x0c7

/* Flags of a report */
#define SNP_REPORT_AUTHOR_KEY	1

/* Pages that the firmware makes or checks */
struct snp_secrets {
	uint32_t version, flags, fms, rsvd;
	uint8_t gosvw[16];
	uint8_t vmpck[4][32];
	uint8_t rest[0xf60];
};

static_assert(sizeof(struct snp_secrets) == 0x1000);

struct snp_cpuid_page {
	uint32_t count, rsvd;
	uint64_t rsvd2;
	struct {
		uint32_t function, index;
		uint64_t xcr0, xss;
		uint32_t eax, ebx, ecx, edx;
		uint64_t rsvd;
	} fn[64];
	uint8_t rest[0x3f0];
};

static_assert(sizeof(struct snp_cpuid_page) == 0x1000);

/* Messages to the firmware */
struct snp_message {
	uint8_t tag[32];
	uint64_t seqno, rsvd;
	/* From here on it is authenticated. */
	uint8_t algo, header_version;
	uint16_t header_size;
	uint8_t type, version;
	uint16_t size;
	uint32_t rsvd2;
	uint8_t vmpck, rsvd3[0x23];
	uint8_t payload[0xfa0];
};

static_assert(offsetof(struct snp_message, algo) == 0x30);
static_assert(offsetof(struct snp_message, payload) == 0x60);
static_assert(sizeof(struct snp_message) == 0x1000);

#define SNP_MESSAGE_AAD		0x30
#define SNP_MESSAGE_GCM		1
#define SNP_MSG_REPORT_REQ	5
#define SNP_MSG_REPORT_RSP	6

struct snp_report_req {
	uint8_t data[64];
	uint32_t vmpl, key_sel;
	uint8_t rsvd[24];
};

struct snp_report {
	uint32_t version, guest_svn;
	uint64_t policy;
	uint8_t family_id[16], image_id[16];
	uint32_t vmpl, signature_algo;
	uint64_t current_tcb, platform_info;
	uint32_t flags, rsvd;
	uint8_t report_data[64];
	uint8_t measurement[48];
	uint8_t host_data[32];
	uint8_t id_key_digest[48], author_key_digest[48];
	uint8_t rest[0x360];
};

static_assert(offsetof(struct snp_report, measurement) == 0x90);
static_assert(offsetof(struct snp_report, author_key_digest) == 0x110);
static_assert(sizeof(struct snp_report) == 0x4a0);

struct snp_report_rsp {
	uint32_t status, size;
	uint8_t rsvd[24];
	struct snp_report report;
};

static_assert(sizeof(struct snp_report_rsp) == 0x4c0);

/* MMIO: the error code of #VC, the calls, and what is said of their scratch area */
#define SNP_VC_MMIO		0x400
#define SNP_EXIT_MMIO_READ	0x80000001ul
#define SNP_EXIT_MMIO_WRITE	0x80000002ul
#define SNP_GHCB_INVALID_SCRATCH	3

#endif /* SELFTEST_KVM_SNP_ABI_H */
