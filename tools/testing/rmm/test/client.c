// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the firmware from NS EL2 without an operating system: calls, faults, two CPUs. */
#include "client.h"

#define PSCI_VERSION		0x84000000
#define PSCI_CPU_OFF		0x84000002
#define PSCI_CPU_ON		0xc4000003
#define PSCI_AFFINITY_INFO	0xc4000004
#define PSCI_MIGRATE_INFO_TYPE	0x84000006
#define PSCI_SYSTEM_OFF		0x84000008
#define PSCI_FEATURES		0x8400000a
#define SMCCC_VERSION		0x80000000
#define UNKNOWN_CALL		0xc400ffff
#define NOT_SUPPORTED		(~0ULL)
#define PSCI_ERROR(n)		((u64)-(n))

/* RAM that nothing else uses, and places that are never the host's to give. */
#define GRANULE			0x44000000UL
#define OTHER_GRANULE		0x44001000UL
#define BEYOND_RAM		0x8000000000UL

/* Survives a reset of the machine. */
#define RESET_MARK		0x45000000UL
#define RESET_MAGIC		0x2e5e7
#define PSCI_SYSTEM_RESET	0x84000009

enum turn {
	TURN_NONE,
	TURN_DELEGATE,
	TURN_TOUCH,
};

/* What CPU 1 saw, and whose turn it is. */
static volatile u64 second_context, second_before, second_after, second_status;
static volatile u64 turn;

static void put(char c)
{
	mmio_write(UART0_BASE, c);
}

void puts_(const char *s)
{
	while (*s)
		put(*s++);
}

static void hex(u64 value)
{
	int shift;

	puts_("0x");
	for (shift = 60; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 0xf]);
}

void expect(const char *what, u64 is, u64 should)
{
	puts_(is == should ? "ok " : "not ok ");
	puts_(what);
	if (is != should) {
		puts_(": is ");
		hex(is);
		puts_(", should be ");
		hex(should);
	}
	puts_("\n");
}

/* As expect(), for a table: what is done to which. */
static void expect_of(const char *what, const char *which, u64 is, u64 should)
{
	char name[96];
	u64 n = str_len(what), m = str_len(which);

	memcpy(name, what, n);
	memcpy(name + n, which, m + 1);
	expect(name, is, should);
}

u64 call(u64 fid, u64 x1, u64 x2, u64 x3)
{
	u64 x[SMC_REGS] = { fid, x1, x2, x3 };

	smc_call(x);
	return x[0];
}

u64 delegate(u64 pa)
{
	return call(RMI_GRANULE_DELEGATE, pa, 0, 0);
}

u64 undelegate(u64 pa)
{
	return call(RMI_GRANULE_UNDELEGATE, pa, 0, 0);
}

u64 fault_of(u64 pa)
{
	return probe(pa) & ESR_FSC;
}

