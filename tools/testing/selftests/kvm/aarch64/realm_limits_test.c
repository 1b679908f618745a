// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a realm does not have, and what does not fit one: each is refused with
 * its errno, and the realm lives on.
 */
#include <sys/mman.h>

#include "realm.h"
#include "rmm.h"
#include "vgic.h"

#define MEMORY		(4 * SIZE_1G)
#define SLOT		REALM_FREE_SLOT
#define MOST_VCPUS	1024
#define MODEL_VCPUS	16

static struct realm realm;
static uint64_t delegated, leaked;

static void end(const char *when)
{
	realm_free(&realm);
	rmm_expect_granules(delegated, leaked, when);
}

/* Memslots */

static void test_slots(void *mem)
{
	const uint64_t end = 1ul << (realm_ipa_bits(realm.vm) - 1);
	const struct {
		const char *name;
		uint64_t gpa, size;
		uint32_t flags;
		int err;
	} slots[] = {
		{ "logs writes", MEMORY, SIZE_4K, KVM_MEM_LOG_DIRTY_PAGES,
		  EINVAL },
		{ "is shared alone", end, SIZE_4K, 0, EFAULT },
		{ "ends in what is shared", end - SIZE_4K, 2 * SIZE_4K, 0,
		  EFAULT },
		{ "is the last one", end - SIZE_4K, SIZE_4K, 0, 0 },
		{ "is the last of all addresses", 2 * end - SIZE_4K, SIZE_4K,
		  0, EFAULT },
		{ "can be read only", MEMORY, SIZE_4K, KVM_MEM_READONLY, 0 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		EXPECT_ERRNO(__vm_set_region2(realm.vm, SLOT, slots[i].flags,
					      slots[i].gpa, slots[i].size, mem,
					      0, 0), slots[i].err,
			     "a slot that %s", slots[i].name);
		__vm_delete_slot(realm.vm, SLOT);
	}
}

/* One that is there does not begin to be logged. */
static void test_log_later(void *mem)
{
	EXPECT_ERRNO(__vm_set_region2(realm.vm, SLOT, 0, MEMORY, SIZE_4K, mem,
				      0, 0), 0, "a slot");
	EXPECT_ERRNO(__vm_set_region2(realm.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES,
				      MEMORY, SIZE_4K, mem, 0, 0), EINVAL,
		     "a slot that begins to log writes");
	EXPECT_ERRNO(__vm_delete_slot(realm.vm, SLOT), 0, "delete a slot");
}

/* Devices and attributes */

static void test_gic_v2(void)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V2 };

	EXPECT_ERRNO(__vm_ioctl(realm.vm, KVM_CREATE_DEVICE, &device), ENODEV,
		     "a GICv2");
	EXPECT_ERRNO(__vm_ioctl(realm.vm, KVM_CREATE_IRQCHIP, NULL), ENODEV,
		     "a GICv2 by KVM_CREATE_IRQCHIP");
}

static void test_stolen_time(void)
{
	struct kvm_vcpu *vcpu = realm.vcpus[0];
	uint64_t ipa = REALM_MAILBOX;

	EXPECT_ERRNO(__vcpu_has_device_attr(vcpu, KVM_ARM_VCPU_PVTIME_CTRL,
					    KVM_ARM_VCPU_PVTIME_IPA), ENXIO,
		     "has stolen time");
	EXPECT_ERRNO(__vcpu_device_attr_set(vcpu, KVM_ARM_VCPU_PVTIME_CTRL,
					    KVM_ARM_VCPU_PVTIME_IPA, &ipa),
		     ENXIO, "set stolen time");
	EXPECT_ERRNO(__vcpu_device_attr_get(vcpu, KVM_ARM_VCPU_PVTIME_CTRL,
					    KVM_ARM_VCPU_PVTIME_IPA, &ipa),
		     ENXIO, "get stolen time");
}

static void test_without(void)
{
	void *mem = map_anonymous(2 * SIZE_4K, SIZE_4K);

	realm_create(&realm, &(struct realm_options){ .no_gic = true });
	test_gic_v2();
	test_stolen_time();
	test_slots(mem);
	test_log_later(mem);
	end("realm without a GIC");

	realm_make(&realm, &(struct realm_options){ .not_measured = true });
	test_slots(mem);
	test_log_later(mem);
	EXPECT_EQ(agent_call(&realm.agents[0], guest_current_el), 1,
		  "exception level after all that was refused");
	end("realm that ran");
	munmap(mem, 2 * SIZE_4K);
}

/* vCPUs: RECs are numbered without a gap. */
static void test_gap(uint32_t id, int err)
{
	const uint32_t features = 1 << KVM_ARM_VCPU_PSCI_0_2 |
				  1 << KVM_ARM_VCPU_POWER_OFF;
	struct kvm_vcpu *first;

	realm_create(&realm, &(struct realm_options){ .no_gic = true });
	realm_vcpu_add(realm.vm, id, features);
	realm.gic = vgic_v3_setup(realm.vm, 2, REALM_IRQS, REALM_GICD,
				  REALM_GICR);
	realm_load(&realm, &(struct realm_options){ .not_measured = true });
	first = realm.vcpus[0];
	agent_start(&realm.agents[0], guest_current_el, 0, 0, 0, 0);
	EXPECT_ERRNO(__vcpu_run(first), err,
		     "run of vCPU 0 when the second has number %u", id);
	EXPECT_ERRNO(__realm_vcpu_finalize(first), EPERM,
		     "FINALIZE of vCPU 0 after its run");
	end("realm with two vCPUs");
}

static int create_vcpu(unsigned long id)
{
	return __vm_ioctl(realm.vm, KVM_CREATE_VCPU, (void *)id);
}

/* As many as the RMM has RECs for, before there is a GIC and after. */
static unsigned int test_most_vcpus(bool has_gic)
{
	struct kvm_create_device gic = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	const char *with = has_gic ? "with" : "without";
	unsigned int most, i;
	int fds[MOST_VCPUS];

	realm_create(&realm, &(struct realm_options){ .no_gic = true });
	if (has_gic) {
		EXPECT_ERRNO(__vm_ioctl(realm.vm, KVM_CREATE_DEVICE, &gic), 0,
			     "a GICv3");
		realm.gic = gic.fd;
	}
	most = vm_check_cap(realm.vm, KVM_CAP_MAX_VCPUS);
	TEST_ASSERT(most > 0 && most <= MOST_VCPUS,
		    "%u vCPUs %s a GIC", most, with);
	for (i = 1; i < most; i++) {
		fds[i] = create_vcpu(i);
		EXPECT(fds[i] >= 0, "vCPU %u of %u %s a GIC, errno %d", i, most,
		       with, errno);
	}
	EXPECT_ERRNO(create_vcpu(most), EINVAL, "one vCPU more than %u %s a GIC",
		     most, with);
	for (i = 1; i < most; i++)
		close(fds[i]);
	end("realm with many vCPUs");
	return most;
}

static void test_vcpus(void)
{
	unsigned int without = test_most_vcpus(false);
	unsigned int with = test_most_vcpus(true);

	EXPECT(with <= without, "a GIC should not make room for %u vCPUs of %u",
	       with, without);
	if (rmm_is_model())
		EXPECT_EQ(without, MODEL_VCPUS, "vCPUs that the model has RECs for");
}

int main(int argc, char *argv[])
{
	require_realms();
	delegated = rmm_delegated();
	leaked = rmm_leaked();
	test_without();
	test_gap(1, 0);
	test_gap(2, EINVAL);
	test_vcpus();
	return test_verdict();
}
