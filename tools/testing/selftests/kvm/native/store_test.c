// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attribute store against a naive model: random changes, every small one,
 * every failure of an allocation, its size, and every point at which a lookup
 * and a change can meet.
 *
 * Usage: store_test [-s seed] [-n operations] [test]...
 * The operations are random ones, all of the tests named random together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/kernel.h>
#include <linux/xarray.h>

#include "kernel.h"
#include "model.h"

static struct xarray store;
static struct model model;

static u64 seed;
static unsigned long nr_operations = 2000000;

#define NR_MEETINGS	500

/* What is going on, for whoever has to find out why a test fails. */
static struct {
	const char *name;
	u64 nr;
	gfn_t start, end;
	u8 value;
	unsigned int fail_nth;
} op;

void print_op(void)
{
	printf("in %s [%#lx, %#lx) value %u, operation %lu, failing allocation %u, seed %lu\n",
	       op.name ?: "-", op.start, op.end, op.value, op.nr, op.fail_nth, seed);
}

static void set_op(const char *name, unsigned long first, unsigned long end, u8 value)
{
	op.name = name;
	op.start = model.edge[first];
	op.end = model.edge[end];
	op.value = value;
	op.nr++;
}

/* Change the store as told by @op. */
static int set_store(void)
{
	int r = kvm_mem_attrs_set(&store, op.start, op.end, to_attrs(op.value));

	rcu_run_callbacks();
	return r;
}

/* What a failure leaves behind: everything as it was. */
static void check_failure(int r, long nodes)
{
	expect(r == -ENOMEM, "%d", r);
	check_tree(&store, &model);
	expect(nr_nodes <= nodes, "%ld nodes before, %ld after", nodes, nr_nodes);
}

/* Set a range of cells in the store and in the model. */
static void set(unsigned long first, unsigned long end, u8 value)
{
	long nodes = nr_nodes;
	int r;

	set_op("set", first, end, value);
	r = set_store();
	if (r)
		check_failure(r, nodes);
	else
		model_fill(&model, first, end, value);
}

/* The same with each allocation failing in turn. */
static void set_failing(unsigned long first, unsigned long end, u8 value)
{
	unsigned int nth, left;
	long nodes = nr_nodes;
	int r;

	set_op("set", first, end, value);
	for (nth = 1; ; nth++) {
		op.fail_nth = fail_nth = nth;
		r = set_store();
		left = fail_nth;
		op.fail_nth = fail_nth = 0;

		if (!r) {
			expect(left, "allocation %u failed unnoticed", nth);
			model_fill(&model, first, end, value);
			return;
		}
		check_failure(r, nodes);
	}
}

static void get(unsigned long cell)
{
	unsigned long attrs;

	set_op("get", cell, cell + 1, model.value[cell]);
	attrs = kvm_mem_attrs_get(&store, op.start);
	expect(attrs == to_attrs(op.value), "%#lx", attrs);
}

static void run(unsigned long first, unsigned long end)
{
	unsigned long value;
	gfn_t next;

	set_op("run", first, end, model.value[first]);
	next = kvm_mem_attrs_run(&store, op.start, op.end, &value);
	expect(value == to_attrs(op.value), "%#lx", value);
	expect(next == model.edge[model_run(&model, first, end)], "%#lx", next);
}

static void range_has(unsigned long first, unsigned long end, u8 value)
{
	bool has;

	set_op("range_has", first, end, value);
	has = kvm_mem_attrs_range_has(&store, op.start, op.end, to_attrs(value));
	expect(has == (model.value[first] == value &&
		       model_run(&model, first, end) == end), "%d", has);
}

/* Everything back to none leaves nothing. */
static void finish(void)
{
	fail_one_in = 0;
	check_pages(&store, &model);
	check_runs(&store, &model);
	set(0, model.nr, 0);
	expect(xa_empty(&store) && !nr_nodes, "%ld nodes", nr_nodes);
	model_destroy(&model);
}

/* Destroying a store with something in it frees all. */
static void destroy(void)
{
	kvm_mem_attrs_destroy(&store);
	rcu_run_callbacks();
	expect(xa_empty(&store) && !nr_nodes, "%ld nodes", nr_nodes);
	if (model.nr)
		model_fill(&model, 0, model.nr, 0);
}

