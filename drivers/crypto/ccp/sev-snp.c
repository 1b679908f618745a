// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEV-SNP's firmware: who it is, and its commands.
 *
 * By "SEV Secure Nested Paging Firmware ABI Specification" (AMD 56860).
 */
#define pr_fmt(fmt) "SEV-SNP: " fmt

#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/psp-sev.h>
#include <linux/string.h>

#include "sev-snp.h"

/* Both under sev_cmd_mutex, and both there or neither. */
static const struct snp_firmware_ops *firmware;
/*
 * What the firmware reads of a command.  It writes none of those here, so the
 * page stays the hypervisor's.
 */
static void *cmd_buf;
/* A command was not answered, and none has been since. */
static bool is_silent;

static int set_firmware_locked(const struct snp_firmware_ops *ops)
{
	if (firmware)
		return -EBUSY;
	cmd_buf = (void *)get_zeroed_page(GFP_KERNEL);
	if (!cmd_buf)
		return -ENOMEM;
	firmware = ops;
	return 0;
}

/**
 * snp_set_firmware_ops() - Say how commands reach SEV-SNP's firmware.
 * @ops: valid until snp_clear_firmware_ops()
 *
 * Context: may sleep.
 * Return: 0; -EBUSY if there is a firmware already; -ENOMEM.
 */
int snp_set_firmware_ops(const struct snp_firmware_ops *ops)
{
	int ret;

	mutex_lock(&sev_cmd_mutex);
	ret = set_firmware_locked(ops);
	mutex_unlock(&sev_cmd_mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(snp_set_firmware_ops);

static void clear_firmware_locked(void)
{
	firmware = NULL;
	free_page((unsigned long)cmd_buf);
	cmd_buf = NULL;
	is_silent = false;
}

/**
 * snp_clear_firmware_ops() - Take back what snp_set_firmware_ops() has set.
 * @ops: the same; does nothing if they are not in use, or if that firmware is
 *	initialized: it would never get its pages back
 *
 * Context: may sleep.
 */
void snp_clear_firmware_ops(const struct snp_firmware_ops *ops)
{
	mutex_lock(&sev_cmd_mutex);
	if (firmware == ops && !snp_is_initialized())
		clear_firmware_locked();
	mutex_unlock(&sev_cmd_mutex);
}
EXPORT_SYMBOL_GPL(snp_clear_firmware_ops);

/* Under sev_cmd_mutex. */
bool snp_has_firmware(void)
{
	lockdep_assert_held(&sev_cmd_mutex);
	return firmware;
}

/* How much the firmware reads of a command's buffer. */
static int cmd_buf_len(int cmd)
{
	switch (cmd) {
	case SEV_CMD_SNP_INIT:
	case SEV_CMD_SNP_SHUTDOWN:
	case SEV_CMD_SNP_DF_FLUSH:
		return 0;
	case SEV_CMD_SNP_PLATFORM_STATUS:
	case SEV_CMD_SNP_GCTX_CREATE:
	case SEV_CMD_SNP_DECOMMISSION:
		return sizeof(struct sev_data_snp_addr);
	case SEV_CMD_SNP_INIT_EX:
		return sizeof(struct sev_data_snp_init_ex);
	case SEV_CMD_SNP_SHUTDOWN_EX:
		return sizeof(struct sev_data_snp_shutdown_ex);
	case SEV_CMD_SNP_ACTIVATE:
		return sizeof(struct sev_data_snp_activate);
	case SEV_CMD_SNP_GUEST_STATUS:
		return sizeof(struct sev_data_snp_guest_status);
	case SEV_CMD_SNP_GUEST_REQUEST:
		return sizeof(struct sev_data_snp_guest_request);
	case SEV_CMD_SNP_LAUNCH_START:
		return sizeof(struct sev_data_snp_launch_start);
	case SEV_CMD_SNP_LAUNCH_UPDATE:
		return sizeof(struct sev_data_snp_launch_update);
	case SEV_CMD_SNP_LAUNCH_FINISH:
		return sizeof(struct sev_data_snp_launch_finish);
	case SEV_CMD_SNP_DBG_DECRYPT:
		return sizeof(struct sev_data_snp_dbg);
	case SEV_CMD_SNP_PAGE_RECLAIM:
	case SEV_CMD_SNP_PAGE_UNSMASH:
		return sizeof(struct sev_data_snp_page_reclaim);
	default:
		return -EINVAL;
	}
}

static int submit(int cmd, void *data, int len, unsigned int *status)
{
	int ret;

	if (!data)
		return firmware->submit(cmd, 0, status);
	memcpy(cmd_buf, data, len);
	ret = firmware->submit(cmd, __psp_pa(cmd_buf), status);
	memcpy(data, cmd_buf, len);
	return ret;
}

/* snp_do_cmd() for who holds sev_cmd_mutex. */
int snp_do_cmd_locked(int cmd, void *data, int *psp_ret)
{
	unsigned int status = SEV_RET_NO_FW_CALL;
	int len = cmd_buf_len(cmd);
	int ret;

	lockdep_assert_held(&sev_cmd_mutex);
	if (psp_ret)
		*psp_ret = SEV_RET_NO_FW_CALL;
	if (len < 0 || !len != !data)
		return -EINVAL;
	if (!firmware)
		return -ENODEV;
	ret = submit(cmd, data, len, &status);
	is_silent = ret != 0;
	if (psp_ret)
		*psp_ret = status;
	if (ret)
		return ret;
	if (status)
		pr_debug("command 0x%x failed: 0x%x\n", cmd, status);
	return status ? -EIO : 0;
}

/* snp_firmware_answers() for who holds sev_cmd_mutex. */
bool snp_firmware_answers_locked(void)
{
	/* It need not like it, but has to say so. */
	if (is_silent)
		snp_do_cmd_locked(SEV_CMD_SNP_DF_FLUSH, NULL, NULL);
	return !is_silent;
}

/**
 * snp_firmware_answers() - Whether the firmware would give a page back.
 *
 * If it has not answered the last command it is asked once more.
 *
 * Context: may sleep; takes sev_cmd_mutex.
 */
bool snp_firmware_answers(void)
{
	bool answers;

	mutex_lock(&sev_cmd_mutex);
	answers = snp_firmware_answers_locked();
	mutex_unlock(&sev_cmd_mutex);
	return answers;
}
EXPORT_SYMBOL_GPL(snp_firmware_answers);

/**
 * snp_do_cmd() - Execute a command of SEV-SNP's firmware.
 * @cmd: SEV_CMD_SNP_*
 * @data: its buffer, of any memory; NULL if it has none
 * @psp_ret: set to the firmware's status, SEV_RET_NO_FW_CALL if it was not
 *	asked; may be NULL
 *
 * Pages that @data names are in the state that the command wants already.
 *
 * Context: may sleep; takes sev_cmd_mutex.
 * Return: 0; -EIO if the firmware refuses, see @psp_ret; -EINVAL for commands
 * that are not SEV-SNP's, or with a buffer where none belongs or without one;
 * -ENODEV without a firmware; -EBUSY if it does not answer any more;
 * -ETIMEDOUT.
 */
int snp_do_cmd(int cmd, void *data, int *psp_ret)
{
	int ret;

	mutex_lock(&sev_cmd_mutex);
	ret = snp_do_cmd_locked(cmd, data, psp_ret);
	mutex_unlock(&sev_cmd_mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(snp_do_cmd);
