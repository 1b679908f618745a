// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEV's and SEV-ES's commands while SEV-SNP is initialized: what the firmware
 * writes has to be in pages of its own.
 *
 * Three kinds of memory are written.  The command's buffer: then the command
 * is read from a page that is kept for that.  Memory that the caller has from
 * anywhere: other things may be in the same page, so the firmware gets pages
 * that are copied from and to it.  Memory of a guest, which is encrypted in
 * place: its pages are the firmware's while the command lasts.
 *
 * What is not in the table is read alone, and stays as it is.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/psp-sev.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include <asm/unaligned.h>

#include "sev-snp.h"

enum snp_legacy_kind {
	SNP_NONE,
	SNP_BOUNCE,
	SNP_IN_PLACE,
};

/* Where a command's buffer names memory that the firmware writes. */
struct snp_legacy_field {
	enum snp_legacy_kind kind;
	u16 addr;
	u16 len;
};

struct snp_legacy_cmd {
	int cmd;
	/* Its buffer, too. */
	bool writes_buf;
	struct snp_legacy_field fields[2];
};

#define FIELD(type, _addr, _len, _kind) {				\
	.kind = _kind,							\
	.addr = offsetof(struct type, _addr) +				\
		BUILD_BUG_ON_ZERO(sizeof_field(struct type, _addr) != 8), \
	.len = offsetof(struct type, _len) +				\
	       BUILD_BUG_ON_ZERO(sizeof_field(struct type, _len) != 4),	\
}

#define BOUNCE(type, addr, len)		FIELD(type, addr, len, SNP_BOUNCE)
#define IN_PLACE(type, addr, len)	FIELD(type, addr, len, SNP_IN_PLACE)

static const struct snp_legacy_cmd cmds[] = {
	{ SEV_CMD_PLATFORM_STATUS, true },
	{ SEV_CMD_PEK_CSR, true, {
		BOUNCE(sev_data_pek_csr, address, len) } },
	{ SEV_CMD_PDH_CERT_EXPORT, true, {
		BOUNCE(sev_data_pdh_cert_export, pdh_cert_address,
		       pdh_cert_len),
		BOUNCE(sev_data_pdh_cert_export, cert_chain_address,
		       cert_chain_len) } },
	{ SEV_CMD_GET_ID, true, {
		BOUNCE(sev_data_get_id, address, len) } },
	{ SEV_CMD_GUEST_STATUS, true },
	{ SEV_CMD_LAUNCH_START, true },
	{ SEV_CMD_LAUNCH_UPDATE_DATA, false, {
		IN_PLACE(sev_data_launch_update_data, address, len) } },
	{ SEV_CMD_LAUNCH_UPDATE_VMSA, false, {
		IN_PLACE(sev_data_launch_update_vmsa, address, len) } },
	{ SEV_CMD_LAUNCH_MEASURE, true, {
		BOUNCE(sev_data_launch_measure, address, len) } },
	{ SEV_CMD_LAUNCH_UPDATE_SECRET, false, {
		IN_PLACE(sev_data_launch_secret, guest_address, guest_len) } },
	{ SEV_CMD_ATTESTATION_REPORT, true, {
		BOUNCE(sev_data_attestation_report, address, len) } },
	{ SEV_CMD_SEND_START, true, {
		BOUNCE(sev_data_send_start, session_address, session_len) } },
	{ SEV_CMD_SEND_UPDATE_DATA, true, {
		BOUNCE(sev_data_send_update_data, hdr_address, hdr_len),
		BOUNCE(sev_data_send_update_data, trans_address, trans_len) } },
	{ SEV_CMD_SEND_UPDATE_VMSA, true, {
		BOUNCE(sev_data_send_update_vmsa, hdr_address, hdr_len),
		BOUNCE(sev_data_send_update_vmsa, trans_address, trans_len) } },
	{ SEV_CMD_RECEIVE_START, true },
	{ SEV_CMD_RECEIVE_UPDATE_DATA, false, {
		IN_PLACE(sev_data_receive_update_data, guest_address,
			 guest_len) } },
	{ SEV_CMD_RECEIVE_UPDATE_VMSA, false, {
		IN_PLACE(sev_data_receive_update_vmsa, guest_address,
			 guest_len) } },
	{ SEV_CMD_DBG_DECRYPT, false, {
		BOUNCE(sev_data_dbg, dst_addr, len) } },
	{ SEV_CMD_DBG_ENCRYPT, false, {
		IN_PLACE(sev_data_dbg, dst_addr, len) } },
};

static const struct snp_legacy_cmd *find(int cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		if (cmds[i].cmd == cmd)
			return &cmds[i];
	return NULL;
}

static void *caller_memory(const struct snp_legacy_buf *b)
{
	return phys_to_virt(__sme_clr(b->addr));
}

static int alloc_bounce(struct snp_legacy_buf *b)
{
	b->bounce = alloc_pages_exact(b->len, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!b->bounce)
		return -ENOMEM;
	memcpy(b->bounce, caller_memory(b), b->len);
	return 0;
}

/* It may hold what a guest does not show to everybody. */
static void free_bounce(struct snp_legacy_buf *b)
{
	unsigned long pfn = PHYS_PFN(__pa(b->bounce));
	size_t i;

	for (i = 0; i < PFN_UP(b->len); i++)
		if (!snp_page_is_assigned(pfn + i))
			clear_page(b->bounce + i * PAGE_SIZE);
	free_pages_exact(b->bounce, b->len);
	b->bounce = NULL;
}

