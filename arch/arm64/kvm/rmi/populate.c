// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_ARM_RMI_POPULATE: what is in a realm's private memory when it starts.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>

#include "realm.h"

static_assert(sizeof(struct kvm_arm_rmi_populate) == 32);

/* Have the RMM copy the page at @src to @data, and both mapped. */
static int create_data(struct kvm *kvm, unsigned long ipa, phys_addr_t data,
		       phys_addr_t src, unsigned long flags)
{
	phys_addr_t rd = kvm->arch.realm.rd;
	unsigned long ret;
	int level, r;

	write_lock(&kvm->mmu_lock);
	ret = rmi_data_create(rd, data, ipa, src, flags);
	if (rmi_is_rtt_error(ret, &level) && level < RMI_RTT_MAX_LEVEL) {
		r = realm_rtt_create(kvm, ipa, level, RMI_RTT_MAX_LEVEL);
		if (r)
			goto out_unlock;
		ret = rmi_data_create(rd, data, ipa, src, flags);
	}
	r = rmi_to_errno(ret);
out_unlock:
	write_unlock(&kvm->mmu_lock);
	return r;
}

static int create_data_with_tables(struct kvm *kvm, unsigned long ipa,
				   phys_addr_t data, phys_addr_t src,
				   unsigned long flags)
{
	int r;

	do {
		r = realm_rtt_topup(kvm);
		if (!r)
			r = create_data(kvm, ipa, data, src, flags);
	} while (r == -EAGAIN);
	return r;
}

static int populate_page(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn,
			 struct page *src, void *opaque)
{
	const unsigned long *flags = opaque;
	struct page *page = pfn_to_page(pfn);
	int r;

	r = granule_delegate_page(page);
	if (r)
		return r;

	r = create_data_with_tables(kvm, gfn_to_gpa(gfn), __pfn_to_phys(pfn),
				    page_to_phys(src), *flags);
	/* A page that does not come back is not for the file to use again. */
	if (r && !granule_undelegate_page(page))
		filemap_remove_folio(page_folio(page));
	return r;
}

static int check_args(struct kvm *kvm, const struct kvm_arm_rmi_populate *args)
{
	u64 end;

	if (args->reserved ||
	    (args->flags & ~KVM_ARM_RMI_POPULATE_FLAGS_MEASURE))
		return -EINVAL;
	if (!PAGE_ALIGNED(args->base) || !PAGE_ALIGNED(args->size) ||
	    !args->size || !PAGE_ALIGNED(args->source_uaddr) ||
	    !args->source_uaddr)
		return -EINVAL;
	if (check_add_overflow(args->base, args->size, &end) ||
	    end > realm_protected_end(kvm))
		return -EINVAL;
	return 0;
}

/*
 * On over what of the range is in one slot; *@args says what is left.  Returns 1
 * if there it stopped early: userspace asks again, and hears why.
 */
static int populate_slot(struct kvm *kvm, struct kvm_arm_rmi_populate *args)
{
	unsigned long flags = args->flags & KVM_ARM_RMI_POPULATE_FLAGS_MEASURE ?
			      RMI_DATA_FLAG_MEASURE : 0;
	gfn_t gfn = gpa_to_gfn(args->base);
	struct kvm_memory_slot *slot = gfn_to_memslot(kvm, gfn);
	long nr, npages;

	/* Processes may have the pages of a file mapped that has no other side. */
	if (!kvm_slot_has_gmem(slot) || kvm_memslot_is_gmem_only(slot))
		return -EINVAL;

	npages = min_t(u64, args->size >> PAGE_SHIFT,
		       slot->base_gfn + slot->npages - gfn);
	nr = kvm_gmem_populate(kvm, gfn, u64_to_user_ptr(args->source_uaddr),
			       npages, populate_page, &flags);
	if (nr < 0)
		return nr;

	args->base += (u64)nr << PAGE_SHIFT;
	args->size -= (u64)nr << PAGE_SHIFT;
	args->source_uaddr += (u64)nr << PAGE_SHIFT;
	return nr < npages;
}

static int populate(struct kvm *kvm, struct kvm_arm_rmi_populate *args)
{
	int r;

	lockdep_assert_held(&kvm->slots_lock);

	mutex_lock(&kvm->arch.config_lock);
	r = kvm_realm_create(kvm);
	mutex_unlock(&kvm->arch.config_lock);

	while (!r && args->size)
		r = populate_slot(kvm, args);
	return r;
}

/**
 * kvm_realm_populate_ioctl() - KVM_ARM_RMI_POPULATE, in both its forms.
 * @kvm: The realm's VM.
 * @ioctl: KVM_ARM_RMI_POPULATE or KVM_ARM_RMI_POPULATE_RW.
 * @argp: A struct kvm_arm_rmi_populate.
 *
 * Context: May sleep; takes slots_lock and config_lock.
 * Return: For the first form how many bytes have been populated, at most
 * INT_MAX rounded down to pages; for the second 0.  If there are none, -EINVAL
 * for arguments, a VM that is no realm, and frames that are not private;
 * -EBUSY once the realm has been activated; -EEXIST for a page that is in use;
 * -EFAULT for @argp, for the source, and where the guest_memfd has been closed;
 * -ENOSPC if the realm would be one too many; -EINTR, -ENOMEM, -EHWPOISON; or
 * the RMM's error, see rmi_to_errno().
 */
int kvm_realm_populate_ioctl(struct kvm *kvm, unsigned int ioctl,
			     void __user *argp)
{
	struct kvm_arm_rmi_populate args;
	u64 done;
	int r;

	if (!kvm_is_realm(kvm))
		return -EINVAL;
	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	r = check_args(kvm, &args);
	if (r)
		return r;

	/* The result of an ioctl is an int. */
	if (ioctl == KVM_ARM_RMI_POPULATE)
		args.size = min_t(u64, args.size, INT_MAX & PAGE_MASK);

	done = args.size;
	mutex_lock(&kvm->slots_lock);
	r = populate(kvm, &args);
	mutex_unlock(&kvm->slots_lock);
	done -= args.size;

	if (ioctl == KVM_ARM_RMI_POPULATE)
		return done ?: r;
	if (copy_to_user(argp, &args, sizeof(args)))
		return -EFAULT;
	return done ? 0 : r;
}
