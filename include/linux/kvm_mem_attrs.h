/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store of per-page memory attributes of one VM: which attributes a guest
 * frame has, kept by range.
 *
 * Every gfn has attributes at all times; those never set are 0.  Changes are
 * serialised by the caller, who may sleep.  Lookups take no lock.
 */
#ifndef __LINUX_KVM_MEM_ATTRS_H
#define __LINUX_KVM_MEM_ATTRS_H

#include <linux/bits.h>
#include <linux/kvm_types.h>
#include <linux/types.h>
#include <linux/xarray.h>

/*
 * What can be stored: the bits of KVM_MEMORY_ATTRIBUTE_* from SHIFT on.  Each
 * bit more halves the pages that one word of the store holds.
 */
#ifndef KVM_MEM_ATTRS_BITS
#define KVM_MEM_ATTRS_SHIFT	3
#define KVM_MEM_ATTRS_BITS	1
#endif
#define KVM_MEM_ATTRS_MASK	\
	GENMASK(KVM_MEM_ATTRS_SHIFT + KVM_MEM_ATTRS_BITS - 1, KVM_MEM_ATTRS_SHIFT)

void kvm_mem_attrs_init(struct xarray *attrs);
void kvm_mem_attrs_destroy(struct xarray *attrs);

unsigned long kvm_mem_attrs_get(struct xarray *attrs, gfn_t gfn);
gfn_t kvm_mem_attrs_run(struct xarray *attrs, gfn_t start, gfn_t end,
			unsigned long *value);
int kvm_mem_attrs_prepare(struct xarray *attrs, gfn_t start, gfn_t end,
			  unsigned long value);
void kvm_mem_attrs_commit(struct xarray *attrs, gfn_t start, gfn_t end,
			  unsigned long value);
int kvm_mem_attrs_set(struct xarray *attrs, gfn_t start, gfn_t end,
		      unsigned long value);

/**
 * kvm_mem_attrs_range_has() - Ask whether a whole range has given attributes.
 * @attrs: The store.
 * @start: First frame of the range.
 * @end: Frame after the last; larger than @start.
 * @value: The exact attributes asked for.
 *
 * Context: Any; see kvm_mem_attrs_run() for what a concurrent change means.
 * Return: True if each frame in [@start, @end) has the attributes @value.
 */
static inline bool kvm_mem_attrs_range_has(struct xarray *attrs, gfn_t start,
					   gfn_t end, unsigned long value)
{
	unsigned long first;

	return kvm_mem_attrs_run(attrs, start, end, &first) == end &&
	       first == value;
}

/* Walk [pos, end) run by run: [pos, next) has the attributes @value. */
#define kvm_mem_attrs_for_each_run(attrs, pos, next, end, value)	\
	for (; (pos) < (end) &&						\
	       ((next) = kvm_mem_attrs_run(attrs, pos, end, &(value)), true); \
	     (pos) = (next))

#endif /* __LINUX_KVM_MEM_ATTRS_H */
