// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a realm: what can be made, each ioctl with all that it refuses,
 * and every order of steps and of closing, after which all granules are back.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "realm.h"
#include "rmm.h"

#define MEMORY		(4 * SIZE_1G)
#define NR_PAGES	8
#define REALM_TYPE	KVM_VM_TYPE_ARM_REALM

/* What is there before a realm is, and has to be after it. */
static uint64_t delegated, leaked;

static void expect_all_back(const char *when)
{
	rmm_expect_granules(delegated, leaked, when);
}

/* Types */

static const struct {
	const char *name;
	unsigned long type;
	int err;
} types[] = {
	{ "default size", REALM_TYPE, 0 },
	{ "32 bits", REALM_TYPE | 32, 0 },
	{ "48 bits", REALM_TYPE | 48, 0 },
	{ "31 bits", REALM_TYPE | 31, EINVAL },
	{ "1 bit", REALM_TYPE | 1, EINVAL },
	{ "53 bits", REALM_TYPE | 53, EINVAL },
	{ "255 bits", REALM_TYPE | 255, EINVAL },
	{ "type 2", KVM_VM_TYPE_ARM(2) | 40, EINVAL },
	{ "type 15", KVM_VM_TYPE_ARM(15), EINVAL },
	{ "bit 12", REALM_TYPE | 1 << 12, EINVAL },
	{ "bit 63", REALM_TYPE | 1ul << 63, EINVAL },
};

static void test_types(void)
{
	int kvm = open_kvm_dev_path_or_exit(), i, fd;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		fd = ioctl(kvm, KVM_CREATE_VM, types[i].type);
		EXPECT_ERRNO(fd, types[i].err, "KVM_CREATE_VM, %s",
			     types[i].name);
		if (fd >= 0)
			close(fd);
	}
	close(kvm);
	expect_all_back("VMs that nothing was done with");
}

/* Capabilities */

static const struct {
	long cap;
	const char *name;
	bool visible;
} caps[] = {
#define CAP(name, visible)	{ KVM_CAP_##name, #name, visible }
	CAP(IRQCHIP, true), CAP(ARM_PSCI, true), CAP(ARM_PSCI_0_2, true),
	CAP(NR_VCPUS, true), CAP(MAX_VCPUS, true), CAP(MAX_VCPU_ID, true),
	CAP(MSI_DEVID, true), CAP(ARM_VM_IPA_SIZE, true),
	CAP(ARM_PTRAUTH_ADDRESS, true), CAP(ARM_PTRAUTH_GENERIC, true),
	CAP(ARM_RMI, true), CAP(USER_MEMORY2, true), CAP(GUEST_MEMFD, true),
	CAP(MEMORY_FAULT_INFO, true),
	CAP(ARM_USER_IRQ, false), CAP(ARM_INJECT_SERROR_ESR, false),
	CAP(ARM_INJECT_EXT_DABT, false), CAP(ARM_EL1_32BIT, false),
	CAP(SET_GUEST_DEBUG, false), CAP(STEAL_TIME, false),
	CAP(ARM_NISV_TO_USER, false), CAP(ARM_MTE, false),
	CAP(ARM_SYSTEM_SUSPEND, false), CAP(PTP_KVM, false),
	CAP(ARM_SET_DEVICE_ADDR, false), CAP(VCPU_EVENTS, false),
#undef CAP
};

static int enable_cap(struct kvm_vm *vm, long cap, uint64_t arg)
{
	struct kvm_enable_cap enable = { .cap = cap, .args = { arg } };

	return __vm_ioctl(vm, KVM_ENABLE_CAP, &enable);
}

/* Those of all architectures, as of any VM. */
static void test_generic_caps(struct kvm_vm *vm)
{
	EXPECT_ERRNO(enable_cap(vm, KVM_CAP_HALT_POLL, 1000), 0,
		     "KVM_ENABLE_CAP of HALT_POLL");
	EXPECT_ERRNO(enable_cap(vm, KVM_CAP_HALT_POLL, 1ul << 32), EINVAL,
		     "KVM_ENABLE_CAP of HALT_POLL, too long");
	EXPECT_ERRNO(enable_cap(vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 1), 0,
		     "KVM_ENABLE_CAP of MANUAL_DIRTY_LOG_PROTECT2");
	EXPECT_ERRNO(enable_cap(vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 4),
		     EINVAL,
		     "KVM_ENABLE_CAP of MANUAL_DIRTY_LOG_PROTECT2, bit 2");
	EXPECT_ERRNO(enable_cap(vm, KVM_CAP_DIRTY_LOG_RING, SIZE_4K), EINVAL,
		     "KVM_ENABLE_CAP of DIRTY_LOG_RING");
}

