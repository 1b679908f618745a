// SPDX-License-Identifier: GPL-2.0-only
/*
 * The store of per-page memory attributes: an xarray of packed words, in which
 * a uniform range of any size is one multi-index entry.
 *
 * Vocabulary
 *
 *   field	what the store keeps of one page's attributes: FIELD_BITS bits,
 *		the attributes of KVM_MEM_ATTRS_MASK shifted down
 *   word	the fields of WORD_PAGES consecutive pages, naturally aligned;
 *		word number i holds the pages from i * WORD_PAGES on
 *   uniform	a word whose fields are all equal
 *   piece	what one slot of the tree can hold: 1, XA_CHUNK_SIZE, ... words,
 *		naturally aligned; its order is a multiple of XA_CHUNK_SHIFT
 *
 * Invariants
 *
 *   I1	The index of an entry is a word number, and the entry is that word as
 *	a value.  No entry, and a zero entry, stand for a word of 0.
 *   I2	A multi-index entry is a uniform word, stands for itself at each of its
 *	indices, and is a piece.  A sibling entry would have a lookup load two
 *	slots, and a change of the second in between would show.
 *   I3	Zero entries exist only between kvm_mem_attrs_prepare() and
 *	kvm_mem_attrs_commit(): they reserve the nodes that the latter's
 *	stores rely on.
 *   I4	At any moment a lookup of a page that no change in progress covers
 *	finds its attributes, and a lookup of one that is covered finds either
 *	the old or the new ones.  Splitting and merging entries never shows.
 *
 * Locking
 *
 *   Changes: the caller serialises them (KVM: kvm->slots_lock), xa_lock nests
 *   inside and orders single stores against nobody but the xarray's own rules.
 *   Lookups: RCU only.  A lookup over several words is no snapshot.  Whoever
 *   needs one has to detect concurrent changes by other means; for faults that
 *   is kvm->mmu_invalidate_seq, which covers the range of a change from before
 *   its first store until after its last.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/kvm_mem_attrs.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#define FIELD_BITS	KVM_MEM_ATTRS_BITS
#define FIELD_MASK	GENMASK(FIELD_BITS - 1, 0)

/* A value entry has one bit less than a long. */
#define WORD_PAGES	rounddown_pow_of_two((BITS_PER_LONG - 1) / FIELD_BITS)
#define WORD_SHIFT	ilog2(WORD_PAGES)
#define WORD_MASK	GENMASK(WORD_PAGES * FIELD_BITS - 1, 0)

static_assert(WORD_PAGES * FIELD_BITS < BITS_PER_LONG);

/*
 * How much of the tree one hold of xa_lock may free: the subtree below an
 * entry of this order, i.e. at most 1 + XA_CHUNK_SIZE nodes.
 */
#define FREE_ORDER	(2 * XA_CHUNK_SHIFT)

static unsigned long word_of(gfn_t gfn)
{
	return gfn >> WORD_SHIFT;
}

static unsigned int nth_page(gfn_t gfn)
{
	return gfn & (WORD_PAGES - 1);
}

static unsigned long field_to_attrs(unsigned long field)
{
	return field << KVM_MEM_ATTRS_SHIFT;
}

static unsigned long attrs_to_field(unsigned long value)
{
	return (value & KVM_MEM_ATTRS_MASK) >> KVM_MEM_ATTRS_SHIFT;
}

static unsigned long word_get(unsigned long word, unsigned int page)
{
	return (word >> (page * FIELD_BITS)) & FIELD_MASK;
}

/* The word in which each page has @field: the field times 0b..0001..0001. */
static unsigned long word_fill(unsigned long field)
{
	return field * (WORD_MASK / FIELD_MASK);
}

/* @word with @field in the pages [first, end). */
static unsigned long word_set(unsigned long word, unsigned int first,
			      unsigned int end, unsigned long field)
{
	unsigned long mask = GENMASK(end * FIELD_BITS - 1, first * FIELD_BITS);

	return (word & ~mask) | (word_fill(field) & mask);
}

static bool word_is_uniform(unsigned long word)
{
	return word == word_fill(word & FIELD_MASK);
}

/* The first page from @page on whose field is not @field, or WORD_PAGES. */
static unsigned int word_run(unsigned long word, unsigned int page,
			     unsigned long field)
{
	unsigned long diff = (word ^ word_fill(field)) >> (page * FIELD_BITS);

	return diff ? page + __ffs(diff) / FIELD_BITS : WORD_PAGES;
}

