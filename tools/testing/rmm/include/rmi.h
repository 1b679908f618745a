/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware's view of the Realm Management Interface and the Realm Services
 * Interface: Arm DEN0137, version 1.0-rel0.  Names and layouts are those of the
 * specification.
 */
#ifndef RMM_RMI_H
#define RMM_RMI_H

#include "rmm_types.h"

#ifndef RMI_ABI_MAJOR	/* the check of the firmware builds one for another host */
#define RMI_ABI_MAJOR		1
#endif
#define RMI_ABI_MINOR		0
#define RMI_ABI_VERSION		((RMI_ABI_MAJOR << 16) | RMI_ABI_MINOR)
#define RSI_ABI_VERSION		((1 << 16) | 0)

/* Registers that any call may change, by version 1.1 of the calling convention. */
#define SMCCC_SCRATCH		4
#define SMC_NOT_SUPPORTED	(~0ull)
#define SMC64_FID(n)		(0xc4000000u | (n))

enum rmi_fid {
	RMI_VERSION			= SMC64_FID(0x150),
	RMI_GRANULE_DELEGATE		= SMC64_FID(0x151),
	RMI_GRANULE_UNDELEGATE		= SMC64_FID(0x152),
	RMI_DATA_CREATE			= SMC64_FID(0x153),
	RMI_DATA_CREATE_UNKNOWN		= SMC64_FID(0x154),
	RMI_DATA_DESTROY		= SMC64_FID(0x155),
	RMI_REALM_ACTIVATE		= SMC64_FID(0x157),
	RMI_REALM_CREATE		= SMC64_FID(0x158),
	RMI_REALM_DESTROY		= SMC64_FID(0x159),
	RMI_REC_CREATE			= SMC64_FID(0x15a),
	RMI_REC_DESTROY			= SMC64_FID(0x15b),
	RMI_REC_ENTER			= SMC64_FID(0x15c),
	RMI_RTT_CREATE			= SMC64_FID(0x15d),
	RMI_RTT_DESTROY			= SMC64_FID(0x15e),
	RMI_RTT_MAP_UNPROTECTED		= SMC64_FID(0x15f),
	RMI_RTT_READ_ENTRY		= SMC64_FID(0x161),
	RMI_RTT_UNMAP_UNPROTECTED	= SMC64_FID(0x162),
	RMI_PSCI_COMPLETE		= SMC64_FID(0x164),
	RMI_FEATURES			= SMC64_FID(0x165),
	RMI_RTT_FOLD			= SMC64_FID(0x166),
	RMI_REC_AUX_COUNT		= SMC64_FID(0x167),
	RMI_RTT_INIT_RIPAS		= SMC64_FID(0x168),
	RMI_RTT_SET_RIPAS		= SMC64_FID(0x169),
};

enum rmi_status {
	RMI_SUCCESS		= 0,
	RMI_ERROR_INPUT		= 1,
	RMI_ERROR_REALM		= 2,
	RMI_ERROR_REC		= 3,
	RMI_ERROR_RTT		= 4,
};

#define RMI_RETURN(status, index)	((u64)(status) | ((u64)(index) & 0xff) << 8)

enum rmi_rtt_entry_state {
	RMI_UNASSIGNED	= 0,
	RMI_ASSIGNED	= 1,
	RMI_TABLE	= 2,
};

enum rmi_ripas {
	RMI_EMPTY	= 0,
	RMI_RAM		= 1,
	RMI_DESTROYED	= 2,
};

enum rmi_hash_algorithm {
	RMI_HASH_SHA_256	= 0,
	RMI_HASH_SHA_512	= 1,
};

