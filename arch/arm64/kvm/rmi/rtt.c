// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is mapped into a realm: protected pages of a guest_memfd, unprotected
 * pages and blocks of the host's memory, and the tables that they need.
 *
 * All of it goes on under mmu_lock, where nothing can be allocated.  So tables
 * are made of realm->spare_rtts, which is filled up before: whoever finds that
 * others have used it up meanwhile starts over.  The RMM invalidates TLBs.
 *
 * A table of protected pages can become a block (RTT_FOLD), and must be able to
 * become a table again when one of the pages is taken away.  So the granule that
 * folding sets free stays among the spare ones, and is not for anyone else.
 */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "realm.h"

/* Tables that one mapping can need: all levels but the starting one. */
#define MAX_NEW_RTTS	4

static bool spare_rtts_are_enough(struct realm *realm)
{
	return realm->nr_spare_rtts >= realm->nr_folded + MAX_NEW_RTTS;
}

static void spare_rtt_put(struct realm *realm, phys_addr_t rtt)
{
	list_add(&phys_to_page(rtt)->lru, &realm->spare_rtts);
	realm->nr_spare_rtts++;
}

static phys_addr_t spare_rtt_get(struct realm *realm)
{
	struct page *page;

	page = list_first_entry_or_null(&realm->spare_rtts, struct page, lru);
	if (!page)
		return 0;

	list_del(&page->lru);
	realm->nr_spare_rtts--;
	return page_to_phys(page);
}

/**
 * realm_rtt_topup() - Have spare tables at hand.
 * @kvm: The realm's VM.
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int realm_rtt_topup(struct kvm *kvm)
{
	struct realm *realm = &kvm->arch.realm;
	phys_addr_t rtt;

	while (!spare_rtts_are_enough(realm)) {
		rtt = realm_granule_alloc(GFP_KERNEL_ACCOUNT);
		if (!rtt)
			return -ENOMEM;

		write_lock(&kvm->mmu_lock);
		spare_rtt_put(realm, rtt);
		write_unlock(&kvm->mmu_lock);
	}
	return 0;
}

/* A table of @level that covers @ipa. */
static int create_one(struct realm *realm, unsigned long ipa, int level)
{
	phys_addr_t rtt = spare_rtt_get(realm);
	unsigned long ret;

	if (!rtt)
		return -EAGAIN;

	ret = rmi_rtt_create(realm->rd, rtt, rtt_align(ipa, level - 1), level);
	if (ret)
		spare_rtt_put(realm, rtt);
	else
		realm->nr_rtts++;
	return rmi_to_errno(ret);
}

/**
 * realm_rtt_create() - Give a realm the tables of some levels.
 * @kvm: The realm's VM.
 * @ipa: An address that they cover.
 * @from: The level that there is.
 * @to: The level that is needed.
 *
 * Context: With mmu_lock held for write.
 * Return: 0; -EAGAIN after which realm_rtt_topup() helps; or the RMM's error.
 */
int realm_rtt_create(struct kvm *kvm, unsigned long ipa, int from, int to)
{
	struct realm *realm = &kvm->arch.realm;
	int level, r;

	lockdep_assert_held_write(&kvm->mmu_lock);

	if (realm->nr_spare_rtts < realm->nr_folded + to - from)
		return -EAGAIN;

	for (level = from + 1; level <= to; level++) {
		r = create_one(realm, ipa, level);
		if (r)
			return r;
	}
	return 0;
}

/* Have one entry of the level above @level instead of the table at @ipa. */
static bool fold(struct realm *realm, unsigned long ipa, int level)
{
	phys_addr_t rtt;

	if (rmi_rtt_fold(realm->rd, ipa, level, &rtt))
		return false;

	realm->nr_rtts--;
	spare_rtt_put(realm, rtt);
	return true;
}

/*
 * Pages that come in the order of their frames, physically as well, are worth a
 * try when the last of them has come.
 */
static void try_fold(struct kvm *kvm, unsigned long ipa, phys_addr_t pa)
{
	const unsigned long mask = RMI_RTT_LEVEL_SIZE(RMI_RTT_BLOCK_LEVEL) - 1;
	struct realm *realm = &kvm->arch.realm;

	if ((ipa & mask) + PAGE_SIZE <= mask || (pa & mask) != (ipa & mask))
		return;
	if (fold(realm, ipa & ~mask, RMI_RTT_MAX_LEVEL))
		realm->nr_folded++;
}

/* Make a table of the block at @ipa again, for which there is a spare one. */
static bool unfold(struct realm *realm, unsigned long ipa)
{
	if (!realm->nr_folded || create_one(realm, ipa, RMI_RTT_MAX_LEVEL))
		return false;

	realm->nr_folded--;
	return true;
}

