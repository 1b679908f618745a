/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers and layouts of the SEV-SNP firmware ABI (AMD 56860, 1.55) that the
 * model speaks.
 */
#ifndef SNP_MODEL_ABI_H
#define SNP_MODEL_ABI_H

#include "snp_types.h"

#define SNPFW_API_MAJOR		1
#define SNPFW_API_MINOR		55
#define SNPFW_BUILD		0

enum snpfw_command {
	SNPFW_INIT			= 0x081,
	SNPFW_SHUTDOWN			= 0x082,
	SNPFW_PLATFORM_STATUS		= 0x083,
	SNPFW_DF_FLUSH			= 0x084,
	SNPFW_INIT_EX			= 0x085,
	SNPFW_SHUTDOWN_EX		= 0x086,
	SNPFW_DECOMMISSION		= 0x090,
	SNPFW_ACTIVATE			= 0x091,
	SNPFW_GUEST_STATUS		= 0x092,
	SNPFW_GCTX_CREATE		= 0x093,
	SNPFW_GUEST_REQUEST		= 0x094,
	SNPFW_ACTIVATE_EX		= 0x095,
	SNPFW_LAUNCH_START		= 0x0a0,
	SNPFW_LAUNCH_UPDATE		= 0x0a1,
	SNPFW_LAUNCH_FINISH		= 0x0a2,
	SNPFW_DBG_DECRYPT		= 0x0b0,
	SNPFW_DBG_ENCRYPT		= 0x0b1,
	SNPFW_PAGE_SWAP_OUT		= 0x0c0,
	SNPFW_PAGE_SWAP_IN		= 0x0c1,
	SNPFW_PAGE_MOVE			= 0x0c2,
	SNPFW_PAGE_MD_INIT		= 0x0c3,
	SNPFW_PAGE_SET_STATE		= 0x0c6,
	SNPFW_PAGE_RECLAIM		= 0x0c7,
	SNPFW_PAGE_UNSMASH		= 0x0c8,
	SNPFW_CONFIG			= 0x0c9,
	SNPFW_DOWNLOAD_FIRMWARE_EX	= 0x0ca,
	SNPFW_COMMIT			= 0x0cb,
	SNPFW_VLEK_LOAD			= 0x0cd,
	SNPFW_FEATURE_INFO		= 0x0ce,
};

enum snpfw_status {
	SNPFW_SUCCESS			= 0x00,
	SNPFW_INVALID_PLATFORM_STATE	= 0x01,
	SNPFW_INVALID_GUEST_STATE	= 0x02,
	SNPFW_INVALID_CONFIG		= 0x03,
	SNPFW_INVALID_LENGTH		= 0x04,
	SNPFW_POLICY_FAILURE		= 0x07,
	SNPFW_INACTIVE			= 0x08,
	SNPFW_INVALID_ADDRESS		= 0x09,
	SNPFW_BAD_SIGNATURE		= 0x0a,
	SNPFW_BAD_MEASUREMENT		= 0x0b,
	SNPFW_ASID_OWNED		= 0x0c,
	SNPFW_INVALID_ASID		= 0x0d,
	SNPFW_WBINVD_REQUIRED		= 0x0e,
	SNPFW_DF_FLUSH_REQUIRED		= 0x0f,
	SNPFW_INVALID_GUEST		= 0x10,
	SNPFW_INVALID_COMMAND		= 0x11,
	SNPFW_ACTIVE			= 0x12,
	SNPFW_HWERROR_PLATFORM		= 0x13,
	SNPFW_UNSUPPORTED		= 0x15,
	SNPFW_INVALID_PARAM		= 0x16,
	SNPFW_RESOURCE_LIMIT		= 0x17,
	SNPFW_INVALID_PAGE_SIZE		= 0x19,
	SNPFW_INVALID_PAGE_STATE	= 0x1a,
	SNPFW_INVALID_PAGE_OWNER	= 0x1c,
	SNPFW_AEAD_OFLOW		= 0x1d,
	SNPFW_RMP_INIT_REQUIRED		= 0x20,
	SNPFW_INVALID_KEY		= 0x27,
};

enum snpfw_platform_state {
	SNPFW_PLATFORM_UNINIT,
	SNPFW_PLATFORM_INIT,
};

