// SPDX-License-Identifier: GPL-2.0-only
/*
 * What SEV-SNP guests cost, in instructions: of the host, of the model of the
 * firmware and of the CPU, and of the guest.
 */
#include "cost.h"
#include "snp.h"
#include "snp_model.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)
#define NR_PAGES	(SIZE / SIZE_4K)
#define ROUNDS		2
#define NR_EXITS	1000ul
#define PTES_2M		512

#define SMALL		(64ul << 20)
#define LARGE		(1ul << 30)

static struct snp snp;
static struct gmem_area memory;

enum row {
	LAUNCH_SMALL, LAUNCH_LARGE, FIRST_CALL, PREPARE, TOUCH, INVALIDATE,
	HOOK_PREPARE_4K, HOOK_INVALIDATE_4K, HOOK_PREPARE_2M, HOOK_INVALIDATE_2M,
	ONE_TO_SHARED, ONE_TO_PRIVATE, MANY_TO_SHARED, MANY_TO_PRIVATE,
	VMGEXIT, DESTROY, NR_ROWS
};

static struct cost costs[NR_ROWS] = {
	[LAUNCH_SMALL] = { "snp.launch_64_MiB", "", 1 },
	[LAUNCH_LARGE] = { "snp.launch_1_GiB", "", 1 },
	[FIRST_CALL] = { "snp.create_to_first_call", "", 1 },
	[PREPARE] = { "snp.prepare", "/page", NR_PAGES },
	[TOUCH] = { "snp.touch_prepared", "/page", NR_PAGES },
	[INVALIDATE] = { "snp.punch_mapped", "/page", NR_PAGES },
	[HOOK_PREPARE_4K] = { "snp.hook_prepare_4k", "/page", 1 },
	[HOOK_INVALIDATE_4K] = { "snp.hook_invalidate_4k", "/page", 1 },
	[HOOK_PREPARE_2M] = { "snp.hook_prepare_2m", "/page", PTES_2M },
	[HOOK_INVALIDATE_2M] = { "snp.hook_invalidate_2m", "/page", PTES_2M },
	[ONE_TO_SHARED] = { "snp.change_one_to_shared", "/page", NR_PAGES },
	[ONE_TO_PRIVATE] = { "snp.change_one_to_private", "/page", NR_PAGES },
	[MANY_TO_SHARED] = { "snp.change_batch_to_shared", "/page", NR_PAGES },
	[MANY_TO_PRIVATE] = { "snp.change_batch_to_private", "/page", NR_PAGES },
	[VMGEXIT] = { "snp.vmgexit", "/exit", NR_EXITS },
	[DESTROY] = { "snp.destroy", "", 1 },
};

/* One word of each page, so that nearly all that counts is the fault. */
static uint64_t guest_touch(uint64_t gpa, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size; i += SIZE_4K)
		WRITE_ONCE(*(uint64_t *)(gpa + i), i);
	return 0;
}

/* What KVM answers by itself. */
static uint64_t guest_exit(uint64_t count)
{
	while (count--)
		guest_msr_call(SNP_MSR_FEATURES);
	return 0;
}

static uint64_t guest_change_one_by_one(uint64_t gpa, uint64_t size,
					uint64_t op)
{
	uint64_t end = gpa + size;

	for (; gpa < end; gpa += SIZE_4K)
		if (guest_msr_call(SNP_MSR_PSC_OF(gpa, op)) != SNP_MSR_PSC_RESP)
			return gpa;
	return 0;
}

static void begin(void)
{
	const struct snp_options options = { .not_measured = true };

	snp_create(&snp, &options);
	snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(snp.vm, MEMORY, SIZE);
}

static void end(void)
{
	snp_free(&snp);
}

static void must(bool done, const char *what)
{
	TEST_ASSERT(done, "%s should succeed, errno %d", what, errno);
}

static void launch(uint64_t size)
{
	must(!snp_start(&snp), "LAUNCH_START");
	must(!snp_launch_update(snp.vm, KVM_SEV_SNP_PAGE_TYPE_NORMAL, MEMORY,
				memory.hva, size, NULL), "LAUNCH_UPDATE");
	must(!snp_update_all(&snp, false), "LAUNCH_UPDATE of the program");
	must(!snp_finish(&snp), "LAUNCH_FINISH");
}

