/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RCU for the native tests: accesses are the compiler's atomics, so that
 * ThreadSanitizer understands them, and each of them can be a point where
 * somebody else runs (rcu_step()).  One thread may change, NR_READERS may read.
 */
#ifndef _LINUX_RCUPDATE_H
#define _LINUX_RCUPDATE_H

#include <stdbool.h>

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

enum { NR_READERS = 4 };

void rcu_register_reader(unsigned int nr);
void rcu_read_lock(void);
void rcu_read_unlock(void);
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
/* Wait for the readers of other threads, then run what call_rcu() was given. */
void rcu_run_callbacks(void);

/* Called before each load of a lookup and after each store of a change. */
extern void (*rcu_hook)(bool store);

static inline void rcu_step(bool store)
{
	if (__builtin_expect(!!rcu_hook, 0))
		rcu_hook(store);
}

#define rcu_dereference_check(p, cond)				\
({								\
	rcu_step(false);					\
	(typeof(p))__atomic_load_n(&(p), __ATOMIC_ACQUIRE);	\
})
#define rcu_dereference(p)		rcu_dereference_check(p, 0)

#define rcu_dereference_raw(p)					\
	((typeof(p))__atomic_load_n(&(p), __ATOMIC_RELAXED))
#define rcu_dereference_protected(p, cond)	rcu_dereference_raw(p)

#define RCU_INIT_POINTER(p, v)					\
do {								\
	__atomic_store_n(&(p), v, __ATOMIC_RELAXED);		\
	rcu_step(true);						\
} while (0)

/* The bugs that the tests of the race test must find. */
#if defined(SEED_PLAIN_STORE)
#define rcu_assign_pointer(p, v)	((p) = (v))
#elif defined(SEED_ERASE_FIRST)
int usleep(unsigned int usec);
#define rcu_assign_pointer(p, v)				\
do {								\
	RCU_INIT_POINTER(p, NULL);				\
	usleep(1);	/* long enough for a lookup */		\
	__atomic_store_n(&(p), v, __ATOMIC_RELEASE);		\
} while (0)
#else
#define rcu_assign_pointer(p, v)				\
do {								\
	__atomic_store_n(&(p), v, __ATOMIC_RELEASE);		\
	rcu_step(true);						\
} while (0)
#endif

#endif