enum snpfw_guest_state {
	SNPFW_GUEST_INIT,
	SNPFW_GUEST_LAUNCH,
	SNPFW_GUEST_RUNNING,
};

#define SNPFW_DIGEST_SIZE	48

/*
 * Command buffers.  Those about a guest begin with the address of its context.
 */

struct snpfw_init_ex {
	u32 flags;
	u32 rsvd;
	u64 list_spa;
	u8 rsvd2[48];
};

static_assert(sizeof(struct snpfw_init_ex) == 0x40);

#define SNPFW_INIT_RMP		BIT(0)
#define SNPFW_INIT_LIST		BIT(1)

/* Ranges that stay the hypervisor's for ever. */
struct snpfw_range {
	u64 base;
	u32 nr_pages;
	u32 rsvd;
};

struct snpfw_range_list {
	u32 nr;
	u32 rsvd;
	struct snpfw_range ranges[];
};

static_assert(sizeof(struct snpfw_range) == 0x10);
static_assert(sizeof(struct snpfw_range_list) == 0x8);

struct snpfw_shutdown_ex {
	u32 length;
	u32 flags;
};

#define SNPFW_SHUTDOWN_IOMMU	BIT(0)

struct snpfw_addr {
	u64 spa;
};

struct snpfw_platform_status {
	u8 api_major;
	u8 api_minor;
	u8 state;
	u8 is_rmp_init;
	u32 build;
	u32 flags;
	u32 guest_count;
	u64 current_tcb;
	u64 reported_tcb;
};

static_assert(sizeof(struct snpfw_platform_status) == 0x20);

#define SNPFW_MASK_CHIP_ID	BIT(0)
#define SNPFW_MASK_CHIP_KEY	BIT(1)

struct snpfw_config {
	u64 reported_tcb;
	u32 flags;
	u8 rsvd[52];
};

static_assert(sizeof(struct snpfw_config) == 0x40);

struct snpfw_activate {
	u64 gctx;
	u32 asid;
} __packed;

static_assert(sizeof(struct snpfw_activate) == 0xc);

struct snpfw_guest_status {
	u64 gctx;
	u64 spa;
};

struct snpfw_guest_status_buf {
	u64 policy;
	u32 asid;
	u8 state;
	u8 flags;
	u8 rsvd[0x12];
};

static_assert(sizeof(struct snpfw_guest_status_buf) == 0x20);

#define SNPFW_POLICY_MINOR(p)		((p) & 0xff)
#define SNPFW_POLICY_MAJOR(p)		((p) >> 8 & 0xff)
#define SNPFW_POLICY_SMT		BIT_ULL(16)
#define SNPFW_POLICY_ONE		BIT_ULL(17)
#define SNPFW_POLICY_MIGRATE_MA		BIT_ULL(18)
#define SNPFW_POLICY_DEBUG		BIT_ULL(19)
#define SNPFW_POLICY_SINGLE_SOCKET	BIT_ULL(20)
#define SNPFW_POLICY_RSVD		(~0ULL << 21)

struct snpfw_launch_start {
	u64 gctx;
	u64 policy;
	u64 ma_gctx;
	u32 flags;
	u32 tsc_khz;
	u8 gosvw[16];
};

static_assert(sizeof(struct snpfw_launch_start) == 0x30);

#define SNPFW_START_MA		BIT(0)
#define SNPFW_START_IMI		BIT(1)

enum snpfw_page_type {
	SNPFW_PAGE_NORMAL	= 1,
	SNPFW_PAGE_VMSA		= 2,
	SNPFW_PAGE_ZERO		= 3,
	SNPFW_PAGE_UNMEASURED	= 4,
	SNPFW_PAGE_SECRETS	= 5,
	SNPFW_PAGE_CPUID	= 6,
};

struct snpfw_launch_update {
	u64 gctx;
	/* Bit 0 size (2 MiB), bits 3:1 type, bit 4 IMI. */
	u32 page;
	u32 rsvd;
	u64 spa;
	u8 rsvd2;
	u8 vmpl1_perms;
	u8 vmpl2_perms;
	u8 vmpl3_perms;
	u32 rsvd3;
};

static_assert(sizeof(struct snpfw_launch_update) == 0x20);

#define SNPFW_UPDATE_2M		BIT(0)
#define SNPFW_UPDATE_TYPE(page)	((page) >> 1 & 7)
#define SNPFW_UPDATE_IMI	BIT(4)
#define SNPFW_UPDATE_RSVD	(~0U << 5)

