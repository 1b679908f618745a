// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launch of an SNP guest: its ioctls, and all pages of a guest in an order of
 * which the digest is known.
 */
#include "snp.h"

/* Firmware is reached through it where there is a driver for it. */
static int sev_fd(void)
{
	static int fd = -2;

	if (fd == -2)
		fd = open("/dev/sev", O_RDWR | O_CLOEXEC);
	return fd;
}

int snp_op(struct kvm_vm *vm, uint32_t id, void *data, uint32_t *fw_error)
{
	struct kvm_sev_cmd cmd = {
		.id = id,
		.data = (uintptr_t)data,
		.sev_fd = sev_fd(),
	};
	int ret = ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, &cmd);

	if (fw_error)
		*fw_error = cmd.error;
	return ret;
}

int snp_init2(struct kvm_vm *vm, uint64_t vmsa_features)
{
	struct kvm_sev_init init = { .vmsa_features = vmsa_features };

	return snp_op(vm, KVM_SEV_INIT2, &init, NULL);
}

int snp_launch_start(struct kvm_vm *vm, uint64_t policy, uint32_t *fw_error)
{
	struct kvm_sev_snp_launch_start start = { .policy = policy };

	return snp_op(vm, KVM_SEV_SNP_LAUNCH_START, &start, fw_error);
}

int snp_launch_update(struct kvm_vm *vm, uint8_t type, uint64_t gpa,
		      const void *from, uint64_t size, uint32_t *fw_error)
{
	struct kvm_sev_snp_launch_update update = {
		.gfn_start = gpa / SIZE_4K,
		.uaddr = (uintptr_t)from,
		.len = size,
		.type = type,
	};
	uint64_t left;
	int ret;

	while (update.len) {
		left = update.len;
		ret = snp_op(vm, KVM_SEV_SNP_LAUNCH_UPDATE, &update, fw_error);
		if (ret)
			return ret;
		TEST_ASSERT(update.len < left,
			    "a successful LAUNCH_UPDATE should get on, %#lx bytes are left of %#lx",
			    left, size);
	}
	return 0;
}

int snp_launch_finish(struct kvm_vm *vm, uint32_t *fw_error)
{
	struct kvm_sev_snp_launch_finish finish = {};

	return snp_op(vm, KVM_SEV_SNP_LAUNCH_FINISH, &finish, fw_error);
}

/* All of a guest */

static const uint8_t special_types[SNP_NR_SPECIAL] = {
	[SNP_ZERO] = KVM_SEV_SNP_PAGE_TYPE_ZERO,
	[SNP_UNMEASURED] = KVM_SEV_SNP_PAGE_TYPE_UNMEASURED,
	[SNP_SECRETS] = KVM_SEV_SNP_PAGE_TYPE_SECRETS,
	[SNP_CPUID] = KVM_SEV_SNP_PAGE_TYPE_CPUID,
};

int snp_start(struct snp *snp)
{
	memset(snp->ld, 0, sizeof(snp->ld));
	return snp_launch_start(snp->vm, snp->policy, NULL);
}

static bool is_special(struct snp *snp, uint64_t gpa)
{
	int i;

	for (i = 0; i < SNP_NR_SPECIAL; i++)
		if (snp->special_gpa[i] == gpa)
			return true;
	return false;
}

static bool is_used(struct snp *snp, uint64_t pfn)
{
	struct sparsebit *unused = memslot2region(snp->vm, 0)->unused_phy_pages;

	return !sparsebit_is_set(unused, pfn) &&
	       !is_special(snp, pfn * SIZE_4K);
}

bool snp_next_used(struct snp *snp, uint64_t *gpa, uint64_t *size)
{
	uint64_t pfn = (*gpa + *size) / SIZE_4K, nr = snp->size / SIZE_4K, end;

	while (pfn < nr && !is_used(snp, pfn))
		pfn++;
	for (end = pfn; end < nr && is_used(snp, end); end++)
		;
	*gpa = pfn * SIZE_4K;
	*size = (end - pfn) * SIZE_4K;
	return pfn < nr;
}

static void measure_range(struct snp *snp, uint8_t type, uint64_t gpa,
			  const void *from, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size; i += SIZE_4K)
		snp_measure(snp->ld, type, gpa + i, from + i);
}

int snp_update_used(struct snp *snp, bool measured)
{
	uint8_t type = measured ? KVM_SEV_SNP_PAGE_TYPE_NORMAL :
				  KVM_SEV_SNP_PAGE_TYPE_UNMEASURED;
	uint64_t gpa = 0, size = 0;
	void *from;

	while (snp_next_used(snp, &gpa, &size)) {
		from = addr_gpa2hva(snp->vm, gpa);
		if (snp_launch_update(snp->vm, type, gpa, from, size, NULL))
			return -1;
		if (measured)
			measure_range(snp, type, gpa, from, size);
	}
	return 0;
}

int snp_update_special(struct snp *snp, enum snp_special which)
{
	uint64_t gpa = snp->special_gpa[which];
	uint8_t type = special_types[which];
	void *from = addr_gpa2hva(snp->vm, gpa);

	if (snp_launch_update(snp->vm, type, gpa,
			      which == SNP_ZERO ? NULL : from, SIZE_4K, NULL))
		return -1;
	snp_measure(snp->ld, type, gpa, NULL);
	return 0;
}

int snp_update_all(struct snp *snp, bool measured)
{
	int i;

	if (snp_update_used(snp, measured))
		return -1;
	for (i = 0; i < SNP_NR_SPECIAL; i++)
		if (snp_update_special(snp, i))
			return -1;
	return 0;
}

int snp_finish(struct snp *snp)
{
	if (snp_launch_finish(snp->vm, NULL))
		return -1;
	snp_measure_vmsas(snp);
	return 0;
}

/* Functions that every processor has, as this one has them. */
void snp_fill_cpuid(struct snp *snp)
{
	struct snp_cpuid_page *page;
	uint32_t i;

	page = addr_gpa2hva(snp->vm, snp->special_gpa[SNP_CPUID]);
	memset(page, 0, sizeof(*page));
	page->count = 2;
	for (i = 0; i < page->count; i++) {
		page->fn[i].function = i;
		__cpuid(i, 0, &page->fn[i].eax, &page->fn[i].ebx,
			&page->fn[i].ecx, &page->fn[i].edx);
	}
}
