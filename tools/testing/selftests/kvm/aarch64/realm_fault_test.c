// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a realm can touch: private and shared memory, each from its own side,
 * in IPA spaces of several sizes; and RIPAS changes that its host accepts,
 * rejects, or does in part.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "realm.h"
#include "rmm.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)
#define SLOT		REALM_FREE_SLOT
#define EC_DABT_CURRENT	0x25
#define FSC_MASK	0x3f
#define FSC_SEA		0x10

static struct realm realm;
static struct agent *agent = &realm.agents[0];
static struct gmem_area memory;

static void begin(unsigned int ipa_bits)
{
	const struct realm_options options = {
		.nr_vcpus = 2,
		.ipa_bits = ipa_bits,
		.not_measured = true,
	};

	realm_create(&realm, &options);
	realm_map(realm.vm, MEMORY, SIZE + SIZE_2M);
	gmem_area_add(&memory, realm.vm, SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SIZE);
	realm_load(&realm, &options);
}

static void end(void)
{
	gmem_area_free(&memory);
	realm_free(&realm);
}

static uint64_t guest_fill_alias(uint64_t gpa, uint64_t size, uint64_t seed)
{
	stamp_fill((void *)SHARED_VA(gpa), gpa, size, seed);
	return 0;
}

static uint64_t guest_check_alias(uint64_t gpa, uint64_t size, uint64_t seed)
{
	return stamp_check((void *)SHARED_VA(gpa), gpa, size, seed);
}

/* First touch of each side, by load and by store, with what it finds there. */
static void test_private(void)
{
	uint64_t at;

	EXPECT_EQ(agent_call(agent, guest_read, MEMORY), 0, "a fresh page");
	agent_call(agent, guest_fill, MEMORY, SIZE, 1);
	EXPECT_EQ(agent_call(agent, guest_check, MEMORY, SIZE, 1),
		  MEMORY + SIZE, "where private data is lost");
	EXPECT_EQ(zero_check(memory.hva, 0, SIZE), SIZE,
		  "where the host's memory has changed");
	for (at = 0; at < SIZE; at += SIZE_2M)
		EXPECT_EQ(agent_call(agent, guest_ripas, MEMORY + at), RSI_RAM,
			  "RIPAS of private memory");
}

static void test_shared(void)
{
	realm_convert(agent, MEMORY, SIZE, false);
	EXPECT_ERRNO(gmem_punch(memory.fd, 0, SIZE), 0, "punch");
	stamp_fill(memory.hva, MEMORY, SIZE, 2);
	EXPECT_EQ(agent_call(agent, guest_check_alias, MEMORY, SIZE, 2),
		  MEMORY + SIZE, "where the realm does not see the host's data");
	agent_call(agent, guest_fill_alias, MEMORY, SIZE, 3);
	EXPECT_EQ(stamp_check(memory.hva, MEMORY, SIZE, 3), MEMORY + SIZE,
		  "where the host does not see the realm's data");
	EXPECT_EQ(agent_call(agent, guest_ripas, MEMORY), RSI_EMPTY,
		  "RIPAS of shared memory");
	realm_convert(agent, MEMORY, SIZE, true);
	EXPECT_EQ(agent_call(agent, guest_check_zero, MEMORY, SIZE),
		  MEMORY + SIZE, "where the realm finds old data");
}

/* What the host takes from under the alias is gone, and nothing else is. */
static void test_shared_discard(void)
{
	const uint64_t rest = MEMORY + SIZE_4K;

	realm_convert(agent, MEMORY, SIZE_2M, false);
	agent_call(agent, guest_fill_alias, MEMORY, SIZE_2M, 4);
	EXPECT_ERRNO(madvise(memory.hva, SIZE_4K, MADV_DONTNEED), 0,
		     "MADV_DONTNEED");
	EXPECT_EQ(agent_call(agent, guest_check_zero, SHARED_VA(MEMORY),
			     SIZE_4K), SHARED_VA(rest),
		  "where an alias without its page is not zero");
	EXPECT_EQ(agent_call(agent, guest_check_alias, rest, SIZE_2M - SIZE_4K,
			     4), MEMORY + SIZE_2M,
		  "where data beside a discard is lost");
	realm_convert(agent, MEMORY, SIZE_2M, true);
}

