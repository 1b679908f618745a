// SPDX-License-Identifier: GPL-2.0-only
/* The guest's instructions on the RMP: PVALIDATE and RMPADJUST. */
#include "rmp.h"
#include "snp_port.h"

static struct snpm_guest_result fault(enum snpm_fault_kind kind, u64 error)
{
	return (struct snpm_guest_result) {
		.fault = { .kind = kind, .error = error },
	};
}

/* The operand is private memory, for it is the guest's. */
static struct snpm_guest_result npf(u64 error)
{
	return fault(SNPM_FAULT_NPF, SNPM_ERROR_RMP | SNPM_ERROR_ENC | error);
}

static struct snpm_guest_result done(u32 eax)
{
	return (struct snpm_guest_result) { .eax = eax };
}

static u64 operand_size(const struct snpm_guest_insn *i)
{
	return i->rcx ? SZ_2M : PAGE_SIZE;
}

static bool operand_is_valid(const struct snpm_guest_insn *i)
{
	return i->rcx <= SNPM_2M &&
	       IS_ALIGNED(ALIGN_DOWN(i->gpa, PAGE_SIZE), operand_size(i));
}

static bool is_guests(const struct snpm_guest_insn *i,
		      const struct snpm_rmp_entry *e)
{
	return e && e->assigned && !e->immutable && i->asid &&
	       e->asid == i->asid && snpm_entry_maps(e, i->spa, i->gpa);
}

/*
 * The entry to work on; NULL with what stops the instruction.  One page size
 * is the operand's, one the nested mapping's and one the entry's.
 */
static struct snpm_rmp_entry *operand(const struct snpm_guest_insn *i,
				      struct snpm_guest_result *stop)
{
	struct snpm_rmp_entry *e = snpm_rmp_leaf(i->spa);

	*stop = npf(0);
	if (!is_guests(i, e))
		return NULL;
	if (i->rcx && (!e->pagesize || i->nested == SNPM_4K)) {
		*stop = done(SNPM_FAIL_SIZEMISMATCH);
		return NULL;
	}
	if (!i->rcx && e->pagesize) {
		*stop = npf(SNPM_ERROR_SIZEM);
		return NULL;
	}
	/* A large mapping of small pages is the host's mistake. */
	if (!e->pagesize && i->nested != SNPM_4K)
		return NULL;
	return e;
}

static struct snpm_guest_result pvalidate(const struct snpm_guest_insn *i)
{
	struct snpm_guest_result r;
	struct snpm_rmp_entry *e;
	u64 spa, size;

	if (!operand_is_valid(i))
		return done(SNPM_FAIL_INPUT);
	e = operand(i, &r);
	if (!e)
		return r;
	r = done(SNPM_SUCCESS);
	r.carry = e->validated == (i->rdx & 1);
	size = snpm_entry_size(e);
	spa = ALIGN_DOWN(i->spa, size);
	snpm_rmp_begin(spa, size);
	e->validated = i->rdx & 1;
	snpm_rmp_end(spa, size);
	return r;
}

struct snpm_guest_result snpm_pvalidate(const struct snpm_guest_insn *i)
{
	struct snpm_guest_result r;

	if (i->vmpl)
		return fault(SNPM_FAULT_GP, 0);
	snpm_port_rmp_lock();
	r = pvalidate(i);
	snpm_port_rmp_unlock();
	return r;
}

static bool attributes_are_valid(const struct snpm_guest_insn *i)
{
	if (SNPM_ADJUST_VMPL(i->rdx) >= SNPM_NR_VMPL)
		return false;
	if (SNPM_ADJUST_PERMS(i->rdx) & ~SNPM_PERM_ALL)
		return false;
	return !(i->rdx & SNPM_ADJUST_VMSA) || !i->rcx;
}

/* To those below oneself, and no more than one has. */
static bool may_adjust(const struct snpm_guest_insn *i,
		       const struct snpm_rmp_entry *e)
{
	return SNPM_ADJUST_VMPL(i->rdx) > i->vmpl &&
	       !(SNPM_ADJUST_PERMS(i->rdx) & ~e->perms[i->vmpl]);
}

static struct snpm_guest_result rmpadjust(const struct snpm_guest_insn *i)
{
	struct snpm_guest_result r;
	struct snpm_rmp_entry *e;

	if (i->vmpl >= SNPM_NR_VMPL || !operand_is_valid(i) ||
	    !attributes_are_valid(i))
		return done(SNPM_FAIL_INPUT);
	e = operand(i, &r);
	if (!e)
		return r;
	if (!e->validated)
		return fault(SNPM_FAULT_VC, SNPM_VC_NOT_VALIDATED);
	if (!may_adjust(i, e))
		return done(SNPM_FAIL_PERMISSION);
	if (e->in_use)
		return done(SNPM_FAIL_INUSE);
	e->perms[SNPM_ADJUST_VMPL(i->rdx)] = SNPM_ADJUST_PERMS(i->rdx);
	if (!i->vmpl)
		e->vmsa = !!(i->rdx & SNPM_ADJUST_VMSA);
	return done(SNPM_SUCCESS);
}

struct snpm_guest_result snpm_rmpadjust(const struct snpm_guest_insn *i)
{
	struct snpm_guest_result r;

	snpm_port_rmp_lock();
	r = rmpadjust(i);
	snpm_port_rmp_unlock();
	return r;
}