/*
 * Random operations.
 */

static u8 random_value(void)
{
	return rnd_below(5) < 2 ? 0 : rnd_below(NR_VALUES);
}

/* Cells whose pages make a naturally aligned power of two, where there are. */
static void random_aligned(unsigned long *first, unsigned long *end)
{
	unsigned int order = rnd_below(rnd_below(4) ? 22 : 52);
	gfn_t gfn = model.edge[rnd_below(model.nr)] & -(1ull << order);

	*first = model_cell(&model, gfn);
	*end = model_cell(&model, min(gfn + (1ull << order), GFN_END) - 1) + 1;
}

static void random_range(unsigned long *first, unsigned long *end)
{
	unsigned long nr;

	switch (rnd_below(8)) {
	case 0:
		*first = 0;
		*end = model.nr;
		if (!rnd_below(8))
			return;
		__attribute__((fallthrough));
	case 1:
		nr = 1 + rnd_below(model.nr);
		break;
	case 2 ... 3:
		random_aligned(first, end);
		return;
	case 4:
		nr = min(model.nr, 1ul << rnd_below(16));
		break;
	case 5:
		nr = min(model.nr, 1 + rnd_below(4 * WORD_PAGES));
		break;
	default:
		nr = 1;
	}
	*first = rnd_below(model.nr - nr + 1);
	*end = *first + nr;
}

/* The run before or after a boundary changes sides: what makes nodes uniform. */
static void extend_run(void (*set)(unsigned long first, unsigned long end, u8 value))
{
	unsigned long first = rnd_below(model.nr), mid, end;

	mid = model_run(&model, first, model.nr);
	if (mid == model.nr)
		return;
	end = model_run(&model, mid, model.nr);
	set(mid, end, model.value[first]);
}

static void alternate(void (*set)(unsigned long first, unsigned long end, u8 value))
{
	unsigned long first, end;
	u8 value = random_value();

	random_range(&first, &end);
	for (end = min(end, first + 64); first < end; first += 2)
		set(first, first + 1, value);
}

static void random_change(void (*set)(unsigned long first, unsigned long end, u8 value))
{
	unsigned long first, end;

	switch (rnd_below(16)) {
	case 0:
		extend_run(set);
		break;
	case 1:
		if (!rnd_below(8))
			alternate(set);
		break;
	default:
		random_range(&first, &end);
		set(first, end, random_value());
	}
}

static void random_lookup(void)
{
	unsigned long first, end;

	random_range(&first, &end);
	switch (rnd_below(3)) {
	case 0:
		get(first);
		break;
	case 1:
		run(first, end);
		break;
	case 2:
		range_has(first, end, random_value());
		break;
	}
}

static void random_operations(u64 nr, void (*set)(unsigned long first, unsigned long end, u8 value))
{
	u64 next_check = 0, next_pages = 0;

	for (nr += op.nr; op.nr < nr; ) {
		if (rnd_below(2))
			random_change(set);
		else
			random_lookup();

		if (op.nr >= next_check) {
			next_check = op.nr + model.nr / 256;
			check_tree(&store, &model);
		}
		if (op.nr >= next_pages) {
			next_pages = op.nr + 4 * model.nr;
			check_pages(&store, &model);
			check_runs(&store, &model);
			if (!rnd_below(4))
				destroy();
		}
	}
}

/* The pages around each of the edges that matter, and the rest in large cells. */
static void init_far_windows(void)
{
	static const struct window windows[] = {
		{ 0, 640 },
		{ (1ull << 18) - 100, 200 },		/* 1 GiB */
		{ (1ull << 23) - 50, 4096 },
		{ (1ull << 28) - 500, 600 },		/* 1 TiB */
		{ (1ull << 40) + 7, 1 },
		{ (1ull << 51) - 1, 2 },
		{ GFN_END - 700, 700 },
	};

	model_init_windows(&model, windows, ARRAY_SIZE(windows));
}

static void init_window(gfn_t start, unsigned long pages)
{
	const struct window w = { start, pages };

	model_init_windows(&model, &w, 1);
}

