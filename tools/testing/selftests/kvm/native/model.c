// SPDX-License-Identifier: GPL-2.0-only
/* The naive model, and the comparison of a store with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/xarray.h>

#include "kernel.h"
#include "model.h"

static void model_alloc(struct model *m, unsigned long nr)
{
	m->nr = nr;
	m->edge = calloc(nr + 1, sizeof(*m->edge));
	m->value = calloc(nr, 1);
}

void model_init_windows(struct model *m, const struct window *w, unsigned int nr)
{
	unsigned long cells = 0, i, n = 0;
	gfn_t end = 0;
	unsigned int k;

	for (k = 0; k < nr; k++)
		cells += w[k].pages + 1;

	model_alloc(m, cells + 1);
	for (k = 0; k < nr; k++) {
		if (w[k].start > end)
			m->edge[n++] = end;
		for (i = 0; i < w[k].pages; i++)
			m->edge[n++] = w[k].start + i;
		end = w[k].start + w[k].pages;
	}
	if (end < GFN_END)
		m->edge[n++] = end;
	m->edge[n] = GFN_END;
	m->nr = n;
}

static int compare_gfns(const void *a, const void *b)
{
	gfn_t x = *(const gfn_t *)a, y = *(const gfn_t *)b;

	return x < y ? -1 : x > y;
}

void model_init_edges(struct model *m, const gfn_t *edges, unsigned long nr)
{
	unsigned long i, n = 0;

	model_alloc(m, nr + 1);
	memcpy(m->edge, edges, nr * sizeof(*edges));
	m->edge[nr] = GFN_END;
	qsort(m->edge, nr + 1, sizeof(*m->edge), compare_gfns);
	if (m->edge[0])
		fail("the first edge is not 0");
	for (i = 1; i <= nr; i++)
		if (m->edge[i] != m->edge[n])
			m->edge[++n] = m->edge[i];
	m->nr = n;
}

void model_destroy(struct model *m)
{
	free(m->edge);
	free(m->value);
}

void model_fill(struct model *m, unsigned long first, unsigned long end, u8 value)
{
	memset(m->value + first, value, end - first);
}

unsigned long model_run(const struct model *m, unsigned long first, unsigned long end)
{
	unsigned long i = first;

	while (i < end && m->value[i] == m->value[first])
		i++;
	return i;
}

unsigned long model_cell(const struct model *m, gfn_t gfn)
{
	unsigned long low = 0, high = m->nr;

	while (high - low > 1) {
		unsigned long mid = (low + high) / 2;

		if (m->edge[mid] <= gfn)
			low = mid;
		else
			high = mid;
	}
	return low;
}

void check_pages(struct xarray *xa, const struct model *m)
{
	unsigned long i, attrs;

	for (i = 0; i < m->nr; i++) {
		attrs = kvm_mem_attrs_get(xa, m->edge[i]);
		expect(attrs == to_attrs(m->value[i]), "gfn %#lx is %#lx, not %#lx",
		       m->edge[i], attrs, to_attrs(m->value[i]));
		attrs = kvm_mem_attrs_get(xa, m->edge[i + 1] - 1);
		expect(attrs == to_attrs(m->value[i]), "gfn %#lx is %#lx, not %#lx",
		       m->edge[i + 1] - 1, attrs, to_attrs(m->value[i]));
	}
}

void check_runs(struct xarray *xa, const struct model *m)
{
	unsigned long cell = 0, end, value;
	gfn_t pos = 0, next;

	kvm_mem_attrs_for_each_run(xa, pos, next, GFN_END, value) {
		end = model_run(m, cell, m->nr);
		expect(value == to_attrs(m->value[cell]) && next == m->edge[end],
		       "run [%#lx, %#lx) of %#lx, not to %#lx of %#lx", pos, next,
		       value, m->edge[end], to_attrs(m->value[cell]));
		cell = end;
	}
	expect(cell == m->nr, "runs end at %#lx", pos);
}

/* How far a walk over the tree has got: all pages below @pos are compared. */
struct walk {
	const struct model *m;
	unsigned long cell;
	gfn_t pos;
	unsigned long nodes;
};

