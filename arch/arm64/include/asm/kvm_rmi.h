/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Realms of the Arm Confidential Compute Architecture: what the rest of KVM
 * sees of them.
 *
 * Vocabulary
 *
 *   RMM		the Realm Management Monitor: firmware that keeps realms
 *   realm	a VM that neither KVM nor its VMM can look into
 *   REC	a realm's vCPU
 *   granule	4 KiB of memory; delegated: the RMM's, and no access to it by
 *		anyone else succeeds
 *   RTT	a table of a realm's stage 2, a granule
 *   protected	the lower half of a realm's addresses, private to it; the upper
 *		half is shared with the host, an alias of the lower one to KVM:
 *		frame numbers are without the bit that tells them apart
 *   RIPAS	what a protected address is to the realm: RAM, EMPTY, DESTROYED
 *
 * Invariants
 *
 *   I1	Memory is freed, mapped by the host or used for anything only while it
 *	is undelegated.  What cannot be undelegated is leaked, and counted.
 *   I2	A protected address is mapped only to a page of a guest_memfd that has
 *	been delegated by kvm_arch_gmem_prepare() or when it was populated.
 *   I3	The unprotected alias of a frame is mapped only while the frame is
 *	shared by its attributes.
 *   I4	A realm's VMID is free again only after the RMM has destroyed the realm.
 *
 * Locking
 *
 *   Order: vcpu->mutex, slots_lock, config_lock, mmu_lock.
 *   - realm->state changes under config_lock and is read under any lock, or
 *     none; NONE -> NEW -> ACTIVE with slots_lock held as well, so that the
 *     memory of a realm that is NEW is set up by one at a time.
 *   - Commands on a realm's tables go out under mmu_lock, held for write.
 *   - realm->config changes under config_lock while the state is NONE.
 */
#ifndef __ASM_KVM_RMI_H
#define __ASM_KVM_RMI_H

#include <linux/jump_label.h>
#include <linux/kvm_types.h>
#include <linux/list.h>
#include <linux/types.h>

#include <asm/rmi_smc.h>

struct arch_timer_context;
struct kvm;
struct kvm_enable_cap;
struct kvm_gfn_range;
struct kvm_memory_slot;
struct kvm_one_reg;
struct kvm_vcpu;
struct page;

/**
 * enum realm_state - The life of a realm.
 * @REALM_STATE_NONE: The RMM does not know of it; its parameters can change.
 * @REALM_STATE_NEW: Created; memory can be populated, RECs be created.
 * @REALM_STATE_ACTIVE: RECs can run.
 * @REALM_STATE_DYING: No REC is entered any more, nothing is mapped any more.
 * @REALM_STATE_DEAD: The RMM has forgotten it, or nothing can be done about it.
 */
enum realm_state {
	REALM_STATE_NONE,
	REALM_STATE_NEW,
	REALM_STATE_ACTIVE,
	REALM_STATE_DYING,
	REALM_STATE_DEAD,
};

/**
 * struct realm_config - What a realm is created with.
 * @hash_algo: Of its measurements.
 * @sve: RECs have SVE.
 * @sve_vl: Its vector length, in 128 bits minus one.
 * @pmu: RECs have a PMU.
 * @pmu_num_ctrs: Its event counters.
 * @num_bps: Breakpoints minus one.
 * @num_wps: Watchpoints minus one.
 */
struct realm_config {
	enum rmi_hash_algorithm hash_algo;
	bool sve;
	u8 sve_vl;
	bool pmu;
	u8 pmu_num_ctrs;
	u8 num_bps;
	u8 num_wps;
};

/**
 * struct realm - A realm, in struct kvm_arch.
 * @is_realm: For the VM's whole life.
 * @ia_bits: The size of its addresses, protected and unprotected.
 * @state: See enum realm_state.
 * @config: See there.
 * @rd: Its descriptor, a granule.
 * @rtt_start: Its starting tables, adjacent granules.
 * @rtt_num_start: How many.
 * @rtt_level_start: Of which level.
 * @vmid: In the RMM's space.
 * @spare_rtts: Delegated granules that tables can be made of, by page->lru.
 * @nr_rtts: Tables that it has, without the starting ones.
 * @nr_spare_rtts: How many are spare.
 * @nr_folded: Blocks that may have to become tables again; at most the former.
 */
