/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The naive model of an attribute store: an array of cells with one value each.
 *
 * The cells cover the whole gfn space, one after the other.  Where a test wants
 * to look closely a cell is one page; all that lies between is one cell, so that
 * ranges of any size can be set and the model stays small.
 */
#ifndef NATIVE_MODEL_H
#define NATIVE_MODEL_H

#include <linux/kvm_mem_attrs.h>
#include <linux/types.h>

#define GFN_END		(1ull << 52)
#define WORD_PAGES	(KVM_MEM_ATTRS_BITS == 1 ? 32 : 8)
#define NR_VALUES	(1u << KVM_MEM_ATTRS_BITS)

struct model {
	unsigned long nr;
	gfn_t *edge;		/* cell i is [edge[i], edge[i + 1]) */
	u8 *value;
};

struct window {
	gfn_t start;
	unsigned long pages;
};

/* One cell a page in the windows, which are sorted and do not touch. */
void model_init_windows(struct model *m, const struct window *w, unsigned int nr);
/* Cells between those edges, in any order, duplicates allowed. */
void model_init_edges(struct model *m, const gfn_t *edges, unsigned long nr);
void model_destroy(struct model *m);

void model_fill(struct model *m, unsigned long first, unsigned long end, u8 value);
/* The end of the run that starts with cell @first, at most cell @end. */
unsigned long model_run(const struct model *m, unsigned long first, unsigned long end);
/* The cell that @gfn is in. */
unsigned long model_cell(const struct model *m, gfn_t gfn);

static inline unsigned long to_attrs(u8 value)
{
	return (unsigned long)value << KVM_MEM_ATTRS_SHIFT;
}

/*
 * Walk the whole tree of @xa: its content is that of @m, the invariants of
 * mem_attrs.c hold, the xarray's own counts are right, no node is larger than
 * need be, and there are as many nodes as are allocated.
 */
void check_tree(struct xarray *xa, const struct model *m);

/* The same content, through the interface. */
void check_pages(struct xarray *xa, const struct model *m);
void check_runs(struct xarray *xa, const struct model *m);

/* Say what is wrong, with the operation that was in progress, and end the test. */
#define fail(fmt, ...) do {						\
	printf("%s:%d: " fmt "\n", __FILE__, __LINE__, ##__VA_ARGS__);	\
	print_op();							\
	fflush(stdout);							\
	_exit(1);							\
} while (0)

#define expect(cond, fmt, ...) do {					\
	if (!(cond))							\
		fail("%s: " fmt, #cond, ##__VA_ARGS__);			\
} while (0)

void print_op(void);

#endif
