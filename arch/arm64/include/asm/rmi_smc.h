/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Realm Management Interface as the host sees it: Arm DEN0137, version
 * 1.0-rel0.  Names, numbers and layouts are those of the specification.
 */
#ifndef __ASM_RMI_SMC_H
#define __ASM_RMI_SMC_H

#include <linux/arm-smccc.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

#define SMC_RMI_CALL(func)				\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,		\
			   ARM_SMCCC_SMC_64,		\
			   ARM_SMCCC_OWNER_STANDARD,	\
			   (func))

#define SMC_RMI_VERSION			SMC_RMI_CALL(0x150)
#define SMC_RMI_GRANULE_DELEGATE	SMC_RMI_CALL(0x151)
#define SMC_RMI_GRANULE_UNDELEGATE	SMC_RMI_CALL(0x152)
#define SMC_RMI_DATA_CREATE		SMC_RMI_CALL(0x153)
#define SMC_RMI_DATA_CREATE_UNKNOWN	SMC_RMI_CALL(0x154)
#define SMC_RMI_DATA_DESTROY		SMC_RMI_CALL(0x155)
#define SMC_RMI_REALM_ACTIVATE		SMC_RMI_CALL(0x157)
#define SMC_RMI_REALM_CREATE		SMC_RMI_CALL(0x158)
#define SMC_RMI_REALM_DESTROY		SMC_RMI_CALL(0x159)
#define SMC_RMI_REC_CREATE		SMC_RMI_CALL(0x15a)
#define SMC_RMI_REC_DESTROY		SMC_RMI_CALL(0x15b)
#define SMC_RMI_REC_ENTER		SMC_RMI_CALL(0x15c)
#define SMC_RMI_RTT_CREATE		SMC_RMI_CALL(0x15d)
#define SMC_RMI_RTT_DESTROY		SMC_RMI_CALL(0x15e)
#define SMC_RMI_RTT_MAP_UNPROTECTED	SMC_RMI_CALL(0x15f)
#define SMC_RMI_RTT_READ_ENTRY		SMC_RMI_CALL(0x161)
#define SMC_RMI_RTT_UNMAP_UNPROTECTED	SMC_RMI_CALL(0x162)
#define SMC_RMI_PSCI_COMPLETE		SMC_RMI_CALL(0x164)
#define SMC_RMI_FEATURES		SMC_RMI_CALL(0x165)
#define SMC_RMI_RTT_FOLD		SMC_RMI_CALL(0x166)
#define SMC_RMI_REC_AUX_COUNT		SMC_RMI_CALL(0x167)
#define SMC_RMI_RTT_INIT_RIPAS		SMC_RMI_CALL(0x168)
#define SMC_RMI_RTT_SET_RIPAS		SMC_RMI_CALL(0x169)

#define RMI_ABI_MAJOR_VERSION		1
#define RMI_ABI_MINOR_VERSION		0
#define RMI_ABI_VERSION(major, minor)	(((major) << 16) | (minor))
#define RMI_ABI_VERSION_GET_MAJOR(v)	(((v) >> 16) & 0x7fff)
#define RMI_ABI_VERSION_GET_MINOR(v)	((v) & 0xffff)

#define RMI_GRANULE_SHIFT	12
#define RMI_GRANULE_SIZE	BIT(RMI_GRANULE_SHIFT)

/* RmiCommandReturnCode */
#define RMI_RETURN_STATUS(ret)	((ret) & 0xff)
#define RMI_RETURN_INDEX(ret)	(((ret) >> 8) & 0xff)

enum rmi_status {
	RMI_SUCCESS		= 0,
	RMI_ERROR_INPUT		= 1,
	RMI_ERROR_REALM		= 2,
	RMI_ERROR_REC		= 3,
	RMI_ERROR_RTT		= 4,
};

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

#define RMI_DATA_FLAG_MEASURE		BIT(0)

