// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a flattened device tree (Devicetree Specification 0.4, "Flattened
 * Devicetree (DTB) Format").
 */
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "linux_guest_fdt.h"
#include "test_util.h"

#define FDT_MAGIC		0xd00dfeed
#define FDT_VERSION		17
#define FDT_COMPATIBLE_VERSION	16

enum fdt_token {
	FDT_BEGIN_NODE	= 1,
	FDT_END_NODE	= 2,
	FDT_PROP	= 3,
	FDT_END		= 9,
};

struct fdt_header {
	uint32_t magic;
	uint32_t totalsize;
	uint32_t off_dt_struct;
	uint32_t off_dt_strings;
	uint32_t off_mem_rsvmap;
	uint32_t version;
	uint32_t last_comp_version;
	uint32_t boot_cpuid_phys;
	uint32_t size_dt_strings;
	uint32_t size_dt_struct;
};

/* Nothing is reserved: one entry of zeros, which ends the list. */
struct fdt_reserve_entry {
	uint64_t address;
	uint64_t size;
};

#define STRUCT_OFFSET	(sizeof(struct fdt_header) + sizeof(struct fdt_reserve_entry))

/* Zeros follow, up to a multiple of a cell. */
static void put(struct fdt *fdt, const void *data, size_t size)
{
	size_t len = align_up(size, sizeof(uint32_t));

	TEST_ASSERT(len <= fdt->size - fdt->len,
		    "the device tree should fit into %zu bytes", fdt->size);
	memset(fdt->blob + fdt->len, 0, len);
	memcpy(fdt->blob + fdt->len, data, size);
	fdt->len += len;
}

static void put_cell(struct fdt *fdt, uint32_t cell)
{
	cell = htobe32(cell);
	put(fdt, &cell, sizeof(cell));
}

/* Where the name of a property is among the names. */
static uint32_t name_offset(struct fdt *fdt, const char *name)
{
	size_t size = strlen(name) + 1;
	size_t at;

	for (at = 0; at < fdt->names_len; at += strlen(fdt->names + at) + 1)
		if (!strcmp(fdt->names + at, name))
			return at;

	TEST_ASSERT(size <= sizeof(fdt->names) - fdt->names_len,
		    "the names of properties should fit into %zu bytes",
		    sizeof(fdt->names));
	memcpy(fdt->names + at, name, size);
	fdt->names_len += size;
	return at;
}

void fdt_begin(struct fdt *fdt, void *blob, size_t size)
{
	TEST_ASSERT(size >= STRUCT_OFFSET, "a device tree needs more than %zu bytes", size);
	*fdt = (struct fdt) { .blob = blob, .size = size, .len = STRUCT_OFFSET };
	memset(blob, 0, STRUCT_OFFSET);
	fdt_begin_node(fdt, "%s", "");
}

void fdt_begin_node(struct fdt *fdt, const char *fmt, ...)
{
	char name[64];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	TEST_ASSERT(len < sizeof(name), "the name of a node is too long: %s", name);
	put_cell(fdt, FDT_BEGIN_NODE);
	put(fdt, name, len + 1);
	fdt->depth++;
}

void fdt_end_node(struct fdt *fdt)
{
	TEST_ASSERT(fdt->depth > 0, "a node of the device tree should be open");
	put_cell(fdt, FDT_END_NODE);
	fdt->depth--;
}

void fdt_prop(struct fdt *fdt, const char *name, const void *value, size_t size)
{
	put_cell(fdt, FDT_PROP);
	put_cell(fdt, size);
	put_cell(fdt, name_offset(fdt, name));
	put(fdt, value, size);
}

void fdt_prop_string(struct fdt *fdt, const char *name, const char *value)
{
	fdt_prop(fdt, name, value, strlen(value) + 1);
}

void __fdt_prop_u32s(struct fdt *fdt, const char *name, const uint32_t *values,
		     size_t nr)
{
	uint32_t cells[nr];
	size_t i;

	for (i = 0; i < nr; i++)
		cells[i] = htobe32(values[i]);
	fdt_prop(fdt, name, cells, sizeof(cells));
}

void __fdt_prop_u64s(struct fdt *fdt, const char *name, const uint64_t *values,
		     size_t nr)
{
	uint64_t cells[nr];
	size_t i;

	for (i = 0; i < nr; i++)
		cells[i] = htobe64(values[i]);
	fdt_prop(fdt, name, cells, sizeof(cells));
}

size_t fdt_finish(struct fdt *fdt)
{
	struct fdt_header *header = (void *)fdt->blob;
	size_t names;

	fdt_end_node(fdt);
	TEST_ASSERT(!fdt->depth, "%d nodes of the device tree are still open", fdt->depth);
	put_cell(fdt, FDT_END);
	names = fdt->len;
	put(fdt, fdt->names, fdt->names_len);
	*header = (struct fdt_header) {
		.magic = htobe32(FDT_MAGIC),
		.totalsize = htobe32(fdt->len),
		.off_dt_struct = htobe32(STRUCT_OFFSET),
		.off_dt_strings = htobe32(names),
		.off_mem_rsvmap = htobe32(sizeof(*header)),
		.version = htobe32(FDT_VERSION),
		.last_comp_version = htobe32(FDT_COMPATIBLE_VERSION),
		.size_dt_strings = htobe32(fdt->names_len),
		.size_dt_struct = htobe32(names - STRUCT_OFFSET),
	};
	return fdt->len;
}
