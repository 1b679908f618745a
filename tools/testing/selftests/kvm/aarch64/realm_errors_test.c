// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one failing command of the RMM is to a VMM: an errno that says with what
 * status, an exit of a vCPU, or the end of a realm that memory could not be
 * taken away from.  And what exits are that have no reason to be.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#include "realm.h"
#include "rmm.h"

/* The second half is shared, the first one private. */
#define MEMORY		(4 * SIZE_1G)
#define SHARED		(MEMORY + SIZE_2M)
#define SIZE		(2 * SIZE_2M)
#define HANG_SECONDS	10

static struct realm realm;
static struct agent *agent = &realm.agents[0];
static struct gmem_area memory;
static uint64_t delegated, leaked;

static void begin(void)
{
	const struct realm_options options = { .nr_vcpus = 2 };

	realm_create(&realm, &options);
	realm_map(realm.vm, MEMORY, SIZE);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SHARED - MEMORY);
	realm_bind(&realm);
}

static void end(const char *when)
{
	gmem_area_free(&memory);
	realm_free(&realm);
	rmm_expect_granules(delegated, leaked, when);
}

static int populate(void)
{
	return realm_populate_all(&realm, false);
}

static int finalize(void)
{
	return __realm_vcpu_finalize(realm.vcpus[0]);
}

static int go_on(void)
{
	if (agent_run(agent) == AGENT_DONE)
		return 0;
	errno = agent->err ?: EPROTO;
	return -1;
}

/* Errors */

static void prepare_nothing(void)
{
}

static void prepare_populated(void)
{
	EXPECT_ERRNO(populate(), 0, "populate");
}

static void prepare_first_run(void)
{
	prepare_populated();
	agent_start(agent, guest_current_el, 0, 0, 0, 0);
}

static void prepare_active(void)
{
	prepare_first_run();
	EXPECT_ERRNO(go_on(), 0, "first run");
}

static void prepare_private(void)
{
	prepare_active();
	agent_start(agent, guest_write, MEMORY, 1, 0, 0);
}

static void prepare_shared(void)
{
	prepare_active();
	agent_start(agent, guest_write, SHARED_VA(SHARED), 1, 0, 0);
}

static void prepare_change(void)
{
	prepare_active();
	agent_start(agent, guest_set_ripas, MEMORY, MEMORY + SIZE_4K,
		    RSI_EMPTY, 0);
	realm_check_request(agent, agent_run(agent), MEMORY, SIZE_4K, false,
			    "EMPTY");
	vm_set_shared(realm.vm, MEMORY, SIZE_4K);
}

static const struct action {
	const char *name;
	void (*prepare)(void);
	int (*call)(void);
} actions[] = {
#define POPULATE	(&actions[0])
	{ "populate", prepare_nothing, populate },
#define FINALIZE	(&actions[1])
	{ "finalize", prepare_populated, finalize },
#define FIRST_RUN	(&actions[2])
	{ "first run", prepare_first_run, go_on },
#define PRIVATE		(&actions[3])
	{ "fault on private memory", prepare_private, go_on },
#define SHARED_FAULT	(&actions[4])
	{ "fault on shared memory", prepare_shared, go_on },
#define CHANGE		(&actions[5])
	{ "change that was asked for", prepare_change, go_on },
};

