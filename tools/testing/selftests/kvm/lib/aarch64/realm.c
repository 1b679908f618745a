// SPDX-License-Identifier: GPL-2.0-only
/*
 * Realms: making a VM whose own memory is private, and the way of its page
 * tables to shared memory.
 */
#define _GNU_SOURCE /* sched_setaffinity() */
#include <linux/sizes.h>
#include <sched.h>
#include <sys/mman.h>

#include "guest_modes.h"
#include "gic_v3.h"
#include "realm.h"
#include "vgic.h"

bool has_realms(void)
{
	return kvm_has_cap(KVM_CAP_ARM_RMI);
}

void require_realms(void)
{
	__TEST_REQUIRE(has_realms(),
		       "no realms: needs KVM_CAP_ARM_RMI, which is a host with an RMM");
}

bool realms_have_pmu(void)
{
	struct kvm_vm *vm = realm_vm_create(0, 1);
	bool has = vm_check_cap(vm, KVM_CAP_ARM_PMU_V3);

	kvm_vm_free(vm);
	return has;
}

void go_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	EXPECT_ERRNO(sched_setaffinity(0, sizeof(set), &set), 0,
		     "go to CPU %d", cpu);
}

/* The VM and its vCPUs */

static enum vm_guest_mode mode_of(unsigned int ipa_bits)
{
	switch (ipa_bits) {
	case 36:
		return VM_MODE_P36V48_4K;
	case 0:
	case 40:
		return VM_MODE_P40V48_4K;
	case 48:
		return VM_MODE_P48V48_4K;
	case 52:
		return VM_MODE_P52V48_4K;
	default:
		TEST_FAIL("no guest mode has IPAs of %u bits", ipa_bits);
	}
}

struct kvm_vm *realm_vm_create(unsigned int ipa_bits, unsigned int nr_vcpus)
{
	struct kvm_vm *vm;

	vm_type_default = KVM_VM_TYPE_ARM_REALM;
	vm = __vm_create(mode_of(ipa_bits), nr_vcpus, 0);
	vm_type_default = 0;
	return vm;
}

int __realm_vcpu_init(struct kvm_vcpu *vcpu, uint32_t features)
{
	struct kvm_vcpu_init init;

	vm_ioctl(vcpu->vm, KVM_ARM_PREFERRED_TARGET, &init);
	init.features[0] |= features;
	return __vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT, &init);
}

int __realm_vcpu_finalize(struct kvm_vcpu *vcpu)
{
	int feature = KVM_ARM_VCPU_REC;

	return __vcpu_ioctl(vcpu, KVM_ARM_VCPU_FINALIZE, &feature);
}

struct kvm_vcpu *realm_vcpu_add(struct kvm_vm *vm, uint32_t id,
				uint32_t features)
{
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, id);
	int ret = __realm_vcpu_init(vcpu, features);

	TEST_ASSERT(!ret, KVM_IOCTL_ERROR(KVM_ARM_VCPU_INIT, ret));
	return vcpu;
}

/* Page tables */

unsigned int realm_ipa_bits(struct kvm_vm *vm)
{
	return vm->pa_bits;
}

uint64_t realm_shared_ipa(struct kvm_vm *vm, uint64_t gpa)
{
	return gpa | 1ul << (realm_ipa_bits(vm) - 1);
}

/* With LPA2, the top two bits of an address are where else the shareability is. */
static uint64_t shared_bit_of_entry(struct kvm_vm *vm)
{
	unsigned int bit = realm_ipa_bits(vm) - 1;

	return 1ul << (bit < 50 ? bit : bit - 42);
}

static uint64_t *last_entry(struct kvm_vm *vm, uint64_t va)
{
	uint64_t *table = addr_gpa2hva(vm, vm->pgd);
	unsigned int level, shift;

	for (level = 0; ; level++) {
		shift = 39 - 9 * level;
		table += va >> shift & 511;
		if (level == 3)
			return table;
		TEST_ASSERT(*table, "%#lx should be mapped", va);
		table = addr_gpa2hva(vm, *table & GENMASK(47, 12));
	}
}

void realm_share_mapping(struct kvm_vm *vm, uint64_t va, uint64_t size)
{
	uint64_t end = va + size;

	for (; va < end; va += vm->page_size)
		*last_entry(vm, va) |= shared_bit_of_entry(vm);
}

static void map_shared(struct kvm_vm *vm, uint64_t gpa, uint64_t size)
{
	virt_map(vm, SHARED_VA(gpa), gpa, size / vm->page_size);
	realm_share_mapping(vm, SHARED_VA(gpa), size);
}

