// SPDX-License-Identifier: GPL-2.0-only
/* The firmware's commands: one table, and the checks that all have. */
#include "fw.h"
#include "inject.h"

struct snpm_fw snpm_fw;
union snpm_scratch snpm_scratch;

struct command {
	u32 id;
	/* Of the buffer. */
	u32 size;
	/* Reserved bits and bytes, alignment: else INVALID_PARAM. */
	bool (*is_valid)(const union snpfw_buffer *b);
	/* INVALID_PLATFORM_STATE unless the platform is INIT. */
	bool needs_init;
	/* Either of these two; the guest's context is mapped. */
	u32 (*platform)(const union snpfw_buffer *b);
	u32 (*guest)(struct snpm_gctx *g, const union snpfw_buffer *b);
};

static bool addr_is_valid(const union snpfw_buffer *b)
{
	return snpm_fw_page_aligned(b->addr.spa);
}

static bool page_is_valid(const union snpfw_buffer *b)
{
	return !(b->addr.spa & SNPFW_ADDR_RSVD);
}

static bool init_ex_is_valid(const union snpfw_buffer *b)
{
	const struct snpfw_init_ex *i = &b->init_ex;

	return !(i->flags & ~(SNPFW_INIT_RMP | SNPFW_INIT_LIST)) && !i->rsvd &&
	       snpm_fw_is_zero(i->rsvd2, sizeof(i->rsvd2));
}

static bool config_is_valid(const union snpfw_buffer *b)
{
	const struct snpfw_config *c = &b->config;

	return !(c->flags & ~(SNPFW_MASK_CHIP_ID | SNPFW_MASK_CHIP_KEY)) &&
	       snpm_fw_is_zero(c->rsvd, sizeof(c->rsvd));
}

static bool launch_start_is_valid(const union snpfw_buffer *b)
{
	const struct snpfw_launch_start *s = &b->launch_start;

	return addr_is_valid(b) && snpm_fw_page_aligned(s->ma_gctx) &&
	       !(s->flags & ~(SNPFW_START_MA | SNPFW_START_IMI));
}

static bool launch_update_is_valid(const union snpfw_buffer *b)
{
	const struct snpfw_launch_update *u = &b->launch_update;

	return addr_is_valid(b) && snpm_fw_page_aligned(u->spa) &&
	       !(u->page & SNPFW_UPDATE_RSVD) && !u->rsvd && !u->rsvd2 &&
	       !u->rsvd3;
}

static bool launch_finish_is_valid(const union snpfw_buffer *b)
{
	return addr_is_valid(b) && !(b->launch_finish.flags & SNPFW_FINISH_RSVD);
}

static bool md_init_is_valid(const union snpfw_buffer *b)
{
	return addr_is_valid(b) && snpm_fw_page_aligned(b->md_init.spa);
}

static bool dbg_is_valid(const union snpfw_buffer *b)
{
	return addr_is_valid(b) && snpm_fw_page_aligned(b->dbg.src) &&
	       snpm_fw_page_aligned(b->dbg.dst);
}

