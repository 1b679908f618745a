// SPDX-License-Identifier: GPL-2.0-only
/* The platform: INIT, SHUTDOWN, status, configuration, DF_FLUSH. */
#include "fw.h"

u64 snpm_fw_reported_tcb(void)
{
	return snpm_fw.reported_tcb ? snpm_fw.reported_tcb : SNPM_TCB;
}

/*
 * Contexts outlive a SHUTDOWN if the RMP does; those that launch or run still
 * count as guests.
 */
static u32 count_guests(void)
{
	u64 spa, end = snpm_rmp_nr_pages() << PAGE_SHIFT;
	struct snpm_rmp_entry e;
	u64 left = snpm_count(SNPM_PAGE_CONTEXT);
	u32 count = 0;

	for (spa = 0; left && spa < end; spa += PAGE_SIZE) {
		struct snpm_gctx *g;

		if (snpm_page_get(spa, &e) != SNPM_PAGE_CONTEXT)
			continue;
		left--;
		g = snpm_port_map(spa);
		if (!g)
			continue;
		count += g->state != SNPFW_GUEST_INIT;
		snpm_port_unmap(g);
	}
	return count;
}

static void become_init(void)
{
	memset(snpm_fw.asids, ASID_DIRTY, sizeof(snpm_fw.asids));
	snpm_fw.wbinvd_done = false;
	snpm_fw.guest_count = count_guests();
	snpm_fw.state = SNPFW_PLATFORM_INIT;
}

static u32 check_init(void)
{
	if (snpm_fw.state != SNPFW_PLATFORM_UNINIT)
		return SNPFW_INVALID_PLATFORM_STATE;
	return snpm_port_snp_enabled() ? SNPFW_SUCCESS : SNPFW_INVALID_CONFIG;
}

static void init_rmp(void)
{
	snpm_rmp_clear();
	snpm_fw.rmp_is_init = true;
}

/* Always with a new RMP. */
u32 snpm_fw_init(const union snpfw_buffer *b)
{
	u32 ret = check_init();

	if (ret)
		return ret;
	init_rmp();
	become_init();
	return SNPFW_SUCCESS;
}

/* Ranges may reach past the RMP: what is there is the hypervisor's anyway. */
static u32 read_list(u64 spa)
{
	struct snpfw_range_list *list = &snpm_scratch.list;
	size_t size;
	u32 i;

	if (!snpm_fw_read(list, spa, sizeof(*list)))
		return SNPFW_INVALID_ADDRESS;
	if (list->rsvd ||
	    list->nr > (PAGE_SIZE - sizeof(*list)) / sizeof(list->ranges[0]))
		return SNPFW_INVALID_PARAM;
	size = list->nr * sizeof(list->ranges[0]);
	if (!snpm_fw_read(list->ranges, spa + sizeof(*list), size))
		return SNPFW_INVALID_ADDRESS;
	for (i = 0; i < list->nr; i++)
		if (list->ranges[i].rsvd ||
		    !snpm_fw_page_aligned(list->ranges[i].base))
			return SNPFW_INVALID_PARAM;
	return SNPFW_SUCCESS;
}

static void fix_range(const struct snpfw_range *r)
{
	u64 spa = r->base;
	u32 i;

	for (i = 0; i < r->nr_pages; i++, spa += PAGE_SIZE) {
		if (!snpm_rmp_covers(spa, PAGE_SIZE))
			return;
		snpm_page_fix(spa);
	}
}

static void fix_list(const struct snpfw_range_list *list)
{
	u32 i;

	for (i = 0; i < list->nr; i++)
		fix_range(&list->ranges[i]);
}