void realm_map(struct kvm_vm *vm, uint64_t gpa, uint64_t size)
{
	virt_map(vm, gpa, gpa, size / vm->page_size);
	map_shared(vm, gpa, size);
}

/* Boot records */

/* What realm_entry() loads, in its order. */
struct boot_record {
	uint64_t ttbr0, tcr;
	uint64_t mair, sctlr;
	uint64_t sp, vbar;
	uint64_t id, pc;
};

#define SCTLR_RES1	0x30d00800ul
#define SCTLR_M		(1ul << 0)
#define SCTLR_C		(1ul << 2)
#define SCTLR_I		(1ul << 12)

#define TCR_CACHED	(1ul << 8 | 1ul << 10 | 3ul << 12)
#define TCR_EPD1	(1ul << 23)
#define TCR_IPS_SHIFT	32
#define TCR_DS		(1ul << 59)

static uint64_t tcr(struct kvm_vm *vm)
{
	static const unsigned int sizes[] = { 32, 36, 40, 42, 44, 48, 52 };
	uint64_t ips = 0;

	while (sizes[ips] < realm_ipa_bits(vm))
		ips++;
	return (64 - vm->va_bits) | TCR_CACHED | TCR_EPD1 |
	       ips << TCR_IPS_SHIFT | (realm_ipa_bits(vm) > 48 ? TCR_DS : 0);
}

/* The code that turns translation on runs at its physical address. */
static void map_entry(struct kvm_vm *vm)
{
	uint64_t pa = addr_gva2gpa(vm, (uintptr_t)realm_entry) & -SIZE_4K;

	virt_pg_map(vm, pa, pa);
}

static void write_boot_record(struct realm *realm, unsigned int i)
{
	const uint64_t stack_size = DEFAULT_STACK_PGS * SIZE_4K;
	struct kvm_vm *vm = realm->vm;
	struct boot_record *record;

	realm->boot[i] = vm_vaddr_alloc_page(vm);
	record = addr_gva2hva(vm, realm->boot[i]);
	*record = (struct boot_record) {
		.ttbr0 = vm->pgd,
		.tcr = tcr(vm),
		.mair = DEFAULT_MAIR_EL1,
		.sctlr = SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_I,
		.sp = vm_vaddr_alloc(vm, stack_size, 0xac0000) + stack_size,
		.vbar = (uintptr_t)realm_vectors,
		.id = i,
		.pc = (uintptr_t)realm_agent,
	};
}

void realm_set_entry(struct realm *realm, unsigned int i)
{
	struct kvm_vcpu *vcpu = realm->vcpus[i];
	struct kvm_vm *vm = realm->vm;

	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[0]),
		     addr_gva2gpa(vm, realm->boot[i]));
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.pc),
		     addr_gva2gpa(vm, (uintptr_t)realm_entry));
}

/* Steps */

static void add_vcpu(struct realm *realm, const struct realm_options *options,
		     unsigned int i)
{
	uint32_t features = options->features;

	if (!options->no_psci)
		features |= 1 << KVM_ARM_VCPU_PSCI_0_2;
	if (i && options->others_off)
		features |= 1 << KVM_ARM_VCPU_POWER_OFF;
	if (options->rec_feature)
		features |= 1 << KVM_ARM_VCPU_REC;
	realm->vcpus[i] = realm_vcpu_add(realm->vm, i, features);
	write_boot_record(realm, i);
	if (!(features & 1 << KVM_ARM_VCPU_POWER_OFF))
		realm_set_entry(realm, i);
	agent_init_ops(&realm->agents[i], realm->vcpus[i], &realm_agent_ops);
}

void realm_add_gic(struct realm *realm)
{
	struct kvm_vm *vm = realm->vm;

	realm->gic = vgic_v3_setup(vm, realm->nr_vcpus, REALM_IRQS, REALM_GICD,
				   REALM_GICR);
	TEST_ASSERT(realm->gic >= 0, "realms should have a GICv3, errno %d",
		    errno);
	realm_share_mapping(vm, REALM_GICD, KVM_VGIC_V3_DIST_SIZE);
	realm_share_mapping(vm, REALM_GICR,
			    realm->nr_vcpus * KVM_VGIC_V3_REDIST_SIZE);
}