static const struct {
	const struct action *action;
	const char *name;
	uint32_t command;
	uint32_t status;
	int err;
	unsigned int nth;
} errors[] = {
#define E(action, name, status, err, ...)				\
	{ action, #name, RMI_##name, STATUS_##status, err, ##__VA_ARGS__ }
	E(POPULATE, REALM_CREATE, INPUT, EINVAL),
	E(POPULATE, REALM_CREATE, UNKNOWN, EIO),
	E(POPULATE, RTT_INIT_RIPAS, REALM, EBUSY),
	E(POPULATE, RTT_INIT_RIPAS, RTT(3), ENXIO),
	E(POPULATE, DATA_CREATE, INPUT, EINVAL),
	E(POPULATE, DATA_CREATE, REALM, EBUSY),
	E(POPULATE, DATA_CREATE, REC, EBUSY),
	E(POPULATE, DATA_CREATE, RTT(3), ENXIO),
	E(POPULATE, DATA_CREATE, UNKNOWN, EIO),
	/* Of the realm's descriptor, of a starting table. */
	E(POPULATE, GRANULE_DELEGATE, INPUT, ENOMEM),
	E(POPULATE, GRANULE_DELEGATE, INPUT, ENOMEM, 2),
	E(FINALIZE, REC_AUX_COUNT, INPUT, EINVAL),
	E(FINALIZE, REC_CREATE, INPUT, EINVAL),
	E(FINALIZE, REC_CREATE, REALM, EBUSY),
	E(FINALIZE, REC_CREATE, REC, EBUSY),
	E(FINALIZE, REC_CREATE, RTT(2), ENXIO),
	E(FINALIZE, REC_CREATE, UNKNOWN, EIO),
	/* Of the REC, of what it needs beside. */
	E(FINALIZE, GRANULE_DELEGATE, INPUT, ENOMEM),
	E(FINALIZE, GRANULE_DELEGATE, INPUT, ENOMEM, 2),
	E(FIRST_RUN, REC_CREATE, REALM, EBUSY),
	E(FIRST_RUN, REALM_ACTIVATE, INPUT, EINVAL),
	E(FIRST_RUN, REALM_ACTIVATE, REALM, EBUSY),
	E(FIRST_RUN, REALM_ACTIVATE, UNKNOWN, EIO),
	E(PRIVATE, DATA_CREATE_UNKNOWN, INPUT, EINVAL),
	E(PRIVATE, DATA_CREATE_UNKNOWN, REALM, EBUSY),
	E(PRIVATE, DATA_CREATE_UNKNOWN, RTT(3), ENXIO),
	E(PRIVATE, DATA_CREATE_UNKNOWN, UNKNOWN, EIO),
	E(SHARED_FAULT, RTT_MAP_UNPROTECTED, INPUT, EINVAL),
	E(SHARED_FAULT, RTT_MAP_UNPROTECTED, REALM, EBUSY),
	E(SHARED_FAULT, RTT_MAP_UNPROTECTED, UNKNOWN, EIO),
	E(CHANGE, RTT_SET_RIPAS, INPUT, EINVAL),
	E(CHANGE, RTT_SET_RIPAS, REC, EBUSY),
	E(CHANGE, RTT_SET_RIPAS, UNKNOWN, EIO),
#undef E
};

/* The call says what it was, undoes what it did, and can be tried again. */
static void test_error(int i)
{
	const struct action *action = errors[i].action;
	char what[96];

	snprintf(what, sizeof(what), "%s, %s fails with %#x", action->name,
		 errors[i].name, errors[i].status);
	begin();
	action->prepare();
	rmm_fail(errors[i].nth ?: 1, errors[i].command, errors[i].status);
	EXPECT_ERRNO(action->call(), errors[i].err, "%s", what);
	EXPECT(rmm_has_failed(), "%s: the RMM should have been asked", what);
	rmm_stop_failing();
	EXPECT_ERRNO(action->call(), 0, "%s: tried again", what);
	end(what);
}

/* Entry */

static void test_fail_entry(uint32_t status)
{
	struct kvm_run *run = agent->vcpu->run;

	agent_start(agent, guest_read, MEMORY, 0, 0, 0);
	rmm_fail(1, RMI_REC_ENTER, status);
	EXPECT_ERRNO(__vcpu_run(agent->vcpu), 0,
		     "KVM_RUN, REC_ENTER fails with %#x", status);
	EXPECT_EQ(run->exit_reason, KVM_EXIT_FAIL_ENTRY,
		  "exit reason, REC_ENTER fails with %#x", status);
	EXPECT_EQ(run->fail_entry.hardware_entry_failure_reason, status,
		  "hardware_entry_failure_reason");
	EXPECT(run->fail_entry.cpu < get_nprocs_conf(),
	       "CPU %u should be one of %d", run->fail_entry.cpu,
	       get_nprocs_conf());
	rmm_stop_failing();

	EXPECT_ERRNO(go_on(), 0, "run again after %#x", status);
	EXPECT_EQ(agent->value, 5, "what the guest reads after %#x", status);
}

/* Also in the middle of a call, which waits for its access to be completed. */
static void test_fail_entries(void)
{
	static const uint32_t statuses[] = {
		STATUS_INPUT, STATUS_REALM, STATUS_REC, STATUS_UNKNOWN,
	};
	int i;

	begin();
	prepare_active();
	agent_call(agent, guest_write, MEMORY, 5);
	for (i = 0; i < ARRAY_SIZE(statuses); i++)
		test_fail_entry(statuses[i]);
	end("entries that failed");
}

/* Exits that no realm makes */

#define ESR_EC(ec)	((uint64_t)(ec) << 26 | 1ul << 25)
#define ESR_SERROR(aet)	(ESR_EC(0x2f) | (aet) << 10 | 0x11)
#define ESR_IDS		(1ul << 24)

static const struct {
	const char *name;
	uint32_t reason;
	uint64_t esr;
	bool goes_on;
} exits[] = {
	{ "SError, corrected", RMI_EXIT_SERROR, ESR_SERROR(6), true },
	{ "SError, restartable", RMI_EXIT_SERROR, ESR_SERROR(2), true },
	{ "SError, recoverable", RMI_EXIT_SERROR, ESR_SERROR(3) },
	{ "SError, unrecoverable", RMI_EXIT_SERROR, ESR_SERROR(1) },
	{ "SError of the platform's own", RMI_EXIT_SERROR,
	  ESR_EC(0x2f) | ESR_IDS | 0x1234 },
	{ "an unknown class", RMI_EXIT_SYNC, ESR_EC(0) },
	{ "HVC", RMI_EXIT_SYNC, ESR_EC(0x16) },
	{ "reason 7", 7, 0 },
	{ "reason 255", 0xff, 0 },
};

static void test_exit(int i)
{
	struct kvm_run *run = agent->vcpu->run;
	const char *name = exits[i].name;
	uint64_t data = exits[i].esr ?: exits[i].reason;

	agent_start(agent, guest_read, MEMORY, 0, 0, 0);
	rmm_exit(2, exits[i].reason, exits[i].esr);
	if (!exits[i].goes_on) {
		EXPECT_ERRNO(__vcpu_run(agent->vcpu), 0, "%s: KVM_RUN", name);
		EXPECT(run->exit_reason == KVM_EXIT_INTERNAL_ERROR &&
		       run->internal.suberror ==
		       KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON &&
		       run->internal.ndata == 1 &&
		       run->internal.data[0] == data,
		       "%s: should be an internal error with %#lx, but exit reason %u, suberror %u, data %#llx",
		       name, data, run->exit_reason, run->internal.suberror,
		       run->internal.data[0]);
		EXPECT_EQ(rmm_exits_left(), 1, "%s: exits to come", name);
		rmm_exit(0, 0, 0);
	}
	EXPECT_ERRNO(go_on(), 0, "%s: run again", name);
	EXPECT_EQ(rmm_exits_left(), 0, "%s: exits to come at the end", name);
	EXPECT_EQ(agent->value, 5, "%s: what the guest reads", name);
}

static void test_exits(void)
{
	int i;

	begin();
	prepare_active();
	agent_call(agent, guest_write, MEMORY, 5);
	for (i = 0; i < ARRAY_SIZE(exits); i++)
		test_exit(i);
	end("exits that no realm makes");
}

/* Dead realms */

static int discard_shared(void)
{
	return madvise(gmem_area_hva(&memory, SHARED), SIZE_4K, MADV_DONTNEED);
}

static int punch_private(void)
{
	return gmem_punch(memory.fd, 0, SIZE_4K);
}

static const struct death {
	const char *name;
	uint32_t command;
	int (*take)(void);
	/* What the RMM does not give back. */
	uint64_t nr_leaked;
} deaths[] = {
	{ "RTT_UNMAP_UNPROTECTED fails in MADV_DONTNEED",
	  RMI_RTT_UNMAP_UNPROTECTED, discard_shared, 0 },
	{ "DATA_DESTROY fails in a hole punch",
	  RMI_DATA_DESTROY, punch_private, 1 },
};

static void expect_dead(const char *what)
{
	struct kvm_device_attr attr = {
		.group = KVM_DEV_ARM_VGIC_GRP_CTRL,
		.attr = KVM_DEV_ARM_VGIC_CTRL_INIT,
	};
	struct kvm_mp_state state;

	EXPECT_ERRNO(__vcpu_run(realm.vcpus[1]), EIO, "%s: KVM_RUN", what);
	EXPECT_ERRNO(__vcpu_ioctl(realm.vcpus[1], KVM_GET_MP_STATE, &state),
		     EIO, "%s: ioctl of a vCPU", what);
	EXPECT_ERRNO(ioctl(realm.vm->fd, KVM_CHECK_EXTENSION,
			   (void *)KVM_CAP_ARM_RMI), EIO,
		     "%s: ioctl of the VM", what);
	EXPECT_ERRNO(ioctl(realm.gic, KVM_HAS_DEVICE_ATTR, &attr), EIO,
		     "%s: ioctl of a device", what);
}

static void *run_until_error(void *unused)
{
	EXPECT_ERRNO(go_on(), EIO, "KVM_RUN that was going on");
	return NULL;
}

static void die(const struct death *death)
{
	pthread_t thread;

	alarm(HANG_SECONDS);
	begin();
	prepare_active();
	agent_call(&realm.agents[1], guest_current_el);
	agent_call(agent, guest_fill, MEMORY, SIZE_4K, 1);
	agent_call(agent, guest_fill, SHARED_VA(SHARED), SIZE_4K, 1);
	agent_start(agent, guest_spin, 0, 0, 0, 0);
	pthread_create(&thread, NULL, run_until_error, NULL);
	usleep(30000);

	rmm_fail(1, death->command, STATUS_INPUT);
	EXPECT_ERRNO(death->take(), 0, "%s: what the host does", death->name);
	EXPECT(rmm_has_failed(), "%s: the RMM should have been asked",
	       death->name);
	rmm_stop_failing();
	expect_dead(death->name);
	pthread_join(thread, NULL);
}

/* In a process of its own, as closing is all that can be done after it. */
static void test_death(const struct death *death)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (!child) {
		test_restart();
		die(death);
		fflush(stdout);
		_exit(test_has_failed());
	}
	TEST_ASSERT(waitpid(child, &status, 0) == child, "waitpid()");
	EXPECT_EQ(status, 0, "%s: status of the process", death->name);
	leaked += death->nr_leaked;
	delegated += death->nr_leaked;
	rmm_expect_granules(delegated, leaked, death->name);
}

int main(int argc, char *argv[])
{
	int i;

	require_realms();
	require_rmm_model();
	delegated = rmm_delegated();
	leaked = rmm_leaked();

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		test_error(i);
	test_fail_entries();
	test_exits();
	for (i = 0; i < ARRAY_SIZE(deaths); i++)
		test_death(&deaths[i]);
	return test_verdict();
}
