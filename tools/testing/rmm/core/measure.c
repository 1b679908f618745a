// SPDX-License-Identifier: GPL-2.0-only
/* A realm's measurements: the initial one and the extensible ones. */
#include "measure.h"
#include "sha2.h"

static bool is_wide(const struct realm *r)
{
	return r->hash_algo == RMI_HASH_SHA_512;
}

static u64 hash_size(const struct realm *r)
{
	return is_wide(r) ? SHA512_SIZE : SHA256_SIZE;
}

/* Unused bytes of @digest are zero. */
static void hash(const struct realm *r, const void *data, u64 size, u8 *digest)
{
	struct sha2 s;

	sha2_init(&s, is_wide(r));
	sha2_update(&s, data, size);
	mem_zero(digest, RMM_HASH_MAX);
	sha2_final(&s, digest);
}

static void extend_rim(struct realm *r, struct rmm_measure_desc *d)
{
	d->len = sizeof(*d);
	mem_copy(d->rim, r->measurement[0], RMM_HASH_MAX);
	hash(r, d, sizeof(*d), r->measurement[0]);
}

/* What the parameters say of the realm, not of its place on this machine. */
void measure_realm(struct realm *r, const struct rmi_realm_params *p)
{
	struct rmi_realm_params measured = {
		.flags = p->flags,
		.s2sz = p->s2sz,
		.sve_vl = p->sve_vl,
		.num_bps = p->num_bps,
		.num_wps = p->num_wps,
		.pmu_num_ctrs = p->pmu_num_ctrs,
		.hash_algo = p->hash_algo,
	};

	hash(r, &measured, sizeof(measured), r->measurement[0]);
}

void measure_data(struct realm *r, u64 ipa, u64 flags, const void *content)
{
	struct rmm_measure_desc d = {
		.type = RMM_MEASURE_DATA,
		.data = { .ipa = ipa, .flags = flags },
	};

	if (content)
		hash(r, content, GRANULE_SIZE, d.data.content);
	extend_rim(r, &d);
}

void measure_rec(struct realm *r, const struct rmi_rec_params *p)
{
	struct rmm_measure_desc d = { .type = RMM_MEASURE_REC };
	struct rmi_rec_params measured = {
		.flags = p->flags,
		.pc = p->pc,
	};

	mem_copy(measured.gprs, p->gprs, sizeof(p->gprs));
	hash(r, &measured, sizeof(measured), d.rec);
	extend_rim(r, &d);
}

void measure_ripas(struct realm *r, u64 base, u64 top)
{
	struct rmm_measure_desc d = {
		.type = RMM_MEASURE_RIPAS,
		.ripas = { .base = base, .top = top },
	};

	extend_rim(r, &d);
}

void measure_extend(struct realm *r, unsigned int i, const void *value,
		    u64 size)
{
	struct sha2 s;

	sha2_init(&s, is_wide(r));
	sha2_update(&s, r->measurement[i], hash_size(r));
	sha2_update(&s, value, size);
	sha2_final(&s, r->measurement[i]);
}