static int give_pages(struct snp_legacy_buf *b, u64 addr)
{
	u64 pfn = PHYS_PFN(addr);
	unsigned long nr = PFN_UP(addr + b->len) - pfn;
	int ret;

	ret = snp_give_pages_locked(pfn, nr);
	if (ret)
		return ret;
	b->pfn = pfn;
	b->nr = nr;
	return 0;
}

static int give_bounce(struct snp_legacy_buf *b, void *addr)
{
	int ret;

	ret = alloc_bounce(b);
	if (ret)
		return ret;
	ret = give_pages(b, __pa(b->bounce));
	if (ret)
		free_bounce(b);
	else
		put_unaligned((u64)__psp_pa(b->bounce), (u64 *)addr);
	return ret;
}

static int give_buf(struct snp_legacy *l, unsigned int i)
{
	const struct snp_legacy_field *f = &l->cmd->fields[i];
	struct snp_legacy_buf *b = &l->bufs[i];

	if (f->kind == SNP_NONE)
		return 0;
	b->addr = get_unaligned((u64 *)(l->data + f->addr));
	b->len = get_unaligned((u32 *)(l->data + f->len));
	/* Without memory it only asks how much is needed. */
	if (!b->addr || !b->len)
		return 0;
	if (f->kind == SNP_BOUNCE)
		return give_bounce(b, l->data + f->addr);
	return give_pages(b, __sme_clr(b->addr));
}

static int take_buf(struct snp_legacy *l, unsigned int i)
{
	struct snp_legacy_buf *b = &l->bufs[i];
	int ret;

	if (!b->nr)
		return 0;
	ret = snp_take_pages_locked(b->pfn, b->nr);
	b->nr = 0;
	if (!b->bounce)
		return ret;
	put_unaligned(b->addr, (u64 *)(l->data + l->cmd->fields[i].addr));
	if (!ret)
		memcpy(caller_memory(b), b->bounce, b->len);
	free_bounce(b);
	return ret;
}

/* The two are independent: what is wrong with one is no matter to the other. */
static int take_bufs(struct snp_legacy *l)
{
	int first = take_buf(l, 0), second = take_buf(l, 1);

	return first ?: second;
}

static int give_bufs(struct snp_legacy *l)
{
	int ret;

	ret = give_buf(l, 0);
	if (ret)
		return ret;
	ret = give_buf(l, 1);
	if (ret)
		take_buf(l, 0);
	return ret;
}

/* Commands that the firmware writes are here; under sev_cmd_mutex. */
static void *cmd_page;

static int give_cmd_page(const struct snp_legacy *l)
{
	if (!cmd_page)
		cmd_page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!cmd_page)
		return -ENOMEM;
	memcpy(cmd_page, l->data, l->len);
	return snp_give_pages_locked(PHYS_PFN(__pa(cmd_page)), 1);
}

/* If it is lost, the next command gets another one. */
static int take_cmd_page(const struct snp_legacy *l)
{
	int ret = snp_take_pages_locked(PHYS_PFN(__pa(cmd_page)), 1);

	if (ret)
		cmd_page = NULL;
	else
		memcpy(l->data, cmd_page, l->len);
	return ret;
}

/**
 * snp_legacy_begin_locked() - Give the firmware what a command lets it write.
 * @l: for snp_legacy_end_locked()
 * @cmd: the command, one of SEV's or SEV-ES's
 * @data: its buffer, in which addresses may change; NULL if it has none
 * @len: of @data
 * @cmd_buf: set to the buffer for the firmware, @data or another
 *
 * Context: may sleep; sev_cmd_mutex is held.
 * Return: 0; -ENOMEM or -EFAULT, all is as it was; -EIO, likewise but for
 * pages that are lost.
 */
int snp_legacy_begin_locked(struct snp_legacy *l, int cmd, void *data,
			    size_t len, void **cmd_buf)
{
	int ret;

	lockdep_assert_held(&sev_cmd_mutex);
	*l = (struct snp_legacy) { .data = data, .len = len };
	*cmd_buf = data;
	if (!data || !snp_hw_is_active())
		return 0;
	l->cmd = find(cmd);
	if (!l->cmd)
		return 0;
	ret = give_bufs(l);
	if (ret || !l->cmd->writes_buf)
		return ret;
	ret = give_cmd_page(l);
	if (ret)
		take_bufs(l);
	else
		*cmd_buf = cmd_page;
	return ret;
}

/**
 * snp_legacy_end_locked() - Take back what snp_legacy_begin_locked() has given.
 * @l: of a call that has succeeded, whatever has become of the command
 *
 * What the firmware has written is where the caller expects it then.
 *
 * Context: may sleep; sev_cmd_mutex is held.
 * Return: 0; -EIO if pages are lost, and what was written to them.
 */
int snp_legacy_end_locked(struct snp_legacy *l)
{
	int ret = 0, err;

	if (!l->cmd)
		return 0;
	if (l->cmd->writes_buf)
		ret = take_cmd_page(l);
	err = take_bufs(l);
	return ret ?: err;
}

/* No command is under way. */
void snp_legacy_exit_locked(void)
{
	free_page((unsigned long)cmd_page);
	cmd_page = NULL;
}
