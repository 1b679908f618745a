// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two RECs of a realm that turn each other on and off, with KVM or with its user
 * saying which REC is meant; and a realm that turns itself off.
 */
#include <linux/psci.h>
#include <pthread.h>
#include <signal.h>

#include "realm.h"

#define MPIDR_OF(id)	(id)
#define NO_SUCH_CPU	0x700

static struct realm realm;

static void begin(bool by_user)
{
	const struct realm_options options = {
		.nr_vcpus = 2,
		.others_off = true,
		.not_measured = true,
		.no_psci = by_user,
	};

	realm_make(&realm, &options);
}

static int64_t psci(uint64_t fid, uint64_t x1, uint64_t x2, uint64_t x3)
{
	return agent_call(&realm.agents[0], guest_smc4, fid, x1, x2, x3);
}

static int64_t cpu_on(uint64_t mpidr, uint64_t context)
{
	return psci(PSCI_0_2_FN64_CPU_ON, mpidr,
		    addr_gva2gpa(realm.vm, (uintptr_t)realm_entry), context);
}

static uint64_t boot_record(unsigned int i)
{
	return addr_gva2gpa(realm.vm, realm.boot[i]);
}

static int64_t affinity_info(uint64_t mpidr)
{
	return psci(PSCI_0_2_FN64_AFFINITY_INFO, mpidr, 0, 0);
}

static void *run_second(void *unused)
{
	struct agent *agent = &realm.agents[1];

	return (void *)(uintptr_t)agent_run(agent);
}

/* Its vCPU runs in a thread all the while it is off. */
static void start_second(pthread_t *thread, void *fn, uint64_t a0)
{
	agent_start(&realm.agents[1], fn, a0, 0, 0, 0);
	pthread_create(thread, NULL, run_second, NULL);
}

static void expect_second_done(pthread_t thread, uint64_t value)
{
	struct agent *agent = &realm.agents[1];
	void *stop;

	pthread_join(thread, &stop);
	EXPECT((uintptr_t)stop == AGENT_DONE && agent->value == value,
	       "second REC should return %#lx: %s", value,
	       agent_stop_name(agent, (uintptr_t)stop));
}

static void test_errors(void)
{
	EXPECT_EQ(psci(PSCI_0_2_FN_PSCI_VERSION, 0, 0, 0) >> 16, 1,
		  "major version of PSCI");
	EXPECT_EQ(cpu_on(MPIDR_OF(0), 0), (uint64_t)PSCI_RET_ALREADY_ON,
		  "CPU_ON of the caller");
	EXPECT_EQ(cpu_on(NO_SUCH_CPU, 0), (uint64_t)PSCI_RET_INVALID_PARAMS,
		  "CPU_ON of no CPU");
	EXPECT_EQ(psci(PSCI_0_2_FN64_CPU_ON, MPIDR_OF(1),
		       realm_shared_ipa(realm.vm, REALM_MAILBOX), 0),
		  (uint64_t)PSCI_RET_INVALID_ADDRESS, "CPU_ON in shared memory");
	EXPECT_EQ(affinity_info(MPIDR_OF(0)), PSCI_0_2_AFFINITY_LEVEL_ON,
		  "AFFINITY_INFO of the caller");
	EXPECT_EQ(affinity_info(MPIDR_OF(1)), PSCI_0_2_AFFINITY_LEVEL_OFF,
		  "AFFINITY_INFO of what is off");
	EXPECT_EQ(affinity_info(NO_SUCH_CPU),
		  (uint64_t)PSCI_RET_INVALID_PARAMS, "AFFINITY_INFO of no CPU");
}

/* It goes on with a call that ends. */
static void wait_for_second_off(void)
{
	while (affinity_info(MPIDR_OF(1)) != PSCI_0_2_AFFINITY_LEVEL_OFF)
		usleep(1000);
	agent_start(&realm.agents[1], guest_mpidr, 0, 0, 0, 0);
}