/* What the launch digest is made of. */
struct snpfw_page_info {
	u8 digest[SNPFW_DIGEST_SIZE];
	u8 contents[SNPFW_DIGEST_SIZE];
	u16 length;
	u8 page_type;
	u8 imi_page;
	u8 vmpl3_perms;
	u8 vmpl2_perms;
	u8 vmpl1_perms;
	u8 rsvd;
	u64 gpa;
};

static_assert(sizeof(struct snpfw_page_info) == 0x70);

/* Not measured: the host or the firmware sets them. */
#define SNPFW_VMSA_TSC_SCALE	0x2f0
#define SNPFW_VMSA_TSC_OFFSET	0x2f8

struct snpfw_launch_finish {
	u64 gctx;
	u64 id_block;
	u64 id_auth;
	u64 flags;
	u8 host_data[32];
};

static_assert(sizeof(struct snpfw_launch_finish) == 0x40);

#define SNPFW_FINISH_ID_BLOCK	BIT(0)
#define SNPFW_FINISH_AUTHOR	BIT(1)
#define SNPFW_FINISH_NO_VCEK	BIT(2)
#define SNPFW_FINISH_RSVD	(~0ULL << 3)

struct snpfw_id_block {
	u8 ld[SNPFW_DIGEST_SIZE];
	u8 family_id[16];
	u8 image_id[16];
	u32 version;
	u32 guest_svn;
	u64 policy;
};

static_assert(sizeof(struct snpfw_id_block) == 0x60);

#define SNPFW_ALGO_P384_SHA384	1
#define SNPFW_CURVE_P384	2

/* Numbers are little-endian and padded with zeroes. */
struct snpfw_signature {
	u8 r[72];
	u8 s[72];
	u8 rsvd[0x170];
};

static_assert(sizeof(struct snpfw_signature) == 0x200);

struct snpfw_pubkey {
	u32 curve;
	u8 x[72];
	u8 y[72];
	u8 rsvd[0x370];
};

static_assert(sizeof(struct snpfw_pubkey) == 0x404);

struct snpfw_id_auth {
	u32 id_key_algo;
	u32 author_key_algo;
	u8 rsvd[0x38];
	struct snpfw_signature id_block_sig;
	struct snpfw_pubkey id_key;
	u8 rsvd2[0x3c];
	struct snpfw_signature id_key_sig;
	struct snpfw_pubkey author_key;
	u8 rsvd3[0x37c];
};

static_assert(sizeof(struct snpfw_id_auth) == 0x1000);
static_assert(offsetof(struct snpfw_id_auth, id_key) == 0x240);
static_assert(offsetof(struct snpfw_id_auth, id_key_sig) == 0x680);
static_assert(offsetof(struct snpfw_id_auth, author_key) == 0x880);

struct snpfw_cpuid_fn {
	u32 eax_in;
	u32 ecx_in;
	u64 xcr0;
	u64 xss;
	/* EAX, EBX, ECX, EDX */
	u32 out[4];
	u64 rsvd;
};

static_assert(sizeof(struct snpfw_cpuid_fn) == 0x30);

#define SNPFW_CPUID_MAX		64

struct snpfw_cpuid_page {
	u32 count;
	u32 rsvd;
	u64 rsvd2;
	struct snpfw_cpuid_fn fn[SNPFW_CPUID_MAX];
};

static_assert(sizeof(struct snpfw_cpuid_page) == 0xc10);

#define SNPFW_NR_VMPCK		4
#define SNPFW_VMPCK_SIZE	32

struct snpfw_secrets {
	u32 version;
	u32 flags;
	u32 fms;
	u32 rsvd;
	u8 gosvw[16];
	u8 vmpck[SNPFW_NR_VMPCK][SNPFW_VMPCK_SIZE];
	u8 os[96];
	u8 vmsa_tweak[64];
	u8 svsm[32];
	u32 tsc_factor;
};

static_assert(offsetof(struct snpfw_secrets, vmpck) == 0x20);
static_assert(offsetof(struct snpfw_secrets, os) == 0xa0);
static_assert(offsetof(struct snpfw_secrets, vmsa_tweak) == 0x100);

#define SNPFW_SECRETS_VERSION	3

