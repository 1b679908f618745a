/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One function for each command of the Realm Management Interface.
 *
 * They return RmiCommandReturnCode as it is; take it apart with
 * RMI_RETURN_STATUS() and RMI_RETURN_INDEX(), or hand it to rmi_to_errno().
 * Addresses are physical.  Outputs are set on success, and where it says so.
 * None of them sleeps.
 */
#ifndef __ASM_RMI_CMDS_H
#define __ASM_RMI_CMDS_H

#include <linux/arm-smccc.h>
#include <linux/errno.h>

#include <asm/rmi_smc.h>

/* RTT entry, as RTT_READ_ENTRY describes it */
struct rtt_entry {
	unsigned long walk_level;
	unsigned long desc;
	enum rmi_rtt_entry_state state;
	enum rmi_ripas ripas;
};

/**
 * rmi_to_errno() - Say what a status means to who asked for more than an RMI.
 * @ret: What a command returned.
 *
 * Return: 0; -EINVAL for what the RMM does not accept; -EBUSY if the realm's or
 * a REC's state forbids it; -ENXIO if the tables do; -EIO for what no RMM 1.0
 * says.
 */
static inline int rmi_to_errno(unsigned long ret)
{
	/* Not RMI_ERROR_*, but of the SMC calling convention */
	if (ret == (unsigned long)SMCCC_RET_NOT_SUPPORTED)
		return -EIO;

	switch (RMI_RETURN_STATUS(ret)) {
	case RMI_SUCCESS:
		return 0;
	case RMI_ERROR_INPUT:
		return -EINVAL;
	case RMI_ERROR_REALM:
	case RMI_ERROR_REC:
		return -EBUSY;
	case RMI_ERROR_RTT:
		return -ENXIO;
	default:
		return -EIO;
	}
}

/* Commands with up to three outputs, X1 to X3 */
#define rmi_call(_res, ...) ({				\
	arm_smccc_1_1_smc(__VA_ARGS__, _res);		\
	(_res)->a0;					\
})

/* Whether the walk of a table command ended elsewhere; at *@level then */
static inline bool rmi_is_rtt_error(unsigned long ret, int *level)
{
	*level = (s8)RMI_RETURN_INDEX(ret);
	return RMI_RETURN_STATUS(ret) == RMI_ERROR_RTT;
}

/* *@lower and *@higher are set in any case, if there is an RMM. */
static inline unsigned long rmi_version(unsigned long requested,
					unsigned long *lower,
					unsigned long *higher)
{
	struct arm_smccc_res res;
	unsigned long ret;

	ret = rmi_call(&res, SMC_RMI_VERSION, requested);
	*lower = res.a1;
	*higher = res.a2;
	return ret;
}

static inline unsigned long rmi_features(unsigned long index, u64 *value)
{
	struct arm_smccc_res res;
	unsigned long ret;

	ret = rmi_call(&res, SMC_RMI_FEATURES, index);
	*value = res.a1;
	return ret;
}

static inline unsigned long rmi_granule_delegate(phys_addr_t pa)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_GRANULE_DELEGATE, pa);
}

static inline unsigned long rmi_granule_undelegate(phys_addr_t pa)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_GRANULE_UNDELEGATE, pa);
}

static inline unsigned long rmi_data_create(phys_addr_t rd, phys_addr_t data,
					    unsigned long ipa, phys_addr_t src,
					    unsigned long flags)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_DATA_CREATE, rd, data, ipa, src, flags);
}

static inline unsigned long rmi_data_create_unknown(phys_addr_t rd,
						    phys_addr_t data,
						    unsigned long ipa)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_DATA_CREATE_UNKNOWN, rd, data, ipa);
}

/* *@top is set on ERROR_RTT, too. */
static inline unsigned long rmi_data_destroy(phys_addr_t rd, unsigned long ipa,
					     phys_addr_t *data,
					     unsigned long *top)
{
	struct arm_smccc_res res;
	unsigned long ret;

	ret = rmi_call(&res, SMC_RMI_DATA_DESTROY, rd, ipa);
	*data = res.a1;
	*top = res.a2;
	return ret;
}

static inline unsigned long rmi_realm_create(phys_addr_t rd, phys_addr_t params)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_REALM_CREATE, rd, params);
}

static inline unsigned long rmi_realm_activate(phys_addr_t rd)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_REALM_ACTIVATE, rd);
}

static inline unsigned long rmi_realm_destroy(phys_addr_t rd)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_REALM_DESTROY, rd);
}

