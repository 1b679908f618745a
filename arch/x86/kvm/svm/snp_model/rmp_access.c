// SPDX-License-Identifier: GPL-2.0-only
/* The RMP's checks of memory accesses and of VMRUN. */
#include "rmp.h"
#include "snp_port.h"

#define NO_FAULT	((struct snpm_fault) { .kind = SNPM_FAULT_NONE })

static struct snpm_fault npf(u64 error)
{
	return (struct snpm_fault) {
		.kind = SNPM_FAULT_NPF,
		.error = SNPM_ERROR_RMP | error,
	};
}

/* A 1 GiB mapping is accessed as 2 MiB. */
static u64 mapped_size(const struct snpm_access *a)
{
	return a->size == SNPM_4K ? PAGE_SIZE : SZ_2M;
}

static bool writes(const struct snpm_access *a)
{
	return a->type == SNPM_WRITE || a->type == SNPM_WALK;
}

static bool target_is_hypervisors(const struct snpm_access *a)
{
	u64 size = mapped_size(a);

	return snpm_rmp_is_hypervisors(ALIGN_DOWN(a->spa, size), size);
}

/* Fetches and walks take C as set, whatever the guest's page tables say. */
static bool is_private(const struct snpm_access *a)
{
	return a->encrypted || a->type == SNPM_FETCH || a->type == SNPM_WALK;
}

static u8 needed_perms(const struct snpm_access *a)
{
	switch (a->type) {
	case SNPM_READ:
		return SNPM_PERM_READ;
	case SNPM_FETCH:
		return a->user ? SNPM_PERM_EXEC_USER : SNPM_PERM_EXEC_SUPER;
	default:
		return SNPM_PERM_READ | SNPM_PERM_WRITE;
	}
}

static bool vmpl_allows(const struct snpm_access *a,
			const struct snpm_rmp_entry *e)
{
	u8 perms;

	if (a->vmpl >= SNPM_NR_VMPL)
		return false;
	perms = e->perms[a->vmpl];
	/* Write without read allows no data access at all. */
	return !(needed_perms(a) & ~perms);
}

static bool is_mapped_right(const struct snpm_access *a,
			    const struct snpm_rmp_entry *e)
{
	return e->assigned && a->asid && e->asid == a->asid && !e->immutable &&
	       mapped_size(a) == snpm_entry_size(e) &&
	       snpm_entry_maps(e, a->spa, a->gpa);
}

static struct snpm_fault check_private(const struct snpm_access *a)
{
	struct snpm_rmp_entry *e = snpm_rmp_leaf(a->spa);

	if (!e || !is_mapped_right(a, e))
		return npf(SNPM_ERROR_ENC);
	if (!e->validated)
		return (struct snpm_fault) {
			.kind = SNPM_FAULT_VC,
			.error = SNPM_VC_NOT_VALIDATED,
		};
	if (!vmpl_allows(a, e))
		return npf(SNPM_ERROR_ENC | SNPM_ERROR_VMPL);
	return NO_FAULT;
}

static struct snpm_fault check(const struct snpm_access *a)
{
	if (a->who == SNPM_SNP_GUEST && is_private(a))
		return check_private(a);
	if (!writes(a) || target_is_hypervisors(a))
		return NO_FAULT;
	if (a->who == SNPM_HOST)
		return (struct snpm_fault) {
			.kind = SNPM_FAULT_PF,
			.error = SNPM_ERROR_RMP,
		};
	return npf(0);
}

struct snpm_fault snpm_check(const struct snpm_access *a)
{
	struct snpm_fault f;

	snpm_port_rmp_lock();
	f = check(a);
	snpm_port_rmp_unlock();
	return f;
}

static bool can_run(const struct snpm_rmp_entry *vmsa, u32 asid)
{
	return vmsa && vmsa->assigned && asid && vmsa->asid == asid &&
	       !vmsa->immutable && vmsa->vmsa && !vmsa->in_use;
}

static struct snpm_fault vmrun(u64 vmcb, u64 vmsa, u32 asid)
{
	struct snpm_rmp_entry *c = snpm_rmp_entry(vmcb);
	struct snpm_rmp_entry *s = snpm_rmp_leaf(vmsa);

	if (c && (c->assigned || c->in_use))
		return (struct snpm_fault) { .kind = SNPM_FAULT_GP };
	if (!can_run(s, asid))
		return (struct snpm_fault) { .kind = SNPM_FAULT_VMEXIT_INVALID };
	if (c)
		c->in_use = true;
	s->in_use = true;
	return NO_FAULT;
}

struct snpm_fault snpm_vmrun(u64 vmcb, u64 vmsa, u32 asid)
{
	struct snpm_fault f;

	snpm_port_rmp_lock();
	f = vmrun(vmcb, vmsa, asid);
	snpm_port_rmp_unlock();
	return f;
}

void snpm_vmexit(u64 vmcb, u64 vmsa)
{
	struct snpm_rmp_entry *c, *s;

	snpm_port_rmp_lock();
	c = snpm_rmp_entry(vmcb);
	s = snpm_rmp_leaf(vmsa);
	if (c)
		c->in_use = false;
	if (s)
		s->in_use = false;
	snpm_port_rmp_unlock();
}
