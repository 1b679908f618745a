// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEV's commands while SNP is initialized, drivers/crypto/ccp/sev-snp-buf.c, on
 * the model: the test plays the firmware.  What it writes is where the caller
 * wants it, and each page is back where it was, whatever fails.
 */
#include <errno.h>
#include <string.h>

#include <asm/snp_host.h>

#include "driver.h"

/* A legacy command as the caller has it, and who plays the firmware. */
static u8 *cmd;
static struct snp_legacy legacy;
static void *fw_buf;

static int begin(int id, const void *data, size_t len)
{
	int ret;

	if (!cmd)
		cmd = (void *)get_zeroed_page(GFP_KERNEL);
	memcpy(cmd, data, len);
	mutex_lock(&sev_cmd_mutex);
	ret = snp_legacy_begin_locked(&legacy, id, cmd, len, &fw_buf);
	mutex_unlock(&sev_cmd_mutex);
	return -ret;
}

static int end(void)
{
	int ret;

	mutex_lock(&sev_cmd_mutex);
	ret = snp_legacy_end_locked(&legacy);
	mutex_unlock(&sev_cmd_mutex);
	return -ret;
}

static u64 fw_u64(size_t offset)
{
	u64 val = 0;

	for (int i = 7; i >= 0; i--)
		val = val << 8 | firmware_reads(__pa(fw_buf) + offset + i);
	return val;
}

static const u8 *filled(u64 spa, u8 byte, size_t size)
{
	return memset(machine_va(spa), byte, size);
}

static void is_filled(const u8 *p, u8 byte, size_t size)
{
	for (size_t i = 0; i < size; i++)
		expect(p[i] == byte, "byte %zu is %#x, should be %#x", i, p[i],
		       byte);
}

/* Without SNP, or for commands that write nothing, nothing happens. */
static void test_untouched(void)
{
	struct sev_data_pek_csr csr = { any_page(), 100 };
	struct sev_data_activate act = { 1, 2 };

	driver_init();
	expect_eq(begin(SEV_CMD_ACTIVATE, &act, sizeof(act)), 0);
	expect(fw_buf == cmd, "another buffer");
	expect_eq(end(), 0);
	driver.legacy_active = false;
	driver.commands = 0;
	expect_eq(begin(SEV_CMD_PEK_CSR, &csr, sizeof(csr)), 0);
	expect(fw_buf == cmd && !memcmp(cmd, &csr, sizeof(csr)), "it changed");
	expect_eq(end(), 0);
	driver.legacy_active = true;
	mutex_lock(&sev_cmd_mutex);
	expect_eq(snp_legacy_begin_locked(&legacy, SEV_CMD_SHUTDOWN, NULL, 0,
					  &fw_buf), 0);
	mutex_unlock(&sev_cmd_mutex);
	expect(!fw_buf, "a buffer");
	expect_eq(end(), 0);
	expect_eq(driver.commands, 0);
	driver_check(0);
}

static void test_status_command(void)
{
	struct sev_user_data_status s = { .build = 3 };

	driver_init();
	expect_eq(begin(SEV_CMD_PLATFORM_STATUS, &s, sizeof(s)), 0);
	expect(fw_buf != cmd, "the same buffer");
	driver_check(1);
	firmware_writes(__pa(fw_buf), 9, sizeof(s));
	expect_eq(end(), 0);
	is_filled(cmd, 9, sizeof(s));
	driver_check(0);
}

static struct sev_data_pdh_cert_export export;
static const u8 *pdh, *chain;

static int begin_export(void)
{
	export = (struct sev_data_pdh_cert_export) {
		.pdh_cert_address = PAGE(1) + 0xff0,
		.pdh_cert_len = 0x20,
		.cert_chain_address = PAGE(4),
		.cert_chain_len = PAGE_SIZE + 1,
	};
	pdh = filled(export.pdh_cert_address, 1, 0x40);
	chain = filled(export.cert_chain_address, 2, PAGE(2));
	return begin(SEV_CMD_PDH_CERT_EXPORT, &export, sizeof(export));
}

static void do_export(void)
{
	u64 p = fw_u64(offsetof(struct sev_data_pdh_cert_export, pdh_cert_address));
	u64 c = fw_u64(offsetof(struct sev_data_pdh_cert_export,
				cert_chain_address));

	expect(p != export.pdh_cert_address && c != export.cert_chain_address,
	       "the caller's memory");
	/* What is there before is what the caller had. */
	expect_eq(firmware_reads(p + 0x1f), 1);
	expect_eq(firmware_reads(c + PAGE_SIZE), 2);
	firmware_writes(p, 3, 0x10);
	firmware_writes(c, 4, PAGE_SIZE + 1);
	firmware_writes(__pa(fw_buf) +
			offsetof(struct sev_data_pdh_cert_export, pdh_cert_len),
			0, 4);
	export.pdh_cert_len = 0;
}

