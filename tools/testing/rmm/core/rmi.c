// SPDX-License-Identifier: GPL-2.0-only
/* The host's calls: one table, and stubs that unmarshal. */
#include "control.h"
#include "data.h"
#include "rec.h"
#include "rtt.h"

/* x[0] is the FID; a stub writes its results to x[1] and on. */
static u64 version(const u64 *x, u64 *out)
{
	out[1] = RMI_ABI_VERSION;
	out[2] = RMI_ABI_VERSION;
	return x[1] == RMI_ABI_VERSION ? RMI_SUCCESS : RMI_ERROR_INPUT;
}

static u64 features(const u64 *x, u64 *out)
{
	return rmi_features(x[1], &out[1]);
}

static u64 delegate(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_granule_delegate(x[1]);
}

static u64 undelegate(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_granule_undelegate(x[1]);
}

static u64 data_create(struct realm *r, const u64 *x, u64 *out)
{
	(void)out;
	return rmi_data_create(r, x[2], x[3], x[4], x[5]);
}

static u64 data_create_unknown(struct realm *r, const u64 *x, u64 *out)
{
	(void)out;
	return rmi_data_create_unknown(r, x[2], x[3]);
}

static u64 data_destroy(struct realm *r, const u64 *x, u64 *out)
{
	return rmi_data_destroy(r, x[2], &out[1], &out[2]);
}

static u64 realm_activate(struct realm *r, const u64 *x, u64 *out)
{
	(void)x;
	(void)out;
	return rmi_realm_activate(r);
}

static u64 realm_create(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_realm_create(x[1], x[2]);
}

static u64 realm_destroy(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_realm_destroy(x[1]);
}

static u64 rec_create(struct realm *r, const u64 *x, u64 *out)
{
	(void)out;
	return rmi_rec_create(r, x[2], x[3]);
}

static u64 rec_destroy(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_rec_destroy(x[1]);
}

static u64 rec_enter(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_rec_enter(x[1], x[2]);
}

static u64 rec_aux_count(struct realm *r, const u64 *x, u64 *out)
{
	(void)r;
	(void)x;
	out[1] = rmm.nr_rec_aux;
	return RMI_SUCCESS;
}

static u64 rtt_create(struct realm *r, const u64 *x, u64 *out)
{
	(void)out;
	return rmi_rtt_create(r, x[2], x[3], x[4]);
}

static u64 rtt_destroy(struct realm *r, const u64 *x, u64 *out)
{
	return rmi_rtt_destroy(r, x[2], x[3], &out[1], &out[2]);
}

static u64 rtt_fold(struct realm *r, const u64 *x, u64 *out)
{
	return rmi_rtt_fold(r, x[2], x[3], &out[1]);
}

static u64 rtt_map_unprotected(struct realm *r, const u64 *x, u64 *out)
{
	(void)out;
	return rmi_rtt_map_unprotected(r, x[2], x[3], x[4]);
}

static u64 rtt_unmap_unprotected(struct realm *r, const u64 *x, u64 *out)
{
	return rmi_rtt_unmap_unprotected(r, x[2], x[3], &out[1]);
}

static u64 rtt_read_entry(struct realm *r, const u64 *x, u64 *out)
{
	struct rmi_rtt_entry e = { 0 };
	u64 ret = rmi_rtt_read_entry(r, x[2], x[3], &e);

	out[1] = e.level;
	out[2] = e.state;
	out[3] = e.desc;
	out[4] = e.ripas;
	return ret;
}

static u64 rtt_init_ripas(struct realm *r, const u64 *x, u64 *out)
{
	return rmi_rtt_init_ripas(r, x[2], x[3], &out[1]);
}

static u64 rtt_set_ripas(struct realm *r, const u64 *x, u64 *out)
{
	return rmi_rtt_set_ripas(r, x[2], x[3], x[4], &out[1]);
}

static u64 psci_complete(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_psci_complete(x[1], x[2], x[3]);
}

struct command {
	u32 fid;
	const char *name;
	u64 (*handle)(const u64 *x, u64 *out);
	/* Of a command on the realm whose RD is x[1]. */
	u64 (*realm)(struct realm *r, const u64 *x, u64 *out);
};

#define COMMAND(id, fn)	{ .fid = RMI_##id, .name = #id, .handle = fn }
#define OF_REALM(id, fn)	{ .fid = RMI_##id, .name = #id, .realm = fn }

static const struct command commands[] = {
	COMMAND(VERSION, version),
	COMMAND(GRANULE_DELEGATE, delegate),
	COMMAND(GRANULE_UNDELEGATE, undelegate),
	OF_REALM(DATA_CREATE, data_create),
	OF_REALM(DATA_CREATE_UNKNOWN, data_create_unknown),
	OF_REALM(DATA_DESTROY, data_destroy),
	OF_REALM(REALM_ACTIVATE, realm_activate),
	COMMAND(REALM_CREATE, realm_create),
	COMMAND(REALM_DESTROY, realm_destroy),
	OF_REALM(REC_CREATE, rec_create),
	COMMAND(REC_DESTROY, rec_destroy),
	COMMAND(REC_ENTER, rec_enter),
	OF_REALM(RTT_CREATE, rtt_create),
	OF_REALM(RTT_DESTROY, rtt_destroy),
	OF_REALM(RTT_MAP_UNPROTECTED, rtt_map_unprotected),
	OF_REALM(RTT_READ_ENTRY, rtt_read_entry),
	OF_REALM(RTT_UNMAP_UNPROTECTED, rtt_unmap_unprotected),
	COMMAND(PSCI_COMPLETE, psci_complete),
	COMMAND(FEATURES, features),
	OF_REALM(RTT_FOLD, rtt_fold),
	OF_REALM(REC_AUX_COUNT, rec_aux_count),
	OF_REALM(RTT_INIT_RIPAS, rtt_init_ripas),
	OF_REALM(RTT_SET_RIPAS, rtt_set_ripas),
};

static const struct command *find_command(u64 fid)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].fid == fid)
			return &commands[i];
	return NULL;
}

bool rmi_is_command(u64 fid)
{
	return find_command(fid);
}

static u64 handle(const struct command *command, const u64 *x, u64 *out)
{
	struct realm *r;
	u64 ret;

	ret = control_count(command->fid);
	if (ret)
		return ret;
	if (command->handle)
		return command->handle(x, out);
	r = realm_get(x[1]);
	if (!r)
		return RMI_ERROR_INPUT;
	ret = command->realm(r, x, out);
	realm_put(r);
	return ret;
}

/* x4 and on keep what no result replaces, as a caller of SMCCC 1.1 relies on. */
static void clear_results(const u64 *x, u64 *out)
{
	for (unsigned int i = 0; i < RMM_CALL_REGS; i++)
		out[i] = i < SMCCC_SCRATCH ? 0 : x[i];
}

void rmm_call(u64 x[RMM_CALL_REGS])
{
	const struct command *command = find_command(x[0]);
	u64 out[RMM_CALL_REGS];

	clear_results(x, out);
	rmm_port_lock();
	out[0] = command ? handle(command, x, out) : control_call(x, out);
	rmm_port_unlock();
	if (rmm.trace)
		rmm_port_trace(command ? command->name : "?", x, out);
	mem_copy(x, out, sizeof(out));
}
