// SPDX-License-Identifier: GPL-2.0-only
/* A realm's life: create, activate, destroy. */
#include "control.h"
#include "measure.h"
#include "realm.h"
#include "rtt.h"

#define IPA_BITS_MIN	32

struct rmm_state rmm;

static u64 vmids[65536 / 64];

bool vmid_is_used(u16 vmid)
{
	return vmids[vmid / 64] & BIT(vmid % 64);
}

static void vmid_flip(u16 vmid)
{
	vmids[vmid / 64] ^= BIT(vmid % 64);
}

void rmm_init(const struct rmm_config *config)
{
	granules_init(config);
	control_init();
	mem_zero(vmids, sizeof(vmids));
	rmm = (struct rmm_state) {
		.feature0 = config->feature0,
		.nr_rec_aux = config->nr_rec_aux,
		.vmid_bits = config->vmid_bits,
		.trace = config->trace,
	};
}

struct realm *realm_get(u64 rd)
{
	return granule_is(rd, GRANULE_RD) ? granule_map(rd, GRANULE_RD) : NULL;
}

void realm_put(struct realm *r)
{
	granule_unmap(r);
}

u64 realm_ipa_end(const struct realm *r)
{
	return BIT(r->s2.ipa_bits);
}

bool realm_is_protected(const struct realm *r, u64 ipa)
{
	return ipa < realm_ipa_end(r) / 2;
}

u64 rmi_features(u64 index, u64 *value)
{
	*value = index ? 0 : rmm.feature0;
	return RMI_SUCCESS;
}

#define PAD_IS_ZERO(p, pad)	is_zero((p)->pad, sizeof((p)->pad))

static bool params_are_valid(const struct rmi_realm_params *p)
{
	const u64 flags = RMI_REALM_FLAG_LPA2 | RMI_REALM_FLAG_SVE |
			  RMI_REALM_FLAG_PMU;

	return !(p->flags & ~flags) && p->hash_algo <= RMI_HASH_SHA_512 &&
	       PAD_IS_ZERO(p, pad0) && PAD_IS_ZERO(p, pad1) &&
	       PAD_IS_ZERO(p, pad2) && PAD_IS_ZERO(p, pad3) &&
	       PAD_IS_ZERO(p, pad4) && PAD_IS_ZERO(p, pad5) &&
	       PAD_IS_ZERO(p, pad6) && PAD_IS_ZERO(p, pad7) &&
	       PAD_IS_ZERO(p, pad8) && PAD_IS_ZERO(p, pad9);
}

static bool hash_is_supported(u8 algo)
{
	return rmm.feature0 & (algo == RMI_HASH_SHA_512 ?
			       RMI_FEATURE0_HASH_SHA_512 :
			       RMI_FEATURE0_HASH_SHA_256);
}

static bool ipa_size_is_supported(const struct rmi_realm_params *p)
{
	if ((p->flags & RMI_REALM_FLAG_LPA2) &&
	    !(rmm.feature0 & RMI_FEATURE0_LPA2))
		return false;
	if (p->s2sz > 48 && !(p->flags & RMI_REALM_FLAG_LPA2))
		return false;
	return p->s2sz >= IPA_BITS_MIN &&
	       p->s2sz <= RMI_FEATURE0_S2SZ(rmm.feature0);
}

static bool cpu_is_supported(const struct rmi_realm_params *p)
{
	const u64 f = rmm.feature0;

	if ((p->flags & RMI_REALM_FLAG_SVE) &&
	    (!(f & RMI_FEATURE0_SVE_EN) || p->sve_vl > RMI_FEATURE0_SVE_VL(f)))
		return false;
	if ((p->flags & RMI_REALM_FLAG_PMU) &&
	    (!(f & RMI_FEATURE0_PMU_EN) ||
	     p->pmu_num_ctrs > RMI_FEATURE0_PMU_NUM_CTRS(f)))
		return false;
	return p->num_bps <= RMI_FEATURE0_NUM_BPS(f) &&
	       p->num_wps <= RMI_FEATURE0_NUM_WPS(f);
}

static bool start_is(u64 base, unsigned int nr, enum granule_state state)
{
	for (unsigned int i = 0; i < nr; i++)
		if (!granule_is(base + i * GRANULE_SIZE, state))
			return false;
	return true;
}

