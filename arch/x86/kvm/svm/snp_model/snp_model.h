/* SPDX-License-Identifier: GPL-2.0-only */
/* What the core of the SNP model offers: an RMP and a firmware. */
#ifndef SNP_MODEL_H
#define SNP_MODEL_H

#include "snp_abi.h"

/*
 * The names of the firmware ABI, "Page States"; a 2 MiB page is in one state
 * as a whole.
 */
enum snpm_page_state {
	/* In no state that the ABI knows: the firmware refuses it. */
	SNPM_PAGE_INVALID,
	/* Not covered by the RMP, the hypervisor's for ever. */
	SNPM_PAGE_DEFAULT,
	SNPM_PAGE_HYPERVISOR,
	SNPM_PAGE_HV_FIXED,
	SNPM_PAGE_FIRMWARE,
	SNPM_PAGE_RECLAIM,
	SNPM_PAGE_CONTEXT,
	SNPM_PAGE_METADATA,
	SNPM_PAGE_PRE_GUEST,
	SNPM_PAGE_PRE_SWAP,
	SNPM_PAGE_GUEST_INVALID,
	SNPM_PAGE_GUEST_VALID,
	SNPM_NR_PAGE_STATES,
};

#define SNPM_NR_VMPL		4
/* Entries have 10 bits for it. */
#define SNPM_MAX_ASID		1023U
/* And 39 for the guest's page. */
#define SNPM_GPA_END		BIT_ULL(51)

/* One page of the RMP; the first eight bytes are as on family 19h. */
struct snpm_rmp_entry {
	u64 assigned : 1;
	u64 pagesize : 1;
	u64 immutable : 1;
	u64 rsvd : 9;
	u64 gfn : 39;
	u64 asid : 10;
	u64 vmsa : 1;
	u64 validated : 1;
	/* A CPU runs with it. */
	u64 in_use : 1;
	u8 perms[SNPM_NR_VMPL];
	/* The firmware's own mark of metadata. */
	u8 metadata;
	u8 rsvd2[3];
};

static_assert(sizeof(struct snpm_rmp_entry) == 16);

#define SNPM_PERM_READ		BIT(0)
#define SNPM_PERM_WRITE		BIT(1)
#define SNPM_PERM_EXEC_USER	BIT(2)
#define SNPM_PERM_EXEC_SUPER	BIT(3)
#define SNPM_PERM_SSS		BIT(4)
#define SNPM_PERM_ALL		0x1f

struct snpm_config {
	/* One entry for each page from address 0 on; only the core's. */
	struct snpm_rmp_entry *rmp;
	u64 nr_pages;
	/* At most SNPM_MAX_ASID. */
	u32 max_asid;
	/* Simultaneous multithreading is on; there is more than one socket. */
	bool smt;
	bool multi_socket;
	/* snpm_wbinvd() is called; else every DF_FLUSH takes it as done. */
	bool track_wbinvd;
};

/**
 * snpm_init() - Start with an RMP of zeroes and a firmware that is UNINIT.
 * @config: copied, but for the table
 *
 * Nothing else may run.
 */
void snpm_init(const struct snpm_config *config);

/*
 * Instructions of the host.
 */

enum snpm_result {
	SNPM_SUCCESS		= 0,
	SNPM_FAIL_INPUT		= 1,
	SNPM_FAIL_PERMISSION	= 2,
	SNPM_FAIL_INUSE		= 3,
	SNPM_FAIL_OVERLAP	= 4,
	SNPM_FAIL_SIZEMISMATCH	= 6,
	SNPM_FAIL_BADADDR	= 7,
};

enum snpm_page_size {
	SNPM_4K,
	SNPM_2M,
	/* Of nested page tables only. */
	SNPM_1G,
};

/* RMPUPDATE's operand at RCX. */
struct snpm_rmp_state {
	u64 gpa;
	u8 assigned;
	u8 pagesize;
	u8 immutable;
	u8 rsvd;
	u32 asid;
};

static_assert(sizeof(struct snpm_rmp_state) == 16);

/**
 * snpm_rmpupdate() - RMPUPDATE
 * @spa: RAX; bits 11:0 are ignored
 * @new: what RCX points to
 *
 * Context: any.
 * Return: EAX, an &enum snpm_result.
 */
u32 snpm_rmpupdate(u64 spa, const struct snpm_rmp_state *new);

/**
 * snpm_psmash() - PSMASH
 * @spa: RAX, 2 MiB aligned
 *
 * Context: any.
 * Return: EAX, an &enum snpm_result.
 */
u32 snpm_psmash(u64 spa);

/*
 * Accesses, and instructions of a guest.
 */

#define SNPM_ERROR_RMP		BIT_ULL(31)
#define SNPM_ERROR_ENC		BIT_ULL(34)
#define SNPM_ERROR_SIZEM	BIT_ULL(35)
#define SNPM_ERROR_VMPL		BIT_ULL(36)

/* #VC with this error code, and the address in CR2. */
#define SNPM_VC_NOT_VALIDATED	0x404

enum snpm_fault_kind {
	SNPM_FAULT_NONE,
	/* #PF of the host */
	SNPM_FAULT_PF,
	/* #VMEXIT(NPF) */
	SNPM_FAULT_NPF,
	/* #VC in the guest */
	SNPM_FAULT_VC,
	/* #GP in the guest */
	SNPM_FAULT_GP,
	/* #VMEXIT(VMEXIT_INVALID) */
	SNPM_FAULT_VMEXIT_INVALID,
};

