// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an SNP VM can be made with: the type and its capabilities, the attributes
 * of /dev/kvm, and each command up to the launch with all that it refuses, after
 * which the right call still succeeds.
 */
#include <linux/kvm_para.h>
#include <sys/mman.h>

#include "snp.h"
#include "snp_model.h"

#define MEMORY		(4 * SIZE_1G)
#define NR_PAGES	8

/* ASIDs that the model has: as many VMs can be initialized. */
#define NR_ASIDS	12

/* What a firmware's status is not, before a command that has to set it. */
#define NO_STATUS	0x77777777

#define NR_SECONDS	10

/* @fw_error is what the firmware has said, 0 if it has not been asked. */
static void expect_op(struct kvm_vm *vm, uint32_t id, void *data, int err,
		      uint32_t fw_error, const char *what)
{
	struct kvm_sev_cmd cmd = {
		.id = id,
		.data = (uintptr_t)data,
		.error = NO_STATUS,
		.sev_fd = -1,
	};

	EXPECT_ERRNO(ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, &cmd), err, "%s",
		     what);
	EXPECT_EQ(cmd.error, fw_error, "%s: firmware's status", what);
}

/* The type and its capabilities */

static const struct {
	const char *name;
	long cap;
	int value;
} caps[] = {
	{ "USER_MEMORY2", KVM_CAP_USER_MEMORY2, 1 },
	{ "MEMORY_FAULT_INFO", KVM_CAP_MEMORY_FAULT_INFO, 1 },
	{ "MEMORY_ATTRIBUTES", KVM_CAP_MEMORY_ATTRIBUTES,
	  KVM_MEMORY_ATTRIBUTE_PRIVATE },
	{ "GUEST_MEMFD", KVM_CAP_GUEST_MEMFD, 1 },
};

static void test_caps(void)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_SNP_VM);
	int i;

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		EXPECT_EQ(kvm_check_cap(caps[i].cap), caps[i].value,
			  "KVM_CAP_%s of /dev/kvm", caps[i].name);
		EXPECT_EQ(vm_check_cap(vm, caps[i].cap), caps[i].value,
			  "KVM_CAP_%s of an SNP VM", caps[i].name);
	}
	EXPECT(vm_check_cap(vm, KVM_CAP_EXIT_HYPERCALL) &
	       1 << KVM_HC_MAP_GPA_RANGE,
	       "KVM_CAP_EXIT_HYPERCALL of an SNP VM should have MAP_GPA_RANGE");
	EXPECT(vm_check_cap(vm, KVM_CAP_MULTI_ADDRESS_SPACE) <= 1,
	       "an SNP VM should have one address space, for it has no SMM");
	kvm_vm_free(vm);
}

/* VMMs ask a VM that they have, of whichever type, before they make one. */
static void test_probes(void)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_DEFAULT_VM);

	EXPECT_ERRNO(ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, NULL), 0,
		     "KVM_MEMORY_ENCRYPT_OP with no command, ordinary VM");
	EXPECT(vm_check_cap(vm, KVM_CAP_VM_TYPES) & 1 << KVM_X86_SNP_VM,
	       "KVM_CAP_VM_TYPES of an ordinary VM should have SNP's");
	EXPECT(vm_check_cap(vm, KVM_CAP_EXIT_HYPERCALL) &
	       1 << KVM_HC_MAP_GPA_RANGE,
	       "KVM_CAP_EXIT_HYPERCALL of an ordinary VM should have MAP_GPA_RANGE");
	kvm_vm_free(vm);
}

static void test_cpuid(void)
{
	const struct kvm_cpuid_entry2 *entry;

	entry = kvm_get_supported_cpuid_entry(0x8000001f);
	EXPECT(entry->eax & 1 << 4, "CPUID 0x8000001f should have SNP, EAX is %#x",
	       entry->eax);
	EXPECT(entry->eax & 1 << 3,
	       "CPUID 0x8000001f should have SEV-ES, EAX is %#x", entry->eax);
}

/* Attributes of /dev/kvm */

static int get_attr(uint32_t group, uint64_t attr, void *to)
{
	struct kvm_device_attr args = {
		.group = group, .attr = attr, .addr = (uintptr_t)to,
	};
	int kvm = open_kvm_dev_path_or_exit();
	int ret = ioctl(kvm, KVM_GET_DEVICE_ATTR, &args), err = errno;

	close(kvm);
	errno = err;
	return ret;
}

static int has_attr(uint32_t group, uint64_t attr)
{
	struct kvm_device_attr args = { .group = group, .attr = attr };
	int kvm = open_kvm_dev_path_or_exit();
	int ret = ioctl(kvm, KVM_HAS_DEVICE_ATTR, &args), err = errno;

	close(kvm);
	errno = err;
	return ret;
}

static const struct {
	uint32_t group;
	uint64_t attr;
	int err;
} attrs[] = {
	{ KVM_X86_GRP_SEV, KVM_X86_SEV_VMSA_FEATURES, 0 },
	{ KVM_X86_GRP_SEV, KVM_X86_SEV_VMSA_FEATURES + 1, ENXIO },
	{ KVM_X86_GRP_SEV, -1ul, ENXIO },
	{ KVM_X86_GRP_SEV + 1, 0, ENXIO },
};