/* @nr has been checked to be a power of two of at most 16. */
static bool start_is_free(u64 rd, u64 base, unsigned int nr)
{
	u64 size = nr * GRANULE_SIZE;

	if (rd >= base && rd - base < size)
		return false;
	return IS_ALIGNED(base, size) && start_is(base, nr, GRANULE_DELEGATED);
}

static bool vmid_is_free(u16 vmid)
{
	return vmid < BIT(rmm.vmid_bits) && !vmid_is_used(vmid);
}

static u64 check_create(u64 rd, const struct rmi_realm_params *p)
{
	if (!params_are_valid(p))
		return RMI_ERROR_INPUT;
	if (!hash_is_supported(p->hash_algo) || !ipa_size_is_supported(p) ||
	    !cpu_is_supported(p))
		return RMI_ERROR_INPUT;
	if (!granule_is(rd, GRANULE_DELEGATED))
		return RMI_ERROR_INPUT;
	if (!rtt_start_is_valid(p->s2sz, p->rtt_level_start, p->rtt_num_start,
				p->flags & RMI_REALM_FLAG_LPA2))
		return RMI_ERROR_INPUT;
	if (!start_is_free(rd, p->rtt_base, p->rtt_num_start))
		return RMI_ERROR_INPUT;
	return vmid_is_free(p->vmid) ? RMI_SUCCESS : RMI_ERROR_INPUT;
}

static void realm_fill(struct realm *r, u64 rd,
		       const struct rmi_realm_params *p)
{
	r->rd = rd;
	r->state = REALM_NEW;
	r->hash_algo = p->hash_algo;
	r->nr_start = p->rtt_num_start;
	r->s2 = (struct rmm_s2) {
		.base = p->rtt_base,
		.start_level = p->rtt_level_start,
		.ipa_bits = p->s2sz,
		.vmid = p->vmid,
		.lpa2 = p->flags & RMI_REALM_FLAG_LPA2,
	};
	r->cpu = (struct rmm_cpu_params) {
		.sve = p->flags & RMI_REALM_FLAG_SVE,
		.pmu = p->flags & RMI_REALM_FLAG_PMU,
		.sve_vl = p->sve_vl,
		.num_bps = p->num_bps,
		.num_wps = p->num_wps,
		.pmu_num_ctrs = p->pmu_num_ctrs,
	};
	mem_copy(r->rpv, p->rpv, sizeof(r->rpv));
	measure_realm(r, p);
}

u64 rmi_realm_create(u64 rd, u64 params_pa)
{
	struct rmi_realm_params params;
	struct realm *r;
	u64 ret;

	if (!IS_ALIGNED(params_pa, GRANULE_SIZE) ||
	    !ns_read(&params, params_pa, sizeof(params)))
		return RMI_ERROR_INPUT;
	ret = check_create(rd, &params);
	if (ret)
		return ret;

	granule_claim(rd, GRANULE_RD);
	r = granule_map(rd, GRANULE_RD);
	realm_fill(r, rd, &params);
	rtt_create_start(r);
	vmid_flip(params.vmid);
	realm_put(r);
	return RMI_SUCCESS;
}

u64 rmi_realm_activate(struct realm *r)
{
	if (r->state != REALM_NEW)
		return RMI_RETURN(RMI_ERROR_REALM, 0);
	r->state = REALM_ACTIVE;
	return RMI_SUCCESS;
}

/* Whether the realm has a REC, or anything in its starting tables. */
static bool realm_is_live(const struct realm *r)
{
	return granule_find(r->rd)->refs || rtt_start_is_live(r);
}

u64 rmi_realm_destroy(u64 rd)
{
	struct realm *r = realm_get(rd);
	bool live;

	if (!r)
		return RMI_ERROR_INPUT;
	live = realm_is_live(r);
	if (!live) {
		rmm_port_tlbi_vmid(r->s2.vmid);
		rtt_destroy_start(r);
		vmid_flip(r->s2.vmid);
	}
	realm_put(r);
	if (live)
		return RMI_RETURN(RMI_ERROR_REALM, 0);
	granule_release(rd, GRANULE_RD);
	return RMI_SUCCESS;
}
