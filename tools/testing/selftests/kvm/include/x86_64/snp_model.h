/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the model of SEV-SNP holds, and how to make its firmware and its RMP fail:
 * /sys/kernel/debug/snp_model.
 */
#ifndef SELFTEST_KVM_SNP_MODEL_H
#define SELFTEST_KVM_SNP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct kvm_vm;

bool has_snp_model(void);
void require_snp_model(void);

/* Pages that are not the hypervisor's; of them those that KVM has given up. */
uint64_t snp_model_held(void);
uint64_t snp_model_leaked(void);

/*
 * Waits, as VMs end some time after their last file is closed; true if there are
 * @held pages and @leaked of them have been given up, and the model's invariants
 * are kept.  No vCPU may run.  Without the model nothing can be said, which is
 * true as well.
 */
bool snp_expect_pages(uint64_t held, uint64_t leaked, const char *when);

/*
 * What a test begins with, and that all pages are as they were then.  Needs SNP,
 * and says so if without the model there is nothing to compare.
 */
void snp_begin(void);
bool snp_expect_all_back(const char *when);

/*
 * After @skip of them, @times commands (0: any) or instructions fail with
 * @status.  snp_model_fail(SNP_FAILING_NONE, ...) takes it back.
 */
enum snp_failing {
	SNP_FAILING_COMMAND, SNP_FAILING_RMPUPDATE, SNP_FAILING_PSMASH, SNP_FAILING_NONE
};

void snp_model_fail(enum snp_failing what, unsigned int command,
		    unsigned int skip, unsigned int times, unsigned int status);

/* What is left of @skip and of @times. */
struct snp_failing_left {
	unsigned int skip, times;
};

struct snp_failing_left snp_model_fail_left(enum snp_failing what);

/*
 * guest_memfd's hooks for new pages of @order at @gpa of a launched VM, which are
 * taken back @step at a time.  0, or -1 with errno.
 */
struct snp_hooks {
	/* Of the first page's entry: 1: 4 KiB, 2: 2 MiB */
	unsigned int level;
	/* Of its mappings, at most; 0: any is right. */
	unsigned int private_level, shared_level;
	uint64_t prepare_ns, invalidate_ns;
};

int snp_model_hooks(struct kvm_vm *vm, uint64_t gpa, unsigned int order,
		    unsigned int step, struct snp_hooks *hooks);

/*
 * The 2 MiB at @gpa, allocated with fallocate(), become one entry that the guest
 * has not validated.  0, or -1 with errno.
 */
int snp_model_join(struct kvm_vm *vm, uint64_t gpa);

/*
 * What the private frames in [gpa, gpa + size) have: a letter for each, and a zero
 * byte behind the last.  Nothing is allocated.  0, or -1 with errno.
 */
#define SNP_ENTRY_NONE		'-'	/* no page */
#define SNP_ENTRY_SHARED	's'	/* a page that is no guest's */
#define SNP_ENTRY_INVALID	'i'	/* the guest's, not validated */
#define SNP_ENTRY_VALID		'v'
#define SNP_ENTRY_WRONG		'x'	/* another guest's, frame's or state */

int snp_model_entries(struct kvm_vm *vm, uint64_t gpa, uint64_t size,
		      char *entries);

#endif /* SELFTEST_KVM_SNP_MODEL_H */