static void test_random(void)
{
	init_window(0, 1 << 14);
	random_operations(nr_operations / 4, set);
	finish();
	init_far_windows();
	random_operations(nr_operations / 4, set);
	finish();
	init_window(GFN_END - (1 << 14), 1 << 14);
	random_operations(nr_operations / 64 * 7, set);
	finish();
}

static void test_random_large(void)
{
	init_window((1 << 20) + 17, 1 << 20);
	random_operations(nr_operations / 64, set);
	finish();
}

static void test_random_enomem(void)
{
	init_window(0, 1 << 12);
	fail_one_in = 8;
	random_operations(nr_operations / 8, set);
	finish();
	init_far_windows();
	fail_one_in = 20;
	random_operations(nr_operations / 8, set);
	finish();
}

static void test_random_fail_nth(void)
{
	init_window(0, 1 << 11);
	random_operations(nr_operations / 16, set_failing);
	finish();
	init_far_windows();
	random_operations(nr_operations / 16, set_failing);
	finish();
}

/*
 * All of the small cases.
 */

/* [c, d) changes where [a, b) differs from the rest. */
static void change_on_range(unsigned long a, unsigned long b, unsigned long c,
			    unsigned long d)
{
	unsigned int values;

	for (values = 0; values < 4; values++) {
		u8 old = values & 1, new = values >> 1;

		set(0, model.nr, !old);
		set(a, b, old);
		set_failing(c, d, new);
		check_tree(&store, &model);
		run(c, model.nr);
		range_has(a, b, old);
	}
}

static void change_all_on_range(unsigned long a, unsigned long b)
{
	unsigned long c, d;

	for (c = 0; c < model.nr; c++) {
		for (d = c + 1; d <= model.nr; d++)
			change_on_range(a, b, c, d);
	}
}

/* Each range over three words, on each state that one range makes. */
static void test_three_words(void)
{
	static const unsigned int offsets[] = {
		0, 1, WORD_PAGES / 2, WORD_PAGES - 1,
	};
	gfn_t edges[3 * ARRAY_SIZE(offsets) + 2] = { 0 };
	unsigned long i, a, b;

	for (i = 0; i < 3 * ARRAY_SIZE(offsets) + 1; i++)
		edges[i + 1] = 64 * WORD_PAGES +
			       i / ARRAY_SIZE(offsets) * WORD_PAGES +
			       offsets[i % ARRAY_SIZE(offsets)];

	model_init_edges(&model, edges, ARRAY_SIZE(edges));
	for (a = 0; a < model.nr; a++) {
		for (b = a + 1; b <= model.nr; b++)
			change_all_on_range(a, b);
	}
	finish();
}

/* A fresh range, then its boundaries moved to others. */
static void move_boundaries(unsigned long a, unsigned long b)
{
	unsigned long i, n;

	set_failing(a, b, 1);
	check_tree(&store, &model);
	for (n = 0; n < 8; n++) {
		i = rnd_below(model.nr);
		set_failing(min(a, i), max(a, i + 1), 1 - model.value[i]);
		check_tree(&store, &model);
		run(0, model.nr);
		run(i, model.nr);
		set(0, model.nr, rnd_below(2));
		set(a, b, rnd_below(2));
	}
	set(0, model.nr, 0);
}

/* Each pair of edges at and next to the boundaries of the tree's levels. */
static void test_levels(void)
{
	static const gfn_t beside[] = { 0, -1, 1, -WORD_PAGES, WORD_PAGES };
	unsigned long nr = 0, i, a, b;
	gfn_t edges[128];
	unsigned int shift;

	for (shift = 0; (u64)WORD_PAGES << shift < GFN_END; shift += XA_CHUNK_SHIFT) {
		gfn_t edge = (u64)WORD_PAGES << shift;

		if (XA_CHUNK_SHIFT < 6 && shift > 2 * XA_CHUNK_SHIFT &&
		    shift % (4 * XA_CHUNK_SHIFT))
			continue;
		for (i = 0; i < ARRAY_SIZE(beside); i++)
			edges[nr++] = edge + beside[i];
	}
	edges[nr++] = GFN_END - 1;
	edges[nr++] = GFN_END - WORD_PAGES;
	edges[nr++] = 0;
	model_init_edges(&model, edges, nr);

	for (a = 0; a < model.nr; a++) {
		for (b = a + 1; b <= model.nr; b++)
			move_boundaries(a, b);
	}
	finish();
}