static inline unsigned long rmi_rec_aux_count(phys_addr_t rd,
					      unsigned long *count)
{
	struct arm_smccc_res res;
	unsigned long ret;

	ret = rmi_call(&res, SMC_RMI_REC_AUX_COUNT, rd);
	*count = res.a1;
	return ret;
}

static inline unsigned long rmi_rec_create(phys_addr_t rd, phys_addr_t rec,
					   phys_addr_t params)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_REC_CREATE, rd, rec, params);
}

static inline unsigned long rmi_rec_destroy(phys_addr_t rec)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_REC_DESTROY, rec);
}

/* Returns when the REC has stopped; with interrupts off, as for any guest. */
static __always_inline unsigned long rmi_rec_enter(phys_addr_t rec,
						   phys_addr_t run)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_smc(SMC_RMI_REC_ENTER, rec, run, &res);
	return res.a0;
}

static inline unsigned long rmi_psci_complete(phys_addr_t calling,
					      phys_addr_t target,
					      unsigned long status)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_PSCI_COMPLETE, calling, target, status);
}

static inline unsigned long rmi_rtt_create(phys_addr_t rd, phys_addr_t rtt,
					   unsigned long ipa, long level)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_RTT_CREATE, rd, rtt, ipa, level);
}

/* *@top is set on ERROR_RTT, too. */
static inline unsigned long rmi_rtt_destroy(phys_addr_t rd, unsigned long ipa,
					    long level, phys_addr_t *rtt,
					    unsigned long *top)
{
	struct arm_smccc_res res;
	unsigned long ret;

	ret = rmi_call(&res, SMC_RMI_RTT_DESTROY, rd, ipa, level);
	*rtt = res.a1;
	*top = res.a2;
	return ret;
}

static inline unsigned long rmi_rtt_fold(phys_addr_t rd, unsigned long ipa,
					 long level, phys_addr_t *rtt)
{
	struct arm_smccc_res res;
	unsigned long ret;

	ret = rmi_call(&res, SMC_RMI_RTT_FOLD, rd, ipa, level);
	*rtt = res.a1;
	return ret;
}

static inline unsigned long rmi_rtt_map_unprotected(phys_addr_t rd,
						    unsigned long ipa,
						    long level,
						    unsigned long desc)
{
	struct arm_smccc_res res;

	return rmi_call(&res, SMC_RMI_RTT_MAP_UNPROTECTED, rd, ipa, level, desc);
}

/* *@top is set on ERROR_RTT, too. */
static inline unsigned long rmi_rtt_unmap_unprotected(phys_addr_t rd,
						      unsigned long ipa,
						      long level,
						      unsigned long *top)
{
	struct arm_smccc_res res;
	unsigned long ret;

	ret = rmi_call(&res, SMC_RMI_RTT_UNMAP_UNPROTECTED, rd, ipa, level);
	*top = res.a1;
	return ret;
}

static inline unsigned long rmi_rtt_read_entry(phys_addr_t rd,
					       unsigned long ipa, long level,
					       struct rtt_entry *entry)
{
	struct arm_smccc_1_2_regs regs = {
		.a0 = SMC_RMI_RTT_READ_ENTRY,
		.a1 = rd,
		.a2 = ipa,
		.a3 = level,
	};

	/* The fourth output is beyond what SMCCC 1.1 returns. */
	arm_smccc_1_2_smc(&regs, &regs);
	entry->walk_level = regs.a1;
	entry->state = regs.a2 & 0xff;
	entry->desc = regs.a3;
	entry->ripas = regs.a4 & 0xff;
	return regs.a0;
}

static inline unsigned long rmi_rtt_init_ripas(phys_addr_t rd,
					       unsigned long base,
					       unsigned long top,
					       unsigned long *out_top)
{
	struct arm_smccc_res res;
	unsigned long ret;

	ret = rmi_call(&res, SMC_RMI_RTT_INIT_RIPAS, rd, base, top);
	*out_top = res.a1;
	return ret;
}

static inline unsigned long rmi_rtt_set_ripas(phys_addr_t rd, phys_addr_t rec,
					      unsigned long base,
					      unsigned long top,
					      unsigned long *out_top)
{
	struct arm_smccc_res res;
	unsigned long ret;

	ret = rmi_call(&res, SMC_RMI_RTT_SET_RIPAS, rd, rec, base, top);
	*out_top = res.a1;
	return ret;
}

#endif /* __ASM_RMI_CMDS_H */