struct realm {
	bool is_realm;
	u8 ia_bits;
	enum realm_state state;
	struct realm_config config;
	phys_addr_t rd;
	phys_addr_t rtt_start;
	unsigned int rtt_num_start;
	int rtt_level_start;
	u16 vmid;
	struct list_head spare_rtts;
	unsigned int nr_rtts;
	unsigned int nr_spare_rtts;
	unsigned int nr_folded;
};

/**
 * struct realm_rec - A REC, in struct kvm_vcpu_arch.
 * @rec: Its granule; 0 while there is none.
 * @run: A page that is shared with the RMM, NULL while there is no REC.
 * @aux: Granules that the RMM wanted to keep more in.
 * @nr_aux: How many.
 * @mpidr: What the RMM knows it by.
 * @status: What REC_ENTER returned; an exit record is there only on success.
 * @enter_flags: What the next entry does beyond running the REC.
 * @host_call: The next entry answers a host call, with the vCPU's registers.
 * @serror_is_fatal: Of an exit for an SError: the REC cannot go on.
 * @ripas_pending: The last exit was a RIPAS change that is not answered yet.
 * @ripas_begun: A part of it has been done.
 * @psci_pending: The last exit was a PSCI call that is not completed yet.
 * @maybe_on: A CPU_ON for it was completed, before or after its last CPU_OFF;
 *	under mp_state_lock.
 * @in_doubt: It has turned itself off, and may have been turned on again.
 */
struct realm_rec {
	phys_addr_t rec;
	struct rec_run *run;
	phys_addr_t aux[RMI_REC_MAX_AUX];
	unsigned int nr_aux;
	u64 mpidr;
	unsigned long status;
	u64 enter_flags;
	bool host_call;
	bool serror_is_fatal;
	bool ripas_pending;
	bool ripas_begun;
	bool psci_pending;
	bool maybe_on;
	bool in_doubt;
};

#ifdef CONFIG_KVM_ARM_RMI

DECLARE_STATIC_KEY_FALSE(kvm_rmi_is_available);

/* Both want struct kvm to be known only where they are used. */
#define kvm_is_realm(kvm)						\
	(static_branch_unlikely(&kvm_rmi_is_available) &&		\
	 (kvm)->arch.realm.is_realm)
#define vcpu_is_rec(vcpu)	kvm_is_realm((vcpu)->kvm)

#define kvm_realm_state(kvm)	READ_ONCE((kvm)->arch.realm.state)

/* The bit that tells unprotected addresses from protected ones. */
#define kvm_realm_shared_bit(kvm)	BIT_ULL((kvm)->arch.realm.ia_bits - 1)

/* init.c */
void kvm_init_rmi(void);
u64 rmi_feature_register0(void);
u32 kvm_realm_ipa_limit(void);
unsigned int kvm_realm_max_lrs(void);

/* granule.c: by physical address, 0 if there is none */
phys_addr_t realm_granule_alloc(gfp_t gfp);
void realm_granule_free(phys_addr_t pa);
unsigned long realm_granules_leaked(void);

/* realm.c */
int kvm_init_realm_vm(struct kvm *kvm, unsigned long *type);
unsigned int kvm_realm_max_vcpus(void);
void kvm_realm_stop(struct kvm *kvm);
void kvm_destroy_realm(struct kvm *kvm);
int kvm_realm_create(struct kvm *kvm);
int kvm_realm_activate(struct kvm *kvm);
void kvm_realm_kill(struct kvm *kvm);

/* rtt.c */
void kvm_realm_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range);
void kvm_realm_unmap_memslot(struct kvm *kvm, struct kvm_memory_slot *slot);

/* ripas.c */
int kvm_realm_set_ripas(struct kvm_vcpu *vcpu, gpa_t base, gpa_t top,
			gpa_t *next);

/* populate.c */
int kvm_realm_populate_ioctl(struct kvm *kvm, unsigned int ioctl,
			     void __user *argp);

