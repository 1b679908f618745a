// SPDX-License-Identifier: GPL-2.0-only
/* The host's calls: one table, and stubs that unmarshal. */
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

static u64 data_create(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_data_create(x[1], x[2], x[3], x[4], x[5]);
}

static u64 data_create_unknown(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_data_create_unknown(x[1], x[2], x[3]);
}

static u64 data_destroy(const u64 *x, u64 *out)
{
	return rmi_data_destroy(x[1], x[2], &out[1], &out[2]);
}

static u64 realm_activate(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_realm_activate(x[1]);
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

static u64 rec_create(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_rec_create(x[1], x[2], x[3]);
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

static u64 rec_aux_count(const u64 *x, u64 *out)
{
	return rmi_rec_aux_count(x[1], &out[1]);
}

static u64 rtt_create(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_rtt_create(x[1], x[2], x[3], x[4]);
}

static u64 rtt_destroy(const u64 *x, u64 *out)
{
	return rmi_rtt_destroy(x[1], x[2], x[3], &out[1], &out[2]);
}

static u64 rtt_fold(const u64 *x, u64 *out)
{
	return rmi_rtt_fold(x[1], x[2], x[3], &out[1]);
}

static u64 rtt_map_unprotected(const u64 *x, u64 *out)
{
	(void)out;
	return rmi_rtt_map_unprotected(x[1], x[2], x[3], x[4]);
}

static u64 rtt_unmap_unprotected(const u64 *x, u64 *out)
{
	return rmi_rtt_unmap_unprotected(x[1], x[2], x[3], &out[1]);
}

static u64 rtt_read_entry(const u64 *x, u64 *out)
{
	struct rmi_rtt_entry e = { 0 };
	u64 ret = rmi_rtt_read_entry(x[1], x[2], x[3], &e);

	out[1] = e.level;
	out[2] = e.state;
	out[3] = e.desc;
	out[4] = e.ripas;
	return ret;
}

static u64 rtt_init_ripas(const u64 *x, u64 *out)
{
	return rmi_rtt_init_ripas(x[1], x[2], x[3], &out[1]);
}

static u64 rtt_set_ripas(const u64 *x, u64 *out)
{
	return rmi_rtt_set_ripas(x[1], x[2], x[3], x[4], &out[1]);
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
};

static const struct command commands[] = {
	{ RMI_VERSION, "VERSION", version },
	{ RMI_GRANULE_DELEGATE, "GRANULE_DELEGATE", delegate },
	{ RMI_GRANULE_UNDELEGATE, "GRANULE_UNDELEGATE", undelegate },
	{ RMI_DATA_CREATE, "DATA_CREATE", data_create },
	{ RMI_DATA_CREATE_UNKNOWN, "DATA_CREATE_UNKNOWN", data_create_unknown },
	{ RMI_DATA_DESTROY, "DATA_DESTROY", data_destroy },
	{ RMI_REALM_ACTIVATE, "REALM_ACTIVATE", realm_activate },
	{ RMI_REALM_CREATE, "REALM_CREATE", realm_create },
	{ RMI_REALM_DESTROY, "REALM_DESTROY", realm_destroy },
	{ RMI_REC_CREATE, "REC_CREATE", rec_create },
	{ RMI_REC_DESTROY, "REC_DESTROY", rec_destroy },
	{ RMI_REC_ENTER, "REC_ENTER", rec_enter },
	{ RMI_RTT_CREATE, "RTT_CREATE", rtt_create },
	{ RMI_RTT_DESTROY, "RTT_DESTROY", rtt_destroy },
	{ RMI_RTT_MAP_UNPROTECTED, "RTT_MAP_UNPROTECTED", rtt_map_unprotected },
	{ RMI_RTT_READ_ENTRY, "RTT_READ_ENTRY", rtt_read_entry },
	{ RMI_RTT_UNMAP_UNPROTECTED, "RTT_UNMAP_UNPROTECTED",
	  rtt_unmap_unprotected },
	{ RMI_PSCI_COMPLETE, "PSCI_COMPLETE", psci_complete },
	{ RMI_FEATURES, "FEATURES", features },
	{ RMI_RTT_FOLD, "RTT_FOLD", rtt_fold },
	{ RMI_REC_AUX_COUNT, "REC_AUX_COUNT", rec_aux_count },
	{ RMI_RTT_INIT_RIPAS, "RTT_INIT_RIPAS", rtt_init_ripas },
	{ RMI_RTT_SET_RIPAS, "RTT_SET_RIPAS", rtt_set_ripas },
};

static const struct command *find_command(u64 fid)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].fid == fid)
			return &commands[i];
	return NULL;
}

void rmm_call(u64 x[RMM_CALL_REGS])
{
	const struct command *command = find_command(x[0]);
	u64 out[RMM_CALL_REGS] = { SMC_NOT_SUPPORTED };

	if (command) {
		rmm_port_lock();
		out[0] = command->handle(x, out);
		rmm_port_unlock();
	}
	if (rmm.trace)
		rmm_port_trace(command ? command->name : "?", x, out);
	mem_copy(x, out, sizeof(out));
}
