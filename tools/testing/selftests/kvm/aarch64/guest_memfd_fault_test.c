// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every way in which an arm64 guest comes to a page of a host-mapped guest_memfd
 * first: data, exclusives, atomics, zeroing, cache maintenance, instructions and
 * the walk of its own page tables; and the same where the page has an error.
 */
#include <asm/hwcap.h>
#include <sys/auxv.h>

#include "guest_agent.h"

#define PAGE		((uint64_t)getpagesize())
#define GPA		(4 * SIZE_1G)
#define SIZE		SIZE_2M
#define OLD		0x01d01d01d01d01d0ul
#define VALUE		0xa64a64a64a64a64aul

static struct kvm_vm *vm;
static struct agent agent;
static struct gmem_area area;

static void punch(uint64_t at)
{
	EXPECT_ERRNO(gmem_punch(area.fd, at - GPA, PAGE), 0, "punch");
}

/* Data */

static uint64_t exclusive(uint64_t at, uint64_t value)
{
	uint32_t failed;
	uint64_t old;

	asm volatile("1: ldxr %0, [%2]\n\t"
		     "stxr %w1, %3, [%2]\n\t"
		     "cbnz %w1, 1b"
		     : "=&r"(old), "=&r"(failed) : "r"(at), "r"(value)
		     : "memory");
	return old;
}

static uint64_t atomic_add(uint64_t at, uint64_t value)
{
	uint64_t old;

	asm volatile(".arch_extension lse\n\t"
		     "ldadd %2, %0, [%1]"
		     : "=&r"(old) : "r"(at), "r"(value) : "memory");
	return old;
}

static uint64_t zero_block(uint64_t at, uint64_t value)
{
	asm volatile("dc zva, %0" : : "r"(at) : "memory");
	return 0;
}

static uint64_t clean_block(uint64_t at, uint64_t value)
{
	asm volatile("dc civac, %0\n\t"
		     "dsb sy" : : "r"(at) : "memory");
	return 0;
}

static bool always(void)
{
	return true;
}

static bool has_atomics(void)
{
	return getauxval(AT_HWCAP) & HWCAP_ATOMICS;
}

/* DCZID_EL0.DZP says that it is prohibited. */
static bool has_zero_block(void)
{
	uint64_t dczid;

	asm("mrs %0, dczid_el0" : "=r"(dczid));
	return !(dczid & 1 << 4);
}

/* After an access, @kept * old + @put * VALUE is there. */
static const struct access {
	const char *name;
	void *fn;
	bool returns_old;
	int kept, put;
	bool (*exists)(void);
	bool maintenance;	/* a CPU may have nothing to do, page or none */
} accesses[] = {
	{ "load", guest_read, true, 1, 0, always },
	{ "store", guest_write, false, 0, 1, always },
	{ "LDXR and STXR", exclusive, true, 0, 1, always },
	{ "LDADD", atomic_add, true, 1, 1, has_atomics },
	{ "DC ZVA", zero_block, false, 0, 0, has_zero_block },
	{ "DC CIVAC", clean_block, false, 1, 0, always, true },
};

static void test_first_access(const struct access *access, uint64_t at,
			      uint64_t old)
{
	uint64_t *host = gmem_area_hva(&area, at), blocks;

	punch(at);
	blocks = gmem_blocks(area.fd) + PAGE / 512;
	if (old)
		*host = old;
	EXPECT_EQ(agent_call(&agent, access->fn, at, VALUE),
		  access->returns_old ? old : 0, "%s: what it returns",
		  access->name);
	if (!access->maintenance)
		EXPECT_EQ(gmem_blocks(area.fd), blocks, "%s: st_blocks",
			  access->name);
	EXPECT_EQ(*host, access->kept * old + access->put * VALUE,
		  "%s over %#lx: what the host reads", access->name, old);

	agent_call(&agent, guest_fill, at, PAGE, 1);
	EXPECT_EQ(stamp_check(host, at, PAGE, 1), at + PAGE,
		  "%s: where the host does not see what the guest wrote",
		  access->name);
}

static void test_data(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		if (!accesses[i].exists()) {
			note_skipped("%s: this CPU has none", accesses[i].name);
			continue;
		}
		test_first_access(&accesses[i], GPA + i * PAGE, 0);
		test_first_access(&accesses[i], GPA + i * PAGE, OLD);
	}
}

/* Instructions */

#define MOV_X0(value)	(0xd2800000 | (value) << 5)
#define RET		0xd65f03c0
#define EC_UNDEFINED	0

/* A function that returns @value; for host and guest. */
static uint64_t write_code(uint64_t at, uint64_t value)
{
	uint32_t *code = (uint32_t *)at;

	WRITE_ONCE(code[0], MOV_X0(value));
	WRITE_ONCE(code[1], RET);
	__builtin___clear_cache((char *)at, (char *)(at + 8));
	return 0;
}