static void expect_second_on(pthread_t thread, const char *when)
{
	EXPECT_EQ(cpu_on(MPIDR_OF(1), boot_record(1)), PSCI_RET_SUCCESS,
		  "CPU_ON, %s", when);
	expect_second_done(thread, 1ul << 31 | MPIDR_OF(1));
}

/* It turns itself off and is turned on again, its thread in KVM_RUN or not. */
static void test_on_and_off(void)
{
	pthread_t thread;
	int i;

	start_second(&thread, guest_mpidr, 0);
	usleep(10000);
	for (i = 0; i < 6; i++) {
		expect_second_on(thread, "in a loop");
		EXPECT_EQ(affinity_info(MPIDR_OF(1)),
			  PSCI_0_2_AFFINITY_LEVEL_ON, "AFFINITY_INFO, on");
		EXPECT_EQ(cpu_on(MPIDR_OF(1), boot_record(1)),
			  (uint64_t)PSCI_RET_ALREADY_ON, "CPU_ON again");

		start_second(&thread, guest_smc4, PSCI_0_2_FN_CPU_OFF);
		wait_for_second_off();
	}
	expect_second_on(thread, "at the end");
}

#define NR_RACES	1000

/* It turns itself off as soon as it is on, which the other one does not wait for. */
static void test_races(void)
{
	uint64_t nr_on = 0, nr_early = 0;
	pthread_t thread;
	int64_t ret;

	start_second(&thread, guest_smc4, PSCI_0_2_FN_CPU_OFF);
	while (nr_on < NR_RACES) {
		ret = cpu_on(MPIDR_OF(1), boot_record(1));
		nr_on += ret == PSCI_RET_SUCCESS;
		nr_early += ret == (uint64_t)PSCI_RET_ALREADY_ON;
		if (!EXPECT(ret == PSCI_RET_SUCCESS ||
			    ret == (uint64_t)PSCI_RET_ALREADY_ON,
			    "CPU_ON of what turns itself off: %#lx after %lu times",
			    ret, nr_on))
			break;
	}
	printf("CPU_ON came %lu times in time, %lu times too early\n", nr_on,
	       nr_early);

	wait_for_second_off();
	expect_second_on(thread, "after races");
}

/* Without KVM_ARM_VCPU_PSCI_0_2 */

static int complete(unsigned int caller, uint64_t mpidr, uint32_t status)
{
	struct kvm_arm_rmi_psci_complete args = {
		.target_mpidr = mpidr,
		.psci_status = status,
	};

	return __vcpu_ioctl(realm.vcpus[caller], KVM_ARM_VCPU_RMI_PSCI_COMPLETE,
			    &args);
}

static void start_call(uint64_t fid, uint64_t mpidr, uint64_t context)
{
	struct agent *agent = &realm.agents[0];
	enum agent_stop stop;

	agent_start(agent, guest_smc4, fid, mpidr,
		    addr_gva2gpa(realm.vm, (uintptr_t)realm_entry), context);
	stop = agent_run(agent);
	EXPECT(stop == AGENT_HYPERCALL &&
	       agent->vcpu->run->hypercall.nr == fid,
	       "PSCI call %#lx should go to the user: %s", fid,
	       agent_stop_name(agent, stop));
}

static void expect_answer(uint64_t want, const char *what)
{
	struct agent *agent = &realm.agents[0];
	enum agent_stop stop = agent_run(agent);

	EXPECT(stop == AGENT_DONE && agent->value == want,
	       "%s: should return %#lx: %s", what, want,
	       agent_stop_name(agent, stop));
}

