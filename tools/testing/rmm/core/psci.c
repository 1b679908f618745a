// SPDX-License-Identifier: GPL-2.0-only
/* PSCI between the RECs of a realm, with the host's part in it. */
#include "rec.h"

#define PSCI_1_1	(1 << 16 | 1)

static enum rec_action answer(struct rec *rec, u64 x0)
{
	rec->vcpu.gprs[0] = x0;
	return REC_NEXT;
}

/* The host sees the call and the CPU it names, nothing else. */
static enum rec_action tell_host(struct rec *rec, struct rmi_rec_exit *exit)
{
	exit->exit_reason = RMI_EXIT_PSCI;
	exit->gprs[0] = rec->psci.fid;
	exit->gprs[1] = rec->psci.target;
	return REC_EXIT_NEXT;
}

static enum rec_action ask_host(struct rec *rec, struct rmi_rec_exit *exit)
{
	rec->psci.pending = true;
	return tell_host(rec, exit);
}

static bool target_exists(const struct realm *r, u64 mpidr, u64 *index)
{
	return rec_index_of(mpidr, 32, index) && *index < r->nr_recs;
}

static enum rec_action cpu_on(struct realm *r, struct rec *rec,
			      struct rmi_rec_exit *exit)
{
	u64 index;

	if (!realm_is_protected(r, rec->psci.entry))
		return answer(rec, PSCI_INVALID_ADDRESS);
	if (!target_exists(r, rec->psci.target, &index))
		return answer(rec, PSCI_INVALID_PARAMS);
	if (index == rec->index)
		return answer(rec, PSCI_ALREADY_ON);
	return ask_host(rec, exit);
}

/* The third argument is the lowest affinity level: only CPUs are known. */
static enum rec_action affinity_info(struct realm *r, struct rec *rec,
				     struct rmi_rec_exit *exit)
{
	u64 index;

	if (rec->psci.entry || !target_exists(r, rec->psci.target, &index))
		return answer(rec, PSCI_INVALID_PARAMS);
	if (index == rec->index)
		return answer(rec, PSCI_AFFINITY_ON);
	return ask_host(rec, exit);
}

static enum rec_action features(struct rec *rec)
{
	u32 fid = rec->psci.target;

	switch (fid) {
	case PSCI_CPU_SUSPEND | PSCI_SMC64:
	case PSCI_CPU_ON | PSCI_SMC64:
	case PSCI_AFFINITY_INFO | PSCI_SMC64:
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON:
	case PSCI_AFFINITY_INFO:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
	/* SMCCC_VERSION */
	case 0x80000000u:
		return answer(rec, PSCI_SUCCESS);
	default:
		return answer(rec, PSCI_NOT_SUPPORTED);
	}
}

static u64 argument(const struct rec *rec, unsigned int i)
{
	u64 x = rec->vcpu.gprs[i];

	return rec->vcpu.gprs[0] & PSCI_SMC64 ? x : (u32)x;
}

enum rec_action psci_handle(struct realm *r, struct rec *rec,
			    struct rmi_rec_exit *exit)
{
	rec->psci = (struct rec_psci) {
		.fid = rec->vcpu.gprs[0],
		.target = argument(rec, 1),
		.entry = argument(rec, 2),
		.context = argument(rec, 3),
	};
	switch (rec->psci.fid) {
	case PSCI_VERSION:
		return answer(rec, PSCI_1_1);
	case PSCI_FEATURES:
		return features(rec);
	case PSCI_CPU_ON:
	case PSCI_CPU_ON | PSCI_SMC64:
		return cpu_on(r, rec, exit);
	case PSCI_AFFINITY_INFO:
	case PSCI_AFFINITY_INFO | PSCI_SMC64:
		return affinity_info(r, rec, exit);
	case PSCI_CPU_SUSPEND:
	case PSCI_CPU_SUSPEND | PSCI_SMC64:
		rec->psci.target = 0;
		rec->vcpu.gprs[0] = PSCI_SUCCESS;
		return tell_host(rec, exit);
	case PSCI_CPU_OFF:
		rec->psci.target = 0;
		rec->runnable = false;
		return tell_host(rec, exit);
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
		rec->psci.target = 0;
		r->state = REALM_SYSTEM_OFF;
		return tell_host(rec, exit);
	default:
		return answer(rec, PSCI_NOT_SUPPORTED);
	}
}

static bool is_cpu_on(const struct rec *rec)
{
	return (rec->psci.fid & ~PSCI_SMC64) == PSCI_CPU_ON;
}

/* A host may only refuse to start a CPU that is off. */
static bool status_is_permitted(const struct rec *calling,
				const struct rec *target, u64 status)
{
	if (status == PSCI_SUCCESS)
		return true;
	return status == PSCI_DENIED && is_cpu_on(calling) && !target->runnable;
}

static u64 check_complete(const struct rec *calling, const struct rec *target,
			  u64 status)
{
	u64 index;

	if (!calling->psci.pending || calling->running ||
	    target->rd != calling->rd)
		return RMI_ERROR_INPUT;
	if (!rec_index_of(calling->psci.target, 32, &index) ||
	    index != target->index)
		return RMI_ERROR_INPUT;
	return status_is_permitted(calling, target, status) ? RMI_SUCCESS :
							      RMI_ERROR_INPUT;
}

static void start(const struct rec *calling, struct rec *target)
{
	struct realm *r = realm_get(target->rd);

	rec_reset(target, r, calling->psci.entry);
	target->vcpu.gprs[0] = calling->psci.context;
	target->runnable = true;
	realm_put(r);
}

static u64 psci_complete(struct rec *calling, struct rec *target, u64 status)
{
	u64 x0 = status, ret = check_complete(calling, target, status);

	if (ret)
		return ret;
	if (!is_cpu_on(calling))
		x0 = target->runnable ? PSCI_AFFINITY_ON : PSCI_AFFINITY_OFF;
	else if (target->runnable)
		x0 = PSCI_ALREADY_ON;
	else if (status == PSCI_SUCCESS)
		start(calling, target);
	calling->vcpu.gprs[0] = x0;
	calling->psci.pending = false;
	return RMI_SUCCESS;
}

u64 rmi_psci_complete(u64 calling_pa, u64 target_pa, u64 status)
{
	struct rec *calling, *target;
	u64 ret = RMI_ERROR_INPUT;

	if (calling_pa == target_pa)
		return RMI_ERROR_INPUT;
	calling = rec_get(calling_pa);
	if (!calling)
		return RMI_ERROR_INPUT;
	target = rec_get(target_pa);
	if (target) {
		ret = psci_complete(calling, target, status);
		rec_put(target);
	}
	rec_put(calling);
	return ret;
}
