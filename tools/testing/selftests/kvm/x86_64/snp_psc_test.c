// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page state changes: one by one, in batches, small and large, each with what is
 * refused; then random ones from several vCPUs at once, against a model of what
 * each page is and holds.
 *
 *	snp_psc_test [-s seed] [-t seconds]
 */
#include <linux/kvm_para.h>
#include <pthread.h>

#include "snp.h"
#include "snp_model.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)
#define PAGE(n)		(MEMORY + (n) * SIZE_4K)

/* Beyond the guest's physical addresses */
#define NO_GPA		BIT_ULL(51)

/* Hints about the size of pages, which ask for nothing */
#define SNP_PSC_PSMASH	3
#define SNP_PSC_UNSMASH	4

/* Where in a GHCB its shared buffer is. */
#define GHCB_BUFFER	offsetof(struct snp_ghcb, buffer)
#define NR_VCPUS	3

/* Of the random part: in all, and at the end 2 MiB for each vCPU alone. */
#define ALL_SIZE	(SIZE + NR_VCPUS * SIZE_2M)
#define NR_PAGES	(ALL_SIZE / SIZE_4K)
#define BLOCK_PAGES	(SIZE_2M / SIZE_4K)
#define BLOCK(i)	(SIZE / SIZE_4K + (i) * BLOCK_PAGES)

/* Entries and requests that change something, so that it is worth its name. */
#define MIN_CHANGES	2000
#define ROUNDS		3
#define MAX_ROUNDS	(10 * ROUNDS)

static struct snp snp;
static struct gmem_area memory;

static void begin(const struct snp_options *options)
{
	snp_create(&snp, options);
	snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, ALL_SIZE);
	snp_load(&snp, options);
}

static uint64_t *entries(unsigned int i)
{
	return snp_mailbox(&snp.agents[i])->psc_entries;
}

static const struct snp_psc_header *header(void)
{
	return &snp_mailbox(&snp.agents[0])->psc;
}

/* By the MSR */

static const struct {
	const char *name;
	uint64_t gpa, op;
	bool good;
} singles[] = {
	{ "private", MEMORY, SNP_PSC_PRIVATE, true },
	{ "private again", MEMORY, SNP_PSC_PRIVATE, true },
	{ "shared", MEMORY, SNP_PSC_SHARED, true },
	{ "shared again", MEMORY, SNP_PSC_SHARED, true },
	{ "operation 0", MEMORY, 0, false },
	{ "operation 3, a hint for batches", MEMORY, SNP_PSC_PSMASH, false },
	{ "operation 4, a hint for batches", MEMORY, SNP_PSC_UNSMASH, false },
	{ "operation 5", MEMORY, 5, false },
	{ "operation 15", MEMORY, 15, false },
	{ "no guest's address", NO_GPA, SNP_PSC_PRIVATE, false },
	{ "no guest's address, to shared", NO_GPA, SNP_PSC_SHARED, false },
};

static uint64_t single(uint64_t gpa, uint64_t op)
{
	return snp_call(&snp, 0, guest_msr_call, SNP_MSR_PSC_OF(gpa, op));
}

static void test_singles(void)
{
	unsigned int before;
	uint64_t v;
	int i;

	for (i = 0; i < ARRAY_SIZE(singles); i++) {
		before = snp.nr_requests;
		v = single(singles[i].gpa, singles[i].op);
		EXPECT(SNP_MSR_INFO(v) == SNP_MSR_PSC_RESP &&
		       !(v >> 32) == singles[i].good,
		       "%s: should %s, answer is %#lx", singles[i].name,
		       singles[i].good ? "succeed" : "fail", v);
		EXPECT_EQ(snp.nr_requests - before, singles[i].good,
			  "%s: requests to user space", singles[i].name);
	}
}

/* Batches */

#define SMALL(n, op)	SNP_PSC_ENTRY(PAGE(n), op, false)
#define LARGE(n, op)	SNP_PSC_ENTRY(PAGE(n), op, true)