static void test_caps(struct kvm_vm *vm)
{
	struct kvm_vm *ordinary = vm_create_barebones();
	int i, value;

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		value = vm_check_cap(vm, caps[i].cap);
		if (caps[i].visible && vm_check_cap(ordinary, caps[i].cap))
			EXPECT(value, "KVM_CAP_%s should be there",
			       caps[i].name);
		else
			EXPECT_EQ(value, 0, "KVM_CAP_%s", caps[i].name);

		EXPECT_ERRNO(enable_cap(vm, caps[i].cap, 0), EINVAL,
			     "KVM_ENABLE_CAP of %s", caps[i].name);
	}
	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_MEMORY_ATTRIBUTES),
		  KVM_MEMORY_ATTRIBUTE_PRIVATE, "memory attributes");
	EXPECT(vm_check_cap(vm, KVM_CAP_ARM_VM_IPA_SIZE) >= 48,
	       "IPAs should have 48 bits at least");
	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_ARM_RMI), 1, "KVM_CAP_ARM_RMI");
	kvm_vm_free(ordinary);
}

/* Other VMs */

static void test_ordinary_vm(void)
{
	struct kvm_arm_rmi_psci_complete complete = {};
	struct kvm_arm_rmi_populate args = { .size = SIZE_4K };
	struct kvm_vm *vm = vm_create_barebones();
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, 0);

	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_MEMORY_ATTRIBUTES), 0,
		  "ordinary VM: memory attributes");
	EXPECT_ERRNO(__realm_populate(vm, KVM_ARM_RMI_POPULATE, &args), EINVAL,
		     "ordinary VM: KVM_ARM_RMI_POPULATE");
	EXPECT_ERRNO(__realm_vcpu_init(vcpu, 1 << KVM_ARM_VCPU_REC), ENOENT,
		     "ordinary VM: KVM_ARM_VCPU_INIT of a REC");
	EXPECT_ERRNO(__realm_vcpu_init(vcpu, 0), 0,
		     "ordinary VM: KVM_ARM_VCPU_INIT");
	EXPECT_ERRNO(__realm_vcpu_finalize(vcpu), EINVAL,
		     "ordinary VM: KVM_ARM_VCPU_FINALIZE of a REC");
	EXPECT_ERRNO(__vcpu_ioctl(vcpu, KVM_ARM_VCPU_RMI_PSCI_COMPLETE,
				  &complete), EINVAL,
		     "ordinary VM: KVM_ARM_VCPU_RMI_PSCI_COMPLETE");
	kvm_vm_free(vm);
}

/* KVM_ARM_RMI_POPULATE */

static struct realm realm;
static struct gmem_area memory;

static void begin(const struct realm_options *options)
{
	realm_create(&realm, options);
	realm_map(realm.vm, MEMORY, NR_PAGES * SIZE_4K);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY,
		      NR_PAGES * SIZE_4K);
	vm_set_private(realm.vm, MEMORY, NR_PAGES * SIZE_4K);
}

static void end(const char *when)
{
	gmem_area_free(&memory);
	realm_free(&realm);
	expect_all_back(when);
}