static uint64_t test_attrs(void)
{
	uint64_t features = -1ul;
	int i;

	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		EXPECT_ERRNO(has_attr(attrs[i].group, attrs[i].attr),
			     attrs[i].err, "KVM_HAS_DEVICE_ATTR(%u, %lu)",
			     attrs[i].group, attrs[i].attr);
		EXPECT_ERRNO(get_attr(attrs[i].group, attrs[i].attr, &features),
			     attrs[i].err, "KVM_GET_DEVICE_ATTR(%u, %lu)",
			     attrs[i].group, attrs[i].attr);
	}
	EXPECT_ERRNO(get_attr(KVM_X86_GRP_SEV, KVM_X86_SEV_VMSA_FEATURES,
			      NOWHERE), EFAULT,
		     "KVM_GET_DEVICE_ATTR to where no memory is");
	EXPECT(!(features & SNP_FEAT_SNP_ACTIVE),
	       "SNP_ACTIVE should be KVM's to set, features are %#lx",
	       features);
	return features;
}

/* KVM_SEV_INIT2 */

static const struct {
	const char *name;
	struct kvm_sev_init init;
	int err;
} inits[] = {
	{ "a flag", { .flags = 1 }, EINVAL },
	{ "the last flag", { .flags = 1u << 31 }, EINVAL },
	{ "SNP_ACTIVE", { .vmsa_features = SNP_FEAT_SNP_ACTIVE }, EINVAL },
	{ "feature 63", { .vmsa_features = 1ul << 63 }, EINVAL },
	{ "GHCB version 1", { .ghcb_version = 1 }, EINVAL },
	{ "GHCB version 3", { .ghcb_version = 3 }, EINVAL },
	{ "GHCB version 65535", { .ghcb_version = 65535 }, EINVAL },
};

static int init2(struct kvm_vm *vm, const struct kvm_sev_init *init)
{
	struct kvm_sev_init copy = *init;

	return snp_op(vm, KVM_SEV_INIT2, &copy, NULL);
}

static void test_init2(uint64_t features)
{
	struct kvm_sev_init unknown = { .vmsa_features = 1 };
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_SNP_VM);
	int i;

	for (i = 0; i < ARRAY_SIZE(inits); i++)
		EXPECT_ERRNO(init2(vm, &inits[i].init), inits[i].err,
			     "INIT2 with %s", inits[i].name);
	for (; unknown.vmsa_features; unknown.vmsa_features <<= 1)
		if (!(features & unknown.vmsa_features))
			EXPECT_ERRNO(init2(vm, &unknown), EINVAL,
				     "INIT2 with VMSA features %#llx, offered %#lx",
				     unknown.vmsa_features, features);
	EXPECT_ERRNO(snp_op(vm, KVM_SEV_INIT2, NOWHERE, NULL), EFAULT,
		     "INIT2 from where no memory is");
	EXPECT_ERRNO(snp_init2(vm, 0), 0, "INIT2 after all that");
	EXPECT_ERRNO(snp_init2(vm, 0), EINVAL, "INIT2 again");
	kvm_vm_free(vm);

	vm = vm_create_barebones_type(KVM_X86_SNP_VM);
	EXPECT_ERRNO(init2(vm, &(struct kvm_sev_init){ .ghcb_version = 2 }), 0,
		     "INIT2 with GHCB version 2");
	kvm_vm_free(vm);

	vm = vm_create_barebones_type(KVM_X86_SNP_VM);
	__vm_vcpu_add(vm, 0);
	EXPECT_ERRNO(snp_init2(vm, 0), EINVAL, "INIT2 with a vCPU");
	kvm_vm_free(vm);
	snp_expect_all_back("VMs after INIT2");
}

/* The firmware is initialized by the first of all, and not asked again. */
static void test_init2_status(void)
{
	struct kvm_vm *vms[2];
	struct kvm_sev_init init;
	int i;

	for (i = 0; i < ARRAY_SIZE(vms); i++) {
		vms[i] = vm_create_barebones_type(KVM_X86_SNP_VM);
		init = (struct kvm_sev_init) { .flags = 1 };
		expect_op(vms[i], KVM_SEV_INIT2, &init, EINVAL, 0,
			  "INIT2 with a flag");
		expect_op(vms[i], KVM_SEV_INIT2, NOWHERE, EFAULT, 0,
			  "INIT2 from where no memory is");
		init.flags = 0;
		expect_op(vms[i], KVM_SEV_INIT2, &init, 0, 0,
			  i ? "INIT2 of another VM" : "INIT2 of a VM");
	}
	for (i = 0; i < ARRAY_SIZE(vms); i++)
		kvm_vm_free(vms[i]);
}

