// SPDX-License-Identifier: GPL-2.0-only
/* The firmware's accesses to memory. */
#include "fw.h"

static void copy(u8 *page, u8 *data, size_t size, bool out)
{
	if (out)
		memcpy(page, data, size);
	else
		memcpy(data, page, size);
}

static bool transfer(u64 spa, u8 *data, size_t size, bool out)
{
	while (size) {
		size_t offset = spa & (PAGE_SIZE - 1);
		size_t part = PAGE_SIZE - offset;
		u8 *va = snpm_port_map(spa - offset);

		if (!va)
			return false;
		if (part > size)
			part = size;
		copy(va + offset, data, part, out);
		snpm_port_unmap(va);
		spa += part;
		data += part;
		size -= part;
	}
	return true;
}

bool snpm_fw_read(void *to, u64 spa, size_t size)
{
	return transfer(spa, to, size, false);
}

bool snpm_fw_write(u64 spa, const void *from, size_t size)
{
	return transfer(spa, (u8 *)from, size, true);
}

bool snpm_fw_is_zero(const void *data, size_t size)
{
	const u8 *p = data;

	while (size--)
		if (*p++)
			return false;
	return true;
}

/* Before INIT nothing protects a page, and nothing is asked of it. */
u32 snpm_fw_check_output(u64 spa, size_t size)
{
	enum snpm_page_state state;
	struct snpm_rmp_entry e;

	if ((spa & (PAGE_SIZE - 1)) + size > PAGE_SIZE)
		return SNPFW_INVALID_PARAM;
	if (snpm_fw.state == SNPFW_PLATFORM_UNINIT)
		return SNPFW_SUCCESS;
	state = snpm_page_get(spa, &e);
	if (state != SNPM_PAGE_FIRMWARE && state != SNPM_PAGE_DEFAULT)
		return SNPFW_INVALID_PAGE_STATE;
	return SNPFW_SUCCESS;
}

u32 snpm_fw_status(enum snpm_port_status status)
{
	switch (status) {
	case SNPM_PORT_OK:
		return SNPFW_SUCCESS;
	case SNPM_PORT_BAD:
		return SNPFW_BAD_SIGNATURE;
	case SNPM_PORT_UNSUPPORTED:
		return SNPFW_UNSUPPORTED;
	default:
		return SNPFW_HWERROR_PLATFORM;
	}
}