struct snpm_fault {
	enum snpm_fault_kind kind;
	/* Bits to set besides those of paging; of a #VC the whole code. */
	u64 error;
};

enum snpm_access_type {
	SNPM_READ,
	SNPM_WRITE,
	SNPM_FETCH,
	/* Of the page tables, of their A and D bits as well. */
	SNPM_WALK,
};

enum snpm_accessor {
	SNPM_HOST,
	/* A guest that is not SNP-active. */
	SNPM_GUEST,
	SNPM_SNP_GUEST,
};

struct snpm_access {
	enum snpm_accessor who;
	enum snpm_access_type type;
	u64 spa;
	/* Of the (nested) mapping. */
	enum snpm_page_size size;
	/* Of an SNP guest only. */
	u64 gpa;
	u32 asid;
	u8 vmpl;
	/* The effective C-bit of a read or a write. */
	bool encrypted;
	/* CPL 3 */
	bool user;
};

/**
 * snpm_check() - The RMP's checks of a memory access.
 * @a: an access that paging, nested paging included, allows
 *
 * APM volume 2, "RMP and VMPL Access Checks".
 *
 * Context: any.
 */
struct snpm_fault snpm_check(const struct snpm_access *a);

struct snpm_guest_insn {
	/* Of the operand, where the nested page tables say it is. */
	u64 gpa;
	u64 spa;
	enum snpm_page_size nested;
	/* Of who executes it. */
	u32 asid;
	u8 vmpl;
	/* RCX and RDX */
	u64 rcx;
	u64 rdx;
};

struct snpm_guest_result {
	/* If there is one, the rest is undefined. */
	struct snpm_fault fault;
	u32 eax;
	/* PVALIDATE: nothing has changed. */
	bool carry;
};

/**
 * snpm_pvalidate() - PVALIDATE
 * @i: RCX: 0 for 4 KiB, 1 for 2 MiB; RDX bit 0: the new state
 *
 * Context: any.
 */
struct snpm_guest_result snpm_pvalidate(const struct snpm_guest_insn *i);

#define SNPM_ADJUST_VMPL(rdx)	((rdx) & 0xff)
#define SNPM_ADJUST_PERMS(rdx)	((rdx) >> 8 & 0xff)
#define SNPM_ADJUST_VMSA	BIT_ULL(16)

/**
 * snpm_rmpadjust() - RMPADJUST
 * @i: RCX: 0 for 4 KiB, 1 for 2 MiB; RDX: the attributes
 *
 * Context: any.
 */
struct snpm_guest_result snpm_rmpadjust(const struct snpm_guest_insn *i);

/**
 * snpm_vmrun() - The RMP's checks of VMRUN; the pages are in use then.
 * @vmcb: address of the VMCB
 * @vmsa: address of the VMSA, of a guest that is SNP-active
 * @asid: the guest's
 *
 * Context: any.  A VMCB and a VMSA run on one CPU at a time.
 */
struct snpm_fault snpm_vmrun(u64 vmcb, u64 vmsa, u32 asid);

/**
 * snpm_vmexit() - After snpm_vmrun() has found no fault: in use no more.
 * @vmcb: as given to snpm_vmrun()
 * @vmsa: as given to snpm_vmrun()
 *
 * Context: any.
 */
void snpm_vmexit(u64 vmcb, u64 vmsa);

/*
 * The firmware.
 */

/**
 * snpm_command() - Execute a command of the firmware.
 * @command: an &enum snpfw_command, or anything else
 * @buffer: system physical address of its buffer; ignored if it has none
 *
 * Context: may sleep, if the port does.
 * Return: an &enum snpfw_status.
 */
u32 snpm_command(u32 command, u64 buffer);

/**
 * snpm_command_size() - How much a command reads from its buffer.
 * @command: an &enum snpfw_command, or anything else
 *
 * Return: bytes; -1 if the model does not know the command.
 */
int snpm_command_size(u32 command);

/* All CPUs have executed WBINVD. */
void snpm_wbinvd(void);

/*
 * For tests.
 */

/* Pages of 4 KiB that the RMP covers and that are in that state. */
u64 snpm_count(enum snpm_page_state state);
const char *snpm_state_name(enum snpm_page_state state);
/* Copies the entry; false if the RMP does not cover @spa. */
bool snpm_lookup(u64 spa, struct snpm_rmp_entry *entry,
		 enum snpm_page_state *state);

enum snpm_failing {
	SNPM_FAIL_COMMAND,
	SNPM_FAIL_RMPUPDATE,
	SNPM_FAIL_PSMASH,
	SNPM_NR_FAILING,
};

struct snpm_failure {
	/* Commands with another number do not count; 0: all do. */
	u32 command;
	/* So many succeed first, then so many fail. */
	u32 skip;
	u32 times;
	/* What they return, having done nothing; a command may not answer. */
	u32 status;
#define SNPM_NO_ANSWER	0xffff
};

/**
 * snpm_fail() - Let the nth command or instruction fail.
 * @what: which
 * @failure: replaces the one before it; NULL: none
 *
 * Context: any.
 */
void snpm_fail(enum snpm_failing what, const struct snpm_failure *failure);

/**
 * snpm_failure_left() - Say what is to come of what snpm_fail() has asked for.
 * @what: which
 * @failure: set to it; @skip and @times get less as they are used up
 *
 * Context: any.
 */
void snpm_failure_left(enum snpm_failing what, struct snpm_failure *failure);

/**
 * snpm_check_invariants() - Recount everything from the table.
 *
 * Context: nothing else may run.
 * Return: NULL, or the first thing that is wrong.
 */
const char *snpm_check_invariants(void);

#endif