static const struct {
	const char *name;
	uint64_t entries[3];
	uint16_t cur, end;
	/* Of user space */
	unsigned int requests;
	uint64_t error;
	/* Where the header stands if it fails. */
	uint16_t at;
} batches[] = {
	{ "one entry", { SMALL(0, SNP_PSC_PRIVATE) }, 0, 0, 1 },
	{ "three entries, not in order", { SMALL(9, SNP_PSC_PRIVATE),
	  SMALL(4, SNP_PSC_SHARED), SMALL(1, SNP_PSC_PRIVATE) }, 0, 2, 3 },
	{ "from the second on", { -1ul, SMALL(9, SNP_PSC_SHARED),
	  SMALL(1, SNP_PSC_SHARED) }, 1, 2, 2 },
	{ "2 MiB", { LARGE(512, SNP_PSC_PRIVATE) }, 0, 0, 1 },
	{ "2 MiB and a page", { LARGE(512, SNP_PSC_SHARED),
	  SMALL(0, SNP_PSC_SHARED) }, 0, 1, 2 },
	{ "2 MiB, the half of it done",
	  { LARGE(512, SNP_PSC_PRIVATE) | 256 }, 0, 0, 1 },
	{ "and back", { LARGE(512, SNP_PSC_SHARED) }, 0, 0, 1 },
	{ "2 MiB, all of it done",
	  { LARGE(512, SNP_PSC_PRIVATE) | 512 }, 0, 0, 0 },
	{ "hint to split", { LARGE(512, SNP_PSC_PSMASH) }, 0, 0, 0 },
	{ "hint to join", { LARGE(512, SNP_PSC_UNSMASH) }, 0, 0, 0 },
	{ "hints and a page", { SMALL(0, SNP_PSC_PSMASH),
	  SMALL(1, SNP_PSC_SHARED), SMALL(2, SNP_PSC_UNSMASH) }, 0, 2, 1 },
	{ "hint between pages that follow each other",
	  { SMALL(0, SNP_PSC_SHARED), SMALL(1, SNP_PSC_PSMASH),
	    SMALL(1, SNP_PSC_SHARED) }, 0, 2, 2 },
	{ "2 MiB at an odd page", { LARGE(1, SNP_PSC_PRIVATE) }, 0, 0, 0,
	  SNP_PSC_BAD_ENTRY, 0 },
	{ "a page that is done beyond its end",
	  { SMALL(0, SNP_PSC_PRIVATE) | 2 }, 0, 0, 0, SNP_PSC_BAD_ENTRY, 0 },
	{ "2 MiB that are done beyond their end",
	  { LARGE(0, SNP_PSC_PRIVATE) | 513 }, 0, 0, 0, SNP_PSC_BAD_ENTRY, 0 },
	{ "operation 0", { SMALL(0, 0) }, 0, 0, 0, SNP_PSC_BAD_ENTRY, 0 },
	{ "operation 5", { SMALL(0, 5) }, 0, 0, 0, SNP_PSC_BAD_ENTRY, 0 },
	{ "operation 5 behind a page", { SMALL(0, SNP_PSC_SHARED),
	  SMALL(1, 5) }, 0, 1, 1, SNP_PSC_BAD_ENTRY, 1 },
	{ "no guest's address", { SNP_PSC_ENTRY(NO_GPA, SNP_PSC_PRIVATE, 0) },
	  0, 0, 0, SNP_PSC_BAD_ENTRY, 0 },
	{ "no guest's address, 2 MiB",
	  { SNP_PSC_ENTRY(NO_GPA, SNP_PSC_SHARED, 1) }, 0, 0, 0,
	  SNP_PSC_BAD_ENTRY, 0 },
	{ "no guest's address, of a hint",
	  { SNP_PSC_ENTRY(NO_GPA, SNP_PSC_PSMASH, 0) }, 0, 0, 0,
	  SNP_PSC_BAD_ENTRY, 0 },
	{ "the third is bad", { SMALL(0, SNP_PSC_SHARED),
	  SMALL(2, SNP_PSC_SHARED), LARGE(3, SNP_PSC_SHARED) }, 0, 2, 2,
	  SNP_PSC_BAD_ENTRY, 2 },
	{ "end is 253", { SMALL(0, SNP_PSC_PRIVATE) }, 0, SNP_PSC_MAX, 0,
	  SNP_PSC_BAD_HEADER },
	{ "end is 65535", { SMALL(0, SNP_PSC_PRIVATE) }, 0, 65535, 0,
	  SNP_PSC_BAD_HEADER },
};

static void expect_header(uint64_t cur, uint64_t end, const char *name)
{
	EXPECT_EQ(header()->cur, cur, "%s: where the header stands", name);
	EXPECT_EQ(header()->end, end, "%s: the header's end", name);
}

