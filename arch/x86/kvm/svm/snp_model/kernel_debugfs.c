// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SNP model's directory in debugfs, for tests; and of its files those about
 * how many pages are in which state, how many have leaked, and which command or
 * instruction shall fail.
 */
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/kvm_host.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/snp_host.h>

#include "kernel_parts.h"
#include "snp_model.h"

/**
 * snp_model_call_for() - Call a function for the VM of a file.
 * @fd: the descriptor
 * @fn: the function
 * @arg: its second argument
 *
 * Context: may sleep.
 * Return: what @fn returns; -EBADF if @fd is no VM's.
 */
int snp_model_call_for(unsigned int fd, int (*fn)(struct kvm *kvm, void *arg),
		       void *arg)
{
	struct fd f = fdget(fd);
	int ret = -EBADF;

	if (f.file && file_is_kvm(f.file))
		ret = fn(f.file->private_data, arg);
	fdput(f);
	return ret;
}

/**
 * snp_model_copy_line() - Take what is written to a file.
 * @line: where to, of SNP_MODEL_LINE bytes
 * @from: what is written
 * @size: how many bytes
 *
 * Return: 0; -EINVAL if @line is too short, -EFAULT.
 */
int snp_model_copy_line(char *line, const char __user *from, size_t size)
{
	if (size >= SNP_MODEL_LINE)
		return -EINVAL;
	if (copy_from_user(line, from, size))
		return -EFAULT;
	line[size] = 0;
	return 0;
}

/**
 * snp_model_open_call() - Open a file that is written a call, and keeps it.
 * @file: the file
 * @size: of the call, which begins as zeroes
 * @show: shows what came of it
 *
 * snp_model_release_call() ends it.
 *
 * Return: 0 or -ENOMEM.
 */
int snp_model_open_call(struct file *file, size_t size,
			int (*show)(struct seq_file *m, void *unused))
{
	void *call = kzalloc(size, GFP_KERNEL);
	int ret;

	if (!call)
		return -ENOMEM;
	ret = single_open(file, show, call);
	if (ret)
		kfree(call);
	return ret;
}

/* The call of a file that snp_model_open_call() has opened. */
void *snp_model_call_of(struct file *file)
{
	return ((struct seq_file *)file->private_data)->private;
}

int snp_model_release_call(struct inode *inode, struct file *file)
{
	kfree(snp_model_call_of(file));
	return single_release(inode, file);
}

static int states_show(struct seq_file *m, void *unused)
{
	int state;

	for (state = 0; state < SNPM_NR_PAGE_STATES; state++)
		seq_printf(m, "%s %llu\n", snpm_state_name(state),
			   snpm_count(state));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(states);

static int leaked_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%lu\n", snp_nr_leaked_pages());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(leaked);

/* Nothing else may run meanwhile, or it counts while things move. */
static int invariants_show(struct seq_file *m, void *unused)
{
	const char *wrong = snpm_check_invariants();

	seq_printf(m, "%s\n", wrong ? wrong : "kept");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(invariants);

static void fail_nothing(void)
{
	int what;

	for (what = 0; what < SNPM_NR_FAILING; what++)
		snpm_fail(what, NULL);
}

/* "none", or what, the command if it is one, and the rest of snpm_failure. */
static int parse(const char *s)
{
	struct snpm_failure f = {};
	enum snpm_failing what;

	if (!strcmp(s, "none")) {
		fail_nothing();
		return 0;
	}
	if (sscanf(s, "command %i %i %i %i", &f.command, &f.skip, &f.times,
		   &f.status) == 4)
		what = SNPM_FAIL_COMMAND;
	else if (sscanf(s, "rmpupdate %i %i %i", &f.skip, &f.times,
			&f.status) == 3)
		what = SNPM_FAIL_RMPUPDATE;
	else if (sscanf(s, "psmash %i %i %i", &f.skip, &f.times,
			&f.status) == 3)
		what = SNPM_FAIL_PSMASH;
	else
		return -EINVAL;
	snpm_fail(what, &f);
	return 0;
}

/* What is left to skip and to fail of each. */
static int fail_show(struct seq_file *m, void *unused)
{
	static const char * const names[] = {
		[SNPM_FAIL_COMMAND] = "command",
		[SNPM_FAIL_RMPUPDATE] = "rmpupdate",
		[SNPM_FAIL_PSMASH] = "psmash",
	};
	struct snpm_failure f;
	int what;

	static_assert(ARRAY_SIZE(names) == SNPM_NR_FAILING);
	for (what = 0; what < SNPM_NR_FAILING; what++) {
		snpm_failure_left(what, &f);
		seq_printf(m, "%s %u %u\n", names[what], f.skip, f.times);
	}
	return 0;
}

static int fail_open(struct inode *inode, struct file *file)
{
	return single_open(file, fail_show, NULL);
}

static ssize_t fail_write(struct file *file, const char __user *from,
			  size_t size, loff_t *pos)
{
	char s[SNP_MODEL_LINE];
	int err;

	if (*pos)
		return -EINVAL;
	err = snp_model_copy_line(s, from, size);
	if (!err)
		err = parse(strim(s));
	return err ? err : size;
}

static const struct file_operations fail_fops = {
	.open = fail_open,
	.read = seq_read,
	.write = fail_write,
	.release = single_release,
};

void __init snp_model_make_debugfs(void)
{
	struct dentry *dir = debugfs_create_dir("snp_model", NULL);

	debugfs_create_file("states", 0400, dir, NULL, &states_fops);
	debugfs_create_file("leaked", 0400, dir, NULL, &leaked_fops);
	debugfs_create_file("invariants", 0400, dir, NULL, &invariants_fops);
	debugfs_create_file("fail", 0600, dir, NULL, &fail_fops);
	debugfs_create_file("hooks", 0600, dir, NULL, &snp_model_hooks_fops);
	debugfs_create_file("join", 0200, dir, NULL, &snp_model_join_fops);
	debugfs_create_file("entry", 0600, dir, NULL, &snp_model_entry_fops);
	debugfs_create_file("page", 0400, dir, NULL, &snp_model_page_fops);
}
