// SPDX-License-Identifier: GPL-2.0-only
/*
 * The binary interface of SNP VMs: numbers and layouts that a VMM with headers of
 * its own has to know stand here once more, as in guest_memfd_uapi_test; and a
 * launch with nothing but numbers.
 */
#include <sys/ioctl.h>

#include "abi_assert.h"
#include "snp.h"
#include "snp_model.h"

ASSERT_NUMBER(KVM_MEMORY_ENCRYPT_OP, 0xc008aeba);
ASSERT_NUMBER(KVM_X86_SEV_VM, 2);
ASSERT_NUMBER(KVM_X86_SEV_ES_VM, 3);
ASSERT_NUMBER(KVM_X86_SNP_VM, 4);
ASSERT_NUMBER(KVM_X86_GRP_SEV, 1);
ASSERT_NUMBER(KVM_X86_SEV_VMSA_FEATURES, 0);
ASSERT_NUMBER(KVM_EXIT_SYSTEM_EVENT, 24);
ASSERT_NUMBER(KVM_SYSTEM_EVENT_SEV_TERM, 6);
ASSERT_NUMBER(KVM_EXIT_HYPERCALL, 3);

/* Commands */
ASSERT_NUMBER(KVM_SEV_INIT2, 22);
ASSERT_NUMBER(KVM_SEV_SNP_LAUNCH_START, 100);
ASSERT_NUMBER(KVM_SEV_SNP_LAUNCH_UPDATE, 101);
ASSERT_NUMBER(KVM_SEV_SNP_LAUNCH_FINISH, 102);

ASSERT_FIELD(kvm_sev_cmd, id, 0, 4);
ASSERT_FIELD(kvm_sev_cmd, data, 8, 8);
ASSERT_FIELD(kvm_sev_cmd, error, 16, 4);
ASSERT_FIELD(kvm_sev_cmd, sev_fd, 20, 4);

ASSERT_SIZE(kvm_sev_init, 48);
ASSERT_FIELD(kvm_sev_init, vmsa_features, 0, 8);
ASSERT_FIELD(kvm_sev_init, flags, 8, 4);
ASSERT_FIELD(kvm_sev_init, ghcb_version, 12, 2);

ASSERT_SIZE(kvm_sev_snp_launch_start, 64);
ASSERT_FIELD(kvm_sev_snp_launch_start, policy, 0, 8);
ASSERT_FIELD(kvm_sev_snp_launch_start, gosvw, 8, 16);
ASSERT_FIELD(kvm_sev_snp_launch_start, flags, 24, 2);

ASSERT_SIZE(kvm_sev_snp_launch_update, 64);
ASSERT_FIELD(kvm_sev_snp_launch_update, gfn_start, 0, 8);
ASSERT_FIELD(kvm_sev_snp_launch_update, uaddr, 8, 8);
ASSERT_FIELD(kvm_sev_snp_launch_update, len, 16, 8);
ASSERT_FIELD(kvm_sev_snp_launch_update, type, 24, 1);
ASSERT_FIELD(kvm_sev_snp_launch_update, flags, 26, 2);

ASSERT_SIZE(kvm_sev_snp_launch_finish, 88);
ASSERT_FIELD(kvm_sev_snp_launch_finish, id_block_uaddr, 0, 8);
ASSERT_FIELD(kvm_sev_snp_launch_finish, id_auth_uaddr, 8, 8);
ASSERT_FIELD(kvm_sev_snp_launch_finish, id_block_en, 16, 1);
ASSERT_FIELD(kvm_sev_snp_launch_finish, auth_key_en, 17, 1);
ASSERT_FIELD(kvm_sev_snp_launch_finish, vcek_disabled, 18, 1);
ASSERT_FIELD(kvm_sev_snp_launch_finish, host_data, 19, 32);
ASSERT_FIELD(kvm_sev_snp_launch_finish, flags, 54, 2);

ASSERT_NUMBER(KVM_SEV_SNP_PAGE_TYPE_NORMAL, 1);
ASSERT_NUMBER(KVM_SEV_SNP_PAGE_TYPE_ZERO, 3);
ASSERT_NUMBER(KVM_SEV_SNP_PAGE_TYPE_UNMEASURED, 4);
ASSERT_NUMBER(KVM_SEV_SNP_PAGE_TYPE_SECRETS, 5);
ASSERT_NUMBER(KVM_SEV_SNP_PAGE_TYPE_CPUID, 6);

