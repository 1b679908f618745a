// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of how large mappings of private memory get: no larger than the
 * page, than what the vendor module allows, and than the range that has the same
 * attributes and keeps them.
 */
#include <kunit/test.h>
#include <linux/kvm_host.h>

#include "mmu_internal.h"

#define ORDER_2M	KVM_HPAGE_GFN_SHIFT(PG_LEVEL_2M)
#define ORDER_1G	KVM_HPAGE_GFN_SHIFT(PG_LEVEL_1G)
#define FRAMES_2M	KVM_PAGES_PER_HPAGE(PG_LEVEL_2M)
#define FRAMES_1G	KVM_PAGES_PER_HPAGE(PG_LEVEL_1G)
#define BASE		(4 * FRAMES_1G)
#define PRIVATE		KVM_MEMORY_ATTRIBUTE_PRIVATE

static void level_of_page(struct kunit *test)
{
	static const struct {
		int order, limit, level;
	} cases[] = {
		/* The page alone; the vendor module has nothing to say. */
		{ 0, 0, PG_LEVEL_4K },
		{ ORDER_2M - 1, 0, PG_LEVEL_4K },
		{ ORDER_2M, 0, PG_LEVEL_2M },
		{ ORDER_1G - 1, 0, PG_LEVEL_2M },
		{ ORDER_1G, 0, PG_LEVEL_1G },
		{ ORDER_1G + 1, 0, PG_LEVEL_1G },
		/* It has: the smaller of the two counts. */
		{ 0, PG_LEVEL_2M, PG_LEVEL_4K },
		{ ORDER_2M, PG_LEVEL_4K, PG_LEVEL_4K },
		{ ORDER_2M, PG_LEVEL_2M, PG_LEVEL_2M },
		{ ORDER_2M, PG_LEVEL_1G, PG_LEVEL_2M },
		{ ORDER_1G, PG_LEVEL_2M, PG_LEVEL_2M },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, cases[i].level,
				    kvm_mmu_gmem_max_level(cases[i].order,
							   cases[i].limit),
				    "order %d, limit %d", cases[i].order,
				    cases[i].limit);
}

static struct kvm *vm_of(struct kunit *test)
{
	return test->priv;
}

static void expect_level(struct kunit *test, gfn_t gfn, int level,
			 const char *when)
{
	struct kvm *kvm = vm_of(test);
	int max;

	write_lock(&kvm->mmu_lock);
	for (max = PG_LEVEL_4K; max <= KVM_MAX_HUGEPAGE_LEVEL; max++)
		KUNIT_EXPECT_EQ_MSG(test, min(level, max),
				    kvm_mmu_uniform_max_level(kvm, gfn, max),
				    "%s: frame %llx, at most level %d", when,
				    gfn, max);
	write_unlock(&kvm->mmu_lock);
}

static void set(struct kunit *test, gfn_t start, gfn_t end, unsigned long attrs)
{
	KUNIT_ASSERT_EQ(test, 0,
			kvm_mem_attrs_set(&vm_of(test)->mem_attr_array, start,
					  end, attrs));
}

static void level_of_attributes(struct kunit *test)
{
	const gfn_t odd = BASE + 5 * FRAMES_2M + 77;

	expect_level(test, BASE, PG_LEVEL_1G, "all is shared");

	set(test, BASE, BASE + FRAMES_1G, PRIVATE);
	expect_level(test, BASE, PG_LEVEL_1G, "1 GiB is private");
	expect_level(test, BASE + FRAMES_1G - 1, PG_LEVEL_1G, "1 GiB is private");
	expect_level(test, BASE + FRAMES_1G, PG_LEVEL_1G, "shared behind it");

	set(test, odd, odd + 1, 0);
	expect_level(test, odd, PG_LEVEL_4K, "a frame is shared");
	expect_level(test, odd - 1, PG_LEVEL_4K, "a frame is shared");
	expect_level(test, BASE + 5 * FRAMES_2M, PG_LEVEL_4K, "a frame is shared");
	expect_level(test, BASE + 6 * FRAMES_2M - 1, PG_LEVEL_4K,
		     "a frame is shared");
	expect_level(test, BASE + 6 * FRAMES_2M, PG_LEVEL_2M, "beside it");
	expect_level(test, BASE + 5 * FRAMES_2M - 1, PG_LEVEL_2M, "beside it");
	expect_level(test, BASE + FRAMES_1G, PG_LEVEL_1G, "in the next 1 GiB");

	set(test, odd, odd + 1, PRIVATE);
	expect_level(test, odd, PG_LEVEL_1G, "private again");

	set(test, BASE, BASE + FRAMES_1G - FRAMES_2M, 0);
	expect_level(test, BASE, PG_LEVEL_2M, "all but 2 MiB is shared");
	expect_level(test, BASE + FRAMES_1G - 1, PG_LEVEL_2M,
		     "these 2 MiB are private");
}

/* What is being converted is neither the one nor the other. */
static void level_during_invalidation(struct kunit *test)
{
	struct kvm *kvm = vm_of(test);

	set(test, BASE, BASE + FRAMES_1G, PRIVATE);
	kvm->mmu_invalidate_in_progress = 1;
	kvm->mmu_invalidate_range_start = BASE + FRAMES_2M + 1;
	kvm->mmu_invalidate_range_end = BASE + FRAMES_2M + 2;
	expect_level(test, BASE + FRAMES_2M, PG_LEVEL_4K, "a neighbour goes");
	expect_level(test, BASE, PG_LEVEL_2M, "one beyond 2 MiB goes");
	expect_level(test, BASE + FRAMES_1G, PG_LEVEL_1G, "one beyond 1 GiB goes");

	kvm->mmu_invalidate_in_progress = 0;
	expect_level(test, BASE + FRAMES_2M, PG_LEVEL_1G, "nothing goes");
}

static void level_without_private_memory(struct kunit *test)
{
	struct kvm *kvm = vm_of(test);

	set(test, BASE, BASE + 1, PRIVATE);
	kvm->arch.has_private_mem = false;
	expect_level(test, BASE, PG_LEVEL_1G, "a VM without private memory");
}

static int mmu_test_init(struct kunit *test)
{
	struct kvm *kvm = kvzalloc(sizeof(*kvm), GFP_KERNEL);

	if (!kvm)
		return -ENOMEM;
	rwlock_init(&kvm->mmu_lock);
	kvm_mem_attrs_init(&kvm->mem_attr_array);
	kvm->arch.has_private_mem = true;
	test->priv = kvm;
	return 0;
}

static void mmu_test_exit(struct kunit *test)
{
	struct kvm *kvm = vm_of(test);

	if (!kvm)
		return;
	kvm_mem_attrs_destroy(&kvm->mem_attr_array);
	kvfree(kvm);
}

static struct kunit_case mmu_test_cases[] = {
	KUNIT_CASE(level_of_page),
	KUNIT_CASE(level_of_attributes),
	KUNIT_CASE(level_during_invalidation),
	KUNIT_CASE(level_without_private_memory),
	{}
};

static struct kunit_suite mmu_test_suite = {
	.name = "kvm-x86-private-mmu",
	.init = mmu_test_init,
	.exit = mmu_test_exit,
	.test_cases = mmu_test_cases,
};

kunit_test_suite(mmu_test_suite);
