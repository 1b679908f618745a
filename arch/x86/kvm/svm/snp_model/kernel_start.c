// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts the SNP model, if the command line asks for it: the RMP, the firmware
 * and the CPU are the model's from then on.
 */
#define pr_fmt(fmt) "SEV-SNP model: " fmt

#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/psp-sev.h>

#include <asm/cpufeature.h>

#include "kernel_model.h"
#include "kernel_parts.h"
#include "snp_model.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX	"kvm_amd."

/* Whether it has started; asked for before. */
bool snp_model_is_on __ro_after_init;
static bool wanted __initdata;

/*
 * ASIDs are the CPU's own as well, and an emulated one has few, of which ordinary
 * guests need some.
 */
static unsigned int nr_asids __ro_after_init = 12;

module_param_named(snp_model, wanted, bool, 0);
module_param_named(snp_model_asids, nr_asids, uint, 0);

DEFINE_STATIC_CALL(svm_enter_exit, svm_vcpu_enter_exit);

/* Where even an emulated CPU has physical address bits. */
#define C_BIT			39

static int submit(int cmd, phys_addr_t paddr, unsigned int *status)
{
	*status = snpm_command(cmd, paddr);
	if (*status != SNPM_NO_ANSWER)
		return 0;
	*status = 0;
	return -ETIMEDOUT;
}

static const struct snp_firmware_ops firmware_ops = {
	.submit = submit,
};

/**
 * snp_model_has() - Whether the model's CPU has a feature.
 * @feature: X86_FEATURE_*
 *
 * Return: false without a model.
 */
bool snp_model_has(unsigned int feature)
{
	switch (feature) {
	case X86_FEATURE_SEV:
	case X86_FEATURE_SEV_ES:
	case X86_FEATURE_SEV_SNP:
	case X86_FEATURE_DECODEASSISTS:
		return snp_model_is_on;
	default:
		return false;
	}
}

/**
 * snp_model_cpuid() - CPUID 0x8000001f of the model's CPU.
 * @ebx: changed to the C-bit's position
 * @ecx: changed to the number of ASIDs
 * @edx: changed to the first ASID of SEV without SEV-ES: there is none
 *
 * Does nothing without a model.
 */
void snp_model_cpuid(u32 *ebx, u32 *ecx, u32 *edx)
{
	if (!snp_model_is_on)
		return;
	*ebx = C_BIT;
	*ecx = nr_asids;
	*edx = nr_asids + 1;
}

static int __init start(void)
{
	int err;

	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return -ENODEV;
	if (!nr_asids || nr_asids > SNPM_MAX_ASID)
		return -EINVAL;
	err = snp_set_firmware_ops(&firmware_ops);
	if (err)
		return err;
	err = snp_model_start_crypto();
	if (!err)
		err = snp_model_start_rmp();
	if (err)
		snp_clear_firmware_ops(&firmware_ops);
	return err;
}

/**
 * snp_model_start() - Let the model be this kernel's SNP, if that is asked for.
 *
 * Does not, and says so, if the CPU lacks XSAVE or the crypto API SHA-384, without
 * memory, for a number of ASIDs that the RMP has no room for, or if there is an
 * RMP or a firmware already.
 *
 * Context: once, while KVM initializes; may sleep.
 */
void __init snp_model_start(void)
{
	int err;

	if (!wanted)
		return;
	err = start();
	if (err) {
		pr_err("off: error %d\n", err);
		return;
	}
	static_call_update(svm_enter_exit, snp_cpu_enter_exit);
	snp_model_make_debugfs();
	snp_model_is_on = true;
	add_taint(TAINT_TEST, LOCKDEP_STILL_OK);
	pr_notice("on: nothing that guests do here is confidential\n");
}