/*
 * The host alone takes a filled page, and gives it back: that is gone.  A REC
 * that touches it is stopped until the other one has it made RAM again.
 */
static void test_private_and_back(void)
{
	const uint64_t gpa = MEMORY + 5 * SIZE_4K, rest = gpa + SIZE_4K;
	struct agent *second = &realm.agents[1];

	agent_call(agent, guest_fill, MEMORY, SIZE_2M, 5);
	vm_set_shared(realm.vm, gpa, SIZE_4K);
	agent_expect_fault(second, guest_read, gpa, 0, gpa, true, EFAULT,
			   "private page that the host took");
	vm_set_private(realm.vm, gpa, SIZE_4K);
	EXPECT_EQ(agent_call(agent, guest_ripas, gpa), RSI_DESTROYED,
		  "RIPAS of a page that the host took");
	agent_check_fault(second, agent_run(second), gpa, true, EFAULT,
			  "private page that the host gave back");
	EXPECT_EQ(agent_call(agent, guest_check, MEMORY, gpa - MEMORY, 5), gpa,
		  "where data before it is lost");
	EXPECT_EQ(agent_call(agent, guest_check, rest, MEMORY + SIZE_2M - rest,
			     5), MEMORY + SIZE_2M,
		  "where data behind it is lost");
	realm_convert(agent, gpa, SIZE_4K, true);
	EXPECT_EQ(agent_run(second), AGENT_DONE, "the load that was stopped");
	EXPECT_EQ(second->value, 0, "what it finds");
	agent_call(agent, guest_fill, gpa, SIZE_4K, 6);
	EXPECT_EQ(agent_call(agent, guest_check, gpa, SIZE_4K, 6), rest,
		  "where data in it is lost");
}

/* The host's idea and the guest's differ. */
static void test_wrong_side(void)
{
	const uint64_t shared = MEMORY + SIZE_2M, private = MEMORY;

	agent_expect_fault(agent, guest_read, SHARED_VA(private), 0, private,
			   false, EFAULT, "shared alias of a private frame");
	/* A store that was stopped goes on as soon as it can. */
	vm_set_shared(realm.vm, private, SIZE_4K);
	EXPECT_EQ(agent_run(agent), AGENT_DONE, "the load that was stopped");
	EXPECT_EQ(agent->value, *(uint64_t *)memory.hva, "its value");

	vm_set_shared(realm.vm, shared, SIZE_4K);
	agent_expect_fault(agent, guest_write, shared, 5, shared, true,
			   EFAULT, "private address of a shared frame");
	vm_set_private(realm.vm, shared, SIZE_4K);
	EXPECT_EQ(agent_run(agent), AGENT_DONE, "the store that was stopped");
}

/* What the realm gave away: its own access is an abort that it sees. */
static void test_empty(void)
{
	enum agent_stop stop;

	realm_convert(agent, MEMORY, SIZE_4K, false);
	agent_start(agent, guest_read, MEMORY, 0, 0, 0);
	stop = agent_run(agent);
	EXPECT(stop == AGENT_TRAP && AGENT_TRAP_EC(agent) == EC_DABT_CURRENT &&
	       (agent->value & FSC_MASK) == FSC_SEA,
	       "a load from what is EMPTY should be an external abort: %s",
	       agent_stop_name(agent, stop));
	realm_convert(agent, MEMORY, SIZE_4K, true);
}

/* Data survives neither conversion nor a hole, and never leaks. */
static void test_holes(void)
{
	realm_convert(agent, MEMORY, SIZE, true);
	agent_call(agent, guest_fill, MEMORY, SIZE_2M, 7);
	EXPECT_ERRNO(gmem_punch(memory.fd, 0, SIZE_4K), 0, "punch");
	EXPECT_EQ(agent_call(agent, guest_ripas, MEMORY), RSI_DESTROYED,
		  "RIPAS of a hole");
	EXPECT_EQ(agent_call(agent, guest_ripas, MEMORY + SIZE_4K), RSI_RAM,
		  "RIPAS beside a hole");
	agent_expect_fault(agent, guest_read, MEMORY, 0, MEMORY, true,
			   EFAULT, "a hole");
}