/* What is added to good arguments, for the frame after the populated ones. */
static const struct {
	const char *name;
	struct kvm_arm_rmi_populate add;
	int err;
} populate_errors[] = {
	{ "reserved", { .reserved = 1 }, EINVAL },
	{ "flag 1", { .flags = 1 << 1 }, EINVAL },
	{ "flag 31", { .flags = 1u << 31 }, EINVAL },
	{ "base not aligned", { .base = 1 }, EINVAL },
	{ "size not aligned", { .size = 1 }, EINVAL },
	{ "size 0", { .size = -SIZE_4K }, EINVAL },
	{ "source not aligned", { .source_uaddr = 8 }, EINVAL },
	{ "wrap", { .base = -SIZE_4K - MEMORY, .size = SIZE_4K }, EINVAL },
	{ "shared alias", { .base = 1ul << 39 }, EINVAL },
	{ "across the shared alias",
	  { .base = (1ul << 39) - SIZE_4K - MEMORY, .size = SIZE_4K }, EINVAL },
	{ "no slot", { .base = SIZE_1G }, EINVAL },
	{ "not a private slot", { .base = REALM_MAILBOX - MEMORY }, EINVAL },
	{ "source without memory", { .source_uaddr = -1ul << 46 }, EFAULT },
};

static void test_populate_errors(void)
{
	struct kvm_arm_rmi_populate good = {
		.base = MEMORY,
		.size = SIZE_4K,
		.source_uaddr = (uintptr_t)memory.hva,
	}, args;
	int i;

	for (i = 0; i < ARRAY_SIZE(populate_errors); i++) {
		args = good;
		args.base += populate_errors[i].add.base;
		args.size += populate_errors[i].add.size;
		args.source_uaddr += populate_errors[i].add.source_uaddr;
		args.flags = populate_errors[i].add.flags;
		args.reserved = populate_errors[i].add.reserved;
		EXPECT_ERRNO(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE,
					      &args),
			     populate_errors[i].err, "populate, %s",
			     populate_errors[i].name);
		EXPECT_ERRNO(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE_RW,
					      &args),
			     populate_errors[i].err, "populate RW, %s",
			     populate_errors[i].name);
	}
	EXPECT_ERRNO(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE,
				      (void *)-SIZE_4K), EFAULT,
		     "populate, arguments without memory");

	vm_set_shared(realm.vm, MEMORY, SIZE_4K);
	EXPECT_ERRNO(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE, &good),
		     EINVAL, "populate, a shared frame");
	vm_set_private(realm.vm, MEMORY, SIZE_4K);
}

/* Processes may have its pages mapped. */
static void test_populate_mapped_file(void)
{
	struct kvm_arm_rmi_populate args = {
		.base = MEMORY + SIZE_1G,
		.size = SIZE_4K,
		.source_uaddr = (uintptr_t)memory.hva,
	};
	struct gmem_area open;

	gmem_area_add_mapped(&open, realm.vm, REALM_FREE_SLOT + 1, args.base,
			     SIZE_4K, GUEST_MEMFD_FLAG_MMAP);
	vm_set_private(realm.vm, args.base, SIZE_4K);
	EXPECT_ERRNO(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE, &args),
		     EINVAL, "populate a file that the host can map");
	gmem_area_free(&open);
	vm_set_shared(realm.vm, args.base, SIZE_4K);
}

static void test_populate_encodings(void)
{
	struct kvm_arm_rmi_populate args = {
		.base = MEMORY,
		.size = 2 * SIZE_4K,
		.source_uaddr = (uintptr_t)memory.hva,
	}, before = args;

	EXPECT_EQ(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE, &args),
		  2 * SIZE_4K, "what populate returns");
	EXPECT(!memcmp(&args, &before, sizeof(args)),
	       "populate should leave its arguments alone");
	EXPECT_ERRNO(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE, &args),
		     EEXIST, "populate again");

	args.base += 2 * SIZE_4K;
	EXPECT_EQ(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE_RW, &args), 0,
		  "what populate RW returns");
	EXPECT_EQ(args.base, MEMORY + 4 * SIZE_4K, "populate RW: base");
	EXPECT_EQ(args.size, 0, "populate RW: size");
	EXPECT_EQ(args.source_uaddr, before.source_uaddr + 2 * SIZE_4K,
		  "populate RW: source_uaddr");
	args.size = SIZE_4K;
	args.base = MEMORY;
	EXPECT_ERRNO(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE_RW, &args),
		     EEXIST, "populate RW again");
}

