// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lookups without a lock while another thread changes the store, under
 * ThreadSanitizer: what no change covers reads as it always was, what one
 * covers reads as before or after it.
 *
 * Usage: race_test [-s seed] [-t seconds]
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/kernel.h>
#include <linux/xarray.h>

#include "kernel.h"
#include "model.h"

static struct xarray store;
static struct model model;
static u64 seed;
static bool stop;

/*
 * The values before and after the change in progress, whose number @nr_change
 * is odd; equal when it is even.  Some cells keep their value for ever.
 */
static u8 old_value[256], new_value[256];
static bool is_constant[256];
static unsigned long nr_change, nr_lookups[NR_READERS];

#define read_shared(x)		__atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define write_shared(x, v)	__atomic_store_n(&(x), v, __ATOMIC_SEQ_CST)

void print_op(void)
{
	printf("in change %lu, seed %lu\n", read_shared(nr_change), seed);
}

/* The xarray erases by plain stores of NULL and of a node's place. */
const char *__tsan_default_suppressions(void)
{
	return "race:^xas_delete_node$\n"
	       "race:^xas_shrink$\n"
	       "race:^xas_expand$\n";
}

const char *__tsan_default_options(void)
{
	return "halt_on_error=1";
}

static __thread bool is_reader;

/* Give the others the chance to come in between; several times, to the writer. */
static void lose_time(bool store)
{
	if (rnd_below(32))
		return;
	if (is_reader)
		usleep(50);
	else
		sched_yield();
}

static void set(unsigned long first, unsigned long end, u8 value)
{
	unsigned long i;
	int r;

	write_shared(nr_change, nr_change + 1);
	for (i = first; i < end; i++)
		write_shared(new_value[i], value);

	r = kvm_mem_attrs_set(&store, model.edge[first], model.edge[end], to_attrs(value));
	expect(!r || r == -ENOMEM, "%d", r);

	for (i = first; i < end; i++) {
		if (r)
			write_shared(new_value[i], old_value[i]);
		else
			write_shared(old_value[i], value);
	}
	write_shared(nr_change, nr_change + 1);
}

/* A random range of cells; with constant ones in it, to the value they have. */
static void random_change(void)
{
	unsigned long first = rnd_below(model.nr), i;
	unsigned long end = first + 1 + rnd_below(model.nr - first) / (1 + rnd_below(8));
	u8 value = rnd_below(NR_VALUES);
	bool fixed = false;

	for (i = first; i < end; i++) {
		if (!is_constant[i])
			continue;
		if (fixed && value != old_value[i])
			break;
		value = old_value[i];
		fixed = true;
	}
	if (i > first)
		set(first, i, value);
}

static void look_at_page(unsigned long cell, gfn_t gfn)
{
	unsigned long change = read_shared(nr_change);
	u8 before = read_shared(old_value[cell]), after;
	unsigned long attrs = kvm_mem_attrs_get(&store, gfn);

	after = read_shared(new_value[cell]);
	expect(attrs == to_attrs(before) || attrs == to_attrs(after) ||
	       change != read_shared(nr_change),
	       "gfn %#lx is %#lx, not %u or %u", gfn, attrs, before, after);
}

static void look_at_constant(unsigned long cell)
{
	gfn_t start = model.edge[cell], end = model.edge[cell + 1];
	unsigned long attrs = to_attrs(read_shared(old_value[cell])), value;
	gfn_t next;

	value = kvm_mem_attrs_get(&store, start + rnd_below(end - start));
	expect(value == attrs, "in [%#lx, %#lx): %#lx", start, end, value);

	start += rnd_below(2) ? rnd_below(end - start) : 0;
	next = kvm_mem_attrs_run(&store, start, end, &value);
	expect(next == end && value == attrs, "[%#lx, %#lx): %#lx to %#lx", start, end,
	       value, next);
	expect(kvm_mem_attrs_range_has(&store, start, end, attrs),
	       "[%#lx, %#lx)", start, end);
}

static void *reader(void *arg)
{
	unsigned long nr = (unsigned long)arg, cell;
	gfn_t start, end;

	is_reader = true;
	rcu_register_reader(nr);
	rnd_state = seed + 1 + nr;

	while (!read_shared(stop)) {
		cell = rnd_below(model.nr);
		start = model.edge[cell];
		end = model.edge[cell + 1];
		if (is_constant[cell])
			look_at_constant(cell);
		look_at_page(cell, start);
		look_at_page(cell, end - 1);
		look_at_page(cell, start + rnd_below(end - start));
		nr_lookups[nr]++;
	}
	return NULL;
}

/* Parts of words, words, nodes and subtrees, at three places. */
static void init_cells(void)
{
	const gfn_t chunk = (gfn_t)WORD_PAGES << XA_CHUNK_SHIFT;
	const gfn_t edges[] = {
		0, 1, WORD_PAGES, 2 * WORD_PAGES, 3 * WORD_PAGES, 4 * WORD_PAGES + 3,
		chunk / 2, chunk, chunk + WORD_PAGES, 2 * chunk, 4 * chunk,
		chunk << XA_CHUNK_SHIFT, (chunk << XA_CHUNK_SHIFT) + chunk,
		chunk << (2 * XA_CHUNK_SHIFT),
	};
	const unsigned int nr = ARRAY_SIZE(edges);
	gfn_t all[3 * nr];
	unsigned long i;

	for (i = 0; i < nr; i++) {
		all[i] = edges[i];
		all[nr + i] = (1ull << 40) + edges[i];
		all[2 * nr + i] = GFN_END - 1 - edges[i];
	}
	model_init_edges(&model, all, 3 * nr);

	for (i = 0; i < model.nr; i++) {
		is_constant[i] = rnd_below(2);
		set(i, i + 1, rnd_below(NR_VALUES));
	}
}

int main(int argc, char **argv)
{
	unsigned long i, lookups = 0, seconds = 8;
	pthread_t readers[NR_READERS - 1];
	time_t end;
	int opt;

	seed = time(NULL);
	while ((opt = getopt(argc, argv, "s:t:")) != -1) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (opt == 't')
			seconds = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	printf("%s: seed %lu\n", CONFIG_NAME, seed);
	fflush(stdout);

	rnd_state = seed;
	kvm_mem_attrs_init(&store);
	init_cells();
	nowait_percent = 50;
	fail_one_in = 50;
	rcu_hook = lose_time;

	for (i = 0; i < ARRAY_SIZE(readers); i++)
		pthread_create(&readers[i], NULL, reader, (void *)i);
	for (end = time(NULL) + seconds; time(NULL) < end; ) {
		for (i = 0; i < 16; i++)
			random_change();
		rcu_run_callbacks();
	}
	write_shared(stop, true);
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		pthread_join(readers[i], NULL);
		lookups += nr_lookups[i];
	}

	fail_one_in = 0;
	memset(is_constant, 0, sizeof(is_constant));
	set(0, model.nr, 0);
	rcu_run_callbacks();
	expect(xa_empty(&store) && !nr_nodes, "%ld nodes", nr_nodes);
	expect(nr_change > 10 && lookups > 10, "%lu lookups", lookups);

	printf("%lu changes, %lu rounds of lookups\n", nr_change / 2, lookups);
	printf("ok %s race (%lu s)\n", CONFIG_NAME, seconds);
	return 0;
}