/* VMs give their ASIDs back some time after their last file is closed. */
static int init2_in_time(struct kvm_vm *vm)
{
	uint64_t end = now_ms() + NR_SECONDS * 1000;
	int ret;

	do {
		ret = snp_init2(vm, 0);
		if (!ret || errno != EBUSY)
			break;
		usleep(1000);
	} while (now_ms() < end);
	return ret;
}

/* As many VMs as there are ASIDs; NULL in place of those without. */
static unsigned int use_up_asids(struct kvm_vm *vms[NR_ASIDS])
{
	unsigned int i;

	for (i = 0; i < NR_ASIDS; i++) {
		vms[i] = vm_create_barebones_type(KVM_X86_SNP_VM);
		if (init2_in_time(vms[i]))
			break;
	}
	if (i == NR_ASIDS)
		return i;

	EXPECT_EQ(errno, EBUSY, "errno of INIT2 of VM %u", i);
	/* Lost pages have theirs for ever. */
	EXPECT(i && snp_model_leaked(), "INIT2 of %u VMs succeeds, of %u ASIDs",
	       i, NR_ASIDS);
	kvm_vm_free(vms[i]);
	return i;
}

static void test_asids(void)
{
	struct kvm_vm *vms[NR_ASIDS], *vm;
	struct kvm_sev_init init = {};
	unsigned int nr;

	if (!has_snp_model()) {
		note_skipped("ASIDs: need the model of SEV-SNP, which has few");
		return;
	}
	nr = use_up_asids(vms);
	vm = vm_create_barebones_type(KVM_X86_SNP_VM);
	expect_op(vm, KVM_SEV_INIT2, &init, EBUSY, 0,
		  "INIT2 with all ASIDs in use");
	if (nr)
		kvm_vm_free(vms[--nr]);
	EXPECT_ERRNO(init2_in_time(vm), 0, "INIT2 when an ASID is free again");
	kvm_vm_free(vm);
	while (nr)
		kvm_vm_free(vms[--nr]);
}

/* Each bit that is offered. */
static void test_features(uint64_t features)
{
	uint64_t bit;
	struct kvm_vm *vm;

	for (bit = 1; bit; bit <<= 1) {
		if (!(features & bit))
			continue;
		vm = vm_create_barebones_type(KVM_X86_SNP_VM);
		EXPECT_ERRNO(snp_init2(vm, bit), 0,
			     "INIT2 with VMSA feature %#lx", bit);
		kvm_vm_free(vm);
	}
}

/* Commands that are another type's, or come too early. */

static const uint32_t legacy[] = {
	KVM_SEV_LAUNCH_START, KVM_SEV_LAUNCH_UPDATE_DATA,
	KVM_SEV_LAUNCH_UPDATE_VMSA,
	KVM_SEV_LAUNCH_SECRET, KVM_SEV_LAUNCH_MEASURE, KVM_SEV_LAUNCH_FINISH,
	KVM_SEV_SEND_START, KVM_SEV_SEND_UPDATE_DATA, KVM_SEV_SEND_FINISH,
	KVM_SEV_RECEIVE_START, KVM_SEV_RECEIVE_UPDATE_DATA,
	KVM_SEV_RECEIVE_FINISH, KVM_SEV_GUEST_STATUS, KVM_SEV_DBG_DECRYPT,
	KVM_SEV_DBG_ENCRYPT, KVM_SEV_GET_ATTESTATION_REPORT,
	KVM_SEV_SEND_CANCEL,
};

static void test_commands(void)
{
	const uint32_t unknown[] = { 23, 99, KVM_SEV_NR_MAX, -1u };
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_SNP_VM);
	char data[256] = "";
	int i;

	EXPECT_ERRNO(ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, NULL), 0,
		     "KVM_MEMORY_ENCRYPT_OP with no command");
	EXPECT_ERRNO(ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, NOWHERE), EFAULT,
		     "a command where no memory is");
	EXPECT_ERRNO(snp_init2(vm, 0), 0, "INIT2");
	for (i = 0; i < ARRAY_SIZE(legacy); i++)
		EXPECT_ERRNO(snp_op(vm, legacy[i], data, NULL), EPERM,
			     "command %u of SEV on an SNP VM", legacy[i]);
	/* They are for VMs of the default type. */
	EXPECT_ERRNO(snp_op(vm, KVM_SEV_INIT, NULL, NULL), EINVAL,
		     "KVM_SEV_INIT of an SNP VM");
	EXPECT_ERRNO(snp_op(vm, KVM_SEV_ES_INIT, NULL, NULL), EINVAL,
		     "KVM_SEV_ES_INIT of an SNP VM");
	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		EXPECT_ERRNO(snp_op(vm, unknown[i], data, NULL), EINVAL,
			     "command %u", unknown[i]);
	EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, NULL), 0,
		     "LAUNCH_START after all that");
	kvm_vm_free(vm);
}