u32 snpm_fw_init_ex(const union snpfw_buffer *b)
{
	const struct snpfw_init_ex *i = &b->init_ex;
	u32 ret = check_init();

	if (ret)
		return ret;
	if (!(i->flags & SNPFW_INIT_RMP) && !snpm_fw.rmp_is_init)
		return SNPFW_RMP_INIT_REQUIRED;
	if (i->flags & SNPFW_INIT_LIST) {
		if (!(i->flags & SNPFW_INIT_RMP))
			return SNPFW_INVALID_PARAM;
		ret = read_list(i->list_spa);
		if (ret)
			return ret;
	}

	if (i->flags & SNPFW_INIT_RMP)
		init_rmp();
	if (i->flags & SNPFW_INIT_LIST)
		fix_list(&snpm_scratch.list);
	become_init();
	return SNPFW_SUCCESS;
}

static bool all_asids_are_clean(void)
{
	u32 i;

	for (i = 1; i <= snpm_fw.config.max_asid; i++)
		if (snpm_fw.asids[i] != ASID_CLEAN)
			return false;
	return true;
}

static u32 shutdown(bool iommu)
{
	if (!all_asids_are_clean())
		return SNPFW_DF_FLUSH_REQUIRED;
	snpm_fw.state = SNPFW_PLATFORM_UNINIT;
	if (iommu)
		snpm_fw.rmp_is_init = false;
	return SNPFW_SUCCESS;
}

u32 snpm_fw_shutdown(const union snpfw_buffer *b)
{
	if (snpm_fw.state == SNPFW_PLATFORM_UNINIT)
		return SNPFW_SUCCESS;
	return shutdown(false);
}

u32 snpm_fw_shutdown_ex(const union snpfw_buffer *b)
{
	const struct snpfw_shutdown_ex *s = &b->shutdown_ex;

	if (snpm_fw.state == SNPFW_PLATFORM_UNINIT)
		return SNPFW_SUCCESS;
	if (s->length != sizeof(*s) || (s->flags & ~SNPFW_SHUTDOWN_IOMMU))
		return SNPFW_INVALID_PARAM;
	return shutdown(s->flags & SNPFW_SHUTDOWN_IOMMU);
}

u32 snpm_fw_platform_status(const union snpfw_buffer *b)
{
	const struct snpfw_platform_status status = {
		.api_major = SNPFW_API_MAJOR,
		.api_minor = SNPFW_API_MINOR,
		.state = snpm_fw.state,
		.is_rmp_init = snpm_fw.rmp_is_init,
		.build = SNPFW_BUILD,
		.flags = snpm_fw.config_flags,
		.guest_count = snpm_fw.guest_count,
		.current_tcb = SNPM_TCB,
		.reported_tcb = snpm_fw_reported_tcb(),
	};
	u32 ret = snpm_fw_check_output(b->addr.spa, sizeof(status));

	if (ret)
		return ret;
	if (!snpm_fw_write(b->addr.spa, &status, sizeof(status)))
		return SNPFW_INVALID_ADDRESS;
	return SNPFW_SUCCESS;
}

/* No component of what is reported may be newer than what there is. */
static bool tcb_is_valid(u64 tcb)
{
	unsigned int i;

	for (i = 0; i < 64; i += 8)
		if ((tcb >> i & 0xff) > (SNPM_TCB >> i & 0xff))
			return false;
	return true;
}

u32 snpm_fw_config(const union snpfw_buffer *b)
{
	const struct snpfw_config *c = &b->config;

	if (!tcb_is_valid(c->reported_tcb))
		return SNPFW_INVALID_PARAM;
	snpm_fw.reported_tcb = c->reported_tcb;
	snpm_fw.config_flags = c->flags;
	return SNPFW_SUCCESS;
}

u32 snpm_fw_df_flush(const union snpfw_buffer *b)
{
	u32 i;

	if (snpm_fw.config.track_wbinvd && !snpm_fw.wbinvd_done)
		return SNPFW_WBINVD_REQUIRED;
	for (i = 1; i <= snpm_fw.config.max_asid; i++)
		if (snpm_fw.asids[i] == ASID_DIRTY)
			snpm_fw.asids[i] = ASID_CLEAN;
	return SNPFW_SUCCESS;
}

void snpm_wbinvd(void)
{
	snpm_port_fw_lock();
	snpm_fw.wbinvd_done = true;
	snpm_port_fw_unlock();
}
