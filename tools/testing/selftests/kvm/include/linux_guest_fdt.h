/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a flattened device tree (Devicetree Specification 0.4, "Flattened
 * Devicetree (DTB) Format"), node by node in the order of the tree.
 *
 * A node's properties come before its children. What does not fit fails the
 * test.
 */
#ifndef SELFTEST_KVM_LINUX_GUEST_FDT_H
#define SELFTEST_KVM_LINUX_GUEST_FDT_H

#include <stddef.h>
#include <stdint.h>

#include <linux/compiler.h>
#include <linux/kernel.h>

struct fdt {
	char *blob;		/* where it is written to */
	size_t size;		/* bytes there */
	size_t len;		/* bytes written */
	int depth;		/* nodes that are open */
	char names[512];	/* of the properties, each once */
	size_t names_len;
};

/* @blob is aligned to 8 bytes. The root node is open then. */
void fdt_begin(struct fdt *fdt, void *blob, size_t size);

void __printf(2, 3) fdt_begin_node(struct fdt *fdt, const char *fmt, ...);
void fdt_end_node(struct fdt *fdt);

void fdt_prop(struct fdt *fdt, const char *name, const void *value, size_t size);
void fdt_prop_string(struct fdt *fdt, const char *name, const char *value);
void __fdt_prop_u32s(struct fdt *fdt, const char *name, const uint32_t *values,
		     size_t nr);
void __fdt_prop_u64s(struct fdt *fdt, const char *name, const uint64_t *values,
		     size_t nr);

/* fdt_prop_u64s(fdt, "reg", base, size) */
#define fdt_prop_u32s(fdt, name, ...)					\
({									\
	uint32_t __values[] = { __VA_ARGS__ };				\
									\
	__fdt_prop_u32s(fdt, name, __values, ARRAY_SIZE(__values));	\
})

#define fdt_prop_u64s(fdt, name, ...)					\
({									\
	uint64_t __values[] = { __VA_ARGS__ };				\
									\
	__fdt_prop_u64s(fdt, name, __values, ARRAY_SIZE(__values));	\
})

/* Closes the root node; how many bytes there are. */
size_t fdt_finish(struct fdt *fdt);

#endif /* SELFTEST_KVM_LINUX_GUEST_FDT_H */
