// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device tree: reads RAM and CPUs from QEMU's flattened tree, and copies it, token by token,
 * with what firmware adds: PSCI, the RMM's memory reserved, the initramfs.
 */
#include "monitor.h"

#define FDT_MAGIC		0xd00dfeed
#define FDT_VERSION		17
#define FDT_COMPATIBLE_VERSION	16
#define FDT_BEGIN_NODE		1
#define FDT_END_NODE		2
#define FDT_PROP		3
#define FDT_NOP			4
#define FDT_END			9

struct fdt_header {
	u32 magic;
	u32 total_size;
	u32 off_struct;
	u32 off_strings;
	u32 off_reserve_map;
	u32 version;
	u32 compatible_version;
	u32 boot_cpu;
	u32 size_strings;
	u32 size_struct;
};

/* The end of the reserve map. */
#define RESERVE_MAP_SIZE	16

#define ROOT_DEPTH		1

/* One token of the source, and where in the tree it is. */
struct token {
	const u32 *at;
	u32 kind;
	u32 words;
	int depth;
	const char *name;
	const char *parent;
};

/* The copy; strings of our own follow the old ones. */
struct copy {
	u32 *words;
	u32 used;
	u32 old_strings;
};

static const char *const own_names[] = {
	"compatible", "method", "enable-method", "reg", "no-map", "ranges",
	"#address-cells", "#size-cells", "linux,initrd-start", "linux,initrd-end",
};

static const struct fdt_header *source(void)
{
	return ns_ptr(FDT_QEMU);
}

static const char *source_string(u32 offset)
{
	return (const char *)source() + be32(source()->off_strings) + offset;
}

static u32 words_of(u32 bytes)
{
	return (bytes + 3) / 4;
}

static bool starts_with(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return false;
	return true;
}

static void token_first(struct token *t)
{
	const struct fdt_header *h = source();

	if (be32(h->magic) != FDT_MAGIC)
		panic("no device tree at the start of RAM");
	memset(t, 0, sizeof(*t));
	t->at = (const u32 *)((const u8 *)h + be32(h->off_struct));
}

/* A node's depth is that of its begin, its properties and its end; the root has 1. */
static void token_read(struct token *t)
{
	t->kind = be32(t->at[0]);
	t->words = 1;
	if (t->kind == FDT_BEGIN_NODE) {
		t->depth++;
		if (t->depth == ROOT_DEPTH + 1)
			t->parent = (const char *)(t->at + 1);
		t->name = (const char *)(t->at + 1);
		t->words += words_of(str_len(t->name) + 1);
	} else if (t->kind == FDT_PROP) {
		t->words += 2 + words_of(be32(t->at[1]));
	} else if (t->kind != FDT_END_NODE && t->kind != FDT_NOP && t->kind != FDT_END) {
		panic("the device tree is broken");
	}
}

static bool token_next(struct token *t)
{
	if (t->kind == FDT_END_NODE)
		t->depth--;
	t->at += t->words;
	token_read(t);
	return t->kind != FDT_END;
}

static bool is_cpu(const struct token *t)
{
	return t->kind == FDT_BEGIN_NODE && t->depth == ROOT_DEPTH + 2 &&
	       str_eq(t->parent, "cpus") && starts_with(t->name, "cpu@");
}

static bool is_memory_reg(const struct token *t)
{
	return t->kind == FDT_PROP && t->depth == ROOT_DEPTH + 1 &&
	       starts_with(t->name, "memory@") && str_eq(source_string(be32(t->at[2])), "reg");
}

static u64 cells2(const u32 *at)
{
	return (u64)be32(at[0]) << 32 | be32(at[1]);
}

/* A NUMA machine has a node each for parts that follow each other. */
static void add_memory(const u32 *reg)
{
	u64 base = cells2(reg), top = base + cells2(reg + 2);

	if (!machine.ram_top || base < machine.ram_base)
		machine.ram_base = base;
	if (top > machine.ram_top)
		machine.ram_top = top;
}

void fdt_read_machine(void)
{
	struct token t;

	for (token_first(&t); token_next(&t); ) {
		if (is_cpu(&t))
			machine.nr_cpus++;
		else if (is_memory_reg(&t))
			add_memory(t.at + 3);
	}
	if (!machine.ram_top || !machine.nr_cpus || machine.nr_cpus > MAX_CPUS)
		panic("the device tree has no RAM or a wrong number of CPUs");
}

/* Room for so many bytes, padded with zeroes to a word. */
static void *put_room(struct copy *c, u32 bytes)
{
	u32 words = words_of(bytes), *at = c->words + c->used;

	if ((c->used + words) * 4 > FDT_OURS_MAX)
		panic("no room for the device tree");
	if (words)
		at[words - 1] = 0;
	c->used += words;
	return at;
}

