// SPDX-License-Identifier: GPL-2.0-only
/* A guest's context, from GCTX_CREATE to DECOMMISSION, and its ASID. */
#include "fw.h"

u32 snpm_fw_gctx_create(const union snpfw_buffer *b)
{
	u64 spa = b->addr.spa;
	struct snpm_rmp_entry e;
	struct snpm_gctx *g;

	if (snpm_page_get(spa, &e) != SNPM_PAGE_FIRMWARE)
		return SNPFW_INVALID_PAGE_STATE;
	if (e.pagesize)
		return SNPFW_INVALID_PAGE_SIZE;
	g = snpm_port_map(spa);
	if (!g)
		return SNPFW_INVALID_ADDRESS;

	memset(g, 0, PAGE_SIZE);
	g->spa = spa;
	g->state = SNPFW_GUEST_INIT;
	snpm_port_unmap(g);
	e.vmsa = true;
	snpm_page_set(spa, &e);
	return SNPFW_SUCCESS;
}

/* A guest that never ran has left nothing in caches. */
static void release_asid(struct snpm_gctx *g)
{
	u8 *asid = &snpm_fw.asids[g->asid];

	if (!g->asid)
		return;
	if (*asid == ASID_IN_USE) {
		*asid = ASID_DIRTY;
		snpm_fw.wbinvd_done = false;
	} else if (*asid == ASID_ALLOCATED) {
		*asid = ASID_CLEAN;
	}
}

/* The page is the firmware's then, until reclaimed. */
u32 snpm_fw_decommission(struct snpm_gctx *g, const union snpfw_buffer *b)
{
	struct snpm_rmp_entry e;

	release_asid(g);
	if (g->state != SNPFW_GUEST_INIT)
		snpm_fw.guest_count--;
	memset(g, 0, PAGE_SIZE);
	snpm_page_get(b->addr.spa, &e);
	e.vmsa = false;
	snpm_page_set(b->addr.spa, &e);
	return SNPFW_SUCCESS;
}

static u32 check_asid(const struct snpm_gctx *g, u32 asid)
{
	if (!asid || asid > snpm_fw.config.max_asid)
		return SNPFW_INVALID_ASID;
	if (snpm_fw.asids[asid] == ASID_ALLOCATED ||
	    snpm_fw.asids[asid] == ASID_IN_USE)
		return SNPFW_ASID_OWNED;
	if (g->asid)
		return SNPFW_ACTIVE;
	if (snpm_fw.asids[asid] == ASID_DIRTY)
		return SNPFW_DF_FLUSH_REQUIRED;
	return SNPFW_SUCCESS;
}

u32 snpm_fw_activate(struct snpm_gctx *g, const union snpfw_buffer *b)
{
	u32 asid = b->activate.asid, ret;

	if (g->state == SNPFW_GUEST_INIT)
		return SNPFW_INVALID_GUEST_STATE;
	if (snpm_rmp_asid_pages(asid))
		return SNPFW_INVALID_CONFIG;
	if ((g->policy & SNPFW_POLICY_SINGLE_SOCKET) &&
	    snpm_fw.config.multi_socket)
		return SNPFW_POLICY_FAILURE;
	ret = check_asid(g, asid);
	if (ret)
		return ret;

	g->asid = asid;
	snpm_fw.asids[asid] = g->state == SNPFW_GUEST_RUNNING ?
			      ASID_IN_USE : ASID_ALLOCATED;
	return SNPFW_SUCCESS;
}

u32 snpm_fw_guest_status(struct snpm_gctx *g, const union snpfw_buffer *b)
{
	const struct snpfw_guest_status_buf status = {
		.policy = g->policy,
		.asid = g->asid,
		.state = g->state,
		.flags = g->no_vcek,
	};
	u32 ret = snpm_fw_check_output(b->guest_status.spa, sizeof(status));

	if (ret)
		return ret;
	if (!snpm_fw_write(b->guest_status.spa, &status, sizeof(status)))
		return SNPFW_INVALID_ADDRESS;
	return SNPFW_SUCCESS;
}
