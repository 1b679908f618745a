// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversion of guest memory: what becomes of a VM's mappings when the
 * attributes of its memory change.
 *
 * Invariants
 *
 *   I1	A frame that is mapped into the guest is mapped as what its attributes
 *	say, shared memory or private memory.
 *   I2	Attributes of a frame change only while the frame is not mapped, and
 *	cannot become mapped because an invalidation of it is in progress.
 *
 * So under mmu_lock the attributes tell which mappings a range of frames has,
 * and an event that is about memory of one kind leaves the other alone.
 *
 * Lock order: slots_lock, mmu_lock.
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <trace/events/kvm.h>

#include "kvm_mm.h"
#include "mem_convert.h"

static_assert(KVM_MEM_ATTRS_MASK == KVM_MEMORY_ATTRIBUTE_PRIVATE);
static_assert(sizeof(struct kvm_memory_attributes) == 32);

/* Unmapping more than this may take long enough for a break. */
#define MANY_PAGES	512

#define ANY_KIND	(KVM_FILTER_SHARED | KVM_FILTER_PRIVATE)

/**
 * kvm_supported_mem_attributes() - The attributes that a VM's memory can have.
 * @kvm: The VM, or NULL for what any VM can have at best.
 *
 * Return: A mask of KVM_MEMORY_ATTRIBUTE_*.
 */
