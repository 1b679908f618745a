// SPDX-License-Identifier: GPL-2.0-only
/*
 * Realms and ordinary VMs at once, for a bounded time: created, run, converted,
 * punched and destroyed at random, each in a process of its own, some of them
 * killed.  What a guest reads is what it wrote, or zeroes; at the end all
 * granules are back.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "realm.h"
#include "rmm.h"

#define MEMORY		(4 * SIZE_1G)
#define NR_PAGES	1024ul
#define SIZE		(NR_PAGES * SIZE_4K)
#define NR_REALMS	3
#define NR_ORDINARY	1
#define NR_VMMS		(NR_REALMS + NR_ORDINARY)
#define NR_VCPUS	2

static struct realm realm;
static struct agent *agents;
static struct gmem_area memory;
static bool stop;

/* Each vCPU has the pages of its own parity; the guest knows what it did. */
static uint64_t page_gpa(unsigned int id, uint64_t i)
{
	return MEMORY + (i * NR_VCPUS + id) % NR_PAGES * SIZE_4K;
}

static void fault_handled(struct agent *agent)
{
	struct kvm_run *run = agent->vcpu->run;

	__vm_set_attributes(agent->vcpu->vm, run->memory_fault.gpa,
			    run->memory_fault.size,
			    run->memory_fault.flags &
			    KVM_MEMORY_EXIT_FLAG_PRIVATE ?
			    KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);
}

static uint64_t finish(struct agent *agent)
{
	enum agent_stop why;

	while ((why = agent_run(agent)) == AGENT_FAULT ||
	       (why == AGENT_ERROR && agent->err == EAGAIN))
		fault_handled(agent);
	TEST_ASSERT(why == AGENT_DONE, "a guest should come to its end: %s",
		    agent_stop_name(agent, why));
	return agent->value;
}

static uint64_t call(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		     uint64_t a2)
{
	agent_start(agent, fn, a0, a1, a2, 0);
	return finish(agent);
}

/* Takes a page through its sides: the punch is only done while it is shared. */
static void realm_work(struct agent *agent, struct rnd *rnd)
{
	uint64_t gpa = page_gpa(agent->vcpu->id, rnd_below(rnd, NR_PAGES));
	uint64_t seed = rnd_below(rnd, 1000) + 1;

	EXPECT_EQ(call(agent, guest_convert, gpa, gpa + SIZE_4K, RSI_RAM),
		  gpa + SIZE_4K, "to private");
	call(agent, guest_fill, gpa, SIZE_4K, seed);
	if (rnd_below(rnd, 4) == 0)
		sched_yield();
	EXPECT_EQ(call(agent, guest_check, gpa, SIZE_4K, seed), gpa + SIZE_4K,
		  "first wrong private address");
	if (rnd_below(rnd, 2))
		return;

	EXPECT_EQ(call(agent, guest_convert, gpa, gpa + SIZE_4K, RSI_EMPTY),
		  gpa + SIZE_4K, "to shared");
	gmem_punch(memory.fd, gpa - MEMORY, SIZE_4K);
	stamp_fill(gmem_area_hva(&memory, gpa), SHARED_VA(gpa), SIZE_4K, seed);
	EXPECT_EQ(call(agent, guest_check, SHARED_VA(gpa), SIZE_4K, seed),
		  SHARED_VA(gpa) + SIZE_4K, "first wrong shared address");
	if (rnd_below(rnd, 2))
		madvise(gmem_area_hva(&memory, gpa), SIZE_4K, MADV_DONTNEED);
}

static void ordinary_work(struct agent *agent, struct rnd *rnd)
{
	uint64_t gpa = page_gpa(agent->vcpu->id, rnd_below(rnd, NR_PAGES));
	uint64_t seed = rnd_below(rnd, 1000) + 1;

	call(agent, guest_fill, gpa, SIZE_4K, seed);
	EXPECT_EQ(call(agent, guest_check, gpa, SIZE_4K, seed), gpa + SIZE_4K,
		  "first wrong address of an ordinary VM");
}

struct worker {
	struct agent *agent;
	struct rnd rnd;
	void (*work)(struct agent *agent, struct rnd *rnd);
};

static void *run_worker(void *arg)
{
	struct worker *worker = arg;

	while (!READ_ONCE(stop) && !test_has_failed())
		worker->work(worker->agent, &worker->rnd);
	return NULL;
}