static void put_bytes(struct copy *c, const void *data, u32 bytes)
{
	memcpy(put_room(c, bytes), data, bytes);
}

static void put_word(struct copy *c, u32 value)
{
	*(u32 *)put_room(c, sizeof(value)) = be32(value);
}

static u32 own_name(const struct copy *c, const char *name)
{
	u32 offset = c->old_strings, i;

	for (i = 0; i < ARRAY_SIZE(own_names) && !str_eq(own_names[i], name); i++)
		offset += str_len(own_names[i]) + 1;
	return offset;
}

static void put_prop(struct copy *c, const char *name, const void *data, u32 bytes)
{
	put_word(c, FDT_PROP);
	put_word(c, bytes);
	put_word(c, own_name(c, name));
	put_bytes(c, data, bytes);
}

static void put_string(struct copy *c, const char *name, const char *value)
{
	put_prop(c, name, value, str_len(value) + 1);
}

static void put_u32(struct copy *c, const char *name, u32 value)
{
	u32 cell = be32(value);

	put_prop(c, name, &cell, sizeof(cell));
}

static void put_u64(struct copy *c, const char *name, u64 value)
{
	u64 cells = be64(value);

	put_prop(c, name, &cells, sizeof(cells));
}

static void begin_node(struct copy *c, const char *name)
{
	put_word(c, FDT_BEGIN_NODE);
	put_bytes(c, name, str_len(name) + 1);
}

static void end_node(struct copy *c)
{
	put_word(c, FDT_END_NODE);
}

static void put_psci(struct copy *c)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	begin_node(c, "psci");
	put_prop(c, "compatible", compatible, sizeof(compatible));
	put_string(c, "method", "smc");
	end_node(c);
}

static void put_reservation(struct copy *c)
{
	u64 reg[2] = { be64(RMM_BASE), be64(RMM_SIZE) };

	begin_node(c, "reserved-memory");
	put_u32(c, "#address-cells", 2);
	put_u32(c, "#size-cells", 2);
	put_prop(c, "ranges", NULL, 0);
	begin_node(c, "rmm@40200000");
	put_prop(c, "reg", reg, sizeof(reg));
	put_prop(c, "no-map", NULL, 0);
	end_node(c);
	end_node(c);
}

static bool is_chosen(const struct token *t)
{
	return t->kind == FDT_BEGIN_NODE && t->depth == ROOT_DEPTH + 1 && str_eq(t->name, "chosen");
}

static void copy_struct(struct copy *c, u64 initrd, u64 initrd_size)
{
	struct token t;

	for (token_first(&t); token_next(&t); ) {
		if (t.kind == FDT_END_NODE && t.depth == ROOT_DEPTH) {
			put_psci(c);
			put_reservation(c);
		}
		put_bytes(c, t.at, t.words * 4);
		if (is_cpu(&t))
			put_string(c, "enable-method", "psci");
		if (is_chosen(&t) && initrd_size) {
			put_u64(c, "linux,initrd-start", initrd);
			put_u64(c, "linux,initrd-end", initrd + initrd_size);
		}
	}
	put_word(c, FDT_END);
}

static u32 put_strings(struct copy *c)
{
	/* Behind the last name. */
	u32 size = own_name(c, ""), i;
	char *at = put_room(c, size);

	memcpy(at, source_string(0), c->old_strings);
	for (i = 0; i < ARRAY_SIZE(own_names); i++)
		memcpy(at + own_name(c, own_names[i]), own_names[i], str_len(own_names[i]) + 1);
	return size;
}

/* Returns the address of the tree for the kernel. */
u64 fdt_write(u64 initrd, u64 initrd_size)
{
	struct fdt_header *h = ns_ptr(FDT_OURS);
	u32 off_map = sizeof(*h), off_struct = off_map + RESERVE_MAP_SIZE, off_strings;
	struct copy c = {
		.words = ns_ptr(FDT_OURS),
		.used = off_struct / 4,
		.old_strings = be32(source()->size_strings),
	};
	u32 size_strings;

	memset(ns_ptr(FDT_OURS), 0, off_struct);
	copy_struct(&c, initrd, initrd_size);
	off_strings = c.used * 4;
	size_strings = put_strings(&c);
	*h = (struct fdt_header){
		.magic = be32(FDT_MAGIC),
		.total_size = be32(c.used * 4),
		.off_struct = be32(off_struct),
		.off_strings = be32(off_strings),
		.off_reserve_map = be32(off_map),
		.version = be32(FDT_VERSION),
		.compatible_version = be32(FDT_COMPATIBLE_VERSION),
		.size_strings = be32(size_strings),
		.size_struct = be32(off_strings - off_struct),
	};
	return FDT_OURS;
}
