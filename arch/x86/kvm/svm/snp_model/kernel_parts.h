/* SPDX-License-Identifier: GPL-2.0-only */
/* The SNP model in a kernel: parts that kernel_start.c puts together. */
#ifndef SNP_MODEL_KERNEL_PARTS_H
#define SNP_MODEL_KERNEL_PARTS_H

struct kvm;

/* kernel_rmp.c: 0, -ENOMEM or -EBUSY */
int snp_model_start_rmp(void);

/* kernel_crypto.c: 0 or -ENODEV */
int snp_model_start_crypto(void);

/* kernel_debugfs.c */
void snp_model_make_debugfs(void);
int snp_model_call_for(unsigned int fd, int (*fn)(struct kvm *kvm, void *arg),
		       void *arg);

/* kernel_hooks.c */
extern const struct file_operations snp_model_hooks_fops;

/* kernel_pages.c */
extern const struct file_operations snp_model_join_fops, snp_model_entry_fops;
extern const struct file_operations snp_model_page_fops;

#endif
