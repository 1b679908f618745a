// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a REC may ask of the RMM: one table, stubs that unmarshal, functions
 * that do.
 */
#include "measure.h"
#include "rec.h"
#include "rtt.h"

/* A call in progress. */
struct rsi_call {
	struct realm *r;
	struct rec *rec;
	struct rmi_rec_exit *exit;
	/* x0..x30 of the caller */
	u64 *x;
};

static enum rec_action done(struct rsi_call *c, enum rsi_status status)
{
	c->x[0] = status;
	return REC_NEXT;
}

/*
 * A page of the realm, for the core to use.
 */

static bool page_is_there(const struct rtt_walk *w)
{
	return w->entry.hipas == HIPAS_ASSIGNED && w->entry.ripas == RMI_RAM;
}

static u64 page_pa(const struct rtt_walk *w)
{
	u64 offset = w->ipa & (rtt_size(w->level) - 1);

	return w->entry.pa + ALIGN_DOWN(offset, GRANULE_SIZE);
}

/* Not the realm's memory: its mistake.  Not there yet: the host's turn. */
static enum rec_action no_page(struct rsi_call *c, const struct rtt_walk *w)
{
	if (w->entry.ripas == RMI_EMPTY)
		return done(c, RSI_ERROR_INPUT);
	rec_exit_fault(c->exit, w->ipa, w->level);
	return REC_EXIT;
}

static void write_page(const struct rtt_walk *w, u64 offset, const void *from,
		       u64 size)
{
	u8 *va = granule_map(page_pa(w), GRANULE_DATA);

	mem_copy(va + offset, from, size);
	granule_unmap(va);
}

/*
 * Versions, measurements.
 */

static enum rec_action rsi_version(struct rsi_call *c)
{
	bool same = c->x[1] == RSI_ABI_VERSION;

	c->x[1] = RSI_ABI_VERSION;
	c->x[2] = RSI_ABI_VERSION;
	return done(c, same ? RSI_SUCCESS : RSI_ERROR_INPUT);
}

/* No feature register has a bit set. */
static enum rec_action rsi_features(struct rsi_call *c)
{
	c->x[1] = 0;
	return done(c, RSI_SUCCESS);
}

static enum rec_action rsi_measurement_read(struct rsi_call *c)
{
	u64 i = c->x[1];

	if (i >= RMM_MEASUREMENTS)
		return done(c, RSI_ERROR_INPUT);
	mem_copy(&c->x[1], c->r->measurement[i], RMM_HASH_MAX);
	return done(c, RSI_SUCCESS);
}

static enum rec_action rsi_measurement_extend(struct rsi_call *c)
{
	u64 i = c->x[1], size = c->x[2];

	if (!i || i >= RMM_MEASUREMENTS || size > RMM_HASH_MAX)
		return done(c, RSI_ERROR_INPUT);
	measure_extend(c->r, i, &c->x[3], size);
	return done(c, RSI_SUCCESS);
}

/*
 * Attestation: a text that says what it is not.
 */

static const char token[] = "model RMM: this is no attestation token, unsigned";

static enum rec_action rsi_token_init(struct rsi_call *c)
{
	c->rec->token = (struct rec_token) { .started = true };
	c->x[1] = sizeof(token);
	return done(c, RSI_SUCCESS);
}

static enum rec_action token_write(struct rsi_call *c, u64 ipa, u64 offset,
				   u64 size)
{
	struct rec_token *t = &c->rec->token;
	u64 left = sizeof(token) - t->offset;
	struct rtt_walk w;

	rtt_walk(c->r, ipa, RTT_LEVEL_MAX, &w);
	if (!page_is_there(&w))
		return no_page(c, &w);
	if (size > left)
		size = left;
	write_page(&w, offset, token + t->offset, size);
	t->offset += size;
	c->x[1] = size;
	if (t->offset < sizeof(token))
		return done(c, RSI_INCOMPLETE);
	*t = (struct rec_token) { 0 };
	return done(c, RSI_SUCCESS);
}