#define PLATFORM(ID, fn) \
	{ .id = SNPFW_##ID, .platform = fn }
#define PLATFORM_BUF(ID, fn, member, valid, init) \
	{ .id = SNPFW_##ID, .platform = fn, .is_valid = valid, \
	  .needs_init = init, .size = sizeof_field(union snpfw_buffer, member) }
#define GUEST(ID, fn, member, valid) \
	{ .id = SNPFW_##ID, .guest = fn, .is_valid = valid, \
	  .needs_init = true, .size = sizeof_field(union snpfw_buffer, member) }

static const struct command commands[] = {
	PLATFORM(INIT, snpm_fw_init),
	PLATFORM(SHUTDOWN, snpm_fw_shutdown),
	PLATFORM(DF_FLUSH, snpm_fw_df_flush),
	PLATFORM_BUF(INIT_EX, snpm_fw_init_ex, init_ex, init_ex_is_valid, false),
	PLATFORM_BUF(SHUTDOWN_EX, snpm_fw_shutdown_ex, shutdown_ex, NULL, false),
	PLATFORM_BUF(PLATFORM_STATUS, snpm_fw_platform_status, addr, NULL, false),
	PLATFORM_BUF(CONFIG, snpm_fw_config, config, config_is_valid, false),
	PLATFORM_BUF(GCTX_CREATE, snpm_fw_gctx_create, addr, addr_is_valid, true),
	PLATFORM_BUF(PAGE_RECLAIM, snpm_fw_page_reclaim, addr, page_is_valid, true),
	PLATFORM_BUF(PAGE_UNSMASH, snpm_fw_page_unsmash, addr, page_is_valid, true),
	GUEST(DECOMMISSION, snpm_fw_decommission, addr, addr_is_valid),
	GUEST(ACTIVATE, snpm_fw_activate, activate, addr_is_valid),
	GUEST(GUEST_STATUS, snpm_fw_guest_status, guest_status, addr_is_valid),
	GUEST(LAUNCH_START, snpm_fw_launch_start, launch_start,
	      launch_start_is_valid),
	GUEST(LAUNCH_UPDATE, snpm_fw_launch_update, launch_update,
	      launch_update_is_valid),
	GUEST(LAUNCH_FINISH, snpm_fw_launch_finish, launch_finish,
	      launch_finish_is_valid),
	GUEST(PAGE_MD_INIT, snpm_fw_md_init, md_init, md_init_is_valid),
	GUEST(DBG_DECRYPT, snpm_fw_dbg_decrypt, dbg, dbg_is_valid),
	GUEST(GUEST_REQUEST, snpm_fw_guest_request, guest_request,
	      addr_is_valid),
};

static const u32 unmodelled[] = {
	SNPFW_ACTIVATE_EX, SNPFW_DBG_ENCRYPT, SNPFW_PAGE_SWAP_OUT,
	SNPFW_PAGE_SWAP_IN, SNPFW_PAGE_MOVE, SNPFW_PAGE_SET_STATE,
	SNPFW_DOWNLOAD_FIRMWARE_EX, SNPFW_COMMIT, SNPFW_VLEK_LOAD,
	SNPFW_FEATURE_INFO,
};

static const struct command *find_command(u32 id)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].id == id)
			return &commands[i];
	return NULL;
}

static u32 refuse(u32 id)
{
	unsigned int i;

	snpm_port_unmodelled(id, "command");
	for (i = 0; i < ARRAY_SIZE(unmodelled); i++)
		if (unmodelled[i] == id)
			return SNPFW_UNSUPPORTED;
	return SNPFW_INVALID_COMMAND;
}

static u32 handle_guest(const struct command *c, const union snpfw_buffer *b)
{
	struct snpm_rmp_entry e;
	struct snpm_gctx *g;
	u32 ret;

	if (snpm_page_get(b->addr.spa, &e) != SNPM_PAGE_CONTEXT)
		return SNPFW_INVALID_GUEST;
	g = snpm_port_map(b->addr.spa);
	if (!g)
		return SNPFW_INVALID_ADDRESS;
	ret = c->guest(g, b);
	snpm_port_unmap(g);
	return ret;
}

static u32 handle(const struct command *c, u64 spa)
{
	union snpfw_buffer b;

	memset(&b, 0, sizeof(b));
	if (c->size && !snpm_fw_read(&b, spa, c->size))
		return SNPFW_INVALID_ADDRESS;
	if (c->is_valid && !c->is_valid(&b))
		return SNPFW_INVALID_PARAM;
	if (c->needs_init && snpm_fw.state != SNPFW_PLATFORM_INIT)
		return SNPFW_INVALID_PLATFORM_STATE;
	return c->guest ? handle_guest(c, &b) : c->platform(&b);
}

static u32 injected(u32 id)
{
	u32 ret;

	snpm_port_rmp_lock();
	ret = snpm_injected(SNPM_FAIL_COMMAND, id);
	snpm_port_rmp_unlock();
	return ret;
}

u32 snpm_command(u32 id, u64 buffer)
{
	const struct command *c = find_command(id);
	u32 ret;

	if (!c)
		return refuse(id);
	snpm_port_fw_lock();
	ret = injected(id);
	if (!ret)
		ret = handle(c, buffer);
	snpm_port_fw_unlock();
	return ret;
}

int snpm_command_size(u32 id)
{
	const struct command *c = find_command(id);

	return c ? (int)c->size : -1;
}

void snpm_init(const struct snpm_config *config)
{
	memset(&snpm_fw, 0, sizeof(snpm_fw));
	snpm_fw.config = *config;
	if (snpm_fw.config.max_asid > SNPM_MAX_ASID)
		snpm_fw.config.max_asid = SNPM_MAX_ASID;
	snpm_rmp_init(config->rmp, config->nr_pages);
	snpm_fail(SNPM_FAIL_COMMAND, NULL);
	snpm_fail(SNPM_FAIL_RMPUPDATE, NULL);
	snpm_fail(SNPM_FAIL_PSMASH, NULL);
}
