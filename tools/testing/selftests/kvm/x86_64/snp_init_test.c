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
		EXPECT_ERRNO(snp_op(vm, legacy[i], data, NULL), ENOTTY,
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
	char page[1];

	EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, NULL), ENOTTY,
		     "LAUNCH_START before INIT2");
	EXPECT_ERRNO(snp_launch_update(vm, KVM_SEV_SNP_PAGE_TYPE_NORMAL, 0,
				       page, SIZE_4K, NULL), ENOTTY,
		     "LAUNCH_UPDATE before INIT2");
	EXPECT_ERRNO(snp_launch_finish(vm, NULL), ENOTTY,
		     "LAUNCH_FINISH before INIT2");
	kvm_vm_free(vm);
}

static void test_other_types(void)
{
	const unsigned long types[] = {
		KVM_X86_DEFAULT_VM, KVM_X86_SW_PROTECTED_VM,
	};
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
		EXPECT_ERRNO(snp_launch_finish(vm, NULL), ENOTTY,
			     "LAUNCH_FINISH of a VM of type %lu", types[i]);
		kvm_vm_free(vm);
	}
}

/* KVM_SEV_SNP_LAUNCH_START */

static struct kvm_vm *vm;
static struct gmem_area memory;
static char source[2 * SIZE_4K] __aligned(SIZE_4K);

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

static void test_finish(void)
{
	struct kvm_sev_snp_launch_finish finish = { .flags = 1 };
	struct kvm_sev_snp_launch_update args = good_update();
	struct kvm_vcpu *vcpu;

	begin();
	vcpu = __vm_vcpu_add(vm, 0);
	vcpu_init_cpuid(vcpu, kvm_get_supported_cpuid());
	EXPECT(__vcpu_run(vcpu) < 0, "KVM_RUN before LAUNCH_START should fail");
	expect_no_pre_fault(vcpu, "LAUNCH_START");
	EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, NULL), 0,
		     "LAUNCH_START");
	EXPECT(__vcpu_run(vcpu) < 0,
	       "KVM_RUN before LAUNCH_FINISH should fail");
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

int main(int argc, char *argv[])
{
	uint64_t features;

	snp_begin();

	test_caps();
	test_cpuid();
	features = test_attrs();
	test_init2(features);
	test_features(features);
	test_commands();
	test_too_early();
	test_other_types();
	test_start();
	test_good_policy(SNP_POLICY | SNP_POLICY_DEBUG, "with DEBUG");
	test_good_policy(SNP_POLICY | 1 << 8 | 51, "for version 1.51");
	test_update();
	test_finish();
	return test_verdict();
}