/* [0, a) changes where one page differs: next to a, or anywhere. */
static void change_from_zero(unsigned long a, bool near)
{
	unsigned int values;
	unsigned long b;

	for (values = 0; values < 4; values++) {
		u8 old = values & 1, new = values >> 1;

		b = near ? a + rnd_below(6) - min(a, 3ul) : rnd_below(model.nr);
		b = min(model.nr - 1, b);
		if (old)
			set(0, model.nr, 1);
		set(b, b + 1, !old);
		set_failing(0, a, new);
		check_tree(&store, &model);
		run(0, model.nr);
		set(0, model.nr, 0);
		expect(xa_empty(&store), "");
	}
}

/* The xarray puts a multi-index entry at 0 below a higher root. */
static void test_index_zero(void)
{
	gfn_t edges[256] = { 0 };
	unsigned long nr = 1, a, i;
	unsigned int order;

	for (order = 0; (u64)WORD_PAGES << order < GFN_END; order++) {
		gfn_t edge = (u64)WORD_PAGES << order;

		edges[nr++] = edge;
		edges[nr++] = edge + WORD_PAGES;
		edges[nr++] = edge - WORD_PAGES;
		edges[nr++] = edge - 1;
	}
	model_init_edges(&model, edges, nr);

	for (a = 1; a <= model.nr; a++) {
		for (i = 0; i < 12; i++)
			change_from_zero(a, i < 6);
	}
	finish();
}

/* Every nth page, which makes nodes of equal words that are not uniform. */
static void test_patterns(void)
{
	unsigned long page, period;

	init_window(0, 4 * WORD_PAGES << XA_CHUNK_SHIFT);
	for (period = 2; period < 2 * WORD_PAGES; period++) {
		for (page = 0; page < model.nr - 1; page += period)
			set(page, page + 1, 1);
		check_tree(&store, &model);
		check_pages(&store, &model);
		check_runs(&store, &model);
		set(rnd_below(model.nr / 2), model.nr / 2, 1);
		set(model.nr / 2, model.nr - 1, 1);
		check_tree(&store, &model);
		set(rnd_below(model.nr / 2), model.nr, 0);
		check_tree(&store, &model);
		set(0, model.nr, 0);
	}
	finish();
}

/*
 * Memory.
 */

static void expect_size(const char *what, gfn_t start, gfn_t end, u8 value, unsigned long limit)
{
	unsigned long size;

	op = (typeof(op)){ .name = what, .start = start, .end = end, .value = value };
	max_nodes = nr_nodes;
	expect(!set_store(), "");
	size = max_nodes * sizeof(struct xa_node);
	expect(size <= limit, "%lu bytes, limit %lu", size, limit);
}

static void test_size(void)
{
	const gfn_t TiB = 1ull << 28, GiB = 1ull << 18;
	/* Less than a byte a page for each bit. */
	const unsigned long limit = 4 * GiB * KVM_MEM_ATTRS_BITS;
	gfn_t gfn;

	/* As if CONFIG_BASE_SMALL is not set. */
	if (XA_CHUNK_SHIFT == 6)
		expect(sizeof(struct xa_node) == 576, "%zu", sizeof(struct xa_node));

	expect_size("1 TiB", TiB, 2 * TiB, 1, 4096);
	expect_size("the same again", TiB, 2 * TiB, 1, 16384);
	expect_size("back", TiB, 2 * TiB, 0, 16384);
	expect(!nr_nodes, "%ld", nr_nodes);
	expect_size("1 TiB at 0", 0, TiB, 1, 4096);
	expect_size("one page of it", 77, 78, 0, 16384);
	expect_size("and back", 77, 78, 1, 16384);
	expect_size("all", 0, GFN_END, 1, 16384);
	destroy();

	expect_size("1 GiB at an odd page", 5 * GiB + 1, 6 * GiB + 1, 1, 16384);
	expect_size("back", 5 * GiB + 1, 6 * GiB + 1, 0, 16384);
	expect(!nr_nodes, "%ld", nr_nodes);

	for (gfn = 4 * GiB; gfn < 8 * GiB; gfn += 2)
		expect_size("alternating", gfn, gfn + 1, NR_VALUES - 1, limit);
	for (gfn = 4 * GiB + 1; gfn < 8 * GiB; gfn += 2)
		expect_size("alternating", gfn, gfn + 1, NR_VALUES - 1, limit);
	expect(nr_nodes <= 64 / XA_CHUNK_SHIFT, "%ld", nr_nodes);
	kvm_mem_attrs_destroy(&store);
	rcu_run_callbacks();
	expect(!nr_nodes, "%ld", nr_nodes);
}