static enum rec_action rsi_token_continue(struct rsi_call *c)
{
	u64 ipa = c->x[1], offset = c->x[2], size = c->x[3];

	if (!IS_ALIGNED(ipa, GRANULE_SIZE) || !realm_is_protected(c->r, ipa) ||
	    offset >= GRANULE_SIZE || size > GRANULE_SIZE - offset)
		return done(c, RSI_ERROR_INPUT);
	if (!c->rec->token.started)
		return done(c, RSI_ERROR_STATE);
	return token_write(c, ipa, offset, size);
}

static enum rec_action rsi_realm_config(struct rsi_call *c)
{
	struct rsi_realm_config config = {
		.ipa_width = c->r->s2.ipa_bits,
		.hash_algo = c->r->hash_algo,
	};
	struct rtt_walk w;
	u64 ipa = c->x[1];

	if (!IS_ALIGNED(ipa, GRANULE_SIZE) || !realm_is_protected(c->r, ipa))
		return done(c, RSI_ERROR_INPUT);
	rtt_walk(c->r, ipa, RTT_LEVEL_MAX, &w);
	if (!page_is_there(&w))
		return no_page(c, &w);
	mem_copy(config.rpv, c->r->rpv, sizeof(config.rpv));
	write_page(&w, 0, &config, sizeof(config));
	return done(c, RSI_SUCCESS);
}

/*
 * RIPAS.
 */

static bool range_is_valid(const struct realm *r, u64 base, u64 top)
{
	return base < top && IS_ALIGNED(base, GRANULE_SIZE) &&
	       IS_ALIGNED(top, GRANULE_SIZE) && realm_is_protected(r, top - 1);
}

static enum rec_action rsi_ipa_state_set(struct rsi_call *c)
{
	u64 base = c->x[1], top = c->x[2], ripas = c->x[3], flags = c->x[4];

	if (!range_is_valid(c->r, base, top) || ripas > RMI_RAM ||
	    (flags & ~RSI_CHANGE_DESTROYED))
		return done(c, RSI_ERROR_INPUT);
	c->rec->ripas = (struct rec_ripas) {
		.pending = true,
		.change_destroyed = flags & RSI_CHANGE_DESTROYED,
		.value = ripas,
		.addr = base,
		.top = top,
	};
	c->exit->exit_reason = RMI_EXIT_RIPAS_CHANGE;
	c->exit->ripas_base = base;
	c->exit->ripas_top = top;
	c->exit->ripas_value = ripas;
	return REC_EXIT_NEXT;
}

/* Only RAM can be refused, and only what is not done yet. */
void rsi_complete_ripas(struct rec *rec, const struct rmi_rec_enter *enter)
{
	bool reject = enter->flags & RMI_ENTER_RIPAS_REJECT &&
		      rec->ripas.value == RMI_RAM &&
		      rec->ripas.addr < rec->ripas.top;

	rec->vcpu.gprs[0] = RSI_SUCCESS;
	rec->vcpu.gprs[1] = rec->ripas.addr;
	rec->vcpu.gprs[2] = reject ? RSI_REJECT : RSI_ACCEPT;
	rec->ripas = (struct rec_ripas) { 0 };
}

/* As far as entries of one table say the same. */
static enum rec_action rsi_ipa_state_get(struct rsi_call *c)
{
	u64 base = c->x[1], end = c->x[2], ipa = base;
	struct rtt_walk w;
	u8 ripas;
	int level;

	if (!range_is_valid(c->r, base, end))
		return done(c, RSI_ERROR_INPUT);
	rtt_walk(c->r, base, RTT_LEVEL_MAX, &w);
	ripas = w.entry.ripas;
	level = w.level;
	do {
		ipa = ALIGN_DOWN(ipa, rtt_size(level)) + rtt_size(level);
		if (ipa >= end || w.index == RTT_ENTRIES - 1)
			break;
		rtt_walk(c->r, ipa, level, &w);
	} while (w.entry.hipas != HIPAS_TABLE && w.entry.ripas == ripas);
	c->x[1] = ipa < end ? ipa : end;
	c->x[2] = ripas;
	return done(c, RSI_SUCCESS);
}