/* Half of the range is no memory: the half before it counts. */
static void test_populate_part(void)
{
	void *from = mmap(NULL, 2 * SIZE_4K, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_arm_rmi_populate args = {
		.base = MEMORY + 4 * SIZE_4K,
		.size = 2 * SIZE_4K,
		.source_uaddr = (uintptr_t)from,
	};

	munmap(from + SIZE_4K, SIZE_4K);
	EXPECT_EQ(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE, &args),
		  SIZE_4K, "what populate of a half returns");
	args.base += SIZE_4K;
	EXPECT_ERRNO(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE_RW, &args),
		     0, "populate RW of the half that is there");
	EXPECT_EQ(args.size, SIZE_4K, "populate RW of a half: size");
	munmap(from, SIZE_4K);
}

static void test_populate(void)
{
	begin(&(struct realm_options){});
	test_populate_errors();
	test_populate_mapped_file();
	end("realm that had nothing populated");
	begin(&(struct realm_options){});
	test_populate_encodings();
	test_populate_part();
	end("realm that never ran");
}

/* vCPUs */

static int run(struct kvm_vcpu *vcpu)
{
	return __vcpu_run(vcpu);
}

static void test_vcpu_order(bool rec_feature)
{
	const struct realm_options options = { .rec_feature = rec_feature };
	const uint32_t bits = 1 << KVM_ARM_VCPU_PSCI_0_2 |
			      (rec_feature ? 1 << KVM_ARM_VCPU_REC : 0);
	struct kvm_arm_rmi_psci_complete complete = {};
	struct kvm_arm_rmi_populate args;
	struct kvm_vcpu *vcpu;

	begin(&options);
	vcpu = realm.vcpus[0];
	EXPECT_ERRNO(__realm_vcpu_init(vcpu, bits), 0, "VCPU_INIT again");
	EXPECT_ERRNO(__vcpu_ioctl(vcpu, KVM_ARM_VCPU_RMI_PSCI_COMPLETE,
				  &complete), EINVAL, "no call to complete");
	realm_set_entry(&realm, 0);
	realm_load(&realm, &options);
	EXPECT_ERRNO(__realm_vcpu_finalize(vcpu), rec_feature ? EPERM : 0,
		     "FINALIZE after %s", rec_feature ? "FINALIZE" : "none");
	EXPECT_ERRNO(__realm_vcpu_init(vcpu, bits), EPERM,
		     "VCPU_INIT after FINALIZE");

	EXPECT_EQ(agent_call(&realm.agents[0], guest_current_el), 1,
		  "exception level");
	EXPECT_ERRNO(__realm_vcpu_init(vcpu, bits), EPERM,
		     "VCPU_INIT after a run");
	EXPECT_ERRNO(__realm_vcpu_finalize(vcpu), EPERM,
		     "FINALIZE after a run");
	args = (struct kvm_arm_rmi_populate) {
		.base = MEMORY,
		.size = SIZE_4K,
		.source_uaddr = (uintptr_t)memory.hva,
	};
	EXPECT_ERRNO(__realm_populate(realm.vm, KVM_ARM_RMI_POPULATE, &args),
		     EBUSY, "populate after a run");

	EXPECT_ERRNO(__vm_ioctl(realm.vm, KVM_CREATE_VCPU, (void *)1), EBUSY,
		     "KVM_CREATE_VCPU after a run");
	end(rec_feature ? "realm with FINALIZE" : "realm without FINALIZE");
}

static void test_vcpu_errors(void)
{
	struct kvm_vcpu *vcpu;

	begin(&(struct realm_options){ .no_gic = true });
	realm_load(&realm, &(struct realm_options){ .not_measured = true });
	EXPECT_ERRNO(run(realm.vcpus[0]), ENXIO, "run without a GIC");
	vcpu = __vm_vcpu_add(realm.vm, 1);
	EXPECT_ERRNO(run(vcpu), ENOEXEC, "run without VCPU_INIT");
	EXPECT_ERRNO(__realm_vcpu_finalize(vcpu), ENOEXEC,
		     "FINALIZE without VCPU_INIT");
	EXPECT_ERRNO(__realm_vcpu_init(vcpu, 1 << KVM_ARM_VCPU_EL1_32BIT),
		     EINVAL, "VCPU_INIT for AArch32");
	end("realm that could not run");
}