/*
 * Lookups and changes that meet.
 *
 * Both run in this one thread: at each of its stores a change is interrupted
 * by lookups, and at each of its loads a lookup is interrupted by a change.
 * RCU's callbacks wait for the lookup.
 */

/* A change from @old to @new in cells [first, end). */
static struct {
	const u8 *old;
	unsigned long first, end;
	u8 new;
	unsigned int stop_at, stops;
} meeting;

static void expect_old_or_new(unsigned long cell, gfn_t gfn)
{
	unsigned long attrs = kvm_mem_attrs_get(&store, gfn);
	bool in = cell >= meeting.first && cell < meeting.end;

	expect(attrs == to_attrs(meeting.old[cell]) ||
	       (in && attrs == to_attrs(meeting.new)),
	       "gfn %#lx is %#lx, was %u%s", gfn, attrs, meeting.old[cell],
	       in ? ", changing" : "");
}

/* The range that does not change around @cell is seen as it is. */
static void expect_untouched_run(unsigned long cell)
{
	unsigned long value, limit = cell < meeting.first ? meeting.first : model.nr;
	unsigned long end = cell;
	gfn_t next;

	while (end < limit && meeting.old[end] == meeting.old[cell])
		end++;
	next = kvm_mem_attrs_run(&store, model.edge[cell], model.edge[limit], &value);
	expect(value == to_attrs(meeting.old[cell]) && next == model.edge[end],
	       "run of %#lx to %#lx, not %#lx", model.edge[cell], next, model.edge[end]);
}

static void look_around(bool store)
{
	unsigned long cell;

	if (!store)
		return;

	rcu_hook = NULL;
	meeting.stops++;
	for (cell = 0; cell < model.nr; cell++) {
		expect_old_or_new(cell, model.edge[cell]);
		expect_old_or_new(cell, model.edge[cell + 1] - 1);
		if (cell < meeting.first || cell >= meeting.end)
			expect_untouched_run(cell);
	}
	rcu_hook = look_around;
}

static void change_once(bool store)
{
	if (store || meeting.stops++ != meeting.stop_at)
		return;

	rcu_hook = NULL;
	set(meeting.first, meeting.end, meeting.new);
	rcu_hook = change_once;
}

static void set_old(void)
{
	unsigned long i, end;

	for (i = 0; i < model.nr; i = end) {
		end = i;
		while (end < model.nr && meeting.old[end] == meeting.old[i])
			end++;
		set(i, end, meeting.old[i]);
	}
	check_tree(&store, &model);
}

/* Interrupt the lookup of @cell at each of its loads, from @old each time. */
static void meet_lookup(unsigned long cell, void (*lookup)(unsigned long cell))
{
	for (meeting.stop_at = 0; ; meeting.stop_at++) {
		set_old();
		meeting.stops = 0;
		rcu_hook = change_once;
		lookup(cell);
		rcu_hook = NULL;
		rcu_run_callbacks();
		if (meeting.stops <= meeting.stop_at)
			break;
	}
}

static void lookup_first(unsigned long cell)
{
	expect_old_or_new(cell, model.edge[cell]);
}

static void lookup_last(unsigned long cell)
{
	expect_old_or_new(cell, model.edge[cell + 1] - 1);
}