static void test_by_user(void)
{
	pthread_t thread;

	start_call(PSCI_0_2_FN64_CPU_ON, MPIDR_OF(1), boot_record(1));
	EXPECT_ERRNO(complete(0, NO_SUCH_CPU, PSCI_RET_SUCCESS), EINVAL,
		     "complete with no CPU");
	EXPECT_ERRNO(complete(0, MPIDR_OF(0), PSCI_RET_SUCCESS), EINVAL,
		     "complete with the caller");
	EXPECT_ERRNO(complete(0, MPIDR_OF(1), PSCI_RET_ALREADY_ON), EINVAL,
		     "complete with a status of the RMM's");
	EXPECT_ERRNO(complete(1, MPIDR_OF(1), PSCI_RET_SUCCESS), EINVAL,
		     "complete on a REC that has no call");
	EXPECT_ERRNO(complete(0, MPIDR_OF(1), PSCI_RET_DENIED), 0,
		     "complete with DENIED");
	EXPECT_ERRNO(complete(0, MPIDR_OF(1), PSCI_RET_DENIED), EINVAL,
		     "complete twice");
	expect_answer((uint64_t)PSCI_RET_DENIED, "CPU_ON that was denied");

	start_call(PSCI_0_2_FN64_CPU_ON, MPIDR_OF(1), boot_record(1));
	EXPECT_ERRNO(complete(0, MPIDR_OF(1), PSCI_RET_SUCCESS), 0,
		     "complete with SUCCESS");
	start_second(&thread, guest_mpidr, 0);
	expect_second_done(thread, 1ul << 31 | MPIDR_OF(1));
	expect_answer(PSCI_RET_SUCCESS, "CPU_ON");
}

static void expect_system_event(uint64_t fid, unsigned int type,
				const char *what)
{
	struct kvm_vcpu *vcpu = realm.vcpus[0];
	int ret;

	agent_start(&realm.agents[0], guest_smc4, fid, 0, 0, 0);
	ret = __vcpu_run(vcpu);
	EXPECT(!ret && vcpu->run->exit_reason == KVM_EXIT_SYSTEM_EVENT &&
	       vcpu->run->system_event.type == type,
	       "%s: should be a system event: %d, errno %d, exit reason %u",
	       what, ret, errno, vcpu->run->exit_reason);
}

static void expect_stopped(const char *what)
{
	struct kvm_mp_state state;
	int i;

	for (i = 0; i < realm.nr_vcpus; i++) {
		vcpu_mp_state_get(realm.vcpus[i], &state);
		EXPECT_EQ(state.mp_state, KVM_MP_STATE_STOPPED,
			  "%s: state of vCPU %d", what, i);
	}
}

static void on_signal(int sig)
{
}

/* Its errno. */
static void *run_spinning(void *ended)
{
	int ret = __vcpu_run(realm.vcpus[1]);
	int err = ret ? errno : 0;

	WRITE_ONCE(*(bool *)ended, true);
	return (void *)(uintptr_t)err;
}

/* The other REC runs, and does not go on. */
static void test_end(uint64_t fid, unsigned int type, const char *what)
{
	bool ended = false;
	pthread_t thread;
	void *err;

	begin(false);
	agent_start(&realm.agents[1], guest_spin, 0, 0, 0, 0);
	pthread_create(&thread, NULL, run_spinning, &ended);
	EXPECT_EQ(cpu_on(MPIDR_OF(1), boot_record(1)), PSCI_RET_SUCCESS,
		  "CPU_ON");
	usleep(20000);
	expect_system_event(fid, type, what);
	while (!READ_ONCE(ended)) {
		pthread_kill(thread, SIGUSR1);
		usleep(1000);
	}
	pthread_join(thread, &err);
	EXPECT_EQ((uintptr_t)err, EINTR, "%s: KVM_RUN of the other", what);
	expect_stopped(what);
	realm_free(&realm);
}

int main(int argc, char *argv[])
{
	require_realms();
	signal(SIGUSR1, on_signal);
	begin(false);
	test_errors();
	test_on_and_off();
	test_races();
	realm_free(&realm);
	begin(true);
	test_by_user();
	realm_free(&realm);
	test_end(PSCI_0_2_FN_SYSTEM_OFF, KVM_SYSTEM_EVENT_SHUTDOWN,
		 "SYSTEM_OFF");
	test_end(PSCI_0_2_FN_SYSTEM_RESET, KVM_SYSTEM_EVENT_RESET,
		 "SYSTEM_RESET");
	return test_verdict();
}
