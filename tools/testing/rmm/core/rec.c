// SPDX-License-Identifier: GPL-2.0-only
/* A REC's life: create, destroy, and how it is named. */
#include "measure.h"
#include "rec.h"

struct rec *rec_get(u64 pa)
{
	if (!granule_is(pa, GRANULE_REC))
		return NULL;
	return granule_map(pa, GRANULE_REC);
}

void rec_put(struct rec *rec)
{
	granule_unmap(rec);
}

/* Aff0 has 16 values, the others 256. */
bool rec_index_of(u64 mpidr, unsigned int aff3_shift, u64 *index)
{
	const u64 named = 0xffff0f | 0xffull << aff3_shift;

	if (mpidr & ~named)
		return false;
	*index = (mpidr & 0xf) | (mpidr >> 8 & 0xffff) << 4 |
		 (mpidr >> aff3_shift & 0xff) << 20;
	return true;
}

static u64 mpidr_of(u64 index)
{
	return BIT(31) | (index & 0xf) | (index >> 4 & 0xffff) << 8 |
	       (index >> 20 & 0xff) << 32;
}

void rec_reset(struct rec *rec, const struct realm *r, u64 pc)
{
	struct rmm_vcpu *v = &rec->vcpu;
	unsigned int nr_aux = v->nr_aux;
	u64 aux[RMI_REC_MAX_AUX];

	mem_copy(aux, v->aux, sizeof(aux));
	mem_zero(v, sizeof(*v));
	mem_copy(v->aux, aux, sizeof(aux));
	v->nr_aux = nr_aux;
	v->mpidr = mpidr_of(rec->index);
	v->pc = pc;
	rmm_port_vcpu_reset(v, &r->cpu);
}

#define PAD_IS_ZERO(p, pad)	is_zero((p)->pad, sizeof((p)->pad))

static bool params_are_valid(const struct rmi_rec_params *p)
{
	return !(p->flags & ~RMI_REC_FLAG_RUNNABLE) &&
	       PAD_IS_ZERO(p, pad0) && PAD_IS_ZERO(p, pad1) &&
	       PAD_IS_ZERO(p, pad2) && PAD_IS_ZERO(p, pad3) &&
	       PAD_IS_ZERO(p, pad4);
}

/* Each is delegated, none is the REC or another one. */
static bool aux_is_free(u64 rec, const struct rmi_rec_params *p)
{
	for (u64 i = 0; i < p->num_aux; i++) {
		if (p->aux[i] == rec ||
		    !granule_is(p->aux[i], GRANULE_DELEGATED))
			return false;
		for (u64 k = 0; k < i; k++)
			if (p->aux[k] == p->aux[i])
				return false;
	}
	return true;
}

static u64 check_create(const struct realm *r, u64 rec,
			const struct rmi_rec_params *p)
{
	u64 index;

	if (r->state != REALM_NEW ||
	    r->nr_recs == RMI_FEATURE0_MAX_RECS(rmm.feature0))
		return RMI_RETURN(RMI_ERROR_REALM, 0);
	if (!rec_index_of(p->mpidr, 24, &index) || index != r->nr_recs)
		return RMI_ERROR_INPUT;
	if (p->num_aux != rmm.nr_rec_aux || !aux_is_free(rec, p))
		return RMI_ERROR_INPUT;
	return RMI_SUCCESS;
}

static void rec_fill(struct rec *rec, struct realm *r,
		     const struct rmi_rec_params *p)
{
	rec->rd = r->rd;
	rec->index = r->nr_recs;
	rec->runnable = p->flags & RMI_REC_FLAG_RUNNABLE;
	rec->vcpu.nr_aux = p->num_aux;
	mem_copy(rec->vcpu.aux, p->aux, p->num_aux * sizeof(p->aux[0]));
	rec_reset(rec, r, p->pc);
	mem_copy(rec->vcpu.gprs, p->gprs, sizeof(p->gprs));
}

static void rec_create(struct realm *r, u64 pa, const struct rmi_rec_params *p)
{
	struct rec *rec;

	granule_claim(pa, GRANULE_REC);
	for (u64 i = 0; i < p->num_aux; i++)
		granule_claim(p->aux[i], GRANULE_REC_AUX);
	rec = granule_map(pa, GRANULE_REC);
	rec_fill(rec, r, p);
	rec_put(rec);

	if (p->flags & RMI_REC_FLAG_RUNNABLE)
		measure_rec(r, p);
	granule_find(r->rd)->refs++;
	r->nr_recs++;
}

u64 rmi_rec_create(struct realm *r, u64 rec, u64 params_pa)
{
	struct rmi_rec_params params;
	u64 ret;

	if (!IS_ALIGNED(params_pa, GRANULE_SIZE) ||
	    !ns_read(&params, params_pa, sizeof(params)) ||
	    !params_are_valid(&params))
		return RMI_ERROR_INPUT;
	if (!granule_is(rec, GRANULE_DELEGATED))
		return RMI_ERROR_INPUT;
	ret = check_create(r, rec, &params);
	if (!ret)
		rec_create(r, rec, &params);
	return ret;
}

u64 rmi_rec_destroy(u64 pa)
{
	struct rec *rec = rec_get(pa);
	bool running;

	if (!rec)
		return RMI_ERROR_INPUT;
	running = rec->running;
	if (!running) {
		for (unsigned int i = 0; i < rec->vcpu.nr_aux; i++)
			granule_release(rec->vcpu.aux[i], GRANULE_REC_AUX);
		granule_find(rec->rd)->refs--;
	}
	rec_put(rec);
	if (running)
		return RMI_ERROR_REC;
	granule_release(pa, GRANULE_REC);
	return RMI_SUCCESS;
}
