/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __KVM_MEM_CONVERT_H__
#define __KVM_MEM_CONVERT_H__

#include <linux/kvm_host.h>

#ifdef CONFIG_KVM_GENERIC_MEMORY_ATTRIBUTES
u64 kvm_supported_mem_attributes(struct kvm *kvm);
int kvm_vm_ioctl_set_mem_attributes(struct kvm *kvm, void __user *argp);
u64 kvm_nr_private_frames(struct kvm *kvm, gfn_t start, gfn_t end);

static inline void kvm_init_mem_attributes(struct kvm *kvm)
{
	kvm_mem_attrs_init(&kvm->mem_attr_array);
}

static inline void kvm_destroy_mem_attributes(struct kvm *kvm)
{
	kvm_mem_attrs_destroy(&kvm->mem_attr_array);
}
#else
static inline u64 kvm_supported_mem_attributes(struct kvm *kvm)
{
	return 0;
}

static inline int kvm_vm_ioctl_set_mem_attributes(struct kvm *kvm,
						  void __user *argp)
{
	return -ENOTTY;
}

static inline u64 kvm_nr_private_frames(struct kvm *kvm, gfn_t start, gfn_t end)
{
	return 0;
}

static inline void kvm_init_mem_attributes(struct kvm *kvm)
{
}

static inline void kvm_destroy_mem_attributes(struct kvm *kvm)
{
}
#endif

#ifdef KVM_ARCH_WANT_MMU_NOTIFIER
typedef bool (*kvm_gfn_handler_t)(struct kvm *kvm, struct kvm_gfn_range *range);

#ifdef CONFIG_KVM_GENERIC_MEMORY_ATTRIBUTES
bool __kvm_handle_gfn_range_by_attr(struct kvm *kvm,
				    const struct kvm_gfn_range *range,
				    kvm_gfn_handler_t handler);
bool __kvm_unmap_gfn_range_by_attr(struct kvm *kvm,
				   const struct kvm_gfn_range *range, bool flush);
#else
static inline bool
__kvm_handle_gfn_range_by_attr(struct kvm *kvm,
			       const struct kvm_gfn_range *range,
			       kvm_gfn_handler_t handler)
{
	return false;
}

static inline bool
__kvm_unmap_gfn_range_by_attr(struct kvm *kvm,
			      const struct kvm_gfn_range *range, bool flush)
{
	return flush;
}
#endif

/*
 * Call @handler for the part of @range whose frames are of a kind that
 * range->attr_filter names.  Called under mmu_lock.
 */
static __always_inline bool
kvm_handle_gfn_range_by_attr(struct kvm *kvm, struct kvm_gfn_range *range,
			     kvm_gfn_handler_t handler)
{
	if (likely(!kvm_arch_has_private_mem(kvm)))
		return handler(kvm, range);

	return __kvm_handle_gfn_range_by_attr(kvm, range, handler);
}

/*
 * Unmap the same.  @flush says whether the TLBs are due for a flush already,
 * the result whether they are afterwards; range->may_block lets mmu_lock be
 * dropped in between.
 */
static __always_inline bool
kvm_unmap_gfn_range_by_attr(struct kvm *kvm, struct kvm_gfn_range *range,
			    bool flush)
{
	if (likely(!kvm_arch_has_private_mem(kvm)))
		return kvm_unmap_gfn_range(kvm, range) || flush;

	return __kvm_unmap_gfn_range_by_attr(kvm, range, flush);
}

#endif /* KVM_ARCH_WANT_MMU_NOTIFIER */

#endif /* __KVM_MEM_CONVERT_H__ */
