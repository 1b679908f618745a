/* SPDX-License-Identifier: GPL-2.0-only */
/* A realm's life; its descriptor lives in the RD granule. */
#ifndef RMM_REALM_H
#define RMM_REALM_H

#include "granule.h"

enum realm_state {
	/* Being measured and filled by the host; no REC runs. */
	REALM_NEW,
	/* RECs may run; the initial measurement is final. */
	REALM_ACTIVE,
	/* Switched itself off; no REC runs again. */
	REALM_SYSTEM_OFF,
};

#define RMM_MEASUREMENTS	5

struct realm {
	u64 rd;
	enum realm_state state;
	u8 hash_algo;
	struct rmm_s2 s2;
	unsigned int nr_start;
	struct rmm_cpu_params cpu;
	/* RECs ever created, which is the next one's index. */
	u64 nr_recs;
	u8 rpv[64];
	u8 measurement[RMM_MEASUREMENTS][RMM_HASH_MAX];
};

static_assert(sizeof(struct realm) <= GRANULE_SIZE, "");

struct rmm_state {
	u64 feature0;
	unsigned int nr_rec_aux;
	unsigned int vmid_bits;
	bool trace;
};

extern struct rmm_state rmm;

/* The realm of @rd until realm_put(); NULL if that is no RD. */
struct realm *realm_get(u64 rd);
void realm_put(struct realm *r);

u64 realm_ipa_end(const struct realm *r);
/* Whether @ipa is in the lower half of the IPA space. */
bool realm_is_protected(const struct realm *r, u64 ipa);

bool vmid_is_used(u16 vmid);

u64 rmi_features(u64 index, u64 *value);
u64 rmi_realm_create(u64 rd, u64 params_pa);
u64 rmi_realm_activate(struct realm *r);
u64 rmi_realm_destroy(u64 rd);

#endif