/*
 * Host calls.
 */

static enum rec_action rsi_host_call(struct rsi_call *c)
{
	struct rsi_host_call call;
	struct rtt_walk w;
	u64 ipa = c->x[1];
	u8 *va;

	if (!IS_ALIGNED(ipa, RSI_HOST_CALL_ALIGN) ||
	    !realm_is_protected(c->r, ipa))
		return done(c, RSI_ERROR_INPUT);
	rtt_walk(c->r, ipa, RTT_LEVEL_MAX, &w);
	if (!page_is_there(&w))
		return no_page(c, &w);
	va = granule_map(page_pa(&w), GRANULE_DATA);
	mem_copy(&call, va + (ipa & (GRANULE_SIZE - 1)), sizeof(call));
	granule_unmap(va);

	c->rec->host_call = true;
	c->rec->host_call_ipa = ipa;
	c->exit->exit_reason = RMI_EXIT_HOST_CALL;
	c->exit->imm = call.imm;
	mem_copy(c->exit->gprs, call.gprs, sizeof(call.gprs));
	return REC_EXIT_NEXT;
}

/* The page can have gone since: then the host hears of it as of a fault. */
bool rsi_complete_host_call(struct realm *r, struct rec *rec,
			    const struct rmi_rec_enter *enter,
			    struct rmi_rec_exit *exit)
{
	u64 ipa = rec->host_call_ipa;
	u64 gprs = (ipa & (GRANULE_SIZE - 1)) +
		   offsetof(struct rsi_host_call, gprs);
	struct rtt_walk w;

	rtt_walk(r, ipa, RTT_LEVEL_MAX, &w);
	if (page_is_there(&w)) {
		write_page(&w, gprs, enter->gprs, sizeof(enter->gprs));
		rec->vcpu.gprs[0] = RSI_SUCCESS;
	} else if (w.entry.ripas == RMI_EMPTY) {
		rec->vcpu.gprs[0] = RSI_ERROR_INPUT;
	} else {
		rec_exit_fault(exit, ipa, w.level);
		return false;
	}
	rec->host_call = false;
	return true;
}

static const struct {
	u32 fid;
	enum rec_action (*handle)(struct rsi_call *c);
} calls[] = {
	{ RSI_VERSION,				rsi_version },
	{ RSI_FEATURES,				rsi_features },
	{ RSI_MEASUREMENT_READ,			rsi_measurement_read },
	{ RSI_MEASUREMENT_EXTEND,		rsi_measurement_extend },
	{ RSI_ATTESTATION_TOKEN_INIT,		rsi_token_init },
	{ RSI_ATTESTATION_TOKEN_CONTINUE,	rsi_token_continue },
	{ RSI_REALM_CONFIG,			rsi_realm_config },
	{ RSI_IPA_STATE_SET,			rsi_ipa_state_set },
	{ RSI_IPA_STATE_GET,			rsi_ipa_state_get },
	{ RSI_HOST_CALL,			rsi_host_call },
};

#define SMCCC_VERSION	0x80000000u
#define SMCCC_1_2	(1 << 16 | 2)

enum rec_action rec_handle_smc(struct realm *r, struct rec *rec,
			       struct rmi_rec_exit *exit)
{
	struct rsi_call c = { r, rec, exit, rec->vcpu.gprs };
	u64 fid = c.x[0];

	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].fid == fid)
			return calls[i].handle(&c);
	if ((fid & ~(PSCI_SMC64 | 0x1f)) == PSCI_VERSION)
		return psci_handle(r, rec, exit);
	c.x[0] = fid == SMCCC_VERSION ? SMCCC_1_2 : SMC_NOT_SUPPORTED;
	return REC_NEXT;
}