static void test_too_early(void)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_SNP_VM);
	struct kvm_vcpu *vcpu;
	char page[1];

	EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, NULL), ENOTTY,
		     "LAUNCH_START before INIT2");
	EXPECT_ERRNO(snp_launch_update(vm, KVM_SEV_SNP_PAGE_TYPE_NORMAL, 0,
				       page, SIZE_4K, NULL), ENOTTY,
		     "LAUNCH_UPDATE before INIT2");
	EXPECT_ERRNO(snp_launch_finish(vm, NULL), ENOTTY,
		     "LAUNCH_FINISH before INIT2");
	vcpu = __vm_vcpu_add(vm, 0);
	EXPECT_ERRNO(__vcpu_run(vcpu), EINVAL, "KVM_RUN before INIT2");
	kvm_vm_free(vm);
}

static void test_other_types(void)
{
	const unsigned long types[] = {
		KVM_X86_DEFAULT_VM, KVM_X86_SW_PROTECTED_VM,
	};
	char page[1];
	struct kvm_vm *vm;
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (!has_vm_type(types[i]))
			continue;
		vm = vm_create_barebones_type(types[i]);
		EXPECT_ERRNO(snp_init2(vm, 0), EINVAL,
			     "INIT2 of a VM of type %lu", types[i]);
		EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, NULL), ENOTTY,
			     "LAUNCH_START of a VM of type %lu", types[i]);
		EXPECT_ERRNO(snp_launch_update(vm, KVM_SEV_SNP_PAGE_TYPE_NORMAL,
					       0, page, SIZE_4K, NULL), ENOTTY,
			     "LAUNCH_UPDATE of a VM of type %lu", types[i]);
		EXPECT_ERRNO(snp_launch_finish(vm, NULL), ENOTTY,
			     "LAUNCH_FINISH of a VM of type %lu", types[i]);
		kvm_vm_free(vm);
	}
}

/* The context of an SNP guest is the firmware's alone. */

static const struct {
	const char *name;
	uint32_t cap;
} context_caps[] = {
	{ "COPY", KVM_CAP_VM_COPY_ENC_CONTEXT_FROM },
	{ "MOVE", KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM },
};

static void expect_no_context(struct kvm_vm *to, struct kvm_vm *from,
			      const char *what)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(context_caps); i++)
		EXPECT_ERRNO(__vm_enable_cap(to, context_caps[i].cap, from->fd),
			     EINVAL, "KVM_CAP_VM_%s_ENC_CONTEXT_FROM, %s",
			     context_caps[i].name, what);
}

static void test_contexts(void)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_SNP_VM);
	struct kvm_vm *fresh = vm_create_barebones_type(KVM_X86_SNP_VM);
	struct kvm_vm *plain = vm_create_barebones_type(KVM_X86_DEFAULT_VM);

	expect_no_context(fresh, vm, "SNP VMs before INIT2");
	EXPECT_ERRNO(snp_init2(vm, 0), 0, "INIT2");
	expect_no_context(fresh, vm, "to an SNP VM before INIT2");
	expect_no_context(vm, fresh, "from an SNP VM before INIT2");
	expect_no_context(plain, vm, "from an SNP VM");
	expect_no_context(vm, plain, "to an SNP VM");
	expect_no_context(vm, vm, "from itself");
	EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, NULL), 0,
		     "LAUNCH_START after all that");
	expect_no_context(fresh, vm, "from a started SNP VM");
	EXPECT_ERRNO(snp_init2(fresh, 0), 0, "INIT2 of the other");
	expect_no_context(fresh, vm, "SNP VMs after INIT2");
	kvm_vm_free(vm);
	kvm_vm_free(fresh);
	kvm_vm_free(plain);
}

/* KVM_SEV_SNP_LAUNCH_START */

static struct kvm_vm *vm;
static struct gmem_area memory;
static char source[3 * SIZE_4K] __aligned(SIZE_4K);

static void begin(void)
{
	vm = vm_create_barebones_type(KVM_X86_SNP_VM);
	EXPECT_ERRNO(snp_init2(vm, 0), 0, "INIT2");
	gmem_area_add(&memory, vm, 1, MEMORY, NR_PAGES * SIZE_4K);
	vm_set_private(vm, MEMORY, NR_PAGES * SIZE_4K);
}

static void end(const char *when)
{
	gmem_area_free(&memory);
	kvm_vm_free(vm);
	snp_expect_all_back(when);
}

static const struct {
	const char *name;
	uint64_t policy;
	int err;
	uint32_t fw_error;
} policies[] = {
	{ "bit 17 clear", 1 << 16, EINVAL },
	{ "nothing", 0, EINVAL },
	{ "bit 16 clear", 1 << 17, EINVAL },
	{ "bit 20, a single socket", SNP_POLICY | 1 << 20, EINVAL },
	{ "bit 18, a migration agent", SNP_POLICY | 1 << 18, EINVAL },
	{ "bit 21", SNP_POLICY | 1 << 21, EINVAL },
	{ "bit 32", SNP_POLICY | 1ul << 32, EINVAL },
	{ "bit 63", SNP_POLICY | 1ul << 63, EINVAL },
	{ "major version 255", SNP_POLICY | 255 << 8, EIO,
	  SNP_FW_POLICY_FAILURE },
};