/* fault.c */
int kvm_realm_handle_abort(struct kvm_vcpu *vcpu);
int kvm_realm_prepare_memslot(struct kvm *kvm,
			      const struct kvm_memory_slot *new);

/* caps.c */
bool kvm_realm_has_cap(long cap);
void kvm_realm_check_extension(struct kvm *kvm, long cap, int *r);

/* rec.c */
int kvm_create_rec(struct kvm_vcpu *vcpu);
void kvm_destroy_rec(struct kvm_vcpu *vcpu);
int kvm_create_all_recs(struct kvm *kvm);

int kvm_rec_finalize(struct kvm_vcpu *vcpu);
int kvm_rec_first_run(struct kvm_vcpu *vcpu);

/* rec_enter.c */
void kvm_rec_load(struct kvm_vcpu *vcpu, int cpu);
void kvm_rec_put(struct kvm_vcpu *vcpu);
int kvm_rec_run(struct kvm_vcpu *vcpu);
void kvm_rec_complete_mmio(struct kvm_vcpu *vcpu);
void kvm_rec_inject_sea(struct kvm_vcpu *vcpu);
bool kvm_rec_sea_is_pending(const struct kvm_vcpu *vcpu);

/* rec_exit.c */
int kvm_rec_handle_exit(struct kvm_vcpu *vcpu, int ret);
int kvm_rec_complete_exit(struct kvm_vcpu *vcpu);

/* rec_timer.c */
void kvm_rec_timer_load(struct kvm_vcpu *vcpu);
void kvm_rec_timer_flush(struct kvm_vcpu *vcpu);
void kvm_rec_timer_sync(struct kvm_vcpu *vcpu);
void kvm_rec_timer_deactivate(struct arch_timer_context *timer);

/* rec_psci.c */
int kvm_rec_handle_psci(struct kvm_vcpu *vcpu);
int kvm_rec_complete_psci(struct kvm_vcpu *vcpu);
bool kvm_rec_is_off(struct kvm_vcpu *vcpu);
void kvm_rec_is_on(struct kvm_vcpu *vcpu);
int kvm_rec_set_mpstate(struct kvm_vcpu *vcpu, u32 mp_state);
int kvm_rec_psci_complete_ioctl(struct kvm_vcpu *vcpu, void __user *argp);

/* rec_regs.c */
bool kvm_rec_has_feature(const struct kvm_vcpu *vcpu, unsigned int feature);
int kvm_rec_check_features(struct kvm_vcpu *vcpu);
void kvm_rec_init(struct kvm_vcpu *vcpu);
bool kvm_rec_fits_realm(const struct kvm_vcpu *vcpu);
int kvm_rec_set_sve_vq(struct kvm_vcpu *vcpu, unsigned int vq);
unsigned long kvm_rec_num_regs(const struct kvm_vcpu *vcpu);
int kvm_rec_copy_reg_indices(const struct kvm_vcpu *vcpu, u64 __user *uindices);
int kvm_rec_get_reg(struct kvm_vcpu *vcpu, const struct kvm_one_reg *reg);
int kvm_rec_set_reg(struct kvm_vcpu *vcpu, const struct kvm_one_reg *reg);

#define kvm_rec_exists(vcpu)		(!!READ_ONCE((vcpu)->arch.rec.rec))
/* As of the last exit */
#define kvm_rec_pmu_overflow(vcpu)	((vcpu)->arch.rec.run->exit.pmu_ovf_status)

#else /* !CONFIG_KVM_ARM_RMI */

#define kvm_is_realm(kvm)	((void)(kvm), false)
#define vcpu_is_rec(vcpu)	((void)(vcpu), false)

static inline void kvm_init_rmi(void) {}
static inline u32 kvm_realm_ipa_limit(void) { return 0; }
static inline unsigned int kvm_realm_max_lrs(void) { return 0; }
static inline int kvm_init_realm_vm(struct kvm *kvm, unsigned long *type)
{
	return 0;
}

