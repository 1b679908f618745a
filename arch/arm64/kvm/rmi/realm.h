/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files on the memory of realms have in common; see asm/kvm_rmi.h.
 */
#ifndef __KVM_RMI_REALM_H
#define __KVM_RMI_REALM_H

#include <linux/kvm_host.h>

#include <asm/kvm_rmi.h>
#include <asm/rmi_cmds.h>

/* An RMM that refuses as often as this will go on refusing. */
#define REALM_MAX_FAILURES	16

/* granule.c */
int realm_granule_delegate(phys_addr_t pa);
int granule_delegate_page(struct page *page);
bool granule_undelegate_page(struct page *page);
void granule_leak(unsigned int nr);

/* rtt.c */
int realm_rtt_topup(struct kvm *kvm);
int realm_rtt_create(struct kvm *kvm, unsigned long ipa, int from, int to);
int realm_rtt_split(struct kvm *kvm, unsigned long ipa, int level);
int realm_map_protected(struct kvm *kvm, unsigned long ipa, phys_addr_t pa);
int realm_map_unprotected(struct kvm *kvm, unsigned long ipa, int level,
			  phys_addr_t pa, bool writable);
void realm_unmap_all(struct kvm *kvm);

/* rtt_free.c */
void realm_rtt_destroy_all(struct kvm *kvm);

/* ripas.c */
int realm_init_memslots_ripas(struct kvm *kvm);

/* The addresses that the realm does not share with anyone end here. */
static inline unsigned long realm_protected_end(struct kvm *kvm)
{
	return BIT(kvm->arch.realm.ia_bits - 1);
}

/* RTT_CREATE and the like name a table by the start of what it covers. */
static inline unsigned long rtt_align(unsigned long ipa, int level)
{
	return ALIGN_DOWN(ipa, RMI_RTT_LEVEL_SIZE(level));
}

#endif /* __KVM_RMI_REALM_H */