static void test_start(void)
{
	struct kvm_sev_snp_launch_start start = {
		.policy = SNP_POLICY, .flags = 1,
	};
	uint32_t fw_error;
	int i;

	begin();
	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		EXPECT_ERRNO(snp_launch_start(vm, policies[i].policy, &fw_error),
			     policies[i].err, "LAUNCH_START, policy with %s",
			     policies[i].name);
		EXPECT_EQ(fw_error, policies[i].fw_error,
			  "LAUNCH_START, policy with %s: firmware's status",
			  policies[i].name);
	}
	EXPECT_ERRNO(snp_op(vm, KVM_SEV_SNP_LAUNCH_START, &start, NULL), EINVAL,
		     "LAUNCH_START with a flag");
	EXPECT_ERRNO(snp_op(vm, KVM_SEV_SNP_LAUNCH_START, NOWHERE, NULL),
		     EFAULT, "LAUNCH_START from where no memory is");
	EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, &fw_error), 0,
		     "LAUNCH_START after all that");
	EXPECT_EQ(fw_error, 0, "LAUNCH_START: firmware's status");
	EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, NULL), EINVAL,
		     "LAUNCH_START again");
	end("VM after LAUNCH_START");
}

static void test_good_policy(uint64_t policy, const char *name)
{
	begin();
	EXPECT_ERRNO(snp_launch_start(vm, policy, NULL), 0,
		     "LAUNCH_START, policy %s", name);
	end(name);
}

/* KVM_SEV_SNP_LAUNCH_UPDATE */

/* What is added to good arguments. */
static const struct {
	const char *name;
	struct kvm_sev_snp_launch_update add;
	int err;
} updates[] = {
	{ "a flag", { .flags = 1 }, EINVAL },
	{ "the last flag", { .flags = 1 << 15 }, EINVAL },
	{ "length not aligned", { .len = 1 }, EINVAL },
	{ "length 0", { .len = -SIZE_4K }, EINVAL },
	{ "source not aligned", { .uaddr = 1 }, EINVAL },
	{ "source in the middle of a page", { .uaddr = SIZE_4K / 2 }, EINVAL },
	{ "type 0", { .type = 0 - 1 }, EINVAL },
	{ "type VMSA", { .type = SNP_PAGE_VMSA - 1 }, EINVAL },
	{ "type 7", { .type = 7 - 1 }, EINVAL },
	{ "type 255", { .type = 255 - 1 }, EINVAL },
	{ "no slot", { .gfn_start = SIZE_1G / SIZE_4K }, EINVAL },
	{ "a slot without a file",
	  { .gfn_start = (2 * SIZE_1G - MEMORY) / SIZE_4K }, EINVAL },
	{ "the last frame of all", { .gfn_start = -1ul - MEMORY / SIZE_4K },
	  EINVAL },
	{ "a source without memory", { .uaddr = 1ul << 46 }, EIO },
};

static struct kvm_sev_snp_launch_update good_update(void)
{
	return (struct kvm_sev_snp_launch_update) {
		.gfn_start = MEMORY / SIZE_4K,
		.uaddr = (uintptr_t)source,
		.len = SIZE_4K,
		.type = KVM_SEV_SNP_PAGE_TYPE_NORMAL,
	};
}

static int update(struct kvm_sev_snp_launch_update *args, uint32_t *fw_error)
{
	return snp_op(vm, KVM_SEV_SNP_LAUNCH_UPDATE, args, fw_error);
}

static void test_update_errors(void)
{
	const struct kvm_sev_snp_launch_update good = good_update();
	struct kvm_sev_snp_launch_update args;
	uint32_t fw_error;
	int i;

	for (i = 0; i < ARRAY_SIZE(updates); i++) {
		args = good;
		args.gfn_start += updates[i].add.gfn_start;
		args.uaddr += updates[i].add.uaddr;
		args.len += updates[i].add.len;
		args.type += updates[i].add.type;
		args.flags += updates[i].add.flags;
		EXPECT_ERRNO(update(&args, &fw_error), updates[i].err,
			     "LAUNCH_UPDATE, %s", updates[i].name);
		EXPECT_EQ(fw_error, 0, "LAUNCH_UPDATE, %s: firmware's status",
			  updates[i].name);
	}
	EXPECT_ERRNO(snp_op(vm, KVM_SEV_SNP_LAUNCH_UPDATE, NOWHERE, NULL),
		     EFAULT, "LAUNCH_UPDATE from where no memory is");

	args = good;
	args.uaddr = 0;
	EXPECT_ERRNO(update(&args, NULL), EINVAL, "LAUNCH_UPDATE, source 0");

	vm_set_shared(vm, MEMORY, SIZE_4K);
	args = good;
	EXPECT_ERRNO(update(&args, &fw_error), EIO,
		     "LAUNCH_UPDATE of a shared frame");
	EXPECT_EQ(fw_error, 0, "a shared frame: firmware's status");
	vm_set_private(vm, MEMORY, SIZE_4K);
}