static unsigned long entry_word(void *entry)
{
	return xa_is_value(entry) ? xa_to_value(entry) : 0;
}

/* Zero words have no entry. */
static void *word_entry(unsigned long word)
{
	return word ? xa_mk_value(word) : NULL;
}

/* Lookup, under RCU or xa_lock, with the retries that RCU asks for. */
static unsigned long load_word(struct xa_state *xas, unsigned long index)
{
	void *entry;

	xas_set(xas, index);
	do {
		entry = xas_load(xas);
	} while (xas_retry(xas, entry) && !xa_is_zero(entry));

	return entry_word(entry);
}

/* The first index from @index on with a word that is not 0, or @end. */
static unsigned long find_word(struct xa_state *xas, unsigned long index,
			       unsigned long end)
{
	void *entry;

	xas_set(xas, index);
	xas_for_each(xas, entry, end - 1) {
		if (!xas_retry(xas, entry))
			return max(xas->xa_index, index);
	}
	return end;
}

/**
 * kvm_mem_attrs_init() - Initialise a store in which every page has none.
 * @attrs: The store.
 */
void kvm_mem_attrs_init(struct xarray *attrs)
{
	xa_init_flags(attrs, XA_FLAGS_ACCOUNT);
}

/**
 * kvm_mem_attrs_destroy() - Free what a store has allocated.
 * @attrs: The store; no lookup and no change may be in progress.
 *
 * The store is empty afterwards, and may be used again or forgotten.
 */
void kvm_mem_attrs_destroy(struct xarray *attrs)
{
	xa_destroy(attrs);
}

/**
 * kvm_mem_attrs_get() - Look up the attributes of one page.
 * @attrs: The store.
 * @gfn: The page's guest frame.
 *
 * Context: Any; takes no lock.
 * Return: The page's attributes, a mask of KVM_MEMORY_ATTRIBUTE_*.
 */
unsigned long kvm_mem_attrs_get(struct xarray *attrs, gfn_t gfn)
{
	XA_STATE(xas, attrs, 0);
	unsigned long word;

	rcu_read_lock();
	word = load_word(&xas, word_of(gfn));
	rcu_read_unlock();

	return field_to_attrs(word_get(word, nth_page(gfn)));
}
EXPORT_SYMBOL_GPL(kvm_mem_attrs_get);

/* The last index that shares the slot found by load_word() with @index. */
static unsigned long slot_last(const struct xa_state *xas, unsigned long index)
{
	return xas->xa_node ? index | (BIT(xas->xa_node->shift) - 1) : index;
}

/* The first index in [index, end) whose word is not @word; end if all are. */
static unsigned long skip_words(struct xa_state *xas, unsigned long index,
				unsigned long end, unsigned long word)
{
	if (!word)
		return find_word(xas, index, end);

	while (index < end && load_word(xas, index) == word)
		index = slot_last(xas, index) + 1;

	return min(index, end);
}

/**
 * kvm_mem_attrs_run() - Find how far a page's attributes reach.
 * @attrs: The store.
 * @start: First frame to look at.
 * @end: Frame after the last to look at; larger than @start.
 * @value: Where to put the attributes of @start.
 *
 * The work done grows with the number of entries on the way, not with the
 * number of pages.
 *
 * Context: Any; takes no lock.  The answer is exact if no change to [@start,
 * @end) is in progress, else it may be right for some of the pages before and
 * for others after that change, and the caller has to find that out and retry.
 * Return: The first frame in (@start, @end) with other attributes than
 * @start, or @end if there is none.
 */
gfn_t kvm_mem_attrs_run(struct xarray *attrs, gfn_t start, gfn_t end,
			unsigned long *value)
{
	unsigned long index = word_of(start), last = word_of(end - 1);
	XA_STATE(xas, attrs, 0);
	unsigned long word, field;
	unsigned int page;

	rcu_read_lock();

	word = load_word(&xas, index);
	field = word_get(word, nth_page(start));
	*value = field_to_attrs(field);

	page = word_run(word, nth_page(start), field);
	if (page == WORD_PAGES && index < last) {
		index = skip_words(&xas, index + 1, last + 1, word_fill(field));
		page = 0;
		if (index <= last)
			page = word_run(load_word(&xas, index), 0, field);
	}

	rcu_read_unlock();

	return min_t(gfn_t, ((gfn_t)index << WORD_SHIFT) + page, end);
}
EXPORT_SYMBOL_GPL(kvm_mem_attrs_run);