static void test_bounce(void)
{
	unsigned long in_use;

	driver_init();
	expect_eq(begin_export(), 0);
	driver_check(1 + 1 + 2);
	do_export();
	expect_eq(end(), 0);
	expect(!memcmp(cmd, &export, sizeof(export)), "the command is wrong");
	is_filled(pdh, 3, 0x10);
	is_filled(pdh + 0x10, 1, 0x30);
	is_filled(chain, 4, PAGE_SIZE + 1);
	is_filled(chain + PAGE_SIZE + 1, 2, PAGE_SIZE - 1);
	in_use = pages_in_use();
	driver_check(0);
	/* Lengths are asked for without memory, or with a length of 0. */
	export.pdh_cert_address = 0;
	export.cert_chain_len = 0;
	expect_eq(begin(SEV_CMD_PDH_CERT_EXPORT, &export, sizeof(export)), 0);
	driver_check(1);
	expect_eq(end(), 0);
	expect(!memcmp(cmd, &export, sizeof(export)), "the command is wrong");
	expect_eq(pages_in_use(), in_use);
}

/* What a bounce buffer has held is not left to whoever gets its pages. */
static void test_scrub(void)
{
	struct sev_data_dbg dbg = { .dst_addr = PAGE(2) + 16, .len = 64 };
	u64 bounce;

	driver_init();
	filled(PAGE(2), 7, PAGE_SIZE);
	expect_eq(begin(SEV_CMD_DBG_DECRYPT, &dbg, sizeof(dbg)), 0);
	bounce = fw_u64(offsetof(struct sev_data_dbg, dst_addr));
	state_is(PAGE(2), HYPERVISOR);
	firmware_writes(bounce, 0x55, 64);
	expect_eq(end(), 0);
	is_filled(machine_va(PAGE(2) + 16), 0x55, 64);
	is_filled(machine_va(PAGE(2) + 80), 7, 16);
	is_filled(machine_va(bounce), 0, PAGE_SIZE);
	driver_check(0);
}

static void test_in_place(void)
{
	struct sev_data_launch_update_data d = {
		.address = PAGE(5) + 0xff0, .len = PAGE_SIZE + 0x20,
	};

	driver_init();
	expect_eq(begin(SEV_CMD_LAUNCH_UPDATE_DATA, &d, sizeof(d)), 0);
	expect(fw_buf == cmd && !memcmp(cmd, &d, sizeof(d)), "it changed");
	driver_check(3);
	firmware_writes(d.address, 6, d.len);
	expect_eq(end(), 0);
	is_filled(machine_va(d.address), 6, d.len);
	driver_check(0);
}

