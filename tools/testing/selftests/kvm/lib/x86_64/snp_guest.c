// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that run in an SNP guest: its GHCB, the states of its pages, and the
 * start of other vCPUs.
 */
#include "snp.h"

struct snp_cpu *snp_this_cpu(void)
{
	struct snp_cpu *cpu;

	asm("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/* Calls of the hypervisor */

static void vmgexit(void)
{
	asm volatile(".byte 0xf3, 0x0f, 0x01, 0xd9" : : : "memory");
}

uint64_t guest_msr_call(uint64_t value)
{
	wrmsr(SNP_MSR_GHCB, value);
	vmgexit();
	return rdmsr(SNP_MSR_GHCB);
}

static void set_valid(struct snp_ghcb *ghcb, unsigned int index)
{
	ghcb->valid[index / 64] |= 1ul << index % 64;
}

#define GHCB_SET(ghcb, field, value)				\
({								\
	(ghcb)->field = (value);				\
	set_valid(ghcb, SNP_GHCB_INDEX(field));			\
})

/* A GHCB and its page have the same address. */
static void prepare(uint64_t code, uint64_t info_1, uint64_t info_2,
		    uint64_t rax, uint64_t scratch)
{
	struct snp_ghcb *ghcb = snp_this_cpu()->ghcb;

	ghcb->valid[0] = 0;
	ghcb->valid[1] = 0;
	ghcb->version = SNP_GHCB_VERSION;
	ghcb->usage = 0;
	GHCB_SET(ghcb, exit_code, code);
	GHCB_SET(ghcb, exit_info_1, info_1);
	GHCB_SET(ghcb, exit_info_2, info_2);
	GHCB_SET(ghcb, scratch, scratch);
	GHCB_SET(ghcb, rax, rax);
}

static uint64_t make_call(void)
{
	struct snp_cpu *cpu = snp_this_cpu();
	struct snp_ghcb *ghcb = cpu->ghcb;

	guest_msr_call((uintptr_t)ghcb);

	cpu->mailbox->info_1 = ghcb->exit_info_1;
	cpu->mailbox->info_2 = ghcb->exit_info_2;
	cpu->mailbox->rax = ghcb->rax;
	cpu->mailbox->rbx = ghcb->rbx;
	return cpu->mailbox->info_2;
}

static uint64_t call(uint64_t code, uint64_t info_1, uint64_t info_2,
		     uint64_t rax, uint64_t scratch)
{
	prepare(code, info_1, info_2, rax, scratch);
	return make_call();
}

static uint64_t buffer_gpa(void)
{
	return (uintptr_t)snp_this_cpu()->ghcb->buffer;
}

uint64_t guest_vmgexit(uint64_t code, uint64_t info_1, uint64_t info_2,
		       uint64_t rax)
{
	return call(code, info_1, info_2, rax, buffer_gpa());
}

uint64_t guest_vmgexit_without(uint64_t code, uint64_t index)
{
	prepare(code, 0, 0, 0, buffer_gpa());
	snp_this_cpu()->ghcb->valid[index / 64] &= ~(1ul << index % 64);
	return make_call();
}

uint64_t guest_ext_request(uint64_t request, uint64_t response, uint64_t certs,
			   uint64_t pages)
{
	struct snp_ghcb *ghcb = snp_this_cpu()->ghcb;

	prepare(SNP_EXIT_EXT_REQUEST, request, response, certs, buffer_gpa());
	GHCB_SET(ghcb, rbx, pages);
	return make_call();
}

uint64_t guest_vmgexit_in(uint64_t page)
{
	struct snp_ghcb *ghcb = (void *)page;

	memcpy(ghcb, snp_this_cpu()->ghcb, sizeof(*ghcb));
	ghcb->exit_code = SNP_EXIT_FEATURES;
	guest_msr_call(page);
	snp_this_cpu()->mailbox->info_1 = ghcb->exit_info_1;
	return ghcb->exit_info_2;
}

void snp_end_call(uint16_t port)
{
	guest_vmgexit(SNP_EXIT_IOIO, SNP_IOIO_OUT32(port), 0, 0);
}

static void terminate(uint64_t code)
{
	for (;;)
		guest_msr_call(SNP_MSR_TERMINATE_OF(1, code));
}

void snp_guest_start(void)
{
	uint64_t gpa = (uintptr_t)snp_this_cpu()->ghcb;

	if (guest_msr_call(gpa | SNP_MSR_REGISTER) !=
	    (gpa | SNP_MSR_REGISTER_RESP))
		terminate(1);
}

/* Instructions on pages */

uint64_t guest_pvalidate(uint64_t gva, uint64_t large, uint64_t valid)
{
	uint64_t eax = gva;
	bool carry;

	asm volatile(".byte 0xf2, 0x0f, 0x01, 0xff; setc %1"
		     : "+a"(eax), "=qm"(carry)
		     : "c"(large), "d"(valid)
		     : "memory", "cc");
	return (uint32_t)eax | (carry ? SNP_CARRY : 0);
}

uint64_t guest_rmpadjust(uint64_t gva, uint64_t large, uint64_t attributes)
{
	uint64_t eax = gva;

	asm volatile(".byte 0xf3, 0x0f, 0x01, 0xfe"
		     : "+a"(eax)
		     : "c"(large), "d"(attributes)
		     : "memory", "cc");
	return (uint32_t)eax;
}

static bool validate_large(uint64_t gva, uint64_t size, uint64_t valid)
{
	return !(gva % SIZE_2M) && size >= SIZE_2M &&
	       !guest_pvalidate(gva, true, valid);
}

uint64_t guest_validate(uint64_t gva, uint64_t size, uint64_t valid)
{
	uint64_t end = gva + size;

	while (gva < end) {
		if (validate_large(gva, end - gva, valid)) {
			gva += SIZE_2M;
			continue;
		}
		if (guest_pvalidate(gva, false, valid))
			break;
		gva += SIZE_4K;
	}
	return gva;
}

/* Page state changes */

static struct snp_psc_header *psc_header(void)
{
	return (void *)snp_this_cpu()->ghcb->buffer;
}

static uint64_t *psc_entries(void)
{
	return (void *)(snp_this_cpu()->ghcb->buffer +
			sizeof(struct snp_psc_header));
}

static uint64_t do_psc(uint64_t cur, uint64_t end, uint64_t scratch)
{
	*psc_header() = (struct snp_psc_header) { .cur = cur, .end = end };
	return call(SNP_EXIT_PSC, 0, 0, 0, scratch);
}

static void copy_entries(uint64_t nr)
{
	struct snp_mailbox *mailbox = snp_this_cpu()->mailbox;
	uint64_t i;

	for (i = 0; i < nr && i < SNP_PSC_MAX; i++)
		psc_entries()[i] = mailbox->psc_entries[i];
}

uint64_t guest_psc(uint64_t cur, uint64_t end, uint64_t scratch)
{
	uint64_t ret;

	copy_entries(end + 1);
	ret = do_psc(cur, end, scratch ?: buffer_gpa());
	snp_this_cpu()->mailbox->psc = *psc_header();
	return ret;
}

/* Those that are to become @op. */
static uint64_t validate_entries(uint64_t nr, uint64_t op)
{
	struct snp_mailbox *mailbox = snp_this_cpu()->mailbox;
	uint64_t i, entry, size;

	for (i = 0; i < nr; i++) {
		entry = mailbox->psc_entries[i];
		size = SNP_PSC_LARGE(entry) ? SIZE_2M : SIZE_4K;
		if (SNP_PSC_OP(entry) == op &&
		    guest_validate(SNP_PSC_GPA(entry), size,
				   op == SNP_PSC_PRIVATE) !=
		    SNP_PSC_GPA(entry) + size)
			return -1ul - i;
	}
	return 0;
}

uint64_t guest_change(uint64_t nr)
{
	uint64_t ret = validate_entries(nr, SNP_PSC_SHARED);

	if (!ret)
		ret = guest_psc(0, nr - 1, 0);
	if (!ret)
		ret = validate_entries(nr, SNP_PSC_PRIVATE);
	return ret;
}

/* One batch from @gpa on; returns where it ends. */
static uint64_t make_batch(uint64_t gpa, uint64_t end, uint64_t op,
			   bool can_be_large, uint64_t *nr)
{
	bool large;

	for (*nr = 0; gpa < end && *nr < SNP_PSC_MAX; ++*nr) {
		large = can_be_large && !(gpa % SIZE_2M) &&
			end - gpa >= SIZE_2M;
		psc_entries()[*nr] = SNP_PSC_ENTRY(gpa, op, large);
		gpa += large ? SIZE_2M : SIZE_4K;
	}
	return gpa;
}

uint64_t guest_change_state(uint64_t gpa, uint64_t size, uint64_t op,
			    uint64_t can_be_large)
{
	uint64_t end = gpa + size, nr, ret;

	while (gpa < end) {
		gpa = make_batch(gpa, end, op, can_be_large, &nr);
		ret = do_psc(0, nr - 1, buffer_gpa());
		if (ret)
			return ret;
	}
	return 0;
}

uint64_t guest_change_range(uint64_t gpa, uint64_t size, uint64_t private)
{
	uint64_t op = private ? SNP_PSC_PRIVATE : SNP_PSC_SHARED;
	uint64_t end = gpa + size, ret;

	if (!private && guest_validate(gpa, size, false) != end)
		return -1;
	ret = guest_change_state(gpa, size, op, true);
	if (!ret && private && guest_validate(gpa, size, true) != end)
		return -1;
	return ret;
}

/* vCPUs */

uint64_t guest_make_vmsa(uint64_t id, uint64_t rdi)
{
	struct snp_cpu *cpu = snp_this_cpu();

	*cpu->vmsa[id] = *cpu->image[id];
	cpu->vmsa[id]->rdi = rdi;
	return guest_rmpadjust((uintptr_t)cpu->vmsa[id], false,
			       SNP_ADJUST_VMPL1 | SNP_ADJUST_VMSA);
}

uint64_t guest_create_ap(uint64_t id, uint64_t request, uint64_t apic_id,
			 uint64_t features)
{
	return guest_vmgexit(SNP_EXIT_AP_CREATION, apic_id << 32 | request,
			     snp_this_cpu()->vmsa_gpa[id], features);
}

uint64_t guest_cpu_id(void)
{
	return snp_this_cpu()->id;
}

/* MMIO */

uint64_t guest_mmio_call(uint64_t code, uint64_t gpa, uint64_t size,
			 uint64_t scratch)
{
	return call(code, gpa, size, 0, scratch);
}

static uint64_t *mmio_data(void)
{
	return (void *)snp_this_cpu()->ghcb->buffer;
}

uint64_t guest_mmio_read(uint64_t gpa, uint64_t size)
{
	*mmio_data() = -1ul;
	guest_mmio_call(SNP_EXIT_MMIO_READ, gpa, size, buffer_gpa());
	return *mmio_data();
}

uint64_t guest_mmio_write(uint64_t gpa, uint64_t size, uint64_t value)
{
	*mmio_data() = value;
	return guest_mmio_call(SNP_EXIT_MMIO_WRITE, gpa, size, buffer_gpa());
}