ASSERT_FIELD(kvm_run, hypercall.nr, 32, 8);
ASSERT_FIELD(kvm_run, hypercall.args, 40, 48);
ASSERT_FIELD(kvm_run, hypercall.ret, 88, 8);
ASSERT_FIELD(kvm_run, system_event.type, 32, 4);
ASSERT_FIELD(kvm_run, system_event.ndata, 36, 4);
ASSERT_FIELD(kvm_run, system_event.data, 40, 128);

#define GPA		SIZE_1G
#define SIZE		(4 * SIZE_4K)
#define UNTOUCHED	0x5a5a5a5a5a5a5a5aul

/* What a command reads, in words, and what is behind it. */
struct words {
	uint64_t at[12];
};

static int call(struct kvm_vm *vm, uint32_t id, struct words *words,
		unsigned int nr)
{
	uint64_t cmd[3] = { id, (uintptr_t)words, 0 };
	int ret, err;

	words->at[nr] = UNTOUCHED;
	ret = ioctl(vm->fd, 0xc008aeba, cmd);
	err = errno;
	EXPECT_EQ(words->at[nr], UNTOUCHED,
		  "word behind the argument of command %u", id);
	EXPECT_EQ((uint32_t)cmd[2], 0, "word 2 after command %u", id);
	errno = err;
	return ret;
}

static void test_launch(void)
{
	struct kvm_vm *vm = vm_create_barebones_type(4);
	void *from = map_anonymous(SIZE, SIZE_4K);
	struct words init = {}, start = { { 0x30000 } }, finish = {};
	struct words update = { { GPA / SIZE_4K, (uintptr_t)from, SIZE, 1 } };
	struct gmem_area area;

	gmem_area_add(&area, vm, 3, GPA, SIZE_2M);
	vm_set_private(vm, GPA, SIZE_2M);

	init.at[1] = 3ul << 32;
	EXPECT_ERRNO(call(vm, 22, &init, 6), EINVAL,
		     "22, GHCB version 3 in the high half of word 1");
	init.at[1] = 2ul << 32;
	EXPECT_ERRNO(call(vm, 22, &init, 6), 0, "22");
	start.at[3] = 1;
	EXPECT_ERRNO(call(vm, 100, &start, 8), EINVAL, "100, flags in word 3");
	start.at[3] = 0;
	EXPECT_ERRNO(call(vm, 100, &start, 8), 0, "100, policy in word 0");
	update.at[3] = 1 | 1 << 16;
	EXPECT_ERRNO(call(vm, 101, &update, 8), EINVAL,
		     "101, flags from bit 16 of word 3 on");
	update.at[3] = 2;
	EXPECT_ERRNO(call(vm, 101, &update, 8), EINVAL,
		     "101, type 2 in word 3");
	update.at[3] = 1;
	while (update.at[2] && !test_has_failed())
		EXPECT_ERRNO(call(vm, 101, &update, 8), 0, "101");
	EXPECT_EQ(update.at[0], (GPA + SIZE) / SIZE_4K, "word 0, advanced");
	EXPECT_EQ(update.at[1], (uintptr_t)from + SIZE, "word 1, advanced");
	finish.at[6] = 1ul << 48;
	EXPECT_ERRNO(call(vm, 102, &finish, 11), EINVAL,
		     "102, flags from bit 48 of word 6 on");
	finish.at[6] = 0;
	EXPECT_ERRNO(call(vm, 102, &finish, 11), 0, "102");

	gmem_area_free(&area);
	munmap(from, SIZE);
	kvm_vm_free(vm);
}

static void test_attribute(void)
{
	uint64_t features = UNTOUCHED, attr[3] = { 1ul << 32, 0,
						   (uintptr_t)&features };
	int kvm = open_kvm_dev_path_or_exit();

	EXPECT_ERRNO(ioctl(kvm, 0x4018aee2, attr), 0,
		     "0x4018aee2, group 1 in the high half of word 0");
	EXPECT(features != UNTOUCHED, "VMSA features should be told");
	EXPECT_EQ(features & 1, 0, "SNP among the features to be asked for");
	close(kvm);
}

int main(int argc, char *argv[])
{
	snp_begin();
	test_launch();
	test_attribute();
	snp_expect_all_back("VM launched by numbers");
	return test_verdict();
}