static bool is_assigned(const struct realm *realm, unsigned long ipa)
{
	struct rtt_entry entry;

	return !rmi_rtt_read_entry(realm->rd, ipa, RMI_RTT_MAX_LEVEL, &entry) &&
	       entry.state == RMI_ASSIGNED;
}

/**
 * realm_rtt_split() - Have a table instead of an entry.
 * @kvm: The realm's VM.
 * @ipa: A protected address, of which @level has the entry.
 * @level: The entry's level.  It is empty, or has what was a table before.
 *
 * Context: With mmu_lock held for write.
 * Return: As realm_rtt_create().
 */
int realm_rtt_split(struct kvm *kvm, unsigned long ipa, int level)
{
	struct realm *realm = &kvm->arch.realm;

	lockdep_assert_held_write(&kvm->mmu_lock);

	if (level == RMI_RTT_BLOCK_LEVEL && is_assigned(realm, ipa))
		return unfold(realm, ipa) ? 0 : -EIO;
	return realm_rtt_create(kvm, ipa, level, level + 1);
}

/**
 * realm_map_protected() - Map a page that is the realm's own.
 * @kvm: The realm's VM.
 * @ipa: Where, a protected address.
 * @pa: The page, of a guest_memfd and delegated.
 *
 * Context: With mmu_lock held for write.
 * Return: 0; -EEXIST if there is a page; -EAGAIN after which realm_rtt_topup()
 * helps; or the RMM's error.
 */
int realm_map_protected(struct kvm *kvm, unsigned long ipa, phys_addr_t pa)
{
	struct realm *realm = &kvm->arch.realm;
	unsigned long ret;
	int level, r;

	lockdep_assert_held_write(&kvm->mmu_lock);

	ret = rmi_data_create_unknown(realm->rd, pa, ipa);
	/* If it is this page, then the page is what the RMM finds wrong first. */
	if (ret && is_assigned(realm, ipa))
		return -EEXIST;
	if (rmi_is_rtt_error(ret, &level) && level < RMI_RTT_MAX_LEVEL) {
		r = realm_rtt_create(kvm, ipa, level, RMI_RTT_MAX_LEVEL);
		if (r)
			return r;
		ret = rmi_data_create_unknown(realm->rd, pa, ipa);
	}
	if (!ret)
		try_fold(kvm, ipa, pa);
	return rmi_to_errno(ret);
}

static unsigned long unprotected_desc(struct realm *realm, phys_addr_t pa,
				      bool writable)
{
	unsigned long desc = (pa & RMI_S2TTE_ADDR) | RMI_S2TTE_MEMATTR_WB |
			     RMI_S2TTE_S2AP_R;

	if (writable)
		desc |= RMI_S2TTE_S2AP_W;
	if (realm->ia_bits <= 48)
		desc |= RMI_S2TTE_SH_IS;
	return desc;
}

static bool unmap_unprotected_one(struct kvm *kvm, unsigned long *ipa);

/* Clear what is mapped where one entry of @level is to be. */
static void make_room(struct kvm *kvm, unsigned long ipa, int level)
{
	unsigned long end = ipa + RMI_RTT_LEVEL_SIZE(level);

	while (ipa < end)
		if (!unmap_unprotected_one(kvm, &ipa))
			return;

	if (level < RMI_RTT_MAX_LEVEL)
		fold(&kvm->arch.realm, end - RMI_RTT_LEVEL_SIZE(level), level + 1);
}

/**
 * realm_map_unprotected() - Map memory that the realm shares with the host.
 * @kvm: The realm's VM.
 * @ipa: Where, an unprotected address, aligned to the size of the mapping.
 * @level: RMI_RTT_MAX_LEVEL for a page, RMI_RTT_BLOCK_LEVEL for a block.
 * @pa: The memory.
 * @writable: False if the realm can only read it.
 *
 * What is mapped there is replaced.
 *
 * Context: With mmu_lock held for write.
 * Return: 0; -EAGAIN after which realm_rtt_topup() helps; or the RMM's error.
 */
int realm_map_unprotected(struct kvm *kvm, unsigned long ipa, int level,
			  phys_addr_t pa, bool writable)
{
	struct realm *realm = &kvm->arch.realm;
	unsigned long desc = unprotected_desc(realm, pa, writable);
	int at, r, tries = 3;
	unsigned long ret;

	lockdep_assert_held_write(&kvm->mmu_lock);

	for (;;) {
		ret = rmi_rtt_map_unprotected(realm->rd, ipa, level, desc);
		if (!rmi_is_rtt_error(ret, &at) || !tries--)
			return rmi_to_errno(ret);

		if (at < level) {
			r = realm_rtt_create(kvm, ipa, at, level);
			if (r)
				return r;
		} else {
			make_room(kvm, ipa, level);
		}
	}
}

