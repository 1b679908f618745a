// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random changes of memory attributes against a naive model, an array with
 * one entry a page.  The guest tells them apart by contents: each page holds
 * one stamp on its shared side and another on its private side.
 *
 * The memory lies across a 1 GiB boundary and ends in the middle of a 2 MiB
 * page; ranges of all sizes start and end before, in and after it.
 */
#include <getopt.h>

#include "guest_agent.h"

#define PAGE		SIZE_4K
#define NR_PAGES	1280ul
#define SIZE		(NR_PAGES * PAGE)
#define GPA		(5 * SIZE_1G - SIZE_2M)
#define END		(GPA + SIZE)

enum {
	SEED_SHARED = 1,
	SEED_PRIVATE,
};

static struct kvm_vm *vm;
static struct agent agent;
static struct gmem_area area;
static struct rnd rnd;

/* The model, in the host and as a copy that the guest reads. */
static bool model[NR_PAGES];
static bool guest_model[NR_PAGES];

static uint64_t max_size = 1ull << 40;

/* Returns the first page in [first, end) that is not as the model says. */
static uint64_t guest_compare(uint64_t first, uint64_t end)
{
	uint64_t gpa, seed;

	for (; first < end; first++) {
		gpa = GPA + first * PAGE;
		seed = guest_model[first] ? SEED_PRIVATE : SEED_SHARED;
		if (guest_read(gpa) != stamp(seed, gpa))
			break;
	}
	return first;
}

static void compare(uint64_t first, uint64_t end, const char *after)
{
	uint64_t at, gpa, got;

	first = min(first, NR_PAGES);
	end = min(end, NR_PAGES);
	memcpy(guest_model, model, sizeof(model));
	sync_global_to_guest(vm, guest_model);
	at = agent_call(&agent, guest_compare, first, end);
	if (at == end) {
		EXPECT(true, " ");
		return;
	}
	gpa = GPA + at * PAGE;
	got = agent_call(&agent, guest_read, gpa);
	TEST_FAIL("after %s: page %lu should be %s, holds the %s stamp", after,
		  at, model[at] ? "private" : "shared",
		  got == stamp(SEED_SHARED, gpa) ? "shared" :
		  got == stamp(SEED_PRIVATE, gpa) ? "private" : "wrong");
}

static void prepare(void)
{
	vm_set_private(vm, GPA, SIZE);
	agent_call(&agent, guest_fill, GPA, SIZE, SEED_PRIVATE);
	vm_set_shared(vm, GPA, SIZE);
	stamp_fill(area.hva, GPA, SIZE, SEED_SHARED);
	compare(0, NR_PAGES, "start");
}

static void model_set(uint64_t start, uint64_t end, bool private)
{
	uint64_t gpa;

	for (gpa = max(start, GPA); gpa < min(end, END); gpa += PAGE)
		model[(gpa - GPA) / PAGE] = private;
}

/* Sizes of all magnitudes, ends near the boundaries that matter. */
static uint64_t random_edge(void)
{
	const uint64_t near[] = {
		GPA, END, 5 * SIZE_1G, GPA + SIZE_2M, GPA + 2 * SIZE_2M,
	};
	uint64_t edge;

	switch (rnd_below(&rnd, 4)) {
	case 0:
		return GPA + rnd_below(&rnd, NR_PAGES) * PAGE;
	case 1:
		return near[rnd_below(&rnd, ARRAY_SIZE(near))];
	case 2:
		edge = near[rnd_below(&rnd, ARRAY_SIZE(near))];
		return edge + (rnd_below(&rnd, 7) - 3) * PAGE;
	}
	/* The guest itself is below. */
	edge = rnd_below(&rnd, max_size) >> rnd_below(&rnd, 20);
	return max(edge & -PAGE, SIZE_1G);
}

static void random_set(void)
{
	uint64_t start = random_edge(), end = random_edge();
	bool private = rnd_below(&rnd, 2);
	char what[80];

	if (start > end) {
		uint64_t swap = start;

		start = end;
		end = swap;
	}
	end += (start == end) * PAGE;
	/* A kernel that visits each page gets fewer of them. */
	if (end - start > max_size)
		end = start + max_size;

	snprintf(what, sizeof(what), "[%#lx, %#lx) to %s", start, end,
		 private ? "private" : "shared");
	if (private)
		vm_set_private(vm, start, end - start);
	else
		vm_set_shared(vm, start, end - start);
	model_set(start, end, private);

	start = start < GPA ? 0 : (start - GPA) / PAGE;
	end = end < GPA ? 0 : (end - GPA) / PAGE;
	compare(start - min(start, 3ul), start + 3, what);
	compare(end - min(end, 3ul), end + 3, what);
}

static void check_a_few(void)
{
	uint64_t page;
	int i;

	for (i = 0; i < 4; i++) {
		page = rnd_below(&rnd, NR_PAGES);
		compare(page, page + 8, "a few changes");
	}
}

/* The slot goes and comes back; the attributes of its memory stay. */
static void rebind(void)
{
	vm_delete_slot(vm, area.slot);
	if (rnd_below(&rnd, 2)) {
		bool private = rnd_below(&rnd, 2);

		__vm_set_attributes(vm, GPA + SIZE_2M, SIZE_2M,
				    private * KVM_MEMORY_ATTRIBUTE_PRIVATE);
		model_set(GPA + SIZE_2M, GPA + 2 * SIZE_2M, private);
	}
	gmem_area_bind(&area);
	compare(0, NR_PAGES, "a new slot");
}

/* Where a call takes time by the page, ranges are kept to what it can bear. */
static void choose_sizes(void)
{
	uint64_t start = now_ms();

	vm_set_private(vm, SIZE_1T, SIZE_1G);
	vm_set_shared(vm, SIZE_1T, SIZE_1G);
	if (now_ms() - start < 200)
		return;
	max_size = 8 * SIZE_2M;
	note_skipped("ranges above 16 MiB: 1 GiB takes %lu ms",
		     now_ms() - start);
}

static void run(uint64_t seconds)
{
	uint64_t end = now_ms() + seconds * 1000, nr = 0;

	while (now_ms() < end) {
		random_set();
		if (!(++nr % 8))
			check_a_few();
		if (!(nr % 256))
			compare(0, NR_PAGES, "many changes");
		if (!(nr % 512))
			rebind();
	}
	compare(0, NR_PAGES, "all changes");
	printf("%lu changes in %lu s\n", nr, seconds);
}

int main(int argc, char *argv[])
{
	const char *seed = NULL;
	uint64_t seconds = 3;
	int opt;

	while ((opt = getopt(argc, argv, "s:t:")) != -1) {
		switch (opt) {
		case 's':
			seed = optarg;
			break;
		case 't':
			seconds = atoi(optarg);
			break;
		default:
			printf("usage: %s [-s seed] [-t seconds]\n", argv[0]);
			return KSFT_FAIL;
		}
	}

	vm = agent_vm_create(private_vm_type(), 1, &agent);
	rnd.state = rnd_seed(seed);
	gmem_area_add(&area, vm, 1, GPA, SIZE);
	agent_map(vm, GPA, SIZE);

	prepare();
	choose_sizes();
	run(seconds);

	gmem_area_free(&area);
	kvm_vm_free(vm);
	return test_verdict();
}