void realm_start_pmu(struct kvm_vcpu *vcpu)
{
	int irq = REALM_PMU_IRQ;

	vcpu_device_attr_set(vcpu, KVM_ARM_VCPU_PMU_V3_CTRL,
			     KVM_ARM_VCPU_PMU_V3_IRQ, &irq);
	vcpu_device_attr_set(vcpu, KVM_ARM_VCPU_PMU_V3_CTRL,
			     KVM_ARM_VCPU_PMU_V3_INIT, NULL);
}

void realm_create(struct realm *realm, const struct realm_options *options)
{
	unsigned int i;

	*realm = (struct realm) { .fd = -1, .gic = -1 };
	realm->nr_vcpus = options->nr_vcpus ?: 1;
	realm->vm = realm_vm_create(options->ipa_bits, realm->nr_vcpus);
	realm->size = memslot2region(realm->vm, 0)->region.memory_size;
	map_entry(realm->vm);
	vm_userspace_mem_region_add(realm->vm, VM_MEM_SRC_ANONYMOUS,
				    REALM_MAILBOX, REALM_MAILBOX_SLOT, 1, 0);
	map_shared(realm->vm, REALM_MAILBOX, SIZE_4K);
	map_shared(realm->vm, REALM_DEVICE, SIZE_4K);
	for (i = 0; i < realm->nr_vcpus; i++)
		add_vcpu(realm, options, i);
	if (!options->no_gic)
		realm_add_gic(realm);
}

void realm_bind(struct realm *realm)
{
	struct kvm_vm *vm = realm->vm;
	void *hva = memslot2region(vm, 0)->host_mem;

	vm_delete_slot(vm, 0);
	realm->fd = vm_create_guest_memfd(vm, realm->size, 0);
	vm_bind_guest_memfd(vm, 0, 0, realm->size, hva, realm->fd, 0);
	vm_set_private(vm, 0, realm->size);
}

bool realm_next_used(struct realm *realm, uint64_t *gpa, uint64_t *size)
{
	struct sparsebit *unused = memslot2region(realm->vm, 0)->unused_phy_pages;
	uint64_t pfn = (*gpa + *size) / SIZE_4K, nr = realm->size / SIZE_4K, end;

	while (pfn < nr && sparsebit_is_set(unused, pfn))
		pfn++;
	for (end = pfn; end < nr && !sparsebit_is_set(unused, end); end++)
		;
	*gpa = pfn * SIZE_4K;
	*size = (end - pfn) * SIZE_4K;
	return pfn < nr;
}

int __realm_populate(struct kvm_vm *vm, unsigned long call,
		     struct kvm_arm_rmi_populate *args)
{
	return ioctl(vm->fd, call, args);
}

int realm_populate(struct kvm_vm *vm, uint64_t gpa, uint64_t size, void *from,
		   bool measured)
{
	struct kvm_arm_rmi_populate args = {
		.base = gpa,
		.size = size,
		.source_uaddr = (uintptr_t)from,
		.flags = measured ? KVM_ARM_RMI_POPULATE_FLAGS_MEASURE : 0,
	};

	while (args.size)
		if (__realm_populate(vm, KVM_ARM_RMI_POPULATE_RW, &args) &&
		    errno != EINTR && errno != EAGAIN)
			return -1;
	return 0;
}

int realm_populate_all(struct realm *realm, bool measured)
{
	uint64_t gpa = 0, size = 0;

	while (realm_next_used(realm, &gpa, &size))
		if (realm_populate(realm->vm, gpa, size,
				   addr_gpa2hva(realm->vm, gpa), measured))
			return -1;
	return 0;
}

void realm_load_bound(struct realm *realm, const struct realm_options *options)
{
	unsigned int i;
	int ret;

	ret = realm_populate_all(realm, !options->not_measured);
	TEST_ASSERT(!ret, KVM_IOCTL_ERROR(KVM_ARM_RMI_POPULATE, ret));
	for (i = 0; i < realm->nr_vcpus && options->rec_feature; i++) {
		ret = __realm_vcpu_finalize(realm->vcpus[i]);
		TEST_ASSERT(!ret, KVM_IOCTL_ERROR(KVM_ARM_VCPU_FINALIZE, ret));
	}
}

void realm_load(struct realm *realm, const struct realm_options *options)
{
	realm_bind(realm);
	realm_load_bound(realm, options);
}

void realm_make(struct realm *realm, const struct realm_options *options)
{
	realm_create(realm, options);
	realm_load(realm, options);
}

void realm_free(struct realm *realm)
{
	if (realm->fd >= 0)
		close(realm->fd);
	if (realm->gic >= 0)
		close(realm->gic);
	kvm_vm_free(realm->vm);
}