static void expect_progress(const struct kvm_sev_snp_launch_update *args,
			    uint64_t pages, uint64_t left, const char *what)
{
	EXPECT_EQ(args->gfn_start, MEMORY / SIZE_4K + pages,
		  "%s: gfn_start", what);
	EXPECT_EQ(args->uaddr, (uintptr_t)source + pages * SIZE_4K,
		  "%s: uaddr", what);
	EXPECT_EQ(args->len, left * SIZE_4K, "%s: len", what);
}

static void test_update_progress(void)
{
	struct kvm_sev_snp_launch_update args = good_update();
	void *hole = mmap(NULL, 2 * SIZE_4K, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t fw_error;
	int ret;

	args.len = 2 * SIZE_4K;
	ret = snp_launch_update(vm, KVM_SEV_SNP_PAGE_TYPE_NORMAL,
				MEMORY + 4 * SIZE_4K, source, 2 * SIZE_4K,
				&fw_error);
	EXPECT_ERRNO(ret, 0, "LAUNCH_UPDATE of two pages");
	while (args.len && !update(&args, &fw_error))
		;
	expect_progress(&args, 2, 0, "two pages");
	EXPECT_EQ(fw_error, 0, "two pages: firmware's status");

	args = good_update();
	EXPECT_ERRNO(update(&args, &fw_error), EIO, "LAUNCH_UPDATE again");
	expect_progress(&args, 0, 1, "a page that is there already");

	/* Half of the range is no memory: the half before it counts. */
	munmap(hole + SIZE_4K, SIZE_4K);
	args.gfn_start = MEMORY / SIZE_4K + 2;
	args.uaddr = (uintptr_t)hole;
	args.len = 2 * SIZE_4K;
	EXPECT_ERRNO(update(&args, NULL), 0, "LAUNCH_UPDATE of a half");
	EXPECT_EQ(args.len, SIZE_4K, "LAUNCH_UPDATE of a half: len");
	EXPECT_EQ(args.uaddr, (uintptr_t)hole + SIZE_4K,
		  "LAUNCH_UPDATE of a half: uaddr");
	EXPECT_ERRNO(update(&args, NULL), EIO,
		     "LAUNCH_UPDATE of the other half");
	EXPECT_EQ(args.len, SIZE_4K, "LAUNCH_UPDATE of the other half: len");
	munmap(hole, SIZE_4K);
}

/* @uaddr does not count. */
static void test_update_zero(void)
{
	struct kvm_sev_snp_launch_update args = good_update();

	args.type = KVM_SEV_SNP_PAGE_TYPE_ZERO;
	args.gfn_start += 6;
	args.uaddr = 0;
	EXPECT_ERRNO(update(&args, NULL), 0, "LAUNCH_UPDATE of ZERO");
	args = good_update();
	args.type = KVM_SEV_SNP_PAGE_TYPE_ZERO;
	args.gfn_start += 7;
	args.uaddr = 1ul << 46;
	EXPECT_ERRNO(update(&args, NULL), 0,
		     "LAUNCH_UPDATE of ZERO from where no memory is");
}

/* Only what is done is taken off, and what has stopped it fails the next call. */
static void expect_update(struct kvm_sev_snp_launch_update *args, int err,
			  uint32_t fw_error, uint64_t pages, const char *what)
{
	const struct kvm_sev_snp_launch_update old = *args;

	expect_op(vm, KVM_SEV_SNP_LAUNCH_UPDATE, args, err, fw_error, what);
	EXPECT_EQ(args->gfn_start, old.gfn_start + pages, "%s: gfn_start", what);
	EXPECT_EQ(args->uaddr, old.uaddr + pages * SIZE_4K, "%s: uaddr", what);
	EXPECT_EQ(args->len, old.len - pages * SIZE_4K, "%s: len", what);
}

static void test_update_refused(void)
{
	struct kvm_sev_snp_launch_update args = good_update();

	if (!has_snp_model()) {
		note_skipped("pages that are refused: need the model of SEV-SNP");
		return;
	}
	args.len = 3 * SIZE_4K;
	snp_model_fail(SNP_FAILING_COMMAND, SNP_CMD_LAUNCH_UPDATE, 1, 2,
		       SNP_FW_RESOURCE_LIMIT);
	expect_update(&args, 0, 0, 1, "three pages, the second refused");
	expect_update(&args, EIO, SNP_FW_RESOURCE_LIMIT, 0, "refused again");
	snp_model_fail(SNP_FAILING_RMPUPDATE, 0, 0, 1, SNP_FAIL_INPUT);
	expect_update(&args, EIO, 0, 0, "refused by RMPUPDATE");
	snp_model_fail(SNP_FAILING_NONE, 0, 0, 0, 0);
	expect_update(&args, 0, 0, 2, "no more refused");
}

static void test_update_parts(void)
{
	struct kvm_sev_snp_launch_update args = good_update();

	args.gfn_start += 3;
	args.len = 3 * SIZE_4K;
	vm_set_shared(vm, MEMORY + 4 * SIZE_4K, SIZE_4K);
	expect_update(&args, 0, 0, 1, "three pages, the second shared");
	expect_update(&args, EIO, 0, 0, "a shared frame and a private one");
	vm_set_private(vm, MEMORY + 4 * SIZE_4K, SIZE_4K);
	expect_update(&args, 0, 0, 2, "private frames again");

	args = good_update();
	args.gfn_start += NR_PAGES - 1;
	args.len = 2 * SIZE_4K;
	expect_update(&args, 0, 0, 1, "a page of the slot and one past its end");
	expect_update(&args, EINVAL, 0, 0, "a page past the slot's end");
}

/* Processes may have its pages mapped. */
static void test_update_mapped_file(void)
{
	struct kvm_sev_snp_launch_update args = good_update();
	struct gmem_area open;

	if (!(vm_check_cap(vm, KVM_CAP_GUEST_MEMFD_FLAGS) &
	      GUEST_MEMFD_FLAG_MMAP)) {
		note_skipped("files that the host can map: no such flag");
		return;
	}
	args.gfn_start += SIZE_1G / SIZE_4K;
	gmem_area_add_mapped(&open, vm, 3, MEMORY + SIZE_1G, SIZE_4K,
			     GUEST_MEMFD_FLAG_MMAP);
	vm_set_private(vm, MEMORY + SIZE_1G, SIZE_4K);
	EXPECT(update(&args, NULL) < 0,
	       "LAUNCH_UPDATE of a file that the host can map should fail");
	gmem_area_free(&open);
	vm_set_shared(vm, MEMORY + SIZE_1G, SIZE_4K);
}

static void test_update(void)
{
	struct kvm_sev_snp_launch_update args = good_update();
	void *plain = map_anonymous(SIZE_4K, SIZE_4K);

	begin();
	vm_set_user_memory_region(vm, 2, 0, 2 * SIZE_1G, SIZE_4K, plain);
	EXPECT_ERRNO(update(&args, NULL), EINVAL,
		     "LAUNCH_UPDATE before LAUNCH_START");
	EXPECT_ERRNO(snp_launch_finish(vm, NULL), EINVAL,
		     "LAUNCH_FINISH before LAUNCH_START");
	EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, NULL), 0,
		     "LAUNCH_START");
	test_update_errors();
	test_update_progress();
	test_update_zero();
	test_update_mapped_file();
	end("VM after LAUNCH_UPDATE");
	munmap(plain, SIZE_4K);

	begin();
	EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, NULL), 0,
		     "LAUNCH_START");
	test_update_refused();
	test_update_parts();
	end("VM after LAUNCH_UPDATE of parts");
}