/*
 * The largest piece that starts at @index and ends at or before @end.  Any
 * entry that lies in [index, end) lies in one of the pieces that this yields.
 */
static unsigned int piece_order(unsigned long index, unsigned long end)
{
	unsigned int fit = ilog2(end - index);

	if (index)
		fit = min_t(unsigned int, fit, __ffs(index));
	return fit - fit % XA_CHUNK_SHIFT;
}

#define for_each_piece(index, order, start, end)			\
	for ((index) = (start);						\
	     (index) < (end) && ((order) = piece_order(index, end), true); \
	     (index) += BIT(order))

/*
 * Split the entry around @index until one starts there.  Each step replaces an
 * entry by a node full of it, one level of the tree at a time as xas_split()
 * wants it; to a lookup nothing happens.
 */
static int split_at(struct xarray *attrs, unsigned long index)
{
	XA_STATE(xas, attrs, index);
	unsigned int order;
	void *entry;

	entry = xa_load(attrs, index);
	while ((order = xa_get_order(attrs, index))) {
		if (IS_ALIGNED(index, BIT(order)))
			return 0;

		xas_set_order(&xas, index, order - XA_CHUNK_SHIFT);

		xas_split_alloc(&xas, entry, order, GFP_KERNEL_ACCOUNT);
		if (xas_error(&xas))
			return xas_error(&xas);

		xas_lock(&xas);
		xas_split(&xas, entry, order);
		xas_unlock(&xas);
	}
	return 0;
}

/*
 * A store at @index that ran out of memory leaves the nodes that it did get:
 * empty ones on the way down, or roots that still do not reach the index.  The
 * xarray drops such nodes when something in them is erased.
 */
static void drop_empty_nodes(struct xarray *attrs, unsigned long index)
{
	XA_STATE(xas, attrs, index);

	xas_lock(&xas);
	while (!xas_load(&xas) && xas.xa_node == XAS_BOUNDS)
		xas_set(&xas, xas.xa_index >> XA_CHUNK_SHIFT);

	if (xas_is_node(&xas) && !xas_reload(&xas)) {
		xas_set_order(&xas, xas.xa_index, xas.xa_node->shift);
		xas_store(&xas, XA_ZERO_ENTRY);
		xas_store(&xas, NULL);
	}
	xas_unlock(&xas);
}

static int store_zero_entry(struct xarray *attrs, unsigned long index,
			    unsigned int order)
{
	XA_STATE_ORDER(xas, attrs, index, order);

	do {
		xas_lock(&xas);
		xas_store(&xas, XA_ZERO_ENTRY);
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL_ACCOUNT));

	if (xas_error(&xas))
		drop_empty_nodes(attrs, index);
	return xas_error(&xas);
}

static bool piece_is_empty(struct xarray *attrs, unsigned long index,
			   unsigned int order)
{
	XA_STATE(xas, attrs, index);
	bool empty;

	rcu_read_lock();
	empty = !xas_find(&xas, index + BIT(order) - 1);
	rcu_read_unlock();

	return empty;
}

/*
 * Ensure that a word can be stored in each piece of [start, end) without
 * memory.  Where there is any entry in a piece, the nodes on the way to it
 * exist already.  A piece at index 0 asks for more: the xarray puts it below
 * a root that reaches beyond its end.
 */
static int reserve(struct xarray *attrs, unsigned long start, unsigned long end)
{
	unsigned long index;
	unsigned int order = 0;
	int r;

	for_each_piece(index, order, start, end) {
		if (!piece_is_empty(attrs, index, order))
			continue;
		r = store_zero_entry(attrs, index, order);
		if (r)
			return r;
	}

	if (!start && order && end == BIT(order) &&
	    piece_is_empty(attrs, end, order))
		return store_zero_entry(attrs, end, order);
	return 0;
}

/* Drop the reservations in [start, end] that no store has replaced. */
static void unreserve(struct xarray *attrs, unsigned long start,
		      unsigned long end)
{
	XA_STATE(xas, attrs, start);
	unsigned int looked_at = 0;
	void *entry;

	xas_lock(&xas);
	xas_for_each(&xas, entry, end) {
		if (xa_is_zero(entry))
			xas_store(&xas, NULL);
		if (++looked_at % XA_CHECK_SCHED)
			continue;

		xas_pause(&xas);
		xas_unlock(&xas);
		cond_resched();
		xas_lock(&xas);
	}
	xas_unlock(&xas);
}