static void test_batches(void)
{
	unsigned int before;
	uint64_t ret;
	int i;

	for (i = 0; i < ARRAY_SIZE(batches); i++) {
		memcpy(entries(0), batches[i].entries,
		       sizeof(batches[i].entries));
		before = snp.nr_requests;
		ret = snp_call(&snp, 0, guest_psc, batches[i].cur,
			       batches[i].end);
		EXPECT_EQ(ret, batches[i].error, "%s: the error",
			  batches[i].name);
		EXPECT_EQ(snp.nr_requests - before, batches[i].requests,
			  "%s: requests to user space", batches[i].name);
		if (!batches[i].error)
			expect_header(batches[i].end + 1, batches[i].end,
				      batches[i].name);
		else if (batches[i].error == SNP_PSC_BAD_ENTRY)
			expect_header(batches[i].at, batches[i].end,
				      batches[i].name);
	}
	vm_set_shared(snp.vm, MEMORY, SIZE);
}

/* A batch that is at its end already stays so, whatever its entries are. */
static void test_no_batch(void)
{
	unsigned int before = snp.nr_requests;

	entries(0)[0] = SMALL(0, 5);
	EXPECT_EQ(snp_call(&snp, 0, guest_psc, 1, 0), 0, "a batch that is done");
	expect_header(1, 0, "a batch that is done");
	EXPECT_EQ(snp_call(&snp, 0, guest_psc, 65535, SNP_PSC_MAX - 1), 0,
		  "a batch that is far beyond its end");
	expect_header(65535, SNP_PSC_MAX - 1,
		      "a batch that is far beyond its end");
	EXPECT_EQ(snp.nr_requests, before, "requests to user space for both");
}

/* As many as there can be, that do not join, and that do. */
static void test_full_batch(uint64_t step)
{
	uint64_t i, gpa;

	for (i = 0; i < SNP_PSC_MAX; i++)
		entries(0)[i] = SMALL(i * step, SNP_PSC_PRIVATE);
	EXPECT_EQ(snp_call(&snp, 0, guest_change, SNP_PSC_MAX), 0,
		  "a batch of %d, every %lu pages", SNP_PSC_MAX, step);
	for (i = 0; i < SNP_PSC_MAX; i++) {
		gpa = PAGE(i * step);
		snp_call(&snp, 0, guest_fill, gpa, SIZE_4K, 1);
		EXPECT_EQ(snp_call(&snp, 0, guest_check, gpa, SIZE_4K, 1),
			  gpa + SIZE_4K, "entry %lu", i);
	}
	for (i = 0; i < SNP_PSC_MAX; i++)
		entries(0)[i] = SMALL(i * step, SNP_PSC_SHARED);
	EXPECT_EQ(snp_call(&snp, 0, guest_change, SNP_PSC_MAX), 0,
		  "a batch of %d back, every %lu pages", SNP_PSC_MAX, step);
}

/* User space is asked for the rest alone. */
static void test_partly_done(void)
{
	const unsigned int done[] = { 1, 200, 511 };
	int i;

	for (i = 0; i < ARRAY_SIZE(done); i++) {
		entries(0)[0] = LARGE(512, SNP_PSC_PRIVATE) | done[i];
		EXPECT_EQ(snp_call(&snp, 0, guest_psc, 0, 0), 0,
			  "2 MiB, %u pages of it done", done[i]);
		EXPECT_EQ(snp.last_gpa, PAGE(512 + done[i]),
			  "2 MiB, %u pages of it done: where the rest is",
			  done[i]);
		EXPECT_EQ(snp.last_size, (512 - done[i]) * SIZE_4K,
			  "2 MiB, %u pages of it done: how much is left",
			  done[i]);
	}
	vm_set_shared(snp.vm, MEMORY, SIZE);
}

/* What user space is told of the pages, besides where they are. */

static const struct {
	const char *name;
	uint64_t entry, attrs;
} sizes[] = {
	{ "a page", SMALL(3, SNP_PSC_PRIVATE),
	  KVM_MAP_GPA_RANGE_PAGE_SZ_4K | KVM_MAP_GPA_RANGE_ENCRYPTED },
	{ "a page to shared", SMALL(3, SNP_PSC_SHARED),
	  KVM_MAP_GPA_RANGE_PAGE_SZ_4K },
	{ "2 MiB", LARGE(512, SNP_PSC_PRIVATE),
	  KVM_MAP_GPA_RANGE_PAGE_SZ_2M | KVM_MAP_GPA_RANGE_ENCRYPTED },
	{ "what is left of 2 MiB", LARGE(512, SNP_PSC_PRIVATE) | 2,
	  KVM_MAP_GPA_RANGE_PAGE_SZ_4K | KVM_MAP_GPA_RANGE_ENCRYPTED },
	{ "2 MiB to shared", LARGE(512, SNP_PSC_SHARED),
	  KVM_MAP_GPA_RANGE_PAGE_SZ_2M },
};