/* Orders: each in a process of its own, which ends with closing in that order. */

static const char * const steps[] = { "", "B", "BP", "BPF", "BF", "BPR", "BPFR",
				      "BPRC", "BPRD" };
static const char * const closings[] = { "gvm", "vgm", "mvg", "mgv", "gmv",
					 "vmg", "" };

static void do_step(char step)
{
	struct agent *agent = &realm.agents[0];

	switch (step) {
	case 'B':	/* bind */
		realm_bind(&realm);
		break;
	case 'P':	/* populate */
		EXPECT_ERRNO(realm_populate_all(&realm, false), 0, "populate");
		break;
	case 'F':	/* finalize */
		EXPECT_ERRNO(__realm_vcpu_finalize(realm.vcpus[0]), 0,
			     "finalize");
		break;
	case 'R':	/* run */
		agent_call(agent, guest_fill, MEMORY, 2 * SIZE_4K, 1);
		EXPECT_EQ(agent_call(agent, guest_check, MEMORY, 2 * SIZE_4K, 1),
			  MEMORY + 2 * SIZE_4K, "what the guest wrote");
		break;
	case 'C':	/* convert */
		realm_convert(agent, MEMORY, SIZE_4K, false);
		break;
	case 'D':	/* delete the slot of what it uses */
		vm_delete_slot(realm.vm, memory.slot);
		break;
	}
}

static void do_close(char which)
{
	switch (which) {
	case 'g':
		if (realm.fd >= 0)
			close(realm.fd);
		close(memory.fd);
		break;
	case 'v':
		munmap(realm.vcpus[0]->run, SIZE_4K);
		close(realm.vcpus[0]->fd);
		close(realm.gic);
		break;
	case 'm':
		close(realm.vm->fd);
		break;
	}
}

static void test_order(const char *what, const char *closing)
{
	char when[64];
	pid_t child;
	int status;

	snprintf(when, sizeof(when), "order %s, closing %s", what, closing);
	fflush(stdout);
	child = fork();
	if (!child) {
		test_restart();
		begin(&(struct realm_options){});
		for (; *what; what++)
			do_step(*what);
		for (; *closing; closing++)
			do_close(*closing);
		_exit(test_has_failed());
	}
	TEST_ASSERT(waitpid(child, &status, 0) == child, "waitpid()");
	EXPECT_EQ(status, 0, "%s: status of the process", when);
	expect_all_back(when);
}

/* Tables */

#define NR_SPARSE	20

static uint64_t sparse_page(int i)
{
	return MEMORY + i * SIZE_1G + 5 * SIZE_2M;
}

/* Few tables, far apart, and none where a gigabyte begins. */
static void test_sparse(void)
{
	const struct realm_options options = { .not_measured = true };
	const uint64_t size = NR_SPARSE * SIZE_1G;
	int i;

	realm_create(&realm, &options);
	for (i = 0; i < NR_SPARSE; i++)
		realm_map(realm.vm, sparse_page(i), SIZE_4K);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, size);
	vm_set_private(realm.vm, MEMORY, size);
	realm_load(&realm, &options);
	for (i = 0; i < NR_SPARSE; i++)
		agent_call(&realm.agents[0], guest_write, sparse_page(i), i);
	for (i = 0; i < NR_SPARSE; i++)
		EXPECT_EQ(agent_call(&realm.agents[0], guest_read,
				     sparse_page(i)), i, "gigabyte %d", i);
	end("large realm with few tables");
}

int main(int argc, char *argv[])
{
	int i, j;

	require_realms();
	delegated = rmm_delegated();
	leaked = rmm_leaked();

	test_types();
	test_ordinary_vm();
	begin(&(struct realm_options){});
	test_caps(realm.vm);
	test_generic_caps(realm.vm);
	end("realm that was asked for its capabilities");
	test_populate();
	test_vcpu_errors();
	test_vcpu_order(false);
	test_vcpu_order(true);
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		for (j = 0; j < ARRAY_SIZE(closings); j++)
			test_order(steps[i], closings[j]);
	/* Last, as all that counts granules fails once some have leaked. */
	test_sparse();
	return test_verdict();
}