/* Cannot fail: splits and reservations have seen to it. */
static void store_piece(struct xarray *attrs, unsigned long index,
			unsigned int order, unsigned long word)
{
	XA_STATE_ORDER(xas, attrs, index, order);

	xas_lock(&xas);
	xas_store(&xas, word_entry(word));
	xas_unlock(&xas);
	WARN_ON_ONCE(xas_error(&xas));
}

/* Find an entry in [*index, last] that lies deeper than FREE_ORDER. */
static bool find_deep_entry(struct xarray *attrs, unsigned long *index,
			    unsigned long last)
{
	XA_STATE(xas, attrs, *index);
	void *entry;

	rcu_read_lock();
	xas_for_each(&xas, entry, last) {
		if (xas.xa_node && xas.xa_node->shift < FREE_ORDER) {
			*index = xas.xa_index;
			break;
		}
	}
	rcu_read_unlock();

	return entry;
}

/*
 * Storing one entry over a large piece frees the nodes below it under xa_lock.
 * Get rid of most of them in steps first, each giving @word to a part.
 */
static void flatten_piece(struct xarray *attrs, unsigned long index,
			  unsigned int order, unsigned long word)
{
	unsigned long last = index + BIT(order) - 1;

	while (find_deep_entry(attrs, &index, last)) {
		index = round_down(index, BIT(FREE_ORDER));
		store_piece(attrs, index, FREE_ORDER, word);
		index += BIT(FREE_ORDER);
		cond_resched();
	}
}

static void store_words(struct xarray *attrs, unsigned long start,
			unsigned long end, unsigned long word)
{
	unsigned long index;
	unsigned int order;

	for_each_piece(index, order, start, end) {
		if (order > FREE_ORDER)
			flatten_piece(attrs, index, order, word);
		store_piece(attrs, index, order, word);
	}
}

/* The entry at the state's index if its whole node holds nothing else. */
static void *uniform_node_entry(struct xa_state *xas)
{
	void *entry = xas_load(xas);
	struct xa_node *node = xas->xa_node;
	unsigned int i;

	if (xas_top(node) || node->count != XA_CHUNK_SIZE ||
	    !xa_parent_locked(xas->xa, node) ||
	    !word_is_uniform(entry_word(entry)))
		return NULL;

	for (i = 0; i < XA_CHUNK_SIZE; i++) {
		if (xa_entry_locked(xas->xa, node, i) != entry)
			return NULL;
	}
	return entry;
}

/*
 * Replace the node of @index by one entry as long as it is full of one uniform
 * word, so that the size of the tree follows the number of ranges and not how
 * they came to be.
 */
static void merge_at(struct xarray *attrs, unsigned long index)
{
	XA_STATE(xas, attrs, index);
	void *entry;

	xas_lock(&xas);
	while ((entry = uniform_node_entry(&xas))) {
		xas_set_order(&xas, index, xas.xa_node->shift + XA_CHUNK_SHIFT);
		xas_store(&xas, entry);
		xas_set(&xas, index);
	}
	xas_unlock(&xas);
}

/* A change, cut at the word boundaries: a part of a word, words, another part. */
struct change {
	unsigned long first, last;		/* words touched, inclusive */
	unsigned long whole, whole_end;		/* words covered, half-open */
	unsigned long field;
};

static bool change_has_words(const struct change *c)
{
	return c->whole < c->whole_end;
}

static bool change_is_one_word(const struct change *c)
{
	return c->first == c->last && !change_has_words(c);
}

/* Whether the word has an entry of its own: any that is not uniform has. */
static bool word_has_own_entry(struct xarray *attrs, unsigned long index)
{
	return !word_is_uniform(entry_word(xa_load(attrs, index)));
}

/* Let no entry reach over an edge, so that each can be replaced as a whole. */
static int change_split(struct xarray *attrs, const struct change *c)
{
	int r;

	r = split_at(attrs, c->first);
	if (!r && c->whole > c->first && c->whole <= c->last)
		r = split_at(attrs, c->whole);
	if (!r && c->whole_end > c->whole && c->whole_end <= c->last)
		r = split_at(attrs, c->whole_end);
	if (!r)
		r = split_at(attrs, c->last + 1);
	return r;
}

static int change_reserve(struct xarray *attrs, const struct change *c)
{
	int r = 0;

	if (!c->field)
		return 0;
	if (change_is_one_word(c))
		return reserve(attrs, c->first, c->first + 1);

	if (c->whole > c->first)
		r = reserve(attrs, c->first, c->first + 1);
	if (!r && c->whole_end <= c->last)
		r = reserve(attrs, c->last, c->last + 1);
	if (!r && change_has_words(c))
		r = reserve(attrs, c->whole, c->whole_end);
	return r;
}

