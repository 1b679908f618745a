/* SPDX-License-Identifier: GPL-2.0-only */
/* SEV-SNP's part of the driver: what its files share. */
#ifndef __SEV_SNP_H__
#define __SEV_SNP_H__

#include <linux/types.h>

struct mutex;

/*
 * One command at a time, whoever it is for.  Functions whose names end in
 * _locked are called with it held; the others take it where they need it.
 */
extern struct mutex sev_cmd_mutex;

/* sev-snp.c */
bool snp_has_firmware(void);
int snp_do_cmd_locked(int cmd, void *data, int *psp_ret);
bool snp_firmware_answers_locked(void);

/* sev-snp-page.c */
bool snp_page_is_assigned(u64 pfn);
int snp_reclaim_page_locked(u64 pfn);
int snp_give_page_locked(void *page);
int snp_give_pages_locked(u64 pfn, unsigned long nr);
int snp_take_pages_locked(u64 pfn, unsigned long nr);
int snp_give_buffer_locked(void **buf, size_t size);
void snp_take_buffer_locked(void **buf, size_t size);

/* sev-snp-init.c */
bool snp_is_initialized(void);
int snp_platform_init_locked(int *error);
int snp_platform_shutdown_locked(void);
int snp_platform_panic_locked(void);

/* sev-snp-buf.c */
struct snp_legacy_cmd;

/* What the firmware writes besides, while a command is under way. */
struct snp_legacy_buf {
	/* As the caller has them. */
	u64 addr;
	u32 len;
	/* Instead of the caller's memory; NULL: that itself. */
	void *bounce;
	/* The firmware's; 0: none. */
	u64 pfn;
	unsigned long nr;
};

/* A command of SEV's own firmware interface, under way. */
struct snp_legacy {
	/* NULL: nothing to do. */
	const struct snp_legacy_cmd *cmd;
	void *data;
	size_t len;
	struct snp_legacy_buf bufs[2];
};

int snp_legacy_begin_locked(struct snp_legacy *l, int cmd, void *data,
			    size_t len, void **cmd_buf);
int snp_legacy_end_locked(struct snp_legacy *l);
void snp_legacy_exit_locked(void);

/* sev-snp-hw.c */
struct device;

bool snp_hw_register(struct device *dev);
void snp_hw_init_locked(void);
void snp_hw_unregister(void);
bool snp_hw_is_active(void);
bool snp_hw_in_panic(void);

#endif