/* What an unmapping cannot go on with, the realm does not get to use. */
static bool unmap_failed(struct kvm *kvm)
{
	kvm_realm_kill(kvm);
	return false;
}

/*
 * Unmap the page or block at *@ipa, if there is one, and go on to where there
 * can be the next.
 */
static bool unmap_unprotected_one(struct kvm *kvm, unsigned long *ipa)
{
	phys_addr_t rd = kvm->arch.realm.rd;
	unsigned long ret, top;
	int level;

	ret = rmi_rtt_unmap_unprotected(rd, *ipa, RMI_RTT_MAX_LEVEL, &top);
	/* A block; what of it is to stay is mapped again by faults. */
	if (rmi_is_rtt_error(ret, &level) && level < RMI_RTT_MAX_LEVEL &&
	    top <= *ipa)
		ret = rmi_rtt_unmap_unprotected(rd, rtt_align(*ipa, level),
						level, &top);
	if ((ret && RMI_RETURN_STATUS(ret) != RMI_ERROR_RTT) || top <= *ipa)
		return unmap_failed(kvm);

	*ipa = top;
	return true;
}

/* The same for a protected page.  It stays with the file, and delegated. */
static bool unmap_protected_one(struct kvm *kvm, unsigned long *ipa)
{
	struct realm *realm = &kvm->arch.realm;
	unsigned long ret, top;
	phys_addr_t pa;
	int level;

	ret = rmi_data_destroy(realm->rd, *ipa, &pa, &top);
	if (rmi_is_rtt_error(ret, &level) && level == RMI_RTT_BLOCK_LEVEL &&
	    top <= *ipa && unfold(realm, *ipa))
		ret = rmi_data_destroy(realm->rd, *ipa, &pa, &top);
	if ((ret && RMI_RETURN_STATUS(ret) != RMI_ERROR_RTT) || top <= *ipa)
		return unmap_failed(kvm);

	*ipa = top;
	return true;
}

/* The other pages need not suffer from a few that fail; but there is an end. */
static void unmap_range(struct kvm *kvm, unsigned long ipa, unsigned long end,
			bool (*unmap_one)(struct kvm *kvm, unsigned long *ipa),
			bool may_block)
{
	int failures = 0;

	lockdep_assert_held_write(&kvm->mmu_lock);

	while (ipa < end && failures < REALM_MAX_FAILURES) {
		if (!unmap_one(kvm, &ipa)) {
			ipa += PAGE_SIZE;
			failures++;
		}
		if (may_block)
			cond_resched_rwlock_write(&kvm->mmu_lock);
	}
}

/* Whether the RMM knows of anything that could be mapped. */
static bool has_mappings(struct kvm *kvm)
{
	enum realm_state state = kvm_realm_state(kvm);

	return state != REALM_STATE_NONE && state != REALM_STATE_DEAD;
}

/**
 * kvm_realm_unmap_gfn_range() - Unmap shared or private memory, or both.
 * @kvm: The realm's VM.
 * @range: Which frames, and which of their memory.
 *
 * Context: With mmu_lock held for write; may drop it if the range says so.
 */
void kvm_realm_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range)
{
	unsigned long shared = kvm_realm_shared_bit(kvm);
	unsigned long start = gfn_to_gpa(range->start);
	unsigned long end = gfn_to_gpa(range->end);

	if (!has_mappings(kvm))
		return;

	if (range->attr_filter & KVM_FILTER_SHARED)
		unmap_range(kvm, start + shared, end + shared,
			    unmap_unprotected_one, range->may_block);
	if (range->attr_filter & KVM_FILTER_PRIVATE)
		unmap_range(kvm, start, end, unmap_protected_one,
			    range->may_block);
}

static void unmap_gfns(struct kvm *kvm, gfn_t start, gfn_t end)
{
	struct kvm_gfn_range range = {
		.start = start,
		.end = end,
		.attr_filter = KVM_FILTER_SHARED | KVM_FILTER_PRIVATE,
		.may_block = true,
	};

	write_lock(&kvm->mmu_lock);
	kvm_realm_unmap_gfn_range(kvm, &range);
	write_unlock(&kvm->mmu_lock);
}

/**
 * kvm_realm_unmap_memslot() - Unmap all that is mapped in a memslot.
 * @kvm: The realm's VM.
 * @slot: The memslot.
 *
 * Context: May sleep; takes mmu_lock.
 */
void kvm_realm_unmap_memslot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	unmap_gfns(kvm, slot->base_gfn, slot->base_gfn + slot->npages);
}

/**
 * realm_unmap_all() - Unmap all that a realm has.
 * @kvm: The realm's VM.
 *
 * Context: May sleep; takes mmu_lock.
 */
void realm_unmap_all(struct kvm *kvm)
{
	unmap_gfns(kvm, 0, gpa_to_gfn(realm_protected_end(kvm)));
}