/* RIPAS changes */

static void ask_with(uint64_t flags, uint64_t base, uint64_t top,
		     uint64_t ripas, const char *what)
{
	agent_start(agent, guest_set_ripas, base, top, ripas, flags);
	realm_check_request(agent, agent_run(agent), base, top - base,
			    ripas == RSI_RAM, what);
}

static void ask(uint64_t base, uint64_t top, uint64_t ripas, const char *what)
{
	ask_with(RSI_CHANGE_DESTROYED, base, top, ripas, what);
}

static void expect_answer(uint64_t base, bool rejected, const char *what)
{
	enum agent_stop stop = agent_run(agent);

	EXPECT(stop == AGENT_DONE && SET_RIPAS_BASE(agent->value) == base &&
	       (agent->value & SET_RIPAS_REJECTED) == rejected &&
	       !SET_RIPAS_STATUS(agent->value),
	       "%s: should end at %#lx, %s: %s", what, base,
	       rejected ? "rejected" : "accepted",
	       agent_stop_name(agent, stop));
}

static void test_ripas_answers(void)
{
	const uint64_t base = MEMORY, top = MEMORY + 8 * SIZE_4K;
	const uint64_t half = MEMORY + 4 * SIZE_4K;

	ask(base, top, RSI_EMPTY, "EMPTY");
	vm_set_shared(realm.vm, base, top - base);
	expect_answer(top, false, "EMPTY");

	ask(base, top, RSI_RAM, "RAM, host does nothing");
	expect_answer(base, true, "RAM, host does nothing");
	EXPECT_EQ(agent_call(agent, guest_ripas, base), RSI_EMPTY,
		  "RIPAS after a rejection");

	ask(base, top, RSI_RAM, "RAM, host does half");
	vm_set_private(realm.vm, base, half - base);
	expect_answer(half, false, "RAM, host does half");
	EXPECT_EQ(agent_call(agent, guest_ripas, base), RSI_RAM,
		  "RIPAS of the half that was done");
	EXPECT_EQ(agent_call(agent, guest_ripas, half), RSI_EMPTY,
		  "RIPAS of the other half");

	ask(half, top, RSI_RAM, "RAM, the rest");
	vm_set_private(realm.vm, half, top - half);
	expect_answer(top, false, "RAM, the rest");

	ask(base, top, RSI_EMPTY, "EMPTY, host does nothing");
	expect_answer(base, false, "EMPTY, host does nothing");
	EXPECT_EQ(agent_call(agent, guest_ripas, base), RSI_RAM,
		  "RIPAS that the host did not agree to change");
}

/* A used page is DESTROYED once it is shared, and stays so if not told else. */
static void test_ripas_destroyed(void)
{
	const uint64_t base = MEMORY, top = MEMORY + 8 * SIZE_4K;
	const uint64_t used = MEMORY + 4 * SIZE_4K;

	realm_convert(agent, base, top - base, false);
	realm_convert(agent, base, top - base, true);
	agent_call(agent, guest_fill, used, SIZE_4K, 8);

	ask_with(0, base, top, RSI_EMPTY, "EMPTY, a page in use");
	vm_set_shared(realm.vm, base, top - base);
	expect_answer(used, false, "EMPTY, a page in use");
	EXPECT_EQ(agent_call(agent, guest_ripas, base), RSI_EMPTY,
		  "RIPAS before a page in use");
	EXPECT_EQ(agent_call(agent, guest_ripas, used), RSI_DESTROYED,
		  "RIPAS of a page in use that was shared");

	ask_with(0, used, top, RSI_EMPTY, "EMPTY of what is DESTROYED");
	expect_answer(used, false, "EMPTY of what is DESTROYED");
	EXPECT_EQ(agent_call(agent, guest_ripas, used), RSI_DESTROYED,
		  "RIPAS of what was not to be changed");

	ask(used, top, RSI_EMPTY, "EMPTY, also of what is DESTROYED");
	expect_answer(top, false, "EMPTY, also of what is DESTROYED");
	EXPECT_EQ(agent_call(agent, guest_ripas, used), RSI_EMPTY,
		  "RIPAS of what was to be changed");
	realm_convert(agent, base, top - base, true);
}