/* Give the change's field to the pages [first, end) of one word: the new word. */
static unsigned long change_pages(struct xarray *attrs, const struct change *c,
				  unsigned long index, unsigned int first,
				  unsigned int end)
{
	XA_STATE(xas, attrs, index);
	unsigned long word;

	xas_lock(&xas);
	word = word_set(entry_word(xas_load(&xas)), first, end, c->field);
	xas_store(&xas, word_entry(word));
	xas_unlock(&xas);
	WARN_ON_ONCE(xas_error(&xas));

	return word;
}

static struct change change_of(gfn_t start, gfn_t end, unsigned long value)
{
	return (struct change) {
		.first = word_of(start),
		.last = word_of(end - 1),
		.whole = word_of(start + WORD_PAGES - 1),
		.whole_end = word_of(end),
		.field = attrs_to_field(value),
	};
}

/* What has been prepared and not been used, and nodes that say nothing. */
static void change_tidy(struct xarray *attrs, const struct change *c)
{
	merge_at(attrs, c->first);
	if (c->last != c->first)
		merge_at(attrs, c->last);
}

/**
 * kvm_mem_attrs_prepare() - Allocate what a change of attributes takes.
 * @attrs: The store.
 * @start: First frame of the range.
 * @end: Frame after the last; larger than @start.
 * @value: The attributes, a subset of KVM_MEM_ATTRS_MASK.
 *
 * To lookups nothing changes.  After success the caller goes on with
 * kvm_mem_attrs_commit() and the same arguments; after failure there is
 * nothing to undo.
 *
 * Context: May sleep.  The caller serialises changes to one store.
 * Return: 0 or -ENOMEM.
 */
int kvm_mem_attrs_prepare(struct xarray *attrs, gfn_t start, gfn_t end,
			  unsigned long value)
{
	const struct change c = change_of(start, end, value);
	int r;

	if (WARN_ON_ONCE(start >= end || value & ~KVM_MEM_ATTRS_MASK))
		return -EINVAL;
	if (change_is_one_word(&c) && word_has_own_entry(attrs, c.first))
		return 0;

	r = change_split(attrs, &c);
	if (!r)
		r = change_reserve(attrs, &c);
	if (r) {
		unreserve(attrs, c.first, c.last);
		change_tidy(attrs, &c);
	}
	return r;
}

/**
 * kvm_mem_attrs_commit() - Carry out a prepared change of attributes.
 * @attrs: The store.
 * @start: First frame of the range.
 * @end: Frame after the last.
 * @value: The attributes, as prepared.
 *
 * Cannot fail.  Concurrent lookups see the pages change one after another.
 *
 * Context: May sleep.  No other change to the store since it was prepared.
 */
void kvm_mem_attrs_commit(struct xarray *attrs, gfn_t start, gfn_t end,
			  unsigned long value)
{
	unsigned int head = nth_page(start), tail = nth_page(end - 1) + 1;
	const struct change c = change_of(start, end, value);

	if (change_is_one_word(&c)) {
		if (word_is_uniform(change_pages(attrs, &c, c.first, head, tail)))
			merge_at(attrs, c.first);
		return;
	}

	if (c.whole > c.first)
		change_pages(attrs, &c, c.first, head, WORD_PAGES);
	if (change_has_words(&c))
		store_words(attrs, c.whole, c.whole_end, word_fill(c.field));
	if (c.whole_end <= c.last)
		change_pages(attrs, &c, c.last, 0, tail);

	/* The one reservation that lies behind the range. */
	if (c.field)
		unreserve(attrs, c.whole_end, c.whole_end);
	change_tidy(attrs, &c);
}

/**
 * kvm_mem_attrs_set() - Set the attributes of a range of pages.
 * @attrs: The store.
 * @start: First frame of the range.
 * @end: Frame after the last; larger than @start.
 * @value: The attributes, a subset of KVM_MEM_ATTRS_MASK.
 *
 * Context: May sleep.  The caller serialises changes to one store.
 * Return: 0, or -ENOMEM with all attributes as they were.
 */
int kvm_mem_attrs_set(struct xarray *attrs, gfn_t start, gfn_t end,
		      unsigned long value)
{
	int r = kvm_mem_attrs_prepare(attrs, start, end, value);

	if (!r)
		kvm_mem_attrs_commit(attrs, start, end, value);
	return r;
}