/* The guest never runs: it has no mapping of so much. */
static void measure_launch(enum row row, uint64_t size)
{
	const struct snp_options options = { .not_measured = true };

	snp_create(&snp, &options);
	gmem_area_add(&memory, snp.vm, SNP_FREE_SLOT, MEMORY, size);
	snp.areas[snp.nr_areas++] = &memory;
	vm_set_private(snp.vm, MEMORY, size);
	memset(memory.hva, 0xa5, size);
	snp_seal(&snp);
	snp_bind(&snp);
	TIMED(&costs[row], launch(size));
	end();
}

static void measure_life(void)
{
	const struct snp_options options = { .not_measured = true };

	TIMED(&costs[FIRST_CALL], begin(); snp_load(&snp, &options);
	      snp_call(&snp, 0, guest_cpu_id));
	TIMED(&costs[DESTROY], end());
}

static void pre_fault(void)
{
	struct kvm_pre_fault_memory range = { .gpa = MEMORY, .size = SIZE };

	must(!__vcpu_ioctl(snp.vcpus[0], KVM_PRE_FAULT_MEMORY, &range) &&
	     !range.size, "KVM_PRE_FAULT_MEMORY");
}

/* Without PVALIDATE and of 4 KiB, by one as by many. */
static void change(bool by_one, bool private)
{
	uint64_t op = private ? SNP_PSC_PRIVATE : SNP_PSC_SHARED, ret;

	if (by_one)
		ret = snp_call(&snp, 0, guest_change_one_by_one, MEMORY, SIZE,
			       op);
	else
		ret = snp_call(&snp, 0, guest_change_state, MEMORY, SIZE, op,
			       false);
	TEST_ASSERT(!ret, "page state changes: %#lx", ret);
}

static void validate(bool valid)
{
	TEST_ASSERT(snp_call(&snp, 0, guest_validate, MEMORY, SIZE, valid) ==
		    MEMORY + SIZE, "PVALIDATE");
}

/* Of pages that are no file's, as the pages of files are all of 4 KiB. */
static void measure_hooks(unsigned int order, struct cost *prepare,
			  struct cost *invalidate)
{
	struct snp_hooks hooks;
	int i;

	for (i = 0; i < 8; i++) {
		must(!snp_model_hooks(snp.vm, MEMORY, order, 1 << order, &hooks),
		     "hooks of guest_memfd");
		TEST_ASSERT(hooks.level == (order ? 2 : 1),
			    "entries of order %u: level %u", order, hooks.level);
		cost_record(prepare, hooks.prepare_ns);
		cost_record(invalidate, hooks.invalidate_ns);
	}
}

static void measure_pages(void)
{
	const struct snp_options options = { .not_measured = true };

	begin();
	snp_load(&snp, &options);
	if (has_snp_model()) {
		measure_hooks(0, &costs[HOOK_PREPARE_4K],
			      &costs[HOOK_INVALIDATE_4K]);
		measure_hooks(9, &costs[HOOK_PREPARE_2M],
			      &costs[HOOK_INVALIDATE_2M]);
	}
	TIMED(&costs[VMGEXIT], snp_call(&snp, 0, guest_exit, NR_EXITS));
	TIMED(&costs[PREPARE], pre_fault());
	validate(true);
	TIMED(&costs[TOUCH], snp_call(&snp, 0, guest_touch, MEMORY, SIZE));

	validate(false);
	TIMED(&costs[ONE_TO_SHARED], change(true, false));
	TIMED(&costs[ONE_TO_PRIVATE], change(true, true));
	TIMED(&costs[MANY_TO_SHARED], change(false, false));
	TIMED(&costs[MANY_TO_PRIVATE], change(false, true));
	validate(true);
	snp_call(&snp, 0, guest_touch, MEMORY, SIZE);
	TIMED(&costs[INVALIDATE], gmem_punch(memory.fd, 0, SIZE));
	end();
}

int main(int argc, char *argv[])
{
	int i;

	require_snp();
	for (i = 0; i < ROUNDS; i++) {
		measure_life();
		measure_pages();
	}
	measure_launch(LAUNCH_SMALL, SMALL);
	measure_launch(LAUNCH_LARGE, LARGE);
	cost_print(costs, NR_ROWS);
	return test_verdict();
}