static void test_ripas_errors(void)
{
	const uint64_t end = 1ul << (realm_ipa_bits(realm.vm) - 1);
	const struct {
		const char *name;
		uint64_t base, top, ripas, flags;
	} errors[] = {
		{ "no size", MEMORY, MEMORY, RSI_RAM },
		{ "backwards", MEMORY + SIZE_4K, MEMORY, RSI_RAM },
		{ "base not aligned", MEMORY + 1, MEMORY + SIZE_4K, RSI_RAM },
		{ "top not aligned", MEMORY, MEMORY + 1, RSI_RAM },
		{ "shared", end, end + SIZE_4K, RSI_RAM },
		{ "DESTROYED", MEMORY, MEMORY + SIZE_4K, RSI_DESTROYED },
		{ "flag", MEMORY, MEMORY + SIZE_4K, RSI_RAM, 2 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		EXPECT_EQ(SET_RIPAS_STATUS(agent_call(agent, guest_set_ripas,
						      errors[i].base,
						      errors[i].top,
						      errors[i].ripas,
						      errors[i].flags)),
			  RSI_ERROR_INPUT, "RSI_IPA_STATE_SET, %s",
			  errors[i].name);
}

/* Memory that comes when the realm runs is not RAM until it asks for it. */
static void test_late_slot(void)
{
	const uint64_t gpa = MEMORY + SIZE;
	struct gmem_area late;

	gmem_area_add(&late, realm.vm, SLOT + 1, gpa, SIZE_2M);
	EXPECT_EQ(agent_call(agent, guest_ripas, gpa), RSI_EMPTY,
		  "RIPAS of a late slot");
	realm_convert(agent, gpa, SIZE_2M, true);
	agent_call(agent, guest_fill, gpa, SIZE_2M, 4);
	EXPECT_EQ(agent_call(agent, guest_check, gpa, SIZE_2M, 4),
		  gpa + SIZE_2M, "where data in a late slot is lost");
	gmem_area_free(&late);
	agent_start(agent, guest_read, gpa, 0, 0, 0);
	agent_check_fault(agent, agent_run(agent), gpa, true, EFAULT,
			  "a slot that was deleted");
}

static uint64_t guest_touch_all(uint64_t gpa, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size; i += SIZE_4K)
		__atomic_fetch_add((uint64_t *)(gpa + i), 1, __ATOMIC_RELAXED);
	return 0;
}

static void *touch_all(void *agent)
{
	agent_call(agent, guest_touch_all, MEMORY, SIZE);
	return NULL;
}

/* Two RECs come to the same fresh pages at once. */
static void test_race(void)
{
	pthread_t threads[2];
	uint64_t round;
	int i;

	for (round = 0; round < 4; round++) {
		realm_convert(agent, MEMORY, SIZE, false);
		EXPECT_ERRNO(gmem_punch(memory.fd, 0, SIZE), 0, "punch");
		realm_convert(agent, MEMORY, SIZE, true);
		for (i = 0; i < 2; i++)
			pthread_create(&threads[i], NULL, touch_all,
				       &realm.agents[i]);
		for (i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		EXPECT_EQ(agent_call(agent, guest_read, MEMORY + SIZE - SIZE_4K),
			  2, "what two RECs added to the last page");
	}
}

/* What a realm shares can be a file of another VM, and goes with holes in it. */
static void test_mapped_file(void)
{
	const uint64_t gpa = MEMORY + SIZE, end = gpa + SIZE_2M;
	struct kvm_vm *other = vm_create_barebones();
	int fd = vm_create_guest_memfd(other, SIZE_2M, GMEM_SHARED);
	struct gmem_area area = {
		.vm = realm.vm,
		.slot = SLOT + 1,
		.gpa = gpa,
		.size = SIZE_2M,
		.hva = gmem_map(fd, 0, SIZE_2M),
		.fd = vm_create_guest_memfd(realm.vm, SIZE_2M, 0),
	};

	gmem_area_bind(&area);
	agent_call(agent, guest_fill_alias, gpa, SIZE_2M, 21);
	EXPECT_EQ(stamp_check(area.hva, gpa, SIZE_2M, 21), end,
		  "what the realm wrote: first wrong address in the file");
	EXPECT_EQ(gmem_blocks(fd) * 512, SIZE_2M, "bytes in the file");
	EXPECT_EQ(gmem_blocks(area.fd), 0, "blocks of the realm's own file");
	stamp_fill(area.hva, gpa, SIZE_2M, 22);
	EXPECT_EQ(agent_call(agent, guest_check_alias, gpa, SIZE_2M, 22), end,
		  "what the host wrote: first wrong address in the realm");
	EXPECT_ERRNO(gmem_punch(fd, 0, SIZE_2M), 0, "punch the file");
	EXPECT_EQ(agent_call(agent, guest_check_zero, SHARED_VA(gpa), SIZE_2M),
		  SHARED_VA(end), "where it is not zero after the hole");
	gmem_area_free(&area);
	close(fd);
	kvm_vm_free(other);
}

/* The page is out of the realm, and of no use, until it is punched out. */
static void test_memory_error(void)
{
	const uint64_t offset = 3 * SIZE_4K, bad = MEMORY + offset;
	struct agent *second = &realm.agents[1];
	uint64_t pfn;
	int i;

	if (!can_poison_frames()) {
		note_skipped("memory errors: no hwpoison-inject in debugfs");
		return;
	}
	begin(40);
	pfn = gmem_find_frame(memory.fd, offset);
	if (!EXPECT(pfn, "the frame of a page should be found"))
		goto out;
	agent_call(agent, guest_fill, MEMORY, 8 * SIZE_4K, 31);
	poison_frame(pfn);
	agent_start(second, guest_read, bad, 0, 0, 0);
	for (i = 0; i < 2; i++)
		agent_check_fault(second, agent_run(second), bad, true,
				  EHWPOISON, "read of a poisoned page");
	EXPECT_EQ(agent_call(agent, guest_check, MEMORY, offset, 31), bad,
		  "end of the good pages before");
	EXPECT_EQ(agent_call(agent, guest_check, bad + SIZE_4K, 4 * SIZE_4K, 31),
		  bad + 5 * SIZE_4K, "end of the good pages after");
	EXPECT_EQ(agent_call(agent, guest_ripas, bad), RSI_DESTROYED,
		  "RIPAS of a poisoned page");
	EXPECT_ERRNO(gmem_punch(memory.fd, offset, SIZE_4K), 0, "punch it out");
	realm_convert(agent, bad, SIZE_4K, true);
	EXPECT_EQ(agent_call(agent, guest_check_zero, bad, SIZE_4K),
		  bad + SIZE_4K, "where a fresh page is not zero");
	EXPECT(agent_run(second) == AGENT_DONE && !second->value,
	       "the read should go on and find 0, finds %#lx", second->value);
	unpoison_frame(pfn);
out:
	end();
}

int main(int argc, char *argv[])
{
	static const unsigned int sizes[] = { 40, 36, 48, 52 };
	uint64_t delegated, leaked;
	int i;

	require_realms();
	delegated = rmm_delegated();
	leaked = rmm_leaked();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		printf("IPAs of %u bits\n", sizes[i]);
		begin(sizes[i]);
		test_private();
		test_shared();
		test_shared_discard();
		test_private_and_back();
		test_empty();
		test_ripas_answers();
		test_ripas_destroyed();
		test_ripas_errors();
		test_holes();
		end();
		rmm_expect_granules(delegated, leaked, "end of a size");
	}
	begin(40);
	test_wrong_side();
	test_race();
	test_mapped_file();
	test_late_slot();
	end();
	rmm_expect_granules(delegated, leaked, "at the end");
	test_memory_error();
	rmm_expect_granules(delegated, leaked, "after a memory error");
	return test_verdict();
}
