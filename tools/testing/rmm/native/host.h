/* SPDX-License-Identifier: GPL-2.0-only */
/* A host for tests: RMI calls, checked, and a realm to try them on. */
#ifndef NATIVE_HOST_H
#define NATIVE_HOST_H

#include "arena.h"

/* A call with up to five arguments; the invariants hold after it. */
#define rmi(fid, ...) rmi_call((u64[6]) { fid, ##__VA_ARGS__ })
/* x0..x7 of the last call. */
extern u64 out[RMM_CALL_REGS];
u64 rmi_call(const u64 x[6]);
/* The same without a look at the invariants, for what only reads. */
#define rmi_quiet(fid, ...) rmi_call_quiet((u64[6]) { fid, ##__VA_ARGS__ })
u64 rmi_call_quiet(const u64 x[6]);

/* The status asserted, and that nothing changes but on success. */
#define rmi_is(status, fid, ...) \
	rmi_expect(__FILE__, __LINE__, status, #fid, \
		   (u64[6]) { fid, ##__VA_ARGS__ })
void rmi_expect(const char *file, int line, u64 status, const char *name,
		const u64 x[6]);

#define INPUT		RMI_ERROR_INPUT
#define REALM(i)	RMI_RETURN(RMI_ERROR_REALM, i)
#define REC		RMI_ERROR_REC
#define RTT(level)	RMI_RETURN(RMI_ERROR_RTT, level)

/* Granules that nobody has used, from the start of memory on. */
u64 ns_page(void);
u64 delegated(void);
/* That many adjacent ones, aligned to as many. */
u64 ns_pages(u64 nr);
u64 delegated_pages(u64 nr);

/* Memory that is none. */
#define NOWHERE		0x1000ull

/*
 * A realm with 40 bits of IPA, two starting tables of level 1 and VMID 7:
 * [0, 2 MiB) has a table of level 3, its pages [0, 16) are RAM;
 * [SHARED, SHARED + 2 MiB) has one, too.
 */
struct world {
	u64 rd, params, start, tables[4];
	u64 rec, rec_params, run, aux[NR_AUX];
	/* Delegated, unused; NS, unused */
	u64 spare, ns;
};

extern struct world w;

#define IPA_BITS	40
#define SHARED		(1ull << (IPA_BITS - 1))
#define IPA_END		(1ull << IPA_BITS)
#define RAM_PAGES	16
#define SZ_2M		(1ull << 21)
#define SZ_1G		(1ull << 30)
#define PAGE(n)		((n) * GRANULE_SIZE)

/* A descriptor of the host: Normal write-back, read and write. */
#define HOST_DESC(pa)	((pa) | 6 << 2 | 3 << 6)

void params_init(u64 pa, u64 start);
void rec_params_init(u64 pa, u64 mpidr, u64 flags);
/* Fresh memory and a realm in state NEW; with a runnable REC. */
void world_init(void);
void world_with_rec(void);
/* The same, active. */
void world_active(void);

struct rmi_realm_params *realm_params(void);
struct rmi_rec_params *rec_params(void);
struct rmi_rec_run *run_page(void);

/* Enter the REC, which calls with those x0..x5 and then sees an IRQ. */
#define smc(...) rec_smc((u64[11]) { __VA_ARGS__ })
/* Its registers after the call; whether it got that far */
extern u64 answer[REC_GPRS];
bool rec_smc(const u64 x[11]);
/* Enter the REC, which is seen to run; x0.. are in answer[]. */
bool rec_resume(void);
/* Enter the REC, which traps with that. */
void rec_trap(u64 esr, u64 far, u64 hpfar);

/* What READ_ENTRY at level 3 says. */
void expect_entry(u64 ipa, u64 level, u64 state, u64 ripas, u64 desc);

#endif
