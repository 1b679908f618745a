// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel for the PSP driver: its pages, who may touch them, the firmware.
 *
 * A page that is assigned is poisoned, so that AddressSanitizer stops a host
 * that touches it; the firmware, who maps pages, may.
 */
#include <errno.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

#include <asm/snp_host.h>

#include "driver.h"

/* Pages that are the allocator's; tests have those below. */
#define FIRST_PAGE	1024

struct driver driver;
struct resource resources[4];
/* The driver's. */
struct mutex sev_cmd_mutex;

static unsigned int refs[MEM_PAGES];

void cpu_relax(void)
{
}

bool pfn_valid(unsigned long pfn)
{
	return pfn < MEM_PAGES;
}

pte_t *lookup_address(unsigned long address, unsigned int *level)
{
	return NULL;
}

void mutex_lock(struct mutex *m)
{
	expect(!m->taken, "twice");
	m->taken = true;
}

void mutex_unlock(struct mutex *m)
{
	assert_held(m);
	m->taken = false;
}

void assert_held(struct mutex *m)
{
	expect(m->taken, "without the mutex");
}

bool virt_addr_valid(unsigned long va)
{
	return false;
}

u64 phys_of(const void *va)
{
	u64 pa = (const u8 *)va - machine.mem;

	expect(pa < PAGE(MEM_PAGES), "%p is not in memory", va);
	return pa;
}

void *phys_to_virt(u64 pa)
{
	return machine_va(pa);
}

static bool is_assigned(u64 pfn)
{
	return pfn < RMP_PAGES && machine.rmp[pfn].assigned;
}

static bool fails(void)
{
	return driver.alloc_fails >= 0 && !driver.alloc_fails--;
}

static u64 find_pages(u64 nr)
{
	u64 pfn, i = 0;

	for (pfn = FIRST_PAGE; pfn < RMP_PAGES; pfn++) {
		i = refs[pfn] ? 0 : i + 1;
		if (i == nr)
			return pfn + 1 - nr;
	}
	fail("out of %llu pages", nr);
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	u64 nr = PFN_UP(size), pfn, i;

	expect(size, "no size");
	if (fails())
		return NULL;
	pfn = find_pages(nr);
	for (i = 0; i < nr; i++)
		refs[pfn + i] = 1;
	memset(machine_va(PAGE(pfn)), gfp & __GFP_ZERO ? 0 : 0xd0, PAGE(nr));
	return machine_va(PAGE(pfn));
}

unsigned long __get_free_page(gfp_t gfp)
{
	return (unsigned long)alloc_pages_exact(PAGE_SIZE, gfp);
}

static void put_page(u64 pfn)
{
	expect(refs[pfn], "page %llu is freed twice", pfn);
	if (--refs[pfn])
		return;
	expect(!is_assigned(pfn), "page %llu is %s and freed", pfn,
	       snpm_state_name(state_of(PAGE(pfn))));
}

void free_pages_exact(void *va, size_t size)
{
	u64 pfn = PHYS_PFN(__pa(va));

	for (u64 i = 0; i < PFN_UP(size); i++)
		put_page(pfn + i);
}

void free_page(unsigned long va)
{
	if (va)
		free_pages_exact((void *)va, PAGE_SIZE);
}

struct page *pfn_to_page(u64 pfn)
{
	return (struct page *)&refs[pfn];
}

void get_page(struct page *page)
{
	unsigned int *ref = (unsigned int *)page;

	expect(*ref || ref < &refs[FIRST_PAGE], "a free page gets a reference");
	++*ref;
}

unsigned long pages_in_use(void)
{
	unsigned long nr = 0;

	for (u64 pfn = FIRST_PAGE; pfn < RMP_PAGES; pfn++)
		nr += !!refs[pfn];
	return nr;
}

int wbinvd_on_all_cpus(void)
{
	driver.wbinvds++;
	snpm_wbinvd();
	return 0;
}

void amd_iommu_snp_disable(void)
{
	driver.iommu_disabled++;
}

int walk_iomem_res_desc(unsigned long desc, unsigned long flags, u64 start,
			u64 end, void *arg,
			int (*func)(struct resource *res, void *arg))
{
	int ret = -EINVAL;

	for (unsigned int i = 0; i < ARRAY_SIZE(resources); i++) {
		if (resources[i].desc != desc)
			continue;
		ret = func(&resources[i], arg);
		if (ret)
			return ret;
	}
	return ret;
}

bool snp_hw_is_active(void)
{
	return driver.legacy_active && snp_is_initialized();
}

static void set_poison(u64 pfn, bool is)
{
	if (is)
		__asan_poison_memory_region(machine_va(PAGE(pfn)), PAGE_SIZE);
	else
		__asan_unpoison_memory_region(machine_va(PAGE(pfn)), PAGE_SIZE);
}

