// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's side of the xarray: its nodes, with allocations that fail on
 * request, and RCU, which frees for good so that a late reader is caught.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <linux/list.h>
#include <linux/poison.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "kernel.h"

long nr_nodes, max_nodes;
unsigned int fail_nth, fail_one_in, nowait_percent;
__thread u64 rnd_state;

u64 rnd(void)
{
	u64 z = (rnd_state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

struct kmem_cache *radix_tree_node_cachep;

static bool must_fail(gfp_t gfp)
{
	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return rnd_below(100) < nowait_percent;
	if (fail_nth && !--fail_nth)
		return true;
	return fail_one_in && !rnd_below(fail_one_in);
}

/* As radix_tree_node_ctor() leaves it. */
static void node_init(struct xa_node *node)
{
	memset(node, 0, sizeof(*node));
	INIT_LIST_HEAD(&node->private_list);
}

void *kmem_cache_alloc_lru(struct kmem_cache *cachep, struct list_lru *lru,
			   int gfp)
{
	struct xa_node *node;

	if (must_fail(gfp))
		return NULL;

	node = malloc(sizeof(*node));
	node_init(node);
	if (++nr_nodes > max_nodes)
		max_nodes = nr_nodes;
	return node;
}

static void node_free(struct rcu_head *head)
{
	struct xa_node *node = container_of(head, struct xa_node, rcu_head);

	memset(node, POISON_FREE, sizeof(*node));
	free(node);
}

/* xas_destroy() calls this for nodes that nobody has seen. */
void radix_tree_node_rcu_free(struct rcu_head *head)
{
	nr_nodes--;
	node_free(head);
}

void (*rcu_hook)(bool store);

static struct rcu_head *callbacks;
static unsigned long grace_period = 1;
static struct {
	unsigned long since;	/* grace period, or 0 outside of a reader */
} __attribute__((aligned(64))) readers[NR_READERS];

static __thread unsigned int reader, nesting;

void rcu_register_reader(unsigned int nr)
{
	reader = nr + 1;
}

void rcu_read_lock(void)
{
	if (!nesting++ && reader)
		__atomic_exchange_n(&readers[reader - 1].since,
				    __atomic_load_n(&grace_period, __ATOMIC_SEQ_CST),
				    __ATOMIC_SEQ_CST);
}

void rcu_read_unlock(void)
{
	if (!--nesting && reader)
		__atomic_store_n(&readers[reader - 1].since, 0, __ATOMIC_RELEASE);
}

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	nr_nodes--;
	head->func = node_free;
	head->next = callbacks;
	callbacks = head;
}

static void wait_for_reader(unsigned int nr, unsigned long now)
{
	unsigned long since;

	while ((since = __atomic_load_n(&readers[nr].since, __ATOMIC_SEQ_CST)) &&
	       since < now)
		sched_yield();
}

void rcu_run_callbacks(void)
{
	struct rcu_head *head, *next;
	unsigned long now;
	unsigned int i;

	if (nesting || !callbacks)
		return;

	now = __atomic_add_fetch(&grace_period, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < NR_READERS; i++)
		wait_for_reader(i, now);

	for (head = callbacks, callbacks = NULL; head; head = next) {
		next = head->next;
		head->func(head);
	}
}