static inline unsigned int kvm_realm_max_vcpus(void) { return 0; }
static inline void kvm_realm_stop(struct kvm *kvm) {}
static inline void kvm_destroy_realm(struct kvm *kvm) {}
static inline int kvm_realm_activate(struct kvm *kvm) { return 0; }
static inline void kvm_realm_unmap_gfn_range(struct kvm *kvm,
					     struct kvm_gfn_range *range) {}
static inline void kvm_realm_unmap_memslot(struct kvm *kvm,
					   struct kvm_memory_slot *slot) {}
static inline int kvm_realm_populate_ioctl(struct kvm *kvm, unsigned int ioctl,
					   void __user *argp)
{
	return -EINVAL;
}

static inline int kvm_realm_handle_abort(struct kvm_vcpu *vcpu) { return -EIO; }
static inline int kvm_realm_prepare_memslot(struct kvm *kvm,
					    const struct kvm_memory_slot *new)
{
	return 0;
}

static inline bool kvm_realm_has_cap(long cap) { return true; }
static inline void kvm_realm_check_extension(struct kvm *kvm, long cap,
					     int *r) {}
static inline int kvm_create_rec(struct kvm_vcpu *vcpu) { return -EINVAL; }
static inline void kvm_destroy_rec(struct kvm_vcpu *vcpu) {}
static inline int kvm_rec_finalize(struct kvm_vcpu *vcpu) { return -EINVAL; }
static inline int kvm_rec_first_run(struct kvm_vcpu *vcpu) { return 0; }
static inline void kvm_rec_load(struct kvm_vcpu *vcpu, int cpu) {}
static inline void kvm_rec_put(struct kvm_vcpu *vcpu) {}
static inline int kvm_rec_run(struct kvm_vcpu *vcpu) { return -EIO; }
static inline void kvm_rec_complete_mmio(struct kvm_vcpu *vcpu) {}
static inline void kvm_rec_inject_sea(struct kvm_vcpu *vcpu) {}
static inline bool kvm_rec_sea_is_pending(const struct kvm_vcpu *vcpu)
{
	return false;
}

static inline int kvm_rec_handle_exit(struct kvm_vcpu *vcpu, int ret)
{
	return -EIO;
}

static inline int kvm_rec_complete_exit(struct kvm_vcpu *vcpu) { return 1; }
static inline void kvm_rec_timer_load(struct kvm_vcpu *vcpu) {}
static inline void kvm_rec_timer_flush(struct kvm_vcpu *vcpu) {}
static inline void kvm_rec_timer_deactivate(struct arch_timer_context *timer) {}
static inline int kvm_rec_psci_complete_ioctl(struct kvm_vcpu *vcpu,
					      void __user *argp)
{
	return -EINVAL;
}

static inline bool kvm_rec_has_feature(const struct kvm_vcpu *vcpu,
				       unsigned int feature)
{
	return false;
}

static inline int kvm_rec_check_features(struct kvm_vcpu *vcpu)
{
	return 0;
}

static inline void kvm_rec_init(struct kvm_vcpu *vcpu) {}
static inline int kvm_rec_set_sve_vq(struct kvm_vcpu *vcpu, unsigned int vq)
{
	return -EINVAL;
}

static inline unsigned long kvm_rec_num_regs(const struct kvm_vcpu *vcpu)
{
	return 0;
}

static inline int kvm_rec_copy_reg_indices(const struct kvm_vcpu *vcpu,
					   u64 __user *uindices)
{
	return -EINVAL;
}

static inline int kvm_rec_get_reg(struct kvm_vcpu *vcpu,
				  const struct kvm_one_reg *reg)
{
	return 1;
}

static inline int kvm_rec_set_reg(struct kvm_vcpu *vcpu,
				  const struct kvm_one_reg *reg)
{
	return 1;
}

static inline int kvm_rec_set_mpstate(struct kvm_vcpu *vcpu, u32 mp_state)
{
	return -EINVAL;
}

#define kvm_rec_exists(vcpu)		((void)(vcpu), false)
#define kvm_rec_pmu_overflow(vcpu)	((void)(vcpu), 0)

#endif /* CONFIG_KVM_ARM_RMI */

#endif /* __ASM_KVM_RMI_H */
