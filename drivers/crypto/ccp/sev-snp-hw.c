// SPDX-License-Identifier: GPL-2.0-only
/* The PSP as SEV-SNP's firmware. */
#define pr_fmt(fmt) "SEV-SNP: " fmt

#include <linux/atomic.h>
#include <linux/cpufeature.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/printk.h>
#include <linux/psp-sev.h>
#include <linux/smp.h>

#include <asm/msr.h>
#include <asm/snp_host.h>

#include "sev-dev.h"
#include "sev-snp.h"

static bool registered;

/* Not on a CPU that KVM runs guests on. */
static void clear_hsave_pa(void *busy)
{
	u64 efer;

	rdmsrl(MSR_EFER, efer);
	if (efer & EFER_SVME)
		atomic_set(busy, 1);
	else
		wrmsrl(MSR_VM_HSAVE_PA, 0);
}

/*
 * When the RMP is made anew the firmware makes sure that no guest has been
 * running, by VM_HSAVE_PA being 0 on all CPUs.
 */
static int prepare_cpus(void)
{
	atomic_t busy = ATOMIC_INIT(0);

	on_each_cpu(clear_hsave_pa, &busy, 1);
	return atomic_read(&busy) ? -EBUSY : 0;
}

static int hw_submit(int cmd, phys_addr_t paddr, unsigned int *status)
{
	int ret;

	if (cmd == SEV_CMD_SNP_INIT || cmd == SEV_CMD_SNP_INIT_EX) {
		ret = prepare_cpus();
		if (ret)
			return ret;
	}
	return sev_submit_cmd(cmd, paddr, status);
}

static const struct snp_firmware_ops hw_ops = {
	.submit = hw_submit,
};

/* It could be a model's as well. */
static bool rmp_is_processors(void)
{
	u64 val;

	return snp_rmp_enabled() && boot_cpu_has(X86_FEATURE_SEV_SNP) &&
	       !rdmsrl_safe(MSR_AMD64_SYSCFG, &val) &&
	       (val & MSR_AMD64_SYSCFG_SNP_EN);
}

static bool in_panic;

bool snp_hw_in_panic(void)
{
	return in_panic;
}

/*
 * Let a kdump kernel use the IOMMUs.  A command that is under way cannot be
 * waited for; the mutex stays taken, so that no other comes.
 */
static int panic_shutdown(struct notifier_block *nb, unsigned long action,
			  void *data)
{
	unsigned int status;

	if (!snp_hw_is_active() || !mutex_trylock(&sev_cmd_mutex))
		return NOTIFY_DONE;
	in_panic = true;
	if (!sev_submit_cmd(SEV_CMD_SHUTDOWN, 0, &status) && !status)
		snp_platform_panic_locked();
	return NOTIFY_DONE;
}

static struct notifier_block panic_notifier = {
	.notifier_call = panic_shutdown,
};

/* Once the PSP answers; whether SEV-SNP can be initialized. */
bool snp_hw_register(struct device *dev)
{
	int ret;

	if (registered || !rmp_is_processors())
		return registered;
	ret = snp_set_firmware_ops(&hw_ops);
	if (ret)
		dev_warn(dev, "SEV-SNP: unavailable: %d\n", ret);
	else
		atomic_notifier_chain_register(&panic_notifier_list,
					       &panic_notifier);
	registered = !ret;
	return registered;
}

/* Before SEV's own INIT, which does without SEV-SNP if need be. */
void snp_hw_init_locked(void)
{
	int ret, error;

	if (!registered)
		return;
	ret = snp_platform_init_locked(&error);
	if (ret)
		pr_warn_ratelimited("not initialized: %d, 0x%x\n", ret, error);
}

/* After SEV's own SHUTDOWN. */
void snp_hw_unregister(void)
{
	int ret;

	if (!registered)
		return;
	mutex_lock(&sev_cmd_mutex);
	ret = snp_platform_shutdown_locked();
	if (!ret)
		snp_legacy_exit_locked();
	mutex_unlock(&sev_cmd_mutex);
	if (ret)
		return;
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_notifier);
	snp_clear_firmware_ops(&hw_ops);
	registered = false;
}

/* Whether SEV's own commands have to heed SEV-SNP. */
bool snp_hw_is_active(void)
{
	return registered && snp_is_initialized();
}