static void test_sizes(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		entries(0)[0] = sizes[i].entry;
		EXPECT_EQ(snp_call(&snp, 0, guest_psc, 0, 0), 0, "%s",
			  sizes[i].name);
		EXPECT_EQ(snp.last_attrs, sizes[i].attrs,
			  "%s: size and state, as user space is told",
			  sizes[i].name);
	}
	single(MEMORY, SNP_PSC_PRIVATE);
	EXPECT_EQ(snp.last_attrs, sizes[0].attrs,
		  "a page by the MSR: size and state, as user space is told");
	vm_set_shared(snp.vm, MEMORY, SIZE);
}

/* The scratch area must be in the GHCB, and all of it. */
static void test_scratch(void)
{
	const uint64_t bad[] = {
		SNP_GHCB(0) + SIZE_4K - 8, -8ul,
		/* As far in, of another page of the host's, and of the guest's. */
		SNP_REQUEST(0) + GHCB_BUFFER, MEMORY + GHCB_BUFFER,
	};
	struct snp_mailbox *mailbox = snp_mailbox(&snp.agents[0]);
	uint64_t ret;
	int i;

	entries(0)[0] = SMALL(0, SNP_PSC_SHARED);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ret = snp_call(&snp, 0, guest_psc, 0, 0, bad[i]);
		EXPECT(ret || mailbox->info_1 & 0xffffffff,
		       "a scratch area at %#lx should be refused", bad[i]);
	}
	EXPECT_EQ(snp_call(&snp, 0, guest_psc, 0, 0), 0,
		  "page state change after all that");
}

/* User space says no, to the first or to a later one. */
static void test_refusal(void)
{
	const int errors[] = { EINVAL, ENOMEM, 1 };
	uint64_t v;
	int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		snp.refuse = errors[i];
		v = single(MEMORY, SNP_PSC_PRIVATE);
		EXPECT(SNP_MSR_INFO(v) == SNP_MSR_PSC_RESP && v >> 32,
		       "refused with %d: a change by the MSR should fail, answer is %#lx",
		       errors[i], v);
		entries(0)[0] = SMALL(0, SNP_PSC_PRIVATE);
		entries(0)[1] = SMALL(7, SNP_PSC_PRIVATE);
		EXPECT_EQ(snp_call(&snp, 0, guest_psc, 0, 1), SNP_PSC_FAILED,
			  "refused with %d: a batch", errors[i]);
		EXPECT_EQ(header()->cur, 0,
			  "refused with %d: where the header stands",
			  errors[i]);
	}
	snp.refuse = 0;
	EXPECT_EQ(snp_call(&snp, 0, guest_psc, 0, 1), 0,
		  "a batch that is not refused");
	vm_set_shared(snp.vm, MEMORY, SIZE);
}

static void test_not_enabled(void)
{
	const struct snp_options options = {
		.no_hypercall = true,
		.not_measured = true,
	};
	uint64_t v;

	begin(&options);
	v = single(MEMORY, SNP_PSC_PRIVATE);
	EXPECT(SNP_MSR_INFO(v) == SNP_MSR_PSC_RESP && v >> 32,
	       "without KVM_CAP_EXIT_HYPERCALL a change by the MSR should fail, answer is %#lx",
	       v);
	entries(0)[0] = SMALL(0, SNP_PSC_PRIVATE);
	EXPECT_EQ(snp_call(&snp, 0, guest_psc, 0, 0), SNP_PSC_FAILED,
		  "a batch without KVM_CAP_EXIT_HYPERCALL");
	EXPECT_EQ(snp.nr_requests, 0, "requests to user space");
	snp_free(&snp);
}

