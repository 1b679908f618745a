/* SPDX-License-Identifier: GPL-2.0-only */
/* RECs, the CPUs of a realm; their state lives in the REC granule. */
#ifndef RMM_REC_H
#define RMM_REC_H

#include "realm.h"

/* A change of RIPAS that the realm asked for and the host is at. */
struct rec_ripas {
	bool pending;
	bool change_destroyed;
	u8 value;
	/* Done up to here. */
	u64 addr;
	u64 top;
};

/* A PSCI call that waits for RMI_PSCI_COMPLETE. */
struct rec_psci {
	bool pending;
	u32 fid;
	u64 target;
	u64 entry;
	u64 context;
};

struct rec_token {
	bool started;
	u64 offset;
};

struct rec {
	u64 rd;
	u64 index;
	/* Only while the lock is dropped around rmm_port_run(). */
	bool running;
	/* PSCI's on and off. */
	bool runnable;
	/* The last exit was an access that the host can emulate. */
	bool emulatable;
	/* The last exit was a data abort at an unprotected IPA. */
	bool unprotected_abort;
	u64 esr;
	u64 far;
	/* The host's answer goes to this IPA at the next entry. */
	bool host_call;
	u64 host_call_ipa;
	struct rec_ripas ripas;
	struct rec_psci psci;
	struct rec_token token;
	struct rmm_vcpu vcpu;
};

static_assert(sizeof(struct rec) <= GRANULE_SIZE, "");

/* NULL if @pa is no REC. */
struct rec *rec_get(u64 pa);
void rec_put(struct rec *rec);

/* The index that an affinity as in RmiRecParams or MPIDR_EL1 stands for. */
bool rec_index_of(u64 mpidr, unsigned int aff3_shift, u64 *index);
/* As from power-on, all else but the identity zeroed. */
void rec_reset(struct rec *rec, const struct realm *r, u64 pc);

/* What becomes of a REC that trapped. */
enum rec_action {
	/* Done with the instruction, run on. */
	REC_NEXT,
	/* Try the instruction again. */
	REC_AGAIN,
	/* Exit, behind the instruction. */
	REC_EXIT_NEXT,
	/* Exit, at the instruction. */
	REC_EXIT,
};

enum rec_action rec_handle_trap(struct realm *r, struct rec *rec,
				const struct rmm_trap *trap,
				struct rmi_rec_exit *exit);
enum rec_action rec_handle_smc(struct realm *r, struct rec *rec,
			       struct rmi_rec_exit *exit);
enum rec_action psci_handle(struct realm *r, struct rec *rec,
			    struct rmi_rec_exit *exit);

/*
 * What the last exit left to do, before a REC runs: false if it cannot be done
 * and @exit says why.
 */
bool rec_complete(struct realm *r, struct rec *rec,
		  const struct rmi_rec_enter *enter, struct rmi_rec_exit *exit);
bool rsi_complete_host_call(struct realm *r, struct rec *rec,
			    const struct rmi_rec_enter *enter,
			    struct rmi_rec_exit *exit);
void rsi_complete_ripas(struct rec *rec, const struct rmi_rec_enter *enter);

/* A translation fault of the REC at @ipa, found by the core. */
void rec_exit_fault(struct rmi_rec_exit *exit, u64 ipa, int level);

u64 rmi_rec_create(struct realm *r, u64 rec, u64 params_pa);
u64 rmi_rec_destroy(u64 rec);
u64 rmi_rec_enter(u64 rec, u64 run_pa);
u64 rmi_psci_complete(u64 calling, u64 target, u64 status);

#endif