static void expect_code(uint64_t at, uint64_t value, const char *what)
{
	enum agent_stop stop;

	agent_start(&agent, (void *)at, 0, 0, 0, 0);
	stop = agent_run(&agent);
	if (value)
		EXPECT(stop == AGENT_DONE && agent.value == value,
		       "%s: function should return %#lx: %s", what, value,
		       agent_stop_name(&agent, stop));
	else
		EXPECT(stop == AGENT_TRAP &&
		       AGENT_TRAP_EC(&agent) == EC_UNDEFINED,
		       "%s: zeroes should be undefined: %s", what,
		       agent_stop_name(&agent, stop));
}

/*
 * What is done to a page that is missing at first: the host or the guest Writes
 * a new function, as H and G; the guest Fetches it, or reads it as Data; the page
 * is Punched.
 */
static const char * const fetch_cases[] = {
	"HF",			/* fetch first */
	"F",			/* of a hole */
	"HFG", "HFGF",		/* fetch first, then write */
	"HDF", "HDFHF",		/* read first, then fetch */
	"GF", "GFHFGF",		/* write first, then fetch */
	"HFHFHF",		/* rewritten by the host */
	"HFPHF", "HFPFHF",	/* punched while it can be executed */
	"HFPGF", "HFPDHF",
};

static void run_fetch_case(const char *what, uint64_t at)
{
	uint32_t *host = gmem_area_hva(&area, at);
	static uint64_t next;
	uint64_t value = 0;
	const char *step;

	punch(at);
	for (step = what; *step; step++) {
		if (*step == 'H' || *step == 'G')
			value = 1 + next++ % 1000;
		switch (*step) {
		case 'H':
			write_code((uintptr_t)host, value);
			break;
		case 'G':
			agent_call(&agent, write_code, at, value);
			EXPECT_EQ(*host, MOV_X0(value),
				  "%s: what the host reads", what);
			break;
		case 'D':
			EXPECT_EQ((uint32_t)agent_call(&agent, guest_read, at),
				  value ? MOV_X0(value) : 0,
				  "%s: what the guest reads", what);
			break;
		case 'F':
			expect_code(at, value, what);
			break;
		case 'P':
			punch(at);
			value = 0;
			break;
		}
	}
}

static void test_instructions(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(fetch_cases); i++)
		run_fetch_case(fetch_cases[i], GPA + i % 4 * PAGE);
}

/* The walk of the guest's page tables */

static void expect_alive(const char *when)
{
	EXPECT_EQ(agent_call(&agent, guest_add, 0), 41,
		  "%s: the guest's counter", when);
}

/* The first level is in the file; nothing is fetched but by way of it. */
static void write_tables(uint64_t at)
{
	punch(at);
	memcpy(gmem_area_hva(&area, at), addr_gpa2hva(vm, vm->pgd),
	       vm->page_size);
}

static void test_walk_with_error(uint64_t at)
{
	if (!inject_memory_error(gmem_area_hva(&area, at)))
		return;
	agent_expect_fault(&agent, guest_add, 0, 0, at, false, EHWPOISON,
			   "walk by a page with an error");
	write_tables(at);
	expect_alive("tables in place of the page with an error");
}

static void test_table_walk(void)
{
	const uint64_t ttbr0 = KVM_ARM64_SYS_REG(SYS_TTBR0_EL1);
	const uint64_t at = GPA + 5 * PAGE;
	uint64_t before;

	vcpu_get_reg(agent.vcpu, ttbr0, &before);
	write_tables(at);
	vcpu_set_reg(agent.vcpu, ttbr0, at);
	expect_alive("tables in the file");
	write_tables(at);
	expect_alive("tables in a new page of the file");
	test_walk_with_error(at);
	vcpu_set_reg(agent.vcpu, ttbr0, before);
	expect_alive("tables elsewhere");
	punch(at);
}

/* Memory errors */

static void test_memory_error(void)
{
	const uint64_t at = GPA + 3 * PAGE;
	int i;

	punch(at);
	if (!inject_memory_error(gmem_area_hva(&area, at)))
		return;
	for (i = 0; i < ARRAY_SIZE(accesses); i++)
		if (accesses[i].exists() && !accesses[i].maintenance)
			agent_expect_fault(&agent, accesses[i].fn, at, VALUE,
					   at, false, EHWPOISON,
					   accesses[i].name);
	agent_expect_fault(&agent, (void *)at, 0, 0, at, false, EHWPOISON,
			   "fetch");
	for (i = 0; i < ARRAY_SIZE(accesses); i++)
		if (accesses[i].exists())
			test_first_access(&accesses[i], at, 0);
	run_fetch_case("HFGF", at);
}

int main(int argc, char *argv[])
{
	require_gmem_flags(GMEM_SHARED);
	vm = agent_vm_create(0, 1, &agent);
	agent_map(vm, GPA, SIZE);
	gmem_area_add_mapped(&area, vm, 1, GPA, SIZE, GMEM_SHARED);

	test_data();
	test_instructions();
	test_table_walk();
	test_memory_error();

	gmem_area_free(&area);
	kvm_vm_free(vm);
	return test_verdict();
}