static void make_realm(struct rnd *rnd)
{
	static const unsigned int sizes[] = { 40, 48, 52 };
	const struct realm_options options = {
		.nr_vcpus = NR_VCPUS,
		.ipa_bits = sizes[rnd_below(rnd, ARRAY_SIZE(sizes))],
		.rec_feature = rnd_below(rnd, 2),
		.not_measured = true,
	};

	realm_create(&realm, &options);
	realm_map(realm.vm, MEMORY, SIZE);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SIZE);
	realm_load(&realm, &options);
	agents = realm.agents;
}

static void make_ordinary(void)
{
	static struct agent own[NR_VCPUS];

	realm.vm = agent_vm_create(0, NR_VCPUS, own);
	agent_map(realm.vm, MEMORY, SIZE);
	vm_userspace_mem_region_add(realm.vm, VM_MEM_SRC_ANONYMOUS, MEMORY,
				    REALM_FREE_SLOT, NR_PAGES, 0);
	agents = own;
}

/* A VM's whole life, of some hundred milliseconds. */
static void vmm(uint64_t seed, bool is_realm)
{
	struct rnd rnd = { seed };
	struct worker workers[NR_VCPUS];
	pthread_t threads[NR_VCPUS];
	int i;

	if (is_realm)
		make_realm(&rnd);
	else
		make_ordinary();
	for (i = 0; i < NR_VCPUS; i++) {
		workers[i] = (struct worker) {
			.agent = &agents[i],
			.rnd = { seed ^ (i + 1ul) << 32 },
			.work = is_realm ? realm_work : ordinary_work,
		};
		pthread_create(&threads[i], NULL, run_worker, &workers[i]);
	}
	usleep(1000 * (100 + rnd_below(&rnd, 1000)));
	WRITE_ONCE(stop, true);
	for (i = 0; i < NR_VCPUS; i++)
		pthread_join(threads[i], NULL);
	if (rnd_below(&rnd, 2))
		return;
	if (is_realm)
		gmem_area_free(&memory);
	kvm_vm_free(realm.vm);
}

struct child {
	pid_t pid;
	bool to_be_killed;
};

static void start(struct child *child, struct rnd *rnd, bool is_realm)
{
	uint64_t seed = rnd_next(rnd);

	fflush(stdout);
	child->to_be_killed = !rnd_below(rnd, 4);
	child->pid = fork();
	if (child->pid)
		return;
	test_restart();
	vmm(seed, is_realm);
	_exit(test_has_failed());
}

static void end_child(struct child *child, struct rnd *rnd)
{
	int status;

	if (child->to_be_killed) {
		usleep(1000 * rnd_below(rnd, 500));
		kill(child->pid, SIGKILL);
	}
	TEST_ASSERT(waitpid(child->pid, &status, 0) == child->pid, "waitpid()");
	/* One that is to be killed can be at its end before. */
	EXPECT(!status || (child->to_be_killed && WIFSIGNALED(status) &&
			   WTERMSIG(status) == SIGKILL),
	       "a VMM should end well or by the kill, status %#x", status);
}

int main(int argc, char *argv[])
{
	uint64_t seconds = 10, delegated, leaked, until, nr = 0;
	struct child children[NR_VMMS];
	const char *seed_arg = NULL;
	struct rnd rnd;
	int opt, i;

	while ((opt = getopt(argc, argv, "s:t:")) != -1) {
		if (opt == 's')
			seed_arg = optarg;
		else if (opt == 't')
			seconds = atoi(optarg);
		else
			return KSFT_FAIL;
	}
	require_realms();
	rnd.state = rnd_seed(seed_arg);
	delegated = rmm_delegated();
	leaked = rmm_leaked();
	for (i = 0; i < NR_VMMS; i++)
		start(&children[i], &rnd, i < NR_REALMS);
	for (until = now_ms() + seconds * 1000; now_ms() < until; nr++) {
		i = rnd_below(&rnd, NR_VMMS);
		end_child(&children[i], &rnd);
		start(&children[i], &rnd, i < NR_REALMS);
	}
	for (i = 0; i < NR_VMMS; i++)
		end_child(&children[i], &rnd);
	printf("%lu VMs\n", nr + NR_VMMS);
	rmm_expect_granules(delegated, leaked, "at the end");
	return test_verdict();
}