static const struct {
	int cmd;
	u16 addr, len;
} in_place[] = {
#define AT(id, type, a, l) \
	{ SEV_CMD_##id, offsetof(struct type, a), offsetof(struct type, l) }
	AT(LAUNCH_UPDATE_VMSA, sev_data_launch_update_vmsa, address, len),
	AT(LAUNCH_UPDATE_SECRET, sev_data_launch_secret, guest_address, guest_len),
	AT(RECEIVE_UPDATE_DATA, sev_data_receive_update_data, guest_address,
	   guest_len),
	AT(RECEIVE_UPDATE_VMSA, sev_data_receive_update_vmsa, guest_address,
	   guest_len),
	AT(DBG_ENCRYPT, sev_data_dbg, dst_addr, len),
}, bounced[] = {
	AT(PEK_CSR, sev_data_pek_csr, address, len),
	AT(GET_ID, sev_data_get_id, address, len),
	AT(LAUNCH_MEASURE, sev_data_launch_measure, address, len),
	AT(ATTESTATION_REPORT, sev_data_attestation_report, address, len),
	AT(SEND_START, sev_data_send_start, session_address, session_len),
	AT(SEND_UPDATE_DATA, sev_data_send_update_data, hdr_address, hdr_len),
	AT(SEND_UPDATE_DATA, sev_data_send_update_data, trans_address, trans_len),
	AT(SEND_UPDATE_VMSA, sev_data_send_update_vmsa, hdr_address, hdr_len),
	AT(SEND_UPDATE_VMSA, sev_data_send_update_vmsa, trans_address, trans_len),
};

static void test_every_command(void)
{
	const u64 spa = PAGE(6);
	const u32 len = 0x30;
	u8 data[128];

	driver_init();
	for (unsigned int i = 0; i < ARRAY_SIZE(in_place); i++) {
		memset(data, 0, sizeof(data));
		memcpy(data + in_place[i].addr, &spa, sizeof(spa));
		memcpy(data + in_place[i].len, &len, sizeof(len));
		expect_eq(begin(in_place[i].cmd, data, sizeof(data)), 0);
		firmware_writes(spa, i, len);
		driver_check(1);
		expect_eq(end(), 0);
		is_filled(machine_va(spa), i, len);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(bounced); i++) {
		memset(data, 0, sizeof(data));
		memcpy(data + bounced[i].addr, &spa, sizeof(spa));
		memcpy(data + bounced[i].len, &len, sizeof(len));
		expect_eq(begin(bounced[i].cmd, data, sizeof(data)), 0);
		firmware_writes(fw_u64(bounced[i].addr), i, len);
		driver_check(2);
		expect_eq(end(), 0);
		is_filled(machine_va(spa), i, len);
		expect(!memcmp(cmd, data, sizeof(data)), "%#x: the command changed",
		       bounced[i].cmd);
	}
	driver_check(0);
}

/* Without memory, or without RMPUPDATE, all is as it was. */
static void test_begin_fails(void)
{
	unsigned long in_use;
	int i, ret;

	driver_init();
	expect_eq(begin_export(), 0);
	expect_eq(end(), 0);
	in_use = pages_in_use();
	for (i = 0; i < 2; i++) {
		driver.alloc_fails = i;
		expect_eq(begin_export(), ENOMEM);
		expect_eq(pages_in_use(), in_use);
		expect(!memcmp(cmd, &export, sizeof(export)), "it changed");
		driver_check(0);
	}
	for (i = 0;; i++) {
		fail_rmpupdate(i);
		ret = begin_export();
		fail_nothing();
		if (!ret)
			break;
		expect_eq(ret, EFAULT);
		expect_eq(pages_in_use(), in_use);
		expect(!memcmp(cmd, &export, sizeof(export)), "it changed");
		driver_check(0);
	}
	expect_eq(i, 4);
	expect_eq(end(), 0);
	expect_eq(snp_nr_leaked_pages(), 0);
	driver_check(0);
}

/* One page is lost, and what was in it; everything else is back. */
static void check_lost(unsigned long *lost, unsigned long *in_use)
{
	expect_eq(snp_nr_leaked_pages(), ++*lost);
	expect_eq(pages_in_use(), ++*in_use);
	expect(((struct sev_data_pdh_cert_export *)cmd)->pdh_cert_address ==
	       export.pdh_cert_address &&
	       ((struct sev_data_pdh_cert_export *)cmd)->cert_chain_address ==
	       export.cert_chain_address, "another address");
	driver_check(0);
}

static void test_end_fails(void)
{
	unsigned long lost = 0, in_use;
	int i, first = 0;

	driver_init();
	expect_eq(begin_export(), 0);
	do_export();
	expect_eq(end(), 0);
	in_use = pages_in_use();
	for (i = 0; i < 8; i++) {
		expect_eq(begin_export(), 0);
		do_export();
		if (i < 4)
			fail_command(SNPFW_PAGE_RECLAIM, i, 1);
		else
			fail_rmpupdate(i - 4);
		expect_eq(end(), EIO);
		fail_nothing();
		/* The first is the command's page: another comes for it later. */
		first = i % 4 == 0;
		if (first)
			in_use--;
		check_lost(&lost, &in_use);
		in_use += first;
	}
	expect_eq(begin_export(), 0);
	do_export();
	expect_eq(end(), 0);
	is_filled(chain, 4, PAGE_SIZE + 1);
	driver_check(0);
}

/* Pages of a guest's that are lost: whoever has them can let go of them. */
static void test_in_place_fails(void)
{
	struct sev_data_launch_update_data d = {
		.address = PAGE(5), .len = PAGE(3),
	};
	int i;

	driver_init();
	for (i = 0; i < 3; i++) {
		fail_rmpupdate(i);
		expect_eq(begin(SEV_CMD_LAUNCH_UPDATE_DATA, &d, sizeof(d)),
			  EFAULT);
		driver_check(0);
	}
	expect_eq(begin(SEV_CMD_LAUNCH_UPDATE_DATA, &d, sizeof(d)), 0);
	fail_command(SNPFW_PAGE_RECLAIM, 1, 1);
	expect_eq(end(), EIO);
	state_is(PAGE(5), HYPERVISOR);
	state_is(PAGE(6), FIRMWARE);
	state_is(PAGE(7), HYPERVISOR);
	driver_check(0);
	/* The firmware is dead. */
	d.address = PAGE(9);
	expect_eq(begin(SEV_CMD_LAUNCH_UPDATE_DATA, &d, sizeof(d)), 0);
	driver.submit_error = -EBUSY;
	expect_eq(end(), EIO);
	expect_eq(snp_nr_leaked_pages(), 4);
	driver_check(0);
}

int main(void)
{
	const struct test tests[] = {
		{ "nothing to do", test_untouched },
		{ "the command's own buffer", test_status_command },
		{ "bounce buffers", test_bounce },
		{ "bounced contents", test_scrub },
		{ "in place", test_in_place },
		{ "every command", test_every_command },
		{ "commands that do not begin", test_begin_fails },
		{ "pages that are lost", test_end_fails },
		{ "guest memory that is lost", test_in_place_fails },
	};

	return run_tests("legacy", tests, ARRAY_SIZE(tests));
}
