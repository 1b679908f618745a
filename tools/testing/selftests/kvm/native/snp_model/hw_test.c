// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor's RMP, arch/x86/virt/svm/rmp_hw.c: what its entries say, what
 * the direct map must be, and its instructions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "pc.h"

static void set_entry(u64 pfn, u64 low, u64 high)
{
	u64 e[2] = { low, high };

	memcpy(pc.table + BOOKKEEPING + 16 * pfn, e, sizeof(e));
}

static void entry_is(u64 pfn, const struct snp_rmp_entry *want)
{
	struct snp_rmp_entry e;

	memset(&e, 0x5a, sizeof(e));
	expect(pc.ops->read(pfn, &e), "pfn %#llx has no entry", pfn);
	expect(e.gpa == want->gpa && e.asid == want->asid &&
	       e.assigned == want->assigned && e.large == want->large &&
	       e.immutable == want->immutable && e.vmsa == want->vmsa &&
	       e.validated == want->validated,
	       "%#llx: GPA %#llx, ASID %u, assigned %d, large %d, immutable %d, VMSA %d, validated %d",
	       want->raw[0], e.gpa, e.asid, e.assigned, e.large, e.immutable,
	       e.vmsa, e.validated);
	expect_eq(e.raw[0], want->raw[0]);
	expect_eq(e.raw[1], want->raw[1]);
}

/* What no field has is the processor's and the firmware's alone. */
static struct snp_rmp_entry entry_of_bit(int bit)
{
	struct snp_rmp_entry e = { .raw[0] = BIT_ULL(bit) };

	if (bit == 0)
		e.assigned = true;
	else if (bit == 1)
		e.large = true;
	else if (bit == 2)
		e.immutable = true;
	else if (bit >= 12 && bit <= 50)
		e.gpa = BIT_ULL(bit);
	else if (bit >= 51 && bit <= 60)
		e.asid = 1U << (bit - 51);
	else if (bit == 61)
		e.vmsa = true;
	else if (bit == 62)
		e.validated = true;
	return e;
}

static void test_fields(void)
{
	pc_reset();
	pc_boot_early("1");
	pc_boot_late();
	for (int bit = 0; bit < 64; bit++) {
		struct snp_rmp_entry e = entry_of_bit(bit);

		set_entry(7, e.raw[0], 0);
		entry_is(7, &e);
		set_entry(7, 0, BIT_ULL(bit));
		entry_is(7, &(struct snp_rmp_entry) {
			.raw[1] = BIT_ULL(bit) });
	}
	/* 2 MiB of ASID 5's at 1 GiB, validated */
	set_entry(512, 0x4028000040000003, 0x0f);
	entry_is(512, &(struct snp_rmp_entry) {
		.assigned = true, .large = true, .validated = true, .asid = 5,
		.gpa = 0x40000000, .raw = { 0x4028000040000003, 0x0f } });
	set_entry(513, ~0ULL, ~0ULL);
	entry_is(513, &(struct snp_rmp_entry) {
		.assigned = true, .large = true, .immutable = true,
		.vmsa = true, .validated = true, .asid = 1023,
		.gpa = 0x7fffffffff000, .raw = { ~0ULL, ~0ULL } });
}

/* Each page its own, the processor's bookkeeping none. */
static void test_places(void)
{
	struct snp_rmp_entry e;

	pc_reset();
	pc_boot_early("1");
	pc_boot_late();
	memset(pc.table, 0xff, BOOKKEEPING);
	for (u64 pfn = 0; pfn < NR_ENTRIES; pfn++)
		set_entry(pfn, pfn << PAGE_SHIFT | 1, pfn);
	for (u64 pfn = 0; pfn < NR_ENTRIES; pfn++)
		entry_is(pfn, &(struct snp_rmp_entry) {
			.assigned = true, .gpa = pfn << PAGE_SHIFT,
			.raw = { pfn << PAGE_SHIFT | 1, pfn } });
	expect(!pc.ops->read(NR_ENTRIES, &e), "past its end");
	expect(!pc.ops->read(1ULL << 32, &e), "in 16 TiB");
	expect(!pc.ops->read(~0ULL >> 4, &e), "where a size wraps");
	expect(!pc.ops->read(~0ULL, &e), "nowhere");
}