static void test_calls(void)
{
	static const struct {
		const char *what;
		u64 fid, x1, should;
	} cases[] = {
		{ "PSCI is 1.1", PSCI_VERSION, 0, 0x10001 },
		{ "PSCI has no trusted OS to migrate", PSCI_MIGRATE_INFO_TYPE, 0, 2 },
		{ "PSCI_FEATURES knows CPU_ON", PSCI_FEATURES, PSCI_CPU_ON, 0 },
		{ "PSCI_FEATURES knows no other", PSCI_FEATURES, UNKNOWN_CALL, NOT_SUPPORTED },
		{ "SMCCC is 1.2", SMCCC_VERSION, 0, 0x10002 },
		{ "an unknown call is not supported", UNKNOWN_CALL, 0, NOT_SUPPORTED },
		{ "the RMM's calls are not the host's", 0xc40001b2, GRANULE, NOT_SUPPORTED },
		{ "an unknown RMI call is not supported", 0xc400018f, 0, NOT_SUPPORTED },
		{ "RMI 1.0 is there", RMI_VERSION, RMI_ABI_VERSION, RMI_SUCCESS },
		{ "RMI 2.0 is not there", RMI_VERSION, 0x20000, RMI_ERROR_INPUT },
		{ "RMI features are readable", RMI_FEATURES, 0, RMI_SUCCESS },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		expect(cases[i].what, call(cases[i].fid, cases[i].x1, 0, 0), cases[i].should);
}

static void test_results(void)
{
	u64 x[SMC_REGS] = { RMI_VERSION, RMI_ABI_VERSION };
	u64 f[SMC_REGS] = { RMI_FEATURES, 0 };

	smc_call(x);
	expect("the lowest version is 1.0", x[1], RMI_ABI_VERSION);
	expect("the highest version is 1.0", x[2], RMI_ABI_VERSION);
	smc_call(f);
	expect("S2SZ is at least 32", RMI_FEATURE0_S2SZ(f[1]) >= 32, true);
}

/* The model's own calls reach the RMM, and their results the host. */
static void test_control(void)
{
	static const u32 words[SMC_REGS] = MODEL_UID_WORDS;
	u64 uid[SMC_REGS] = { MODEL_UID };
	u64 before[SMC_REGS] = { MODEL_GRANULES }, after[SMC_REGS] = { MODEL_GRANULES };

	smc_call(uid);
	expect("the model says who it is", uid[0] == words[0] && uid[1] == words[1] &&
	       uid[2] == words[2] && uid[3] == words[3], true);
	expect("a failure is asked for", call(MODEL_FAIL_NTH, 2, RMI_ERROR_REALM, 0), RMI_SUCCESS);
	expect("the command before it works", delegate(GRANULE), RMI_SUCCESS);
	expect("the one asked for fails", undelegate(GRANULE), RMI_ERROR_REALM);
	smc_call(before);
	expect("the one behind it works", undelegate(GRANULE), RMI_SUCCESS);
	smc_call(after);
	expect("a granule less is delegated", before[2] - after[2], 1);
	expect("a granule more is the host's", after[1] - before[1], 1);
}

/* What a call does not return and what is EL2's stays as it is. */
static void test_preserved(void)
{
	u64 x[SMC_REGS] = { RMI_VERSION, RMI_ABI_VERSION };
	u64 vbar = read_sysreg(vbar_el2), hcr = read_sysreg(hcr_el2), changed = 0;
	int i;

	write_sysreg(0x1234, tpidr_el2);
	write_sysreg(0x5678, sp_el0);
	for (i = SMCCC_SCRATCH; i < SMC_REGS; i++)
		x[i] = 0x1111 * i;
	smc_call(x);
	for (i = SMCCC_SCRATCH; i < SMC_REGS; i++)
		changed += x[i] != 0x1111UL * i;
	expect("x4..x17 are preserved", changed, 0);
	expect("TPIDR_EL2 is preserved", read_sysreg(tpidr_el2), 0x1234);
	expect("SP_EL0 is preserved", read_sysreg(sp_el0), 0x5678);
	expect("VBAR_EL2 is preserved", read_sysreg(vbar_el2), vbar);
	expect("HCR_EL2 is preserved", read_sysreg(hcr_el2), hcr);
	expect("the MMU is still off", read_sysreg(sctlr_el2) & SCTLR_M, 0);
}

static void test_refused(void)
{
	static const struct {
		const char *what;
		u64 pa;
	} cases[] = {
		{ "an unaligned address", GRANULE + 8 },
		{ "an address beyond RAM", BEYOND_RAM },
		{ "the last granule of the address space", ~0xfffUL },
		{ "a device", UART0_BASE },
		{ "the flash", FLASH_BASE },
		{ "the monitor's memory", SECURE_RAM_BASE },
		{ "the RMM's memory", RMM_BASE },
		{ "the RMM's last granule", RMM_BASE + RMM_SIZE - SZ_4K },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		expect_of("delegate refuses ", cases[i].what, delegate(cases[i].pa),
			  RMI_ERROR_INPUT);
		expect_of("undelegate refuses ", cases[i].what, undelegate(cases[i].pa),
			  RMI_ERROR_INPUT);
	}
}

static void test_firmware_memory(void)
{
	expect("the flash faults", fault_of(FLASH_BASE), FSC_GPF);
	expect("secure RAM faults", fault_of(SECURE_RAM_BASE), FSC_GPF);
	expect("the secure UART faults", fault_of(SECURE_UART_BASE), FSC_GPF);
	expect("the RMM's first granule faults", fault_of(RMM_BASE), FSC_GPF);
	expect("the RMM's last granule faults", fault_of(RMM_BASE + RMM_SIZE - SZ_4K), FSC_GPF);
	expect("RAM before the RMM does not", probe(RMM_BASE - SZ_4K), 0);
	expect("RAM behind the RMM does not", probe(RMM_BASE + RMM_SIZE), 0);
}

u64 not_zero(u64 pa)
{
	volatile u64 *word = (volatile u64 *)pa, found = 0;
	unsigned int i;

	for (i = 0; i < SZ_4K / sizeof(*word); i++)
		found += word[i] != 0;
	return found;
}

static void test_granule(void)
{
	volatile u64 *last = (volatile u64 *)(GRANULE + SZ_4K - 8);

	*(volatile u64 *)GRANULE = 0x5ec7e7;
	*last = 0x5ec7e7;
	*(volatile u64 *)OTHER_GRANULE = 0x600d;
	expect("a granule is delegated", delegate(GRANULE), RMI_SUCCESS);
	expect("but once", delegate(GRANULE), RMI_ERROR_INPUT);
	expect("its first word faults", probe(GRANULE), 0x96000028 | (probe(GRANULE) & BIT(6)));
	expect("its last word faults", fault_of((u64)last), FSC_GPF);
	expect("the granule behind it does not", probe(OTHER_GRANULE), 0);
	expect("nor did it change", *(volatile u64 *)OTHER_GRANULE, 0x600d);
	expect("the granule before it does not", probe(GRANULE - 8), 0);
	expect("a granule is undelegated", undelegate(GRANULE), RMI_SUCCESS);
	expect("but once", undelegate(GRANULE), RMI_ERROR_INPUT);
	expect("and it does not fault", probe(GRANULE), 0);
	expect("all of it reads zero", not_zero(GRANULE), 0);
}

/* Delegating many and giving them back leaves all of them usable. */
static void test_many(void)
{
	u64 pa, refused = 0, faults = 0, left = 0, n = 64;

	for (pa = GRANULE; pa < GRANULE + n * SZ_4K; pa += SZ_4K)
		refused += delegate(pa) != RMI_SUCCESS;
	for (pa = GRANULE; pa < GRANULE + n * SZ_4K; pa += SZ_4K)
		faults += fault_of(pa) == FSC_GPF;
	for (pa = GRANULE; pa < GRANULE + n * SZ_4K; pa += SZ_4K)
		refused += undelegate(pa) != RMI_SUCCESS;
	for (pa = GRANULE; pa < GRANULE + n * SZ_4K; pa += SZ_4K)
		left += probe(pa) != 0;
	expect("64 granules go and come back", refused, 0);
	expect("each of them faults", faults, n);
	expect("none of them faults later", left, 0);
}

/* The first probe leaves a translation behind that the delegation on CPU 0 must end. */
void client_second_cpu(u64 context)
{
	second_context = context;
	second_before = probe(GRANULE);
	turn = TURN_DELEGATE;
	while (turn != TURN_TOUCH)
		;
	second_after = fault_of(GRANULE);
	second_status = undelegate(GRANULE);
	call(PSCI_CPU_OFF, 0, 0, 0);
}

/* True once the CPU is off. */
static u64 wait_for_off(void)
{
	u64 tries = 100 * 1000 * 1000, state;

	do
		state = call(PSCI_AFFINITY_INFO, 1, 0, 0);
	while (state != 1 && --tries);
	return state;
}

static void test_second_cpu(u64 context)
{
	u64 entry = (u64)client_secondary;

	turn = TURN_NONE;
	expect("CPU 1 goes on", call(PSCI_CPU_ON, 1, entry, context), 0);
	while (turn != TURN_DELEGATE)
		;
	expect("CPU 0 delegates what CPU 1 has touched", delegate(GRANULE), RMI_SUCCESS);
	turn = TURN_TOUCH;
	expect("CPU 1 goes off", wait_for_off(), 1);
	expect("CPU 1 has its context", second_context, context);
	expect("CPU 1 could touch the granule", second_before, 0);
	expect("CPU 1 faults once it is delegated", second_after, FSC_GPF);
	expect("CPU 1 undelegates it", second_status, RMI_SUCCESS);
	expect("CPU 0 can touch it", probe(GRANULE), 0);
}

static void test_psci_errors(void)
{
	u64 entry = (u64)client_secondary;

	expect("CPU 0 is on", call(PSCI_AFFINITY_INFO, 0, 0, 0), 0);
	expect("CPU 1 is off", call(PSCI_AFFINITY_INFO, 1, 0, 0), 1);
	expect("CPU 7 is not there", call(PSCI_AFFINITY_INFO, 7, 0, 0), PSCI_ERROR(2));
	expect("CPU 0 cannot go on", call(PSCI_CPU_ON, 0, entry, 0), PSCI_ERROR(4));
	expect("CPU 7 cannot go on", call(PSCI_CPU_ON, 7, entry, 0), PSCI_ERROR(2));
	expect("CPU 1 does not start in the RMM", call(PSCI_CPU_ON, 1, RMM_BASE, 0),
	       PSCI_ERROR(9));
}

void client_unexpected(void)
{
	puts_("not ok an unexpected exception\n");
	call(PSCI_SYSTEM_OFF, 0, 0, 0);
}

/* Everything below runs after a reset with a granule left delegated and a CPU left on. */
static void reset_once(void)
{
	volatile u64 *mark = (volatile u64 *)RESET_MARK;

	if (*mark != RESET_MAGIC) {
		*mark = RESET_MAGIC;
		delegate(GRANULE);
		call(PSCI_CPU_ON, 1, (u64)client_idle, 0);
		call(PSCI_SYSTEM_RESET, 0, 0, 0);
	}
	*mark = 0;
	expect("a reset gives granules back", probe(GRANULE), 0);
	expect("a reset turns CPU 1 off", call(PSCI_AFFINITY_INFO, 1, 0, 0), 1);
}

void client_main(void)
{
	reset_once();
	test_calls();
	test_results();
	test_preserved();
	test_control();
	test_refused();
	test_firmware_memory();
	test_granule();
	test_many();
	test_psci_errors();
	test_second_cpu(0xc0ffee);
	test_second_cpu(0xcafe);
	test_realm();
	test_sve();
	test_debug();
	test_pmu();
	puts_("done\n");
	call(PSCI_SYSTEM_OFF, 0, 0, 0);
}