/* 2 MiB at once, validated at once where the host has a large page. */
static void test_large(void)
{
	uint64_t at;

	EXPECT_EQ(snp_call(&snp, 0, guest_change_range, MEMORY, SIZE, true), 0,
		  "all to private by 2 MiB");
	snp_call(&snp, 0, guest_fill, MEMORY, SIZE, 4);
	EXPECT_EQ(snp_call(&snp, 0, guest_change_range, PAGE(512 + 9), SIZE_4K,
			   false), 0, "a page of 2 MiB to shared");
	at = snp_call(&snp, 0, guest_check, MEMORY, PAGE(512 + 9) - MEMORY, 4);
	EXPECT_EQ(at, PAGE(512 + 9), "where memory before it is wrong");
	at = snp_call(&snp, 0, guest_check, PAGE(512 + 10),
		      MEMORY + SIZE - PAGE(512 + 10), 4);
	EXPECT_EQ(at, MEMORY + SIZE, "where memory behind it is wrong");
	EXPECT_EQ(snp_call(&snp, 0, guest_change_range, PAGE(512 + 9), SIZE_4K,
			   true), 0, "the page back to private");
	EXPECT_EQ(snp_call(&snp, 0, guest_change_range, MEMORY, SIZE, false), 0,
		  "all to shared by 2 MiB");
}

/* What the model has of each page, which the random part relies on. */
static void test_entries(void)
{
	char entries[4 + 1];

	if (!has_snp_model()) {
		note_skipped("entries of the RMP: need the model of SEV-SNP");
		return;
	}
	gmem_punch(memory.fd, 0, ALL_SIZE);
	vm_set_private(snp.vm, MEMORY, 4 * SIZE_4K);
	gmem_allocate(memory.fd, 0, SIZE_4K);
	snp_call(&snp, 0, guest_pvalidate, PAGE(1), false, true);
	snp_call(&snp, 0, guest_pvalidate, PAGE(1), false, false);
	snp_call(&snp, 0, guest_pvalidate, PAGE(2), false, true);
	EXPECT_ERRNO(snp_model_entries(snp.vm, MEMORY, 4 * SIZE_4K, entries), 0,
		     "entries of four pages");
	EXPECT(!strcmp(entries, "siv-"),
	       "pages that are allocated, given to the guest, validated, and not there should be \"siv-\", are \"%s\"",
	       entries);
	EXPECT_ERRNO(snp_model_entries(snp.vm, PAGE(NR_PAGES - 1), 2 * SIZE_4K,
				       entries), ENOENT,
		     "entries beyond the end of a slot");
	EXPECT_ERRNO(snp_model_entries(snp.vm, SNP_SHARED, SIZE_4K, entries),
		     ENOENT, "entries of a slot without guest_memfd");
	vm_set_shared(snp.vm, MEMORY, 4 * SIZE_4K);
}

/*
 * Random changes.  Of the first pages, page n is vCPU n's modulo their number;
 * the others come in blocks of 2 MiB, one for each vCPU.
 */

enum {
	HOLDS_ANYTHING,
	HOLDS_ZEROES = -1,
};

struct page {
	bool private;
	/* A seed, or one of the above, for each side. */
	long holds[2];
};

static struct page pages[NR_PAGES];
static uint64_t deadline;

struct worker {
	unsigned int i;
	struct rnd rnd;
	/* Batches, and their entries; requests by the MSR; blocks */
	uint64_t nr_batches, nr_entries, nr_singles, nr_blocks;
	pthread_t thread;
};

static uint64_t random_page(struct worker *w)
{
	uint64_t nr = BLOCK(0) / NR_VCPUS;

	if (!rnd_below(&w->rnd, 4))
		return BLOCK(w->i) + rnd_below(&w->rnd, BLOCK_PAGES);
	return w->i + NR_VCPUS * rnd_below(&w->rnd, nr);
}

static void fill(struct worker *w, uint64_t n)
{
	struct page *page = &pages[n];
	uint64_t va = page->private ? PAGE(n) : SNP_SHARED_VA(PAGE(n));
	long seed = 1 + rnd_below(&w->rnd, 60000);

	snp_call(&snp, w->i, guest_fill, va, SIZE_4K, seed);
	page->holds[page->private] = seed;
}

static void check(struct worker *w, uint64_t n)
{
	struct page *page = &pages[n];
	uint64_t va = page->private ? PAGE(n) : SNP_SHARED_VA(PAGE(n)), at;
	long holds = page->holds[page->private];

	if (holds == HOLDS_ANYTHING)
		return;
	if (holds == HOLDS_ZEROES)
		at = snp_call(&snp, w->i, guest_check_zero, va, SIZE_4K);
	else
		at = snp_call(&snp, w->i, guest_check, va, SIZE_4K, holds);
	EXPECT_EQ(at, va + SIZE_4K, "page %lu, %s, should hold %ld, differs at",
		  n, page->private ? "private" : "shared", holds);
}