void *__wrap_snpm_port_map(u64 spa)
{
	void *va = __real_snpm_port_map(spa);

	if (va)
		set_poison(PHYS_PFN(spa), false);
	return va;
}

void __wrap_snpm_port_unmap(void *va)
{
	u64 pfn = PHYS_PFN(phys_of(va));

	set_poison(pfn, is_assigned(pfn));
	__real_snpm_port_unmap(va);
}

static u32 model_rmpupdate(u64 spa, const struct snp_rmp_state *state)
{
	struct snpm_rmp_state new;

	memcpy(&new, state, sizeof(new));
	return snpm_rmpupdate(spa, &new);
}

static bool model_read(u64 pfn, struct snp_rmp_entry *to)
{
	enum snpm_page_state state;
	struct snpm_rmp_entry e;

	if (!snpm_lookup(PAGE(pfn), &e, &state))
		return false;
	*to = (struct snp_rmp_entry) {
		.asid = e.asid,
		.assigned = e.assigned,
		.large = e.pagesize,
		.immutable = e.immutable,
	};
	return true;
}

static int model_before_assign(u64 pfn, enum pg_level level)
{
	expect(level == PG_LEVEL_4K, "2 MiB");
	set_poison(pfn, true);
	return 0;
}

static void model_after_release(u64 pfn, enum pg_level level)
{
	set_poison(pfn, false);
}

static const struct snp_rmp_ops rmp = {
	.rmpupdate = model_rmpupdate,
	.psmash = snpm_psmash,
	.read = model_read,
	.before_assign = model_before_assign,
	.after_release = model_after_release,
};

void firmware_writes(u64 pa, u8 byte, size_t size)
{
	while (size--) {
		u8 *va = snpm_port_map(ALIGN_DOWN(pa, PAGE_SIZE));

		expect(state_of(pa) == SNPM_PAGE_FIRMWARE,
		       "the firmware writes to a page that is %s",
		       snpm_state_name(state_of(pa)));
		va[pa++ % PAGE_SIZE] = byte;
		snpm_port_unmap(va);
	}
}

u8 firmware_reads(u64 pa)
{
	u8 *va = snpm_port_map(ALIGN_DOWN(pa, PAGE_SIZE)), byte;

	byte = va[pa % PAGE_SIZE];
	snpm_port_unmap(va);
	return byte;
}

static int submit(int cmd, phys_addr_t paddr, unsigned int *status)
{
	u64 out;

	assert_held(&sev_cmd_mutex);
	driver.commands++;
	if (driver.submit_error)
		return driver.submit_error;
	*status = snpm_command(cmd, paddr);
	if (cmd == SEV_CMD_SNP_PLATFORM_STATUS && driver.api_minor && !*status) {
		out = *(u64 *)machine_va(paddr);
		*(u8 *)machine_va(out + 1) = driver.api_minor;
	}
	return 0;
}

static const struct snp_firmware_ops ops = {
	.submit = submit,
};

void driver_setup(void)
{
	machine_init(&default_config);
	driver.alloc_fails = -1;
	expect_eq(snp_set_rmp_ops(&rmp), 0);
	expect_eq(snp_set_firmware_ops(&ops), 0);
}

void driver_init(void)
{
	driver_setup();
	expect_eq(snp_platform_init(NULL), 0);
	driver.legacy_active = true;
}

void driver_check(unsigned long held)
{
	const char *broken = snpm_check_invariants();
	unsigned long assigned = 0;

	expect(!broken, "%s", broken);
	expect(!sev_cmd_mutex.taken, "it is still taken");
	for (u64 pfn = 0; pfn < RMP_PAGES; pfn++) {
		bool poisoned = __asan_address_is_poisoned(machine_va(PAGE(pfn)));

		assigned += is_assigned(pfn);
		expect(poisoned == is_assigned(pfn), "page %llu is %s and %s",
		       pfn, snpm_state_name(state_of(PAGE(pfn))),
		       poisoned ? "out" : "mapped");
		if (pfn >= FIRST_PAGE && !refs[pfn])
			expect(!is_assigned(pfn), "page %llu is free", pfn);
	}
	expect_eq(assigned, held + snp_nr_leaked_pages());
}

void fail_command(u32 id, u32 skip, u32 times)
{
	snpm_fail(SNPM_FAIL_COMMAND, &(struct snpm_failure) {
		.command = id, .skip = skip, .times = times,
		.status = SNPFW_RESOURCE_LIMIT });
}

void fail_rmpupdate(u32 skip)
{
	snpm_fail(SNPM_FAIL_RMPUPDATE, &(struct snpm_failure) {
		.skip = skip, .times = 1, .status = SNPM_FAIL_INUSE });
}

void fail_nothing(void)
{
	snpm_fail(SNPM_FAIL_COMMAND, NULL);
	snpm_fail(SNPM_FAIL_RMPUPDATE, NULL);
}