/* Of PAGE_RECLAIM and PAGE_UNSMASH: bit 0 of the address is the size. */
#define SNPFW_ADDR_2M		BIT_ULL(0)
#define SNPFW_ADDR_RSVD		0xffeULL

struct snpfw_md_init {
	u64 gctx;
	u64 spa;
};

struct snpfw_dbg {
	u64 gctx;
	u64 src;
	u64 dst;
};

static_assert(sizeof(struct snpfw_dbg) == 0x18);

struct snpfw_guest_request {
	u64 gctx;
	u64 request;
	u64 response;
};

static_assert(sizeof(struct snpfw_guest_request) == 0x18);

/*
 * Messages between a guest and the firmware.
 */

struct snpfw_msg_hdr {
	u8 tag[32];
	u64 seqno;
	u64 rsvd;
	/* From here on it is authenticated. */
	u8 algo;
	u8 hdr_version;
	u16 hdr_size;
	u8 type;
	u8 version;
	u16 size;
	u32 rsvd2;
	u8 vmpck;
	u8 rsvd3[0x23];
};

static_assert(sizeof(struct snpfw_msg_hdr) == 0x60);
static_assert(offsetof(struct snpfw_msg_hdr, algo) == 0x30);
static_assert(offsetof(struct snpfw_msg_hdr, vmpck) == 0x3c);

#define SNPFW_MSG_AAD_SIZE	0x30
#define SNPFW_MSG_TAG_SIZE	16
#define SNPFW_MSG_ALGO_GCM	1
#define SNPFW_MSG_HDR_VERSION	1
#define SNPFW_MSG_VERSION	1

enum snpfw_msg_type {
	SNPFW_MSG_CPUID_REQ	= 1,
	SNPFW_MSG_KEY_REQ	= 3,
	SNPFW_MSG_REPORT_REQ	= 5,
	SNPFW_MSG_REPORT_RSP	= 6,
	SNPFW_MSG_LAST		= 0x12,
};

struct snpfw_report_req {
	u8 data[64];
	u32 vmpl;
	/* Bits 1:0 */
	u32 key_sel;
	u8 rsvd[24];
};

static_assert(sizeof(struct snpfw_report_req) == 0x60);

enum snpfw_key_sel {
	SNPFW_KEY_ANY,
	SNPFW_KEY_VCEK,
	SNPFW_KEY_VLEK,
};

struct snpfw_report {
	u32 version;
	u32 guest_svn;
	u64 policy;
	u8 family_id[16];
	u8 image_id[16];
	u32 vmpl;
	u32 signature_algo;
	u64 current_tcb;
	u64 platform_info;
	/* Bit 0 author key, bit 1 chip key masked, bits 4:2 signing key. */
	u32 flags;
	u32 rsvd;
	u8 report_data[64];
	u8 measurement[SNPFW_DIGEST_SIZE];
	u8 host_data[32];
	u8 id_key_digest[SNPFW_DIGEST_SIZE];
	u8 author_key_digest[SNPFW_DIGEST_SIZE];
	u8 report_id[32];
	u8 report_id_ma[32];
	u64 reported_tcb;
	u8 rsvd2[0x18];
	u8 chip_id[64];
	u64 committed_tcb;
	u8 current_build;
	u8 current_minor;
	u8 current_major;
	u8 rsvd3;
	u8 committed_build;
	u8 committed_minor;
	u8 committed_major;
	u8 rsvd4;
	u64 launch_tcb;
	u8 rsvd5[0xa8];
	u8 signature[0x200];
};

static_assert(sizeof(struct snpfw_report) == 0x4a0);
static_assert(offsetof(struct snpfw_report, measurement) == 0x90);
static_assert(offsetof(struct snpfw_report, chip_id) == 0x1a0);
static_assert(offsetof(struct snpfw_report, signature) == 0x2a0);

#define SNPFW_REPORT_VERSION	2
#define SNPFW_REPORT_AUTHOR	BIT(0)
#define SNPFW_REPORT_MASKED	BIT(1)
#define SNPFW_REPORT_UNSIGNED	(7U << 2)

struct snpfw_report_rsp {
	u32 status;
	u32 size;
	u8 rsvd[24];
	struct snpfw_report report;
};

static_assert(sizeof(struct snpfw_report_rsp) == 0x4c0);

#endif
