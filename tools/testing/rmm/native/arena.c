// SPDX-License-Identifier: GPL-2.0-only
/* The port of the core that tests link: physical memory is an array. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"

struct arena arena;

static struct rmm_range ram[2];
static struct granule *granules;
static u64 granules_size;
static u8 *saved_mem, *saved_granules;
static unsigned long saved_tlbis;

static u64 page_of(u64 pa)
{
	if (pa >= RAM2_BASE && pa < RAM2_BASE + ram[1].size)
		return arena.pages + (pa - RAM2_BASE) / GRANULE_SIZE;
	expect(pa >= RAM_BASE && pa - RAM_BASE < ram[0].size,
	       "no memory at %#lx", pa);
	return (pa - RAM_BASE) / GRANULE_SIZE;
}

static u64 mem_size(void)
{
	return (arena.pages + RAM2_PAGES) * GRANULE_SIZE;
}

void arena_init(u64 pages, u64 feature0)
{
	struct rmm_config config = {
		.ram = ram,
		.nr_ram = 2,
		.feature0 = feature0,
		.nr_rec_aux = NR_AUX,
		.vmid_bits = 8,
	};

	free(arena.mem);
	free(arena.pas);
	free(granules);
	free(saved_mem);
	free(saved_granules);
	memset(&arena, 0, sizeof(arena));
	ram[0] = (struct rmm_range) { RAM_BASE, pages * GRANULE_SIZE };
	ram[1] = (struct rmm_range) { RAM2_BASE, RAM2_PAGES * GRANULE_SIZE };
	arena.pages = pages;
	arena.mem = aligned_alloc(GRANULE_SIZE, mem_size());
	memset(arena.mem, 0xa5, mem_size());
	arena.pas = calloc(pages + RAM2_PAGES, 1);
	granules_size = rmm_granules_size(ram, 2);
	granules = malloc(granules_size);
	saved_mem = malloc(mem_size());
	saved_granules = malloc(granules_size);
	config.granules = granules;
	rmm_init(&config);
}

void *arena_va(u64 pa)
{
	return arena.mem + page_of(pa) * GRANULE_SIZE + pa % GRANULE_SIZE;
}

void arena_save(void)
{
	memcpy(saved_mem, arena.mem, mem_size());
	memcpy(saved_granules, granules, granules_size);
	saved_tlbis = arena.tlbis;
}

/* But for the scratch of the invariant checker, at the end of each. */
static bool granules_are_saved(void)
{
	u64 size = granules_size / (arena.pages + RAM2_PAGES);

	for (u64 i = 0; i < granules_size; i += size)
		if (memcmp((u8 *)granules + i, saved_granules + i, 4))
			return false;
	return true;
}

bool arena_is_saved(void)
{
	return !memcmp(saved_mem, arena.mem, mem_size()) &&
	       granules_are_saved() && arena.tlbis == saved_tlbis;
}

void arena_fail(void)
{
	fflush(stdout);
	_exit(1);
}

void *rmm_port_map(u64 pa, enum rmm_pas pas)
{
	u64 page = page_of(pa);

	expect(arena.pas[page] == pas, "PAS of %#lx is %u", pa,
	       arena.pas[page]);
	expect(pa % GRANULE_SIZE == 0, "%#lx", pa);
	arena.mapped++;
	return arena.mem + page * GRANULE_SIZE;
}

void rmm_port_unmap(void *va)
{
	expect(((u8 *)va - arena.mem) % GRANULE_SIZE == 0, "%p", va);
	arena.mapped--;
}

bool rmm_port_is_ns(u64 pa)
{
	return pa != arena.foreign_pa && arena.pas[page_of(pa)] == RMM_PAS_NS;
}

void rmm_port_delegate(u64 pa)
{
	expect(rmm_port_is_ns(pa), "%#lx", pa);
	arena.pas[page_of(pa)] = RMM_PAS_REALM;
}

void rmm_port_undelegate(u64 pa)
{
	const u8 *va = arena_va(pa);

	expect(arena.pas[page_of(pa)] == RMM_PAS_REALM, "%#lx", pa);
	for (u64 i = 0; i < GRANULE_SIZE && pa != arena.dirty_pa; i++)
		expect(!va[i], "%#lx goes with contents at %lu", pa, i);
	arena.pas[page_of(pa)] = RMM_PAS_NS;
}

void rmm_port_tlbi_ipa(u16 vmid, u64 ipa, u64 size)
{
	arena.tlbi_vmid = vmid;
	arena.tlbi_ipa = ipa;
	arena.tlbi_size = size;
	arena.tlbis++;
}

void rmm_port_tlbi_vmid(u16 vmid)
{
	rmm_port_tlbi_ipa(vmid, 0, ~0ull);
}

void rmm_port_lock(void)
{
	expect(!arena.locked, "the lock is taken twice");
	arena.locked = true;
}

void rmm_port_unlock(void)
{
	expect(arena.locked, "the lock is not held");
	arena.locked = false;
}

void rmm_port_vcpu_reset(struct rmm_vcpu *v, const struct rmm_cpu_params *p)
{
	v->arch[0] = 1 + p->sve_vl;
}

void rmm_port_run(struct rmm_vcpu *v, const struct rmm_s2 *s2,
		  struct rmm_trap *trap)
{
	expect(!arena.locked, "a REC runs with the lock held");
	expect(s2->base, "no tables");
	arena.runs++;
	trap->reason = RMI_EXIT_IRQ;
	if (arena.run)
		arena.run(v, trap);
}

void rmm_port_inject(struct rmm_vcpu *v, enum rmm_inject what, u64 far)
{
	(void)v;
	(void)far;
	arena.injected = what;
	arena.injections++;
}

bool rmm_port_sysreg(struct rmm_vcpu *v, u64 esr)
{
	(void)esr;
	v->pc += 4;
	return true;
}

void rmm_port_trace(const char *name, const u64 in[RMM_CALL_REGS],
		    const u64 out[RMM_CALL_REGS])
{
	printf("%s %#lx %#lx: %#lx\n", name, in[1], in[2], out[0]);
}

int run_tests(const char *program, const struct test *tests, unsigned int nr)
{
	int status, failed = 0;

	for (unsigned int i = 0; i < nr; i++) {
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (!pid) {
			tests[i].run();
			fflush(stdout);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid)
			status = -1;
		printf("%s %s: %s\n", status ? "FAIL" : "ok", program,
		       tests[i].name);
		failed |= !!status;
	}
	return failed;
}