/* KVM_SEV_SNP_LAUNCH_FINISH */

/* Pages that it makes the guest's would not be in the measurement. */
static void expect_no_pre_fault(struct kvm_vcpu *vcpu, const char *when)
{
	struct kvm_pre_fault_memory range = {
		.gpa = MEMORY, .size = SIZE_4K,
	};

	if (!kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY)) {
		note_skipped("pre-faults: need KVM_CAP_PRE_FAULT_MEMORY");
		return;
	}
	EXPECT_ERRNO(ioctl(vcpu->fd, KVM_PRE_FAULT_MEMORY, &range), EOPNOTSUPP,
		     "KVM_PRE_FAULT_MEMORY before %s", when);
	EXPECT_EQ(range.size, SIZE_4K, "what is left of it before %s", when);
}

/* A VMSA that is not the guest's yet, and the command itself; tried again. */
static void test_finish_refused(void)
{
	struct kvm_sev_snp_launch_finish args = {};

	if (!has_snp_model()) {
		note_skipped("a launch that is refused: needs the model of SEV-SNP");
		return;
	}
	snp_model_fail(SNP_FAILING_RMPUPDATE, 0, 0, 1, SNP_FAIL_INPUT);
	expect_op(vm, KVM_SEV_SNP_LAUNCH_FINISH, &args, EIO, 0,
		  "LAUNCH_FINISH, VMSA refused by RMPUPDATE");
	snp_model_fail(SNP_FAILING_NONE, 0, 0, 0, 0);
	snp_model_fail(SNP_FAILING_COMMAND, SNP_CMD_LAUNCH_UPDATE, 0, 1,
		       SNP_FW_RESOURCE_LIMIT);
	expect_op(vm, KVM_SEV_SNP_LAUNCH_FINISH, &args, EIO,
		  SNP_FW_RESOURCE_LIMIT, "LAUNCH_FINISH, VMSA refused");
	snp_model_fail(SNP_FAILING_COMMAND, SNP_CMD_LAUNCH_FINISH, 0, 1,
		       SNP_FW_INVALID_PARAM);
	expect_op(vm, KVM_SEV_SNP_LAUNCH_FINISH, &args, EIO,
		  SNP_FW_INVALID_PARAM, "LAUNCH_FINISH, refused");
	snp_model_fail(SNP_FAILING_NONE, 0, 0, 0, 0);
}