#define RMI_FEATURE0_S2SZ(r)		((r) & 0xff)
#define RMI_FEATURE0_LPA2		BIT(8)
#define RMI_FEATURE0_SVE_EN		BIT(9)
#define RMI_FEATURE0_SVE_VL(r)		(((r) >> 10) & 0xf)
#define RMI_FEATURE0_NUM_BPS(r)		(((r) >> 14) & 0x3f)
#define RMI_FEATURE0_NUM_WPS(r)		(((r) >> 20) & 0x3f)
#define RMI_FEATURE0_PMU_EN		BIT(26)
#define RMI_FEATURE0_PMU_NUM_CTRS(r)	(((r) >> 27) & 0x1f)
#define RMI_FEATURE0_HASH_SHA_256	BIT(32)
#define RMI_FEATURE0_HASH_SHA_512	BIT(33)
#define RMI_FEATURE0_NUM_LRS(r)		((((r) >> 34) & 0xf) + 1)
#define RMI_FEATURE0_MAX_RECS(r)	BIT(((r) >> 38) & 0xf)

#define RMI_DATA_FLAG_MEASURE		BIT(0)

#define RMI_REALM_FLAG_LPA2		BIT(0)
#define RMI_REALM_FLAG_SVE		BIT(1)
#define RMI_REALM_FLAG_PMU		BIT(2)

struct rmi_realm_params {
	u64 flags;
	u8 s2sz;
	u8 pad0[7];
	u8 sve_vl;
	u8 pad1[7];
	u8 num_bps;
	u8 pad2[7];
	u8 num_wps;
	u8 pad3[7];
	u8 pmu_num_ctrs;
	u8 pad4[7];
	u8 hash_algo;
	u8 pad5[7];
	u8 pad6[0x400 - 0x38];
	u8 rpv[64];
	u8 pad7[0x800 - 0x440];
	u16 vmid;
	u8 pad8[6];
	u64 rtt_base;
	s64 rtt_level_start;
	u32 rtt_num_start;
	u8 pad9[0x1000 - 0x81c];
};

static_assert(sizeof(struct rmi_realm_params) == 0x1000, "");
static_assert(offsetof(struct rmi_realm_params, s2sz) == 0x8, "");
static_assert(offsetof(struct rmi_realm_params, sve_vl) == 0x10, "");
static_assert(offsetof(struct rmi_realm_params, num_bps) == 0x18, "");
static_assert(offsetof(struct rmi_realm_params, num_wps) == 0x20, "");
static_assert(offsetof(struct rmi_realm_params, pmu_num_ctrs) == 0x28, "");
static_assert(offsetof(struct rmi_realm_params, hash_algo) == 0x30, "");
static_assert(offsetof(struct rmi_realm_params, rpv) == 0x400, "");
static_assert(offsetof(struct rmi_realm_params, vmid) == 0x800, "");
static_assert(offsetof(struct rmi_realm_params, rtt_base) == 0x808, "");
static_assert(offsetof(struct rmi_realm_params, rtt_level_start) == 0x810, "");
static_assert(offsetof(struct rmi_realm_params, rtt_num_start) == 0x818, "");

#define RMI_REC_FLAG_RUNNABLE	BIT(0)
#define RMI_REC_GPRS		8
#define RMI_REC_MAX_AUX		16

struct rmi_rec_params {
	u64 flags;
	u8 pad0[0x100 - 0x8];
	u64 mpidr;
	u8 pad1[0x200 - 0x108];
	u64 pc;
	u8 pad2[0x300 - 0x208];
	u64 gprs[RMI_REC_GPRS];
	u8 pad3[0x800 - 0x340];
	u64 num_aux;
	u64 aux[RMI_REC_MAX_AUX];
	u8 pad4[0x1000 - 0x888];
};

static_assert(sizeof(struct rmi_rec_params) == 0x1000, "");
static_assert(offsetof(struct rmi_rec_params, mpidr) == 0x100, "");
static_assert(offsetof(struct rmi_rec_params, pc) == 0x200, "");
static_assert(offsetof(struct rmi_rec_params, gprs) == 0x300, "");
static_assert(offsetof(struct rmi_rec_params, num_aux) == 0x800, "");
static_assert(offsetof(struct rmi_rec_params, aux) == 0x808, "");