/* The side that is left is discarded by the host. */
static void change_model(uint64_t n, bool private)
{
	struct page *page = &pages[n];

	if (page->private == private)
		return;
	page->holds[!private] = HOLDS_ZEROES;
	/* Hardware decrypts zeroes to what they are not. */
	if (!private && !has_snp_model())
		page->holds[true] = HOLDS_ANYTHING;
	page->private = private;
}

static bool has_entry(struct worker *w, uint64_t nr, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < nr; i++)
		if (SNP_PSC_GPA(entries(w->i)[i]) == PAGE(n))
			return true;
	return false;
}

static uint64_t toggle(uint64_t n, bool large)
{
	return SNP_PSC_ENTRY(PAGE(n), pages[n].private ? SNP_PSC_SHARED :
			     SNP_PSC_PRIVATE, large);
}

static void change(struct worker *w, uint64_t nr)
{
	uint64_t ret, entry, n, end;

	ret = snp_call(&snp, w->i, guest_change, nr);
	EXPECT_EQ(ret, 0, "vCPU %u: a batch of %lu", w->i, nr);
	w->nr_batches++;
	w->nr_entries += nr;
	while (nr--) {
		entry = entries(w->i)[nr];
		n = (SNP_PSC_GPA(entry) - MEMORY) / SIZE_4K;
		end = n + (SNP_PSC_LARGE(entry) ? BLOCK_PAGES : 1);
		for (; n < end; n++)
			change_model(n, SNP_PSC_OP(entry) == SNP_PSC_PRIVATE);
	}
}

/* Pages that change: one that is validated twice says so. */
static void change_some(struct worker *w)
{
	uint64_t want = 1 + rnd_below(&w->rnd, SNP_PSC_MAX), nr = 0, n;

	if (rnd_below(&w->rnd, 4))
		want = 1 + want % 8;
	for (; want; want--) {
		n = random_page(w);
		if (!has_entry(w, nr, n))
			entries(w->i)[nr++] = toggle(n, false);
	}
	change(w, nr);
}

/* In the guest: all of a change by the MSR. */
static uint64_t guest_change_one(uint64_t gpa, uint64_t private)
{
	uint64_t op = private ? SNP_PSC_PRIVATE : SNP_PSC_SHARED, ret;

	if (!private && guest_pvalidate(gpa, false, false))
		return -1;
	ret = guest_msr_call(SNP_MSR_PSC_OF(gpa, op));
	if (ret != SNP_MSR_PSC_RESP)
		return ret;
	return private && guest_pvalidate(gpa, false, true) ? -1 : 0;
}

static void change_one(struct worker *w)
{
	uint64_t n = random_page(w);
	bool private = !pages[n].private;

	EXPECT_EQ(snp_call(&snp, w->i, guest_change_one, PAGE(n), private), 0,
		  "vCPU %u: a change by the MSR", w->i);
	w->nr_singles++;
	change_model(n, private);
}

/* 2 MiB at once, after those of its pages that are not as its first is. */
static void change_block(struct worker *w)
{
	uint64_t first = BLOCK(w->i), nr, n;

	do {
		for (nr = 0, n = first; n < first + BLOCK_PAGES; n++)
			if (pages[n].private != pages[first].private &&
			    nr < SNP_PSC_MAX)
				entries(w->i)[nr++] = toggle(n, false);
		if (nr)
			change(w, nr);
	} while (nr == SNP_PSC_MAX);

	entries(w->i)[0] = toggle(first, true);
	change(w, 1);
	w->nr_blocks++;
}