static void test_finish(void)
{
	struct kvm_sev_snp_launch_finish finish = { .flags = 1 };
	struct kvm_sev_snp_launch_update args = good_update();
	struct kvm_vcpu *vcpu;

	begin();
	vcpu = __vm_vcpu_add(vm, 0);
	vcpu_init_cpuid(vcpu, kvm_get_supported_cpuid());
	EXPECT_ERRNO(__vcpu_run(vcpu), EINVAL, "KVM_RUN before LAUNCH_START");
	expect_no_pre_fault(vcpu, "LAUNCH_START");
	EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, NULL), 0,
		     "LAUNCH_START");
	EXPECT_ERRNO(__vcpu_run(vcpu), EINVAL, "KVM_RUN before LAUNCH_FINISH");
	expect_no_pre_fault(vcpu, "LAUNCH_FINISH");
	EXPECT_ERRNO(snp_op(vm, KVM_SEV_SNP_LAUNCH_FINISH, &finish, NULL),
		     EINVAL, "LAUNCH_FINISH with a flag");
	EXPECT_ERRNO(snp_op(vm, KVM_SEV_SNP_LAUNCH_FINISH, NOWHERE, NULL),
		     EFAULT, "LAUNCH_FINISH from where no memory is");
	finish = (struct kvm_sev_snp_launch_finish) {
		.id_block_en = 1, .id_block_uaddr = 1ul << 46,
		.id_auth_uaddr = (uintptr_t)source,
	};
	EXPECT_ERRNO(snp_op(vm, KVM_SEV_SNP_LAUNCH_FINISH, &finish, NULL),
		     EFAULT, "LAUNCH_FINISH, ID block where no memory is");
	test_finish_refused();
	EXPECT_ERRNO(snp_launch_finish(vm, NULL), 0,
		     "LAUNCH_FINISH after all that");

	EXPECT_ERRNO(snp_launch_finish(vm, NULL), EINVAL,
		     "LAUNCH_FINISH again");
	EXPECT_ERRNO(update(&args, NULL), EINVAL,
		     "LAUNCH_UPDATE after LAUNCH_FINISH");
	EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, NULL), EINVAL,
		     "LAUNCH_START after LAUNCH_FINISH");
	end("VM after LAUNCH_FINISH");
}

/*
 * Commands without an answer.  A page that the firmware has by then would be
 * lost, so it is either one command alone that is not answered, or nothing from
 * one on that has no page to give.
 */
static void silence(uint32_t command, unsigned int times)
{
	snp_model_fail(SNP_FAILING_COMMAND, command, 0, times, SNP_FW_NO_ANSWER);
}

static void test_silence(void)
{
	struct kvm_sev_snp_launch_start start = { .policy = SNP_POLICY };
	struct kvm_sev_snp_launch_update args = good_update();
	struct kvm_sev_snp_launch_finish finish = {};
	struct kvm_vm *other;

	if (!has_snp_model()) {
		note_skipped("firmware that does not answer: needs the model of SEV-SNP");
		return;
	}
	other = vm_create_barebones_type(KVM_X86_SNP_VM);
	EXPECT_ERRNO(snp_init2(other, 0), 0, "INIT2");
	begin();
	silence(SNP_CMD_GCTX_CREATE, 1);
	expect_op(vm, KVM_SEV_SNP_LAUNCH_START, &start, ETIMEDOUT, 0,
		  "LAUNCH_START without an answer");
	expect_op(vm, KVM_SEV_SNP_LAUNCH_START, &start, 0, 0,
		  "LAUNCH_START with one");
	silence(SNP_CMD_LAUNCH_UPDATE, 1);
	expect_update(&args, EIO, 0, 0, "LAUNCH_UPDATE without an answer");
	expect_update(&args, 0, 0, 1, "LAUNCH_UPDATE with one");

	silence(0, -1u);
	expect_op(vm, KVM_SEV_SNP_LAUNCH_FINISH, &finish, ETIMEDOUT, 0,
		  "LAUNCH_FINISH without an answer");
	expect_op(other, KVM_SEV_SNP_LAUNCH_START, &start, EBUSY, 0,
		  "LAUNCH_START after that");
	snp_model_fail(SNP_FAILING_NONE, 0, 0, 0, 0);
	expect_op(other, KVM_SEV_SNP_LAUNCH_START, &start, 0, 0,
		  "LAUNCH_START when the firmware answers again");
	expect_op(vm, KVM_SEV_SNP_LAUNCH_FINISH, &finish, 0, 0,
		  "LAUNCH_FINISH when the firmware answers again");
	kvm_vm_free(other);
	end("VMs after a firmware that does not answer");
}

int main(int argc, char *argv[])
{
	uint64_t features;

	snp_begin();

	test_caps();
	test_probes();
	test_cpuid();
	features = test_attrs();
	test_init2(features);
	test_init2_status();
	test_asids();
	test_features(features);
	test_commands();
	test_too_early();
	test_other_types();
	test_contexts();
	test_start();
	test_good_policy(SNP_POLICY | SNP_POLICY_DEBUG, "with DEBUG");
	test_good_policy(SNP_POLICY | 1 << 8 | 51, "for version 1.51");
	test_update();
	test_finish();
	test_silence();
	return test_verdict();
}