#define RMI_ENTER_EMUL_MMIO	BIT(0)
#define RMI_ENTER_INJECT_SEA	BIT(1)
#define RMI_ENTER_TRAP_WFI	BIT(2)
#define RMI_ENTER_TRAP_WFE	BIT(3)
#define RMI_ENTER_RIPAS_REJECT	BIT(4)
#define RMI_ENTER_FLAGS		(BIT(5) - 1)

#define REC_GPRS	31
#define GICV3_LRS	16

struct rmi_rec_enter {
	u64 flags;
	u8 pad0[0x200 - 0x8];
	u64 gprs[REC_GPRS];
	u8 pad1[0x300 - 0x2f8];
	u64 gicv3_hcr;
	u64 gicv3_lrs[GICV3_LRS];
	u8 pad2[0x800 - 0x388];
};

static_assert(sizeof(struct rmi_rec_enter) == 0x800, "");
static_assert(offsetof(struct rmi_rec_enter, gprs) == 0x200, "");
static_assert(offsetof(struct rmi_rec_enter, gicv3_hcr) == 0x300, "");
static_assert(offsetof(struct rmi_rec_enter, gicv3_lrs) == 0x308, "");

enum rmi_exit_reason {
	RMI_EXIT_SYNC		= 0,
	RMI_EXIT_IRQ		= 1,
	RMI_EXIT_FIQ		= 2,
	RMI_EXIT_PSCI		= 3,
	RMI_EXIT_RIPAS_CHANGE	= 4,
	RMI_EXIT_HOST_CALL	= 5,
	RMI_EXIT_SERROR		= 6,
};

struct rmi_rec_exit {
	u64 exit_reason;
	u8 pad0[0x100 - 0x8];
	u64 esr;
	u64 far;
	u64 hpfar;
	u8 pad1[0x200 - 0x118];
	u64 gprs[REC_GPRS];
	u8 pad2[0x300 - 0x2f8];
	u64 gicv3_hcr;
	u64 gicv3_lrs[GICV3_LRS];
	u64 gicv3_misr;
	u64 gicv3_vmcr;
	u8 pad3[0x400 - 0x398];
	u64 cntp_ctl;
	u64 cntp_cval;
	u64 cntv_ctl;
	u64 cntv_cval;
	u8 pad4[0x500 - 0x420];
	u64 ripas_base;
	u64 ripas_top;
	u8 ripas_value;
	u8 pad5[0x600 - 0x511];
	u16 imm;
	u8 pad6[0x700 - 0x602];
	u8 pmu_ovf_status;
	u8 pad7[0x800 - 0x701];
};

static_assert(sizeof(struct rmi_rec_exit) == 0x800, "");
static_assert(offsetof(struct rmi_rec_exit, esr) == 0x100, "");
static_assert(offsetof(struct rmi_rec_exit, hpfar) == 0x110, "");
static_assert(offsetof(struct rmi_rec_exit, gprs) == 0x200, "");
static_assert(offsetof(struct rmi_rec_exit, gicv3_hcr) == 0x300, "");
static_assert(offsetof(struct rmi_rec_exit, gicv3_misr) == 0x388, "");
static_assert(offsetof(struct rmi_rec_exit, cntp_ctl) == 0x400, "");
static_assert(offsetof(struct rmi_rec_exit, ripas_base) == 0x500, "");
static_assert(offsetof(struct rmi_rec_exit, ripas_value) == 0x510, "");
static_assert(offsetof(struct rmi_rec_exit, imm) == 0x600, "");
static_assert(offsetof(struct rmi_rec_exit, pmu_ovf_status) == 0x700, "");

struct rmi_rec_run {
	struct rmi_rec_enter enter;
	struct rmi_rec_exit exit;
};

static_assert(sizeof(struct rmi_rec_run) == 0x1000, "");
static_assert(offsetof(struct rmi_rec_run, exit) == 0x800, "");

