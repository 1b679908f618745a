/* SPDX-License-Identifier: GPL-2.0-only */
/* The SNP model in a kernel: parts that kernel_start.c puts together. */
#ifndef SNP_MODEL_KERNEL_PARTS_H
#define SNP_MODEL_KERNEL_PARTS_H

#include <linux/compiler_types.h>
#include <linux/types.h>

struct file;
struct inode;
struct kvm;
struct seq_file;

/* kernel_rmp.c: 0, -ENOMEM or -EBUSY */
int snp_model_start_rmp(void);

/* kernel_crypto.c: 0 or -ENODEV */
int snp_model_start_crypto(void);

/* kernel_debugfs.c */
#define SNP_MODEL_LINE	64	/* with its end, what a file can be written */

void snp_model_make_debugfs(void);
int snp_model_copy_line(char *line, const char __user *from, size_t size);
int snp_model_open_call(struct file *file, size_t size,
			int (*show)(struct seq_file *m, void *unused));
void *snp_model_call_of(struct file *file);
int snp_model_release_call(struct inode *inode, struct file *file);
int snp_model_call_for(unsigned int fd, int (*fn)(struct kvm *kvm, void *arg),
		       void *arg);

/* kernel_hooks.c */
extern const struct file_operations snp_model_hooks_fops;

/* kernel_pages.c */
extern const struct file_operations snp_model_join_fops, snp_model_entry_fops;
extern const struct file_operations snp_model_page_fops;

#endif
