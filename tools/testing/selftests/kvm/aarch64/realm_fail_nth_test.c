// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a realm when allocations fail: each step says ENOMEM, or gets by
 * without, and can be tried again; all granules are back at the end.
 */
#include "fail_nth.h"
#include "realm.h"
#include "rmm.h"

#define MEMORY		(4 * SIZE_1G)
#define NR_PAGES	4
#define SIZE		(NR_PAGES * SIZE_4K)

static const struct realm_options options = { .not_measured = true };

static struct realm realm;
static struct gmem_area memory;
static struct agent *agent = &realm.agents[0];
static uint64_t delegated, leaked;

static void begin(bool no_gic)
{
	realm_create(&realm, &(struct realm_options){ .no_gic = no_gic });
	realm_map(realm.vm, MEMORY, SIZE);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SIZE);
}

static void close_vm(void)
{
	gmem_area_free(&memory);
	realm_free(&realm);
	rmm_expect_granules(delegated, leaked, "end of a realm");
}

/* Nothing of the realm is left behind by what failed. */
static void leaks_nothing(const char *when)
{
	EXPECT_EQ(rmm_leaked(), leaked, "%s: granules leaked", when);
}

static void is_not_created(const char *when)
{
	EXPECT_EQ(rmm_delegated(), delegated, "%s: granules delegated", when);
	leaks_nothing(when);
}

/* KVM_CREATE_VM */

static int result;

static int create_vm(void)
{
	result = ioctl(realm.vm->kvm_fd, KVM_CREATE_VM,
		       KVM_VM_TYPE_ARM_REALM);
	return result;
}

static void close_result(void)
{
	close(result);
	rmm_expect_granules(delegated, leaked, "end of a VM");
}

/* KVM_ARM_RMI_POPULATE, the first of a realm: creates it */

static struct kvm_arm_rmi_populate rest;

static void open_new(void)
{
	begin(true);
}

static int populate(void)
{
	return __realm_populate(realm.vm, KVM_ARM_RMI_POPULATE_RW, &rest);
}

static void arm_populate(void)
{
	rest = (struct kvm_arm_rmi_populate) {
		.base = MEMORY,
		.size = SIZE,
		.source_uaddr = (uintptr_t)memory.hva,
	};
}

/* One that has done a part of it is a success, and goes on from there. */
static void is_populated(const char *when)
{
	while (rest.size)
		if (!EXPECT_ERRNO(populate(), 0, "%s: the rest", when))
			break;
	EXPECT_ERRNO(realm_populate(realm.vm, MEMORY, SIZE_4K, memory.hva,
				    false), EEXIST, "%s: the first page", when);
	leaks_nothing(when);
}

/* KVM_ARM_VCPU_FINALIZE */

static void open_populated(void)
{
	begin(true);
	realm_load(&realm, &options);
}

static int finalize(void)
{
	return __realm_vcpu_finalize(realm.vcpus[0]);
}

static void is_finalized(const char *when)
{
	EXPECT_ERRNO(finalize(), EPERM, "%s: again", when);
	leaks_nothing(when);
}

/* KVM_RUN, the first: makes RECs and activates */

static int run(void)
{
	agent->vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	return __vcpu_run(agent->vcpu);
}

/*
 * Any KVM gives up on a VM when it fails to put the GIC where it belongs, which
 * comes first; so one run that the RMM lets fail has done that.
 */
static void open_runnable(void)
{
	begin(false);
	realm_load(&realm, &options);
	agent_start(agent, guest_current_el, 0, 0, 0, 0);
	rmm_fail(1, RMI_REC_CREATE, STATUS_INPUT);
	TEST_ASSERT(run() < 0 && rmm_has_failed(), "a run without a REC should fail");
	rmm_stop_failing();
}

static void expect_end(uint64_t value, const char *when)
{
	enum agent_stop stop;

	EXPECT(agent->ops->take_end(agent, &stop) && stop == AGENT_DONE &&
	       agent->value == value,
	       "%s: the guest should return %#lx, exit reason %u value %#lx",
	       when, value, agent->vcpu->run->exit_reason, agent->value);
	leaks_nothing(when);
}

static void has_run(const char *when)
{
	expect_end(1, when);
}

/* KVM_RUN: a fault in private memory, and one in shared memory */

static void open_running(void)
{
	open_runnable();
	TEST_ASSERT(!run(), "a realm should run, errno %d", errno);
	has_run("first run");
}

static void open_private_fault(void)
{
	open_running();
	agent_start(agent, guest_read, MEMORY, 0, 0, 0);
}

static void open_shared_fault(void)
{
	open_running();
	vm_set_shared(realm.vm, MEMORY, SIZE);
	memset(memory.hva, 0, SIZE);
	agent_start(agent, guest_read, SHARED_VA(MEMORY), 0, 0, 0);
}

static void has_read_zero(const char *when)
{
	expect_end(0, when);
}

/* KVM_RUN: the answer to a RIPAS change that needs tables */

#define FAR		(64 * SIZE_1G)

static void open_request(void)
{
	open_running();
	agent_start(agent, guest_set_ripas, FAR, FAR + SIZE_4K, RSI_RAM, 0);
	realm_check_request(agent, agent_run(agent), FAR, SIZE_4K, true,
			    "a page that is far away");
	vm_set_private(realm.vm, FAR, SIZE_4K);
}

static void has_changed(const char *when)
{
	expect_end(FAR + SIZE_4K, when);
}

static const struct fail_call calls[] = {
	{ "create a VM", no_step, create_vm, is_not_created, leaks_nothing,
	  close_result },
	{ "create and populate a realm", open_new, populate, leaks_nothing,
	  is_populated, close_vm, arm_populate },
	{ "make a REC", open_populated, finalize, leaks_nothing, is_finalized,
	  close_vm },
	{ "first run", open_runnable, run, leaks_nothing, has_run, close_vm },
	{ "fault in private memory", open_private_fault, run, leaks_nothing,
	  has_read_zero, close_vm },
	{ "fault in shared memory", open_shared_fault, run, leaks_nothing,
	  has_read_zero, close_vm },
	{ "change of RIPAS", open_request, run, leaks_nothing, has_changed,
	  close_vm },
};

/* Opens /dev/kvm for the first of them. */
static void test_create_vm(void)
{
	struct kvm_vm *vm = vm_create_barebones();

	realm.vm = vm;
	fail_each(&calls[0]);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	require_realms();
	require_rmm_model();
	fail_nth_begin();
	delegated = rmm_delegated();
	leaked = rmm_leaked();
	test_create_vm();
	fail_calls(calls + 1, ARRAY_SIZE(calls) - 1);
	fail_nth_end();
	return test_verdict();
}