static void walk_pages(struct walk *w, gfn_t end, u8 value)
{
	const struct model *m = w->m;

	while (w->pos < end) {
		expect(m->value[w->cell] == value, "tree has %u at gfn %#lx, not %u",
		       value, w->pos, m->value[w->cell]);
		if (m->edge[w->cell + 1] > end) {
			w->pos = end;
			break;
		}
		w->pos = m->edge[++w->cell];
	}
}

static gfn_t first_page(unsigned long index)
{
	u64 gfn = (u64)index * WORD_PAGES;

	/* A node may reach over the end of the space. */
	return gfn > GFN_END ? GFN_END : gfn;
}

static u8 page_value(unsigned long word, unsigned int page)
{
	return (word >> (page * KVM_MEM_ATTRS_BITS)) & (NR_VALUES - 1);
}

static bool is_uniform(unsigned long word)
{
	unsigned int i;

	for (i = 1; i < WORD_PAGES; i++)
		if (page_value(word, i) != page_value(word, 0))
			return false;
	return true;
}

/* I1, I2: a word, uniform if it has several indices; no sibling, no zero entry. */
static void walk_entry(struct walk *w, unsigned long index, unsigned long nr,
		       void *entry)
{
	unsigned long word;
	unsigned int i;

	expect(xa_is_value(entry), "entry %p at %#lx", entry, index);
	word = xa_to_value(entry);
	expect(word && !(word >> (WORD_PAGES * KVM_MEM_ATTRS_BITS)),
	       "word %#lx at %#lx", word, index);
	expect((u64)index * WORD_PAGES < GFN_END, "entry at %#lx", index);

	walk_pages(w, first_page(index), 0);
	if (nr > 1) {
		expect(is_uniform(word), "multi-index %#lx at %#lx", word, index);
		walk_pages(w, first_page(index + nr), page_value(word, 0));
		return;
	}
	for (i = 0; i < WORD_PAGES; i++)
		walk_pages(w, first_page(index) + i + 1, page_value(word, i));
}

static void walk_node(struct walk *w, struct xa_node *node, struct xa_node *parent,
		      unsigned long base)
{
	unsigned int i, count = 0, values = 0, same = 0;
	void *first = NULL;

	w->nodes++;
	expect(node->parent == parent, "node at %#lx", base);
	expect(!node->marks[0][0] && !node->marks[1][0] && !node->marks[2][0],
	       "marks in the node at %#lx", base);

	for (i = 0; i < XA_CHUNK_SIZE; i++) {
		unsigned long index = base + ((unsigned long)i << node->shift);
		void *entry = node->slots[i];

		if (!entry)
			continue;
		count++;
		if (node->shift && xa_is_node(entry)) {
			struct xa_node *child = xa_to_node(entry);

			expect(child->offset == i && child->shift + XA_CHUNK_SHIFT == node->shift,
			       "node at %#lx", index);
			walk_node(w, child, node, index);
			continue;
		}
		walk_entry(w, index, 1ul << node->shift, entry);
		values++;
		if (!first)
			first = entry;
		same += entry == first;
	}

	expect(count, "an empty node at %#lx", base);
	expect(node->count == count && node->nr_values == values,
	       "node at %#lx counts %u entries, %u values, has %u, %u",
	       base, node->count, node->nr_values, count, values);
	/* A root that gets a parent is only merged when something changes in it. */
	expect(!base || same < XA_CHUNK_SIZE || !is_uniform(xa_to_value(first)),
	       "node at %#lx is all %p, but not merged", base, first);
}

void check_tree(struct xarray *xa, const struct model *m)
{
	struct walk w = { .m = m };
	void *head = xa->xa_head;

	if (xa_is_node(head))
		walk_node(&w, xa_to_node(head), NULL, 0);
	else if (head)
		walk_entry(&w, 0, 1, head);
	walk_pages(&w, GFN_END, 0);

	expect(w.nodes == nr_nodes, "%lu nodes in the tree, %ld allocated",
	       w.nodes, nr_nodes);
	expect(!pthread_mutex_trylock(&xa->xa_lock), "lock left held");
	pthread_mutex_unlock(&xa->xa_lock);
}
