// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model RMM told to fail, and asked what it holds, in debugfs: for tests.
 *
 * kvm/rmi/fail_nth	write N: the N-th RMI command from here on fails; 0: none
 *			does.  Read: how many more to it, 0 if none is to come
 * kvm/rmi/fail_status	what it fails with: status in bits 7:0, index in 15:8
 * kvm/rmi/fail_command	the function identifier of the command that counts;
 *			0: all do.  This and the status go with the next write
 *			of fail_nth
 * kvm/rmi/calls	commands that counted since
 * kvm/rmi/next_exit	write N: the next N entries of RECs end in an exit before the
 *			REC has done anything; 0: none does.  Read: how many more
 * kvm/rmi/exit_reason	the reason of these exits
 * kvm/rmi/exit_esr	and what the exit record has in ESR; both go with the next
 *			write of next_exit
 * kvm/rmi/granules	how many granules are in each state
 * kvm/rmi/not_scrubbed	how many granules have come back with contents
 * kvm/rmi/page		a page that is delegated while the file is open: to be
 *			mapped; reading the file is an access by the kernel itself,
 *			an oops
 *
 * The model is in tools/testing/rmm; include/model.h has its side of this.
 */
#include <linux/arm-smccc.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include <asm/kvm_rmi.h>

#define MODEL_CALL(convention, func)				\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,			\
			   ARM_SMCCC_SMC_##convention,		\
			   ARM_SMCCC_OWNER_SIP, func)

#define MODEL_UID		MODEL_CALL(32, 0xff01)
#define MODEL_FAIL_NTH		MODEL_CALL(64, 0)
#define MODEL_CALLS		MODEL_CALL(64, 1)
#define MODEL_GRANULES		MODEL_CALL(64, 2)
#define MODEL_NOT_SCRUBBED	MODEL_CALL(64, 3)
#define MODEL_NEXT_EXIT		MODEL_CALL(64, 4)

/* 6c8f2d4b-51e3-4a07-9b6e-d2f0375ac918 */
static const u32 model_uid[] = { 0x4b2d8f6c, 0x074ae351, 0xf0d26e9b, 0x18c95a37 };

static u32 fail_status = RMI_ERROR_INPUT;
static u32 fail_command;

static int fail_nth_set(void *data, u64 nth)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_smc(MODEL_FAIL_NTH, nth, READ_ONCE(fail_status),
			  READ_ONCE(fail_command), &res);
	return res.a0 ? -EINVAL : 0;
}

static int fail_nth_get(void *data, u64 *left)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_smc(MODEL_CALLS, &res);
	*left = res.a2;
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(fail_nth_fops, fail_nth_get, fail_nth_set, "%llu\n");

static int calls_get(void *data, u64 *calls)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_smc(MODEL_CALLS, &res);
	*calls = res.a1;
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(calls_fops, calls_get, NULL, "%llu\n");

static u32 exit_reason;
static u64 exit_esr;

static int next_exit_set(void *data, u64 nr)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_smc(MODEL_NEXT_EXIT, nr, READ_ONCE(exit_reason),
			  READ_ONCE(exit_esr), &res);
	return res.a0 ? -EINVAL : 0;
}

static int next_exit_get(void *data, u64 *left)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_smc(MODEL_CALLS, &res);
	*left = res.a3;
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(next_exit_fops, next_exit_get, next_exit_set, "%llu\n");

static int not_scrubbed_get(void *data, u64 *granules)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_smc(MODEL_NOT_SCRUBBED, &res);
	*granules = res.a1;
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(not_scrubbed_fops, not_scrubbed_get, NULL, "%llu\n");

static int granules_show(struct seq_file *m, void *unused)
{
	struct arm_smccc_1_2_regs regs = { .a0 = MODEL_GRANULES };

	arm_smccc_1_2_smc(&regs, &regs);
	seq_printf(m, "undelegated %lu\n", regs.a1);
	seq_printf(m, "delegated %lu\n", regs.a2);
	seq_printf(m, "rd %lu\n", regs.a3);
	seq_printf(m, "rec %lu\n", regs.a4);
	seq_printf(m, "rec_aux %lu\n", regs.a5);
	seq_printf(m, "data %lu\n", regs.a6);
	seq_printf(m, "rtt %lu\n", regs.a7);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(granules);

static int page_open(struct inode *inode, struct file *file)
{
	phys_addr_t pa = realm_granule_alloc(GFP_KERNEL);

	if (!pa)
		return -ENOMEM;
	file->private_data = phys_to_page(pa);
	return 0;
}

static int page_release(struct inode *inode, struct file *file)
{
	realm_granule_free(page_to_phys((struct page *)file->private_data));
	return 0;
}

static ssize_t page_read(struct file *file, char __user *buf, size_t size,
			 loff_t *pos)
{
	u8 byte = READ_ONCE(*(u8 *)page_address(file->private_data));

	if (!size)
		return 0;
	return put_user(byte, buf) ?: 1;
}

/* By its number alone, as no file of a realm lets its pages be mapped. */
static int page_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != PAGE_SIZE ||
	    !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return remap_pfn_range(vma, vma->vm_start,
			       page_to_pfn((struct page *)file->private_data),
			       PAGE_SIZE, vma->vm_page_prot);
}

static const struct file_operations page_fops = {
	.owner = THIS_MODULE,
	.open = page_open,
	.release = page_release,
	.read = page_read,
	.mmap = page_mmap,
};

/* Whose services the range has must be known before any other is called. */
static bool rmm_is_model(void)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_smc(MODEL_UID, &res);
	return (u32)res.a0 == model_uid[0] && (u32)res.a1 == model_uid[1] &&
	       (u32)res.a2 == model_uid[2] && (u32)res.a3 == model_uid[3];
}

/* After KVM, whose directory it is. */
static int __init kvm_rmi_model_init(void)
{
	struct dentry *dir;

	if (!static_key_enabled(&kvm_rmi_is_available) || !rmm_is_model())
		return 0;

	dir = debugfs_create_dir("rmi", kvm_debugfs_dir);
	debugfs_create_file_unsafe("fail_nth", 0600, dir, NULL, &fail_nth_fops);
	debugfs_create_x32("fail_status", 0600, dir, &fail_status);
	debugfs_create_x32("fail_command", 0600, dir, &fail_command);
	debugfs_create_file_unsafe("calls", 0400, dir, NULL, &calls_fops);
	debugfs_create_file_unsafe("next_exit", 0600, dir, NULL,
				   &next_exit_fops);
	debugfs_create_x32("exit_reason", 0600, dir, &exit_reason);
	debugfs_create_x64("exit_esr", 0600, dir, &exit_esr);
	debugfs_create_file("granules", 0400, dir, NULL, &granules_fops);
	debugfs_create_file_unsafe("not_scrubbed", 0400, dir, NULL,
				   &not_scrubbed_fops);
	debugfs_create_file_unsafe("page", 0600, dir, NULL, &page_fops);
	return 0;
}
late_initcall(kvm_rmi_model_init);