/* Changes of all kinds around an entry that is split, merged and stored next to. */
static void init_meeting(void)
{
	const gfn_t chunk = (gfn_t)WORD_PAGES << XA_CHUNK_SHIFT;
	const gfn_t edges[] = {
		0, 1, WORD_PAGES, 2 * WORD_PAGES, 3 * WORD_PAGES, 4 * WORD_PAGES + 3,
		chunk / 2, chunk, chunk + WORD_PAGES, 2 * chunk,
		4 * chunk, chunk << XA_CHUNK_SHIFT, (chunk << XA_CHUNK_SHIFT) + chunk,
	};

	model_init_edges(&model, edges, ARRAY_SIZE(edges));
}

static void random_cells(unsigned long *first, unsigned long *end)
{
	*first = rnd_below(model.nr);
	*end = *first + 1 + rnd_below(rnd_below(2) ? model.nr - *first : 1);
}

/* From one value with others in two ranges; one of them back, or any change. */
static void random_meetings(unsigned long nr, void (*meet)(void))
{
	unsigned long first, end;
	u8 old[32];

	meeting.old = old;
	while (nr--) {
		memset(old, rnd_below(NR_VALUES), model.nr);
		random_cells(&first, &end);
		memset(old + first, rnd_below(NR_VALUES), end - first);
		random_cells(&first, &end);
		memset(old + first, rnd_below(2), end - first);

		meeting.first = first;
		meeting.end = end;
		meeting.new = old[first ? 0 : model.nr - 1];
		if (rnd_below(2)) {
			random_cells(&meeting.first, &meeting.end);
			meeting.new = (old[meeting.first] + 1) % NR_VALUES;
		}
		meet();
	}
}

static void meet_change(void)
{
	set_old();
	rcu_hook = look_around;
	set(meeting.first, meeting.end, meeting.new);
	rcu_hook = NULL;
}

static void test_lookups_in_change(void)
{
	init_meeting();
	random_meetings(NR_MEETINGS, meet_change);
	expect(meeting.stops, "");
	finish();
}

static void meet_lookups(void)
{
	unsigned long cell = rnd_below(model.nr);

	/* Neighbours of the change, and anywhere. */
	meet_lookup(cell, lookup_first);
	meet_lookup(meeting.first, lookup_first);
	meet_lookup(meeting.end - 1, lookup_last);
	if (meeting.first)
		meet_lookup(meeting.first - 1, lookup_last);
	if (meeting.end < model.nr) {
		meet_lookup(meeting.end, lookup_first);
		meet_lookup(meeting.end, expect_untouched_run);
	}
	if (cell < meeting.first || cell >= meeting.end)
		meet_lookup(cell, expect_untouched_run);
}

static void test_change_in_lookups(void)
{
	init_meeting();
	random_meetings(NR_MEETINGS / 10, meet_lookups);
	finish();
}

static const struct test {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "three_words", test_three_words },
	{ "index_zero", test_index_zero },
	{ "levels", test_levels },
	{ "patterns", test_patterns },
	{ "size", test_size },
	{ "lookups_in_change", test_lookups_in_change },
	{ "change_in_lookups", test_change_in_lookups },
	{ "random", test_random },
	{ "random_large", test_random_large },
	{ "random_enomem", test_random_enomem },
	{ "random_fail_nth", test_random_fail_nth },
};

/* Of its own process, for a clean start and for what ends it. */
static bool run_test(const struct test *test)
{
	struct rusage usage;
	int status;

	fflush(stdout);
	if (!fork()) {
		rnd_state = seed;
		kvm_mem_attrs_init(&store);
		nowait_percent = 50;
		test->run();
		printf("%lu operations\n", op.nr);
		exit(0);
	}
	wait4(-1, &status, 0, &usage);
	printf("%s %s %s (%ld s)\n", status ? "FAIL" : "ok", CONFIG_NAME,
	       test->name, usage.ru_utime.tv_sec);
	return !status;
}

static bool is_wanted(const struct test *test, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(test->name, *names))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	bool good = true;
	unsigned int i;
	int opt;

	seed = time(NULL);
	while ((opt = getopt(argc, argv, "s:n:")) != -1) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (opt == 'n')
			nr_operations = strtoull(optarg, NULL, 0);
		else
			return 2;
	}

	printf("%s: seed %lu\n", CONFIG_NAME, seed);
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (is_wanted(&tests[i], argv + optind))
			good &= run_test(&tests[i]);
	return !good;
}