static void test_no_entries(void)
{
	struct snp_rmp_entry e;

	pc_reset();
	expect(!snp_rmp_hw_ops.read(0, &e), "without an RMP");
}

static void split_is(enum pg_level level, int error, unsigned int nr_split)
{
	direct_map.nr_split = 0;
	expect_eq(-snp_rmp_hw_ops.before_assign(DIRECT_MAP_PFN, level), error);
	expect_eq(direct_map.nr_split, nr_split);
}

static void test_direct_map(void)
{
	direct_map.is_there = true;
	direct_map.pte.present = true;
	direct_map.level = PG_LEVEL_2M;
	split_is(PG_LEVEL_4K, 0, 1);
	split_is(PG_LEVEL_2M, 0, 0);
	direct_map.level = PG_LEVEL_1G;
	split_is(PG_LEVEL_4K, 0, 1);
	split_is(PG_LEVEL_2M, 0, 0);
	direct_map.error = -ENOMEM;
	split_is(PG_LEVEL_4K, ENOMEM, 1);
	direct_map.level = PG_LEVEL_4K;
	split_is(PG_LEVEL_4K, 0, 0);
	/* Nothing to write through */
	direct_map.level = PG_LEVEL_2M;
	direct_map.pte.present = false;
	split_is(PG_LEVEL_4K, 0, 0);
	direct_map.is_there = false;
	split_is(PG_LEVEL_4K, 0, 0);
	expect(!snp_rmp_hw_ops.after_release, "mappings stay as they are");
}

/* The processor refuses an instruction, and we are the one that has it. */
static struct {
	u8 bytes[4];
	u64 rax, rcx, result;
	unsigned int nr;
} insn;

static void execute(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	memcpy(insn.bytes, (void *)regs[REG_RIP], sizeof(insn.bytes));
	expect(insn.bytes[1] == 0x0f && insn.bytes[2] == 0x01,
	       "signal %d at %#llx", sig, regs[REG_RIP]);
	insn.rax = regs[REG_RAX];
	insn.rcx = regs[REG_RCX];
	insn.nr++;
	regs[REG_RAX] = insn.result;
	regs[REG_RIP] += sizeof(insn.bytes);
}

static void insn_was(const char *bytes, u64 rax)
{
	expect(!memcmp(insn.bytes, bytes, 4), "%02x %02x %02x %02x",
	       insn.bytes[0], insn.bytes[1], insn.bytes[2], insn.bytes[3]);
	expect_eq(insn.rax, rax);
	expect_eq(insn.nr, 1);
	insn.nr = 0;
}

static void test_instructions(void)
{
	const struct sigaction action = {
		.sa_sigaction = execute,
		.sa_flags = SA_SIGINFO,
	};
	const struct snp_rmp_state state = { .assigned = 1, .asid = 5 };

	/* One that has SNP lets nobody but a kernel have it. */
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	insn.result = 0xffffffff00000004;
	expect_eq(snp_rmp_hw_ops.rmpupdate(MIB(1 << 20), &state), 4);
	insn_was("\xf2\x0f\x01\xfe", MIB(1 << 20));
	expect_eq(insn.rcx, (uintptr_t)&state);
	insn.result = 3;
	expect_eq(snp_rmp_hw_ops.psmash(MIB(1 << 20)), 3);
	insn_was("\xf3\x0f\x01\xff", MIB(1 << 20));
}

int main(void)
{
	const struct test tests[] = {
		{ "fields of entries", test_fields },
		{ "places of entries", test_places },
		{ "no entries", test_no_entries },
		{ "direct map", test_direct_map },
		{ "instructions", test_instructions },
	};

	return run_tests("hw", tests, ARRAY_SIZE(tests));
}