static void change_any(struct worker *w)
{
	switch (rnd_below(&w->rnd, 64)) {
	case 0:
		change_block(w);
		break;
	case 1 ... 16:
		change_one(w);
		break;
	default:
		change_some(w);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (now_ms() < deadline && !test_has_failed()) {
		switch (rnd_below(&w->rnd, 4)) {
		case 0:
		case 1:
			change_any(w);
			break;
		case 2:
			fill(w, random_page(w));
			break;
		case 3:
			check(w, random_page(w));
			break;
		}
	}
	return NULL;
}

static void work_all(struct worker *workers, uint64_t ms)
{
	int i;

	deadline = now_ms() + ms;
	for (i = 0; i < NR_VCPUS; i++)
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	for (i = 0; i < NR_VCPUS; i++)
		pthread_join(workers[i].thread, NULL);
}

static uint64_t nr_changed(const struct worker *workers)
{
	uint64_t nr = 0;
	int i;

	for (i = 0; i < NR_VCPUS; i++)
		nr += workers[i].nr_entries + workers[i].nr_singles;
	return nr;
}

static uint64_t nr_private(void)
{
	uint64_t n, nr = 0;

	for (n = 0; n < NR_PAGES; n++)
		nr += pages[n].private;
	return nr;
}

/* With no vCPU running, and what is left discarded: pages that are private. */
static void compare_entries(int round)
{
	static char entries[NR_PAGES + 1];
	uint64_t n;
	char want;

	if (!has_snp_model())
		return;
	EXPECT_ERRNO(snp_model_entries(snp.vm, MEMORY, ALL_SIZE, entries), 0,
		     "entries of all pages");
	for (n = 0; n < NR_PAGES; n++) {
		want = pages[n].private ? SNP_ENTRY_VALID : SNP_ENTRY_NONE;
		if (!EXPECT(entries[n] == want,
			    "round %d: page %lu is %s, its entry should be '%c', is '%c'",
			    round, n, pages[n].private ? "private" : "shared",
			    want, entries[n]))
			return;
	}
}

static void forget_all(void)
{
	uint64_t n;

	snp.discard = true;
	gmem_punch(memory.fd, 0, ALL_SIZE);
	madvise(memory.hva, ALL_SIZE, MADV_DONTNEED);
	for (n = 0; n < NR_PAGES; n++) {
		pages[n].holds[false] = HOLDS_ZEROES;
		pages[n].holds[true] = has_snp_model() ? HOLDS_ZEROES :
							 HOLDS_ANYTHING;
	}
}

static void print_random(const struct worker *workers)
{
	uint64_t batches = 0, entries = 0, singles = 0, blocks = 0;
	int i;

	for (i = 0; i < NR_VCPUS; i++) {
		batches += workers[i].nr_batches;
		entries += workers[i].nr_entries;
		singles += workers[i].nr_singles;
		blocks += workers[i].nr_blocks;
	}
	printf("%lu random batches with %lu entries, %lu of 2 MiB; %lu by the MSR; %u requests\n",
	       batches, entries, blocks, singles, snp.nr_requests);
}

static void test_random(uint64_t seed, uint64_t seconds)
{
	struct worker workers[NR_VCPUS] = {};
	uint64_t n, held;
	int i;

	forget_all();
	held = snp_model_held();
	for (i = 0; i < NR_VCPUS; i++) {
		workers[i].i = i;
		workers[i].rnd.state = seed + i;
	}
	/* Between rounds the guest has what it has validated, and no more. */
	for (i = 0; i < ROUNDS || (nr_changed(workers) < MIN_CHANGES &&
				   i < MAX_ROUNDS && !test_has_failed()); i++) {
		work_all(workers, seconds * 1000 / ROUNDS);
		snp_expect_pages(held + nr_private(), snp_model_leaked(),
				 "vCPUs at rest");
		compare_entries(i);
	}
	/* A part of the contents, as each page is a call. */
	for (n = seed % 4; n < NR_PAGES; n += 4)
		check(&workers[n % NR_VCPUS], n);
	print_random(workers);
	EXPECT(nr_changed(workers) >= MIN_CHANGES,
	       "there should be %u random changes in %d rounds, are %lu",
	       MIN_CHANGES, i, nr_changed(workers));
}

int main(int argc, char *argv[])
{
	const struct snp_options options = {
		.nr_vcpus = NR_VCPUS,
		.not_measured = true,
	};
	uint64_t seconds = 12, seed;
	const char *arg = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "s:t:")) != -1) {
		if (opt == 's')
			arg = optarg;
		else
			seconds = atoi(optarg);
	}
	snp_begin();
	seed = rnd_seed(arg);

	begin(&options);
	test_singles();
	test_batches();
	test_no_batch();
	test_full_batch(1);
	test_full_batch(2);
	test_full_batch(4);
	test_partly_done();
	test_sizes();
	test_scratch();
	test_refusal();
	test_large();
	test_entries();
	test_random(seed, seconds);
	snp_free(&snp);
	test_not_enabled();
	snp_expect_all_back("after all guests");
	return test_verdict();
}