u64 kvm_supported_mem_attributes(struct kvm *kvm)
{
	if (kvm && !kvm_arch_has_private_mem(kvm))
		return 0;

	return KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

/**
 * kvm_nr_private_frames() - Count the private frames of a range.
 * @kvm: The VM.
 * @start: First frame.
 * @end: Frame after the last.
 *
 * Context: May sleep.
 * Return: How many there are, each as it is when it is looked at.
 */
u64 kvm_nr_private_frames(struct kvm *kvm, gfn_t start, gfn_t end)
{
	gfn_t pos = start, next;
	unsigned long attrs;
	u64 nr = 0;

	kvm_mem_attrs_for_each_run(&kvm->mem_attr_array, pos, next, end, attrs) {
		if (attrs & KVM_MEMORY_ATTRIBUTE_PRIVATE)
			nr += next - pos;
		cond_resched();
	}
	return nr;
}

static enum kvm_gfn_range_filter mapping_kind(unsigned long attrs)
{
	return attrs & KVM_MEMORY_ATTRIBUTE_PRIVATE ? KVM_FILTER_PRIVATE :
						      KVM_FILTER_SHARED;
}

/* The part of kvm_handle_gfn_range_by_attr() for VMs with private memory. */
bool __kvm_handle_gfn_range_by_attr(struct kvm *kvm,
				    const struct kvm_gfn_range *range,
				    kvm_gfn_handler_t handler)
{
	gfn_t pos = range->start, next;
	unsigned long attrs;
	bool ret = false;

	lockdep_assert_held(&kvm->mmu_lock);

	kvm_mem_attrs_for_each_run(&kvm->mem_attr_array, pos, next, range->end, attrs) {
		struct kvm_gfn_range run = *range;

		run.start = pos;
		run.end = next;
		run.attr_filter &= mapping_kind(attrs);
		if (run.attr_filter)
			ret |= handler(kvm, &run);
	}
	return ret;
}

/*
 * Take a break if one is due.  Unmapping may drop mmu_lock, too, if it is much
 * that it has to do.  Do not get there with TLBs that hold what the page
 * tables do not say any more: others would take the pages for unused.
 */
static bool unmap_resched(struct kvm *kvm, bool flush, gfn_t next_pages)
{
	bool yield = need_resched() || KVM_MMU_NEEDBREAK(kvm);

	if (flush && (yield || next_pages > MANY_PAGES)) {
		kvm_flush_remote_tlbs(kvm);
		flush = false;
	}
	if (yield) {
		KVM_MMU_UNLOCK(kvm);
		cond_resched();
		KVM_MMU_LOCK(kvm);
	}
	return flush;
}

static bool unmap_run(struct kvm *kvm, struct kvm_gfn_range *run, bool flush)
{
	if (run->may_block)
		flush = unmap_resched(kvm, flush, run->end - run->start);
	run->may_block &= !flush;

	return kvm_unmap_gfn_range(kvm, run) || flush;
}

/* The part of kvm_unmap_gfn_range_by_attr() for VMs with private memory. */
bool __kvm_unmap_gfn_range_by_attr(struct kvm *kvm,
				   const struct kvm_gfn_range *range, bool flush)
{
	gfn_t pos = range->start, next;
	unsigned long attrs;

	lockdep_assert_held(&kvm->mmu_lock);

	kvm_mem_attrs_for_each_run(&kvm->mem_attr_array, pos, next, range->end, attrs) {
		struct kvm_gfn_range run = *range;

		run.start = pos;
		run.end = next;
		run.attr_filter &= mapping_kind(attrs);
		if (run.attr_filter)
			flush = unmap_run(kvm, &run, flush);
	}
	return flush;
}

/* Unmap the frames of [start, end) that do not have @attributes. */
static bool convert_unmap(struct kvm *kvm, gfn_t start, gfn_t end,
			  unsigned long attributes)
{
	struct kvm_memslot_iter iter;
	bool flush = false;
	int i;

	for (i = 0; i < kvm_arch_nr_memslot_as_ids(kvm); i++) {
		kvm_for_each_memslot_in_gfn_range(&iter, __kvm_memslots(kvm, i),
						  start, end) {
			struct kvm_memory_slot *slot = iter.slot;
			struct kvm_gfn_range range = {
				.slot = slot,
				.start = max(start, slot->base_gfn),
				.end = min(end, slot->base_gfn + slot->npages),
				.attr_filter = ANY_KIND & ~mapping_kind(attributes),
				.may_block = true,
			};

			flush = __kvm_unmap_gfn_range_by_attr(kvm, &range, flush);
		}
	}
	return flush;
}

static void convert_begin(struct kvm *kvm, gfn_t start, gfn_t end,
			  unsigned long attributes)
{
	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_begin(kvm);
	kvm_mmu_invalidate_range_add(kvm, start, end);

	if (convert_unmap(kvm, start, end, attributes))
		kvm_flush_remote_tlbs(kvm);
	KVM_MMU_UNLOCK(kvm);
}

static void convert_end(struct kvm *kvm)
{
	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_end(kvm);
	KVM_MMU_UNLOCK(kvm);
}

/* Checks and allocation come first: what follows cannot fail. */
static int convert(struct kvm *kvm, gfn_t start, gfn_t end,
		   unsigned long attributes)
{
	struct xarray *store = &kvm->mem_attr_array;
	int r;

	lockdep_assert_held(&kvm->slots_lock);

	if (kvm_mem_attrs_range_has(store, start, end, attributes))
		return 0;

	r = kvm_mem_attrs_prepare(store, start, end, attributes);
	if (r)
		return r;

	trace_kvm_mem_convert(start, end, attributes);
	convert_begin(kvm, start, end, attributes);
	kvm_mem_attrs_commit(store, start, end, attributes);
	convert_end(kvm);
	return 0;
}

static int check_attributes(struct kvm *kvm,
			    const struct kvm_memory_attributes *attrs)
{
	if (attrs->flags)
		return -EINVAL;
	if (attrs->attributes & ~kvm_supported_mem_attributes(kvm))
		return -EINVAL;
	if (!attrs->size || attrs->address + attrs->size < attrs->address)
		return -EINVAL;
	if (!PAGE_ALIGNED(attrs->address) || !PAGE_ALIGNED(attrs->size))
		return -EINVAL;
	return 0;
}

/**
 * kvm_vm_ioctl_set_mem_attributes() - KVM_SET_MEMORY_ATTRIBUTES.
 * @kvm: The VM.
 * @argp: A struct kvm_memory_attributes; address and size in bytes.
 *
 * All of the range changes or none of it.  Mappings of frames that have the
 * attributes already stay.
 *
 * Context: May sleep; takes slots_lock.
 * Return: 0, -EFAULT for @argp, -EINVAL for a range or attributes that cannot
 * be, -ENOMEM.
 */
int kvm_vm_ioctl_set_mem_attributes(struct kvm *kvm, void __user *argp)
{
	struct kvm_memory_attributes attrs;
	int r;

	if (copy_from_user(&attrs, argp, sizeof(attrs)))
		return -EFAULT;

	r = check_attributes(kvm, &attrs);
	if (r)
		return r;

	mutex_lock(&kvm->slots_lock);
	r = convert(kvm, gpa_to_gfn(attrs.address),
		    gpa_to_gfn(attrs.address + attrs.size), attrs.attributes);
	mutex_unlock(&kvm->slots_lock);
	return r;
}
