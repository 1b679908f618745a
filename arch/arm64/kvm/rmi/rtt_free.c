// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking a realm's tables back, when nothing is mapped any more.
 */
#include <linux/sched.h>

#include "realm.h"

/*
 * Take back the table of @level at *@ipa, if there is one, and go on to where
 * there can be the next.  One that does not go away is passed over, and then the
 * realm does not go away, either.  Whatever the RMM says, *@ipa grows.
 */
static bool destroy_one(struct realm *realm, int level, unsigned long *ipa)
{
	unsigned long ret, top, next;
	bool absent;
	phys_addr_t rtt;
	int at;

	ret = rmi_rtt_destroy(realm->rd, *ipa, level, &rtt, &top);
	if (!ret) {
		realm->nr_rtts--;
		realm_granule_free(rtt);
	}

	/* The walk ended above it, where there is nothing up to @top. */
	absent = rmi_is_rtt_error(ret, &at) && top > *ipa &&
		 at >= realm->rtt_level_start && at < level;
	if (!absent)
		at = level - 1;
	next = rtt_align(*ipa, at) + RMI_RTT_LEVEL_SIZE(at);
	if (!ret || absent)
		next = max(rtt_align(top, level - 1), next);
	*ipa = next;

	return !ret || absent;
}

static void destroy_level(struct kvm *kvm, int level)
{
	struct realm *realm = &kvm->arch.realm;
	unsigned long end = BIT(realm->ia_bits), ipa = 0;
	int failures = 0;

	while (ipa < end && failures < REALM_MAX_FAILURES) {
		failures += !destroy_one(realm, level, &ipa);
		cond_resched_rwlock_write(&kvm->mmu_lock);
	}
}

static void free_spare_rtts(struct realm *realm)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &realm->spare_rtts, lru) {
		list_del(&page->lru);
		realm_granule_free(page_to_phys(page));
	}
	realm->nr_spare_rtts = 0;
}

/**
 * realm_rtt_destroy_all() - Take back all tables but the starting ones.
 * @kvm: The realm's VM.
 *
 * Context: May sleep; takes mmu_lock.
 */
void realm_rtt_destroy_all(struct kvm *kvm)
{
	struct realm *realm = &kvm->arch.realm;
	int level;

	write_lock(&kvm->mmu_lock);
	for (level = RMI_RTT_MAX_LEVEL; level > realm->rtt_level_start; level--)
		destroy_level(kvm, level);
	free_spare_rtts(realm);
	write_unlock(&kvm->mmu_lock);
}
