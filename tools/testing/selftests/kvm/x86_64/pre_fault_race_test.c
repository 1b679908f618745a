// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_PRE_FAULT_MEMORY while memslots come and go: a slot that is deleted waits
 * for the calls that may still use it, which must not wait for it, nor for page
 * tables that went with it.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "guest_agent.h"

#define PAGE		SIZE_4K
#define GPA		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)

/* Calls that came while their slot was on its way out. */
static unsigned int nr_again;

/* What would wait for ever is ended by a signal. */
static void set_alarm(unsigned int seconds)
{
	const struct itimerval limit = { { seconds }, { seconds } };

	setitimer(ITIMER_REAL, &limit, NULL);
}

static void tick(int sig)
{
}

/* Slots of private memory */

static struct kvm_vm *vm;
static struct agent agent;
static struct gmem_area area;
static bool stop;

static void *delete_and_create(void *arg)
{
	struct gmem_area *changing = arg;

	while (!READ_ONCE(stop)) {
		vm_delete_slot(vm, changing->slot);
		gmem_area_bind(changing);
		usleep(1000);
	}
	return NULL;
}

static bool pre_fault_while_slots_change(uint64_t nr)
{
	struct kvm_pre_fault_memory range = {
		.gpa = GPA + nr % 64 * PAGE,
		.size = 64 * PAGE,
	};
	int ret;

	gmem_punch(area.fd, 0, SIZE / 2);
	if (nr % 2)
		vm_set_private(vm, GPA, SIZE);
	else
		vm_set_shared(vm, GPA, SIZE);
	ret = __vcpu_pre_fault(agent.vcpu, &range);
	nr_again += ret && errno == EAGAIN;
	return EXPECT(!ret || errno == EAGAIN || errno == ENOENT ||
		      errno == EFAULT,
		      "call %lu while slots change should end at once with success, EAGAIN, ENOENT or EFAULT, errno %d (%s)",
		      nr, errno, strerror(errno));
}

static void test_slot_changes(struct gmem_area *changing, const char *what)
{
	uint64_t end = now_ms() + 1500, nr = 0;
	pthread_t thread;

	stop = false;
	pthread_create(&thread, NULL, delete_and_create, changing);
	set_alarm(20);
	while (now_ms() < end && pre_fault_while_slots_change(nr))
		nr++;
	set_alarm(0);
	WRITE_ONCE(stop, true);
	pthread_join(thread, NULL);
	vm_set_shared(vm, GPA, SIZE);
	printf("%lu calls while %s changes\n", nr, what);
}

/* The only slot of an ordinary VM, which takes all page tables with it */

#define CHURN_ROUNDS	200

static struct churn {
	struct kvm_vm *vm;
	void *hva;
	bool done;
} churn;

static void churn_set(uint64_t size)
{
	vm_set_user_memory_region(churn.vm, 1, 0, GPA, size, churn.hva);
}

static void *churn_slot(void *arg)
{
	int i;

	for (i = 0; i < CHURN_ROUNDS; i++) {
		churn_set(0);
		usleep(200);
		churn_set(SIZE);
		usleep(500);
	}
	WRITE_ONCE(churn.done, true);
	return NULL;
}

static void expect_in_time(struct kvm_vcpu *vcpu, bool churning)
{
	struct kvm_pre_fault_memory range = { .gpa = GPA, .size = SIZE };
	int ret, err;

	set_alarm(20);
	ret = __vcpu_pre_fault(vcpu, &range);
	err = ret ? errno : 0;
	set_alarm(0);
	nr_again += err == EAGAIN;
	EXPECT(!err || (churning && (err == EAGAIN || err == ENOENT)),
	       "a slot that %s: errno should be 0%s, is %d (%s)",
	       churning ? "comes and goes" : "came back",
	       churning ? ", EAGAIN or ENOENT" : "", err, strerror(err));
	if (err == EINTR)
		WRITE_ONCE(churn.done, true);
}

static void test_slot_deleted(void)
{
	struct kvm_vcpu *vcpu;
	pthread_t thread;

	churn.vm = vm_create_with_one_vcpu(&vcpu, NULL);
	churn.hva = map_anonymous(SIZE, SIZE_2M);

	churn_set(SIZE);
	expect_in_time(vcpu, false);
	churn_set(0);
	churn_set(SIZE);
	expect_in_time(vcpu, false);

	WRITE_ONCE(churn.done, false);
	pthread_create(&thread, NULL, churn_slot, NULL);
	while (!READ_ONCE(churn.done))
		expect_in_time(vcpu, true);
	pthread_join(thread, NULL);

	kvm_vm_free(churn.vm);
	munmap(churn.hva, SIZE);
}

int main(int argc, char *argv[])
{
	struct sigaction action = { .sa_handler = tick };
	struct gmem_area other;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY));
	sigaction(SIGALRM, &action, NULL);
	test_slot_deleted();

	vm = agent_vm_create(private_vm_type(), 1, &agent);
	gmem_area_add(&area, vm, 1, GPA, SIZE);
	gmem_area_add(&other, vm, 2, 2 * GPA, SIZE);
	test_slot_changes(&area, "their slot");
	test_slot_changes(&other, "another slot");

	printf("%u calls ended with EAGAIN\n", nr_again);
	EXPECT(nr_again, "some calls should meet their slot on its way out");

	gmem_area_free(&other);
	gmem_area_free(&area);
	kvm_vm_free(vm);
	return test_verdict();
}