/* RmiFeatureRegister0; counts that are called MAX are the value minus one. */
#define RMI_FEATURE_REGISTER_0_S2SZ		GENMASK_ULL(7, 0)
#define RMI_FEATURE_REGISTER_0_LPA2		BIT_ULL(8)
#define RMI_FEATURE_REGISTER_0_SVE_EN		BIT_ULL(9)
#define RMI_FEATURE_REGISTER_0_SVE_VL		GENMASK_ULL(13, 10)
#define RMI_FEATURE_REGISTER_0_NUM_BPS		GENMASK_ULL(19, 14)
#define RMI_FEATURE_REGISTER_0_NUM_WPS		GENMASK_ULL(25, 20)
#define RMI_FEATURE_REGISTER_0_PMU_EN		BIT_ULL(26)
#define RMI_FEATURE_REGISTER_0_PMU_NUM_CTRS	GENMASK_ULL(31, 27)
#define RMI_FEATURE_REGISTER_0_HASH_SHA_256	BIT_ULL(32)
#define RMI_FEATURE_REGISTER_0_HASH_SHA_512	BIT_ULL(33)
#define RMI_FEATURE_REGISTER_0_GICV3_NUM_LRS	GENMASK_ULL(37, 34)
#define RMI_FEATURE_REGISTER_0_MAX_RECS_ORDER	GENMASK_ULL(41, 38)

/* Levels of a realm's translation tables, 4 KiB each. */
#define RMI_RTT_MAX_LEVEL	3
#define RMI_RTT_BLOCK_LEVEL	2
#define RMI_RTT_LEVEL_SHIFT(l)	(RMI_GRANULE_SHIFT + 9 * (RMI_RTT_MAX_LEVEL - (l)))
#define RMI_RTT_LEVEL_SIZE(l)	BIT(RMI_RTT_LEVEL_SHIFT(l))

/* What a host chooses of the descriptor of an unprotected mapping. */
#define RMI_S2TTE_MEMATTR_WB	(6UL << 2)	/* with FEAT_S2FWB */
#define RMI_S2TTE_S2AP_R	(1UL << 6)
#define RMI_S2TTE_S2AP_W	(2UL << 6)
#define RMI_S2TTE_SH_IS		(3UL << 8)	/* an address bit with LPA2 */
#define RMI_S2TTE_ADDR		GENMASK_ULL(47, RMI_GRANULE_SHIFT)

#define RMI_REALM_PARAM_FLAG_LPA2	BIT(0)
#define RMI_REALM_PARAM_FLAG_SVE	BIT(1)
#define RMI_REALM_PARAM_FLAG_PMU	BIT(2)

#define RMI_REALM_RPV_SIZE	64

/* RmiRealmParams */
struct realm_params {
	u64 flags;
	u8 s2sz;
	u8 padding0[7];
	u8 sve_vl;
	u8 padding1[7];
	u8 num_bps;
	u8 padding2[7];
	u8 num_wps;
	u8 padding3[7];
	u8 pmu_num_ctrs;
	u8 padding4[7];
	u8 hash_algo;
	u8 padding5[0x400 - 0x31];
	u8 rpv[RMI_REALM_RPV_SIZE];
	u8 padding6[0x800 - 0x440];
	u16 vmid;
	u8 padding7[6];
	u64 rtt_base;
	s64 rtt_level_start;
	u32 rtt_num_start;
	u8 padding8[0x1000 - 0x81c];
};

static_assert(sizeof(struct realm_params) == 0x1000);
static_assert(offsetof(struct realm_params, s2sz) == 0x8);
static_assert(offsetof(struct realm_params, sve_vl) == 0x10);
static_assert(offsetof(struct realm_params, num_bps) == 0x18);
static_assert(offsetof(struct realm_params, num_wps) == 0x20);
static_assert(offsetof(struct realm_params, pmu_num_ctrs) == 0x28);
static_assert(offsetof(struct realm_params, hash_algo) == 0x30);
static_assert(offsetof(struct realm_params, rpv) == 0x400);
static_assert(offsetof(struct realm_params, vmid) == 0x800);
static_assert(offsetof(struct realm_params, rtt_base) == 0x808);
static_assert(offsetof(struct realm_params, rtt_level_start) == 0x810);
static_assert(offsetof(struct realm_params, rtt_num_start) == 0x818);

#define RMI_REC_PARAM_FLAG_RUNNABLE	BIT(0)
#define RMI_REC_CREATE_NR_GPRS		8
#define RMI_REC_MAX_AUX			16

/* RmiRecParams */
struct rec_params {
	u64 flags;
	u8 padding0[0x100 - 0x8];
	u64 mpidr;
	u8 padding1[0x200 - 0x108];
	u64 pc;
	u8 padding2[0x300 - 0x208];
	u64 gprs[RMI_REC_CREATE_NR_GPRS];
	u8 padding3[0x800 - 0x340];
	u64 num_rec_aux;
	u64 aux[RMI_REC_MAX_AUX];
	u8 padding4[0x1000 - 0x888];
};