/* The interface inside a realm. */
enum rsi_fid {
	RSI_VERSION			= SMC64_FID(0x190),
	RSI_FEATURES			= SMC64_FID(0x191),
	RSI_MEASUREMENT_READ		= SMC64_FID(0x192),
	RSI_MEASUREMENT_EXTEND		= SMC64_FID(0x193),
	RSI_ATTESTATION_TOKEN_INIT	= SMC64_FID(0x194),
	RSI_ATTESTATION_TOKEN_CONTINUE	= SMC64_FID(0x195),
	RSI_REALM_CONFIG		= SMC64_FID(0x196),
	RSI_IPA_STATE_SET		= SMC64_FID(0x197),
	RSI_IPA_STATE_GET		= SMC64_FID(0x198),
	RSI_HOST_CALL			= SMC64_FID(0x199),
};

enum rsi_status {
	RSI_SUCCESS		= 0,
	RSI_ERROR_INPUT		= 1,
	RSI_ERROR_STATE		= 2,
	RSI_INCOMPLETE		= 3,
};

#define RSI_CHANGE_DESTROYED	BIT(0)
#define RSI_ACCEPT		0
#define RSI_REJECT		1
#define RSI_HOST_CALL_ALIGN	0x100

struct rsi_realm_config {
	u64 ipa_width;
	u64 hash_algo;
	u8 pad0[0x200 - 0x10];
	u8 rpv[64];
	u8 pad1[0x1000 - 0x240];
};

static_assert(sizeof(struct rsi_realm_config) == 0x1000, "");
static_assert(offsetof(struct rsi_realm_config, rpv) == 0x200, "");

struct rsi_host_call {
	u16 imm;
	u8 pad0[6];
	u64 gprs[REC_GPRS];
};

static_assert(sizeof(struct rsi_host_call) == 0x100, "");

/* What a REC may ask of PSCI 1.1, and the answers. */
enum psci_fid {
	PSCI_VERSION		= 0x84000000u,
	PSCI_CPU_SUSPEND	= 0x84000001u,
	PSCI_CPU_OFF		= 0x84000002u,
	PSCI_CPU_ON		= 0x84000003u,
	PSCI_AFFINITY_INFO	= 0x84000004u,
	PSCI_SYSTEM_OFF		= 0x84000008u,
	PSCI_SYSTEM_RESET	= 0x84000009u,
	PSCI_FEATURES		= 0x8400000au,
};

#define PSCI_SMC64		BIT(30)
#define PSCI_SUCCESS		0ull
#define PSCI_NOT_SUPPORTED	(-1ull)
#define PSCI_INVALID_PARAMS	(-2ull)
#define PSCI_DENIED		(-3ull)
#define PSCI_ALREADY_ON		(-4ull)
#define PSCI_INVALID_ADDRESS	(-9ull)
#define PSCI_AFFINITY_ON	0ull
#define PSCI_AFFINITY_OFF	1ull

/* Initial measurement descriptors, 0x100 bytes each. */
enum rmm_measure_type {
	RMM_MEASURE_DATA	= 0,
	RMM_MEASURE_REC		= 1,
	RMM_MEASURE_RIPAS	= 2,
};

#define RMM_HASH_MAX	64

struct rmm_measure_desc {
	u8 type;
	u8 pad0[7];
	u64 len;
	u8 rim[RMM_HASH_MAX];
	union {
		struct {
			u64 ipa;
			u64 flags;
			u8 content[RMM_HASH_MAX];
		} data;
		u8 rec[RMM_HASH_MAX];
		struct {
			u64 base;
			u64 top;
		} ripas;
		u8 pad1[0x100 - 0x50];
	};
};

static_assert(sizeof(struct rmm_measure_desc) == 0x100, "");
static_assert(offsetof(struct rmm_measure_desc, rim) == 0x10, "");
static_assert(offsetof(struct rmm_measure_desc, data.flags) == 0x58, "");
static_assert(offsetof(struct rmm_measure_desc, data.content) == 0x60, "");
static_assert(offsetof(struct rmm_measure_desc, rec) == 0x50, "");
static_assert(offsetof(struct rmm_measure_desc, ripas.top) == 0x58, "");

#endif
