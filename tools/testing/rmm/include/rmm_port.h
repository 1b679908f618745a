/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core of the model RMM offers to and needs of its surroundings.
 *
 * The core has no architecture and no libc: whoever links it brings these
 * functions, memcpy, memmove, memset and memcmp, and a stack of 16 KiB a CPU.
 */
#ifndef RMM_PORT_H
#define RMM_PORT_H

#include "rmi.h"

/*
 * Offered.
 */

struct granule;

struct rmm_range {
	u64 base;
	u64 size;
};

struct rmm_config {
	/* Memory that may be delegated: sorted, apart, granule aligned. */
	const struct rmm_range *ram;
	unsigned int nr_ram;
	/* rmm_granules_size() bytes that only the core touches. */
	struct granule *granules;
	u64 feature0;
	unsigned int nr_rec_aux;
	/* Bits of a VMID, 8 or 16. */
	unsigned int vmid_bits;
	/* A call of rmm_port_trace() after each command. */
	bool trace;
};

u64 rmm_granules_size(const struct rmm_range *ram, unsigned int nr_ram);
/* Once, before any call.  All memory is taken to be outside of Realm PAS. */
void rmm_init(const struct rmm_config *config);

#define RMM_CALL_REGS	8

/*
 * One SMC of the host: x0..x7 in, x0..x7 out.  May be called on all CPUs at
 * once.  What is no RMI command and no call of model.h gives SMC_NOT_SUPPORTED.
 */
void rmm_call(u64 x[RMM_CALL_REGS]);

/*
 * NULL if all invariants hold, otherwise what is broken.  Reads all granules;
 * nothing else may run.
 */
const char *rmm_check_invariants(void);

/*
 * Needed.
 */

enum rmm_pas {
	RMM_PAS_NS,
	RMM_PAS_REALM,
};

/*
 * A granule's 4 KiB, until unmapped.  At most four at a time on a CPU; the
 * invariant checker holds eight.
 */
void *rmm_port_map(u64 pa, enum rmm_pas pas);
void rmm_port_unmap(void *va);

/* Whether a granule of delegable memory is in NS PAS. */
bool rmm_port_is_ns(u64 pa);
/* NS to Realm and back; cannot fail after rmm_port_is_ns(). */
void rmm_port_delegate(u64 pa);
void rmm_port_undelegate(u64 pa);

/* Stage-2 entries and cached walks of [ipa, ipa + size), on all CPUs. */
void rmm_port_tlbi_ipa(u16 vmid, u64 ipa, u64 size);
void rmm_port_tlbi_vmid(u16 vmid);

/* One lock around everything but a running REC. */
void rmm_port_lock(void);
void rmm_port_unlock(void);

/* Stage 2 of a realm, all that VTTBR, VTCR and VSTCR need. */
struct rmm_s2 {
	u64 base;
	int start_level;
	unsigned int ipa_bits;
	u16 vmid;
	bool lpa2;
};

/* The part of a realm's parameters that a CPU is set up with. */
struct rmm_cpu_params {
	bool sve;
	bool pmu;
	u8 sve_vl;
	u8 num_bps;
	u8 num_wps;
	u8 pmu_num_ctrs;
};

#define RMM_PORT_WORDS	256

/*
 * A REC's CPU state; lives in the REC's granule.  The core reads and writes
 * the named fields between runs.
 */
struct rmm_vcpu {
	u64 gprs[REC_GPRS];
	u64 pc;
	u64 mpidr;
	u64 gicv3_hcr;
	u64 gicv3_lrs[GICV3_LRS];
	u64 gicv3_misr;
	u64 gicv3_vmcr;
	u64 cntp_ctl;
	u64 cntp_cval;
	u64 cntv_ctl;
	u64 cntv_cval;
	u8 pmu_ovf_status;
	bool trap_wfi;
	bool trap_wfe;
	/* Auxiliary granules, in Realm PAS, zeroed at creation: the port's. */
	unsigned int nr_aux;
	u64 aux[RMI_REC_MAX_AUX];
	/* PSTATE, system registers: the port's. */
	u64 arch[RMM_PORT_WORDS];
};

/* What made a REC stop: one of RMI_EXIT_SYNC, IRQ, FIQ or SERROR. */
struct rmm_trap {
	enum rmi_exit_reason reason;
	u64 esr;
	u64 far;
	u64 hpfar;
};

enum rmm_inject {
	RMM_INJECT_UNDEF,
	RMM_INJECT_SEA_DATA,
	RMM_INJECT_SEA_INSN,
};

/* All but gprs, pc, mpidr and aux as after reset. */
void rmm_port_vcpu_reset(struct rmm_vcpu *v, const struct rmm_cpu_params *p);
/* Run until something happens that is not handled below; without the lock. */
void rmm_port_run(struct rmm_vcpu *v, const struct rmm_s2 *s2,
		  struct rmm_trap *trap);
/* Take an exception to R-EL1 at the next run. */
void rmm_port_inject(struct rmm_vcpu *v, enum rmm_inject what, u64 far);
/* Emulate a trapped system register and step over it; false: undefined. */
bool rmm_port_sysreg(struct rmm_vcpu *v, u64 esr);

void rmm_port_trace(const char *name, const u64 in[RMM_CALL_REGS],
		    const u64 out[RMM_CALL_REGS]);

#endif