static_assert(sizeof(struct rec_params) == 0x1000);
static_assert(offsetof(struct rec_params, mpidr) == 0x100);
static_assert(offsetof(struct rec_params, pc) == 0x200);
static_assert(offsetof(struct rec_params, gprs) == 0x300);
static_assert(offsetof(struct rec_params, num_rec_aux) == 0x800);
static_assert(offsetof(struct rec_params, aux) == 0x808);

/* Of one entry each: they start out clear for the next. */
#define REC_ENTER_FLAG_EMULATED_MMIO	BIT(0)
#define REC_ENTER_FLAG_INJECT_SEA	BIT(1)
#define REC_ENTER_FLAG_TRAP_WFI		BIT(2)
#define REC_ENTER_FLAG_TRAP_WFE		BIT(3)
#define REC_ENTER_FLAG_RIPAS_RESPONSE	BIT(4)	/* set: reject */

#define REC_RUN_GPRS			31
#define REC_MAX_GIC_NUM_LRS		16

/* RmiRecEnter */
struct rec_enter {
	u64 flags;
	u8 padding0[0x200 - 0x8];
	u64 gprs[REC_RUN_GPRS];
	u8 padding1[0x300 - 0x2f8];
	u64 gicv3_hcr;
	u64 gicv3_lrs[REC_MAX_GIC_NUM_LRS];
	u8 padding2[0x800 - 0x388];
};

static_assert(sizeof(struct rec_enter) == 0x800);
static_assert(offsetof(struct rec_enter, gprs) == 0x200);
static_assert(offsetof(struct rec_enter, gicv3_hcr) == 0x300);
static_assert(offsetof(struct rec_enter, gicv3_lrs) == 0x308);

enum rmi_rec_exit_reason {
	RMI_EXIT_SYNC		= 0,
	RMI_EXIT_IRQ		= 1,
	RMI_EXIT_FIQ		= 2,
	RMI_EXIT_PSCI		= 3,
	RMI_EXIT_RIPAS_CHANGE	= 4,
	RMI_EXIT_HOST_CALL	= 5,
	RMI_EXIT_SERROR		= 6,
};

/* RmiRecExit */
struct rec_exit {
	u64 exit_reason;
	u8 padding0[0x100 - 0x8];
	u64 esr;
	u64 far;
	u64 hpfar;
	u8 padding1[0x200 - 0x118];
	u64 gprs[REC_RUN_GPRS];
	u8 padding2[0x300 - 0x2f8];
	u64 gicv3_hcr;
	u64 gicv3_lrs[REC_MAX_GIC_NUM_LRS];
	u64 gicv3_misr;
	u64 gicv3_vmcr;
	u8 padding3[0x400 - 0x398];
	u64 cntp_ctl;
	u64 cntp_cval;
	u64 cntv_ctl;
	u64 cntv_cval;
	u8 padding4[0x500 - 0x420];
	u64 ripas_base;
	u64 ripas_top;
	u8 ripas_value;
	u8 padding5[0x600 - 0x511];
	u16 imm;
	u8 padding6[0x700 - 0x602];
	u8 pmu_ovf_status;
	u8 padding7[0x800 - 0x701];
};

static_assert(sizeof(struct rec_exit) == 0x800);
static_assert(offsetof(struct rec_exit, esr) == 0x100);
static_assert(offsetof(struct rec_exit, hpfar) == 0x110);
static_assert(offsetof(struct rec_exit, gprs) == 0x200);
static_assert(offsetof(struct rec_exit, gicv3_hcr) == 0x300);
static_assert(offsetof(struct rec_exit, gicv3_lrs) == 0x308);
static_assert(offsetof(struct rec_exit, gicv3_misr) == 0x388);
static_assert(offsetof(struct rec_exit, gicv3_vmcr) == 0x390);
static_assert(offsetof(struct rec_exit, cntp_ctl) == 0x400);
static_assert(offsetof(struct rec_exit, cntv_cval) == 0x418);
static_assert(offsetof(struct rec_exit, ripas_base) == 0x500);
static_assert(offsetof(struct rec_exit, ripas_value) == 0x510);
static_assert(offsetof(struct rec_exit, imm) == 0x600);
static_assert(offsetof(struct rec_exit, pmu_ovf_status) == 0x700);

/* RmiRecRun */
struct rec_run {
	struct rec_enter enter;
	struct rec_exit exit;
};

static_assert(sizeof(struct rec_run) == 0x1000);
static_assert(offsetof(struct rec_run, exit) == 0x800);

#endif /* __ASM_RMI_SMC_H */
