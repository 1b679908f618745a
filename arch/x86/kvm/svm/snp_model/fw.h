/* SPDX-License-Identifier: GPL-2.0-only */
/* The firmware: what its files share; all under the firmware's lock. */
#ifndef SNP_MODEL_FW_H
#define SNP_MODEL_FW_H

#include "rmp.h"
#include "snp_port.h"

/*
 * What an ASID is to the firmware.  INIT makes all DIRTY; DF_FLUSH makes the
 * dirty ones CLEAN; ACTIVATE takes a clean one; DECOMMISSION leaves one DIRTY
 * that a guest may have run with.
 */
enum asid_state {
	ASID_DIRTY,
	ASID_CLEAN,
	/* Of a guest in LAUNCH. */
	ASID_ALLOCATED,
	/* Of a guest in RUNNING. */
	ASID_IN_USE,
};

struct snpm_fw {
	enum snpfw_platform_state state;
	bool rmp_is_init;
	bool wbinvd_done;
	u32 guest_count;
	u32 config_flags;
	/* 0: the committed one. */
	u64 reported_tcb;
	u8 asids[SNPM_MAX_ASID + 1];
	struct snpm_config config;
};

extern struct snpm_fw snpm_fw;

/*
 * Room for what a command must have a copy of, because the host can change
 * the original while it is looked at.
 */
union snpm_scratch {
	u8 bytes[PAGE_SIZE];
	struct snpfw_range_list list;
	struct snpfw_id_auth auth;
};

extern union snpm_scratch snpm_scratch;

/*
 * A guest, in its context page.  Only the firmware can write there, so what it
 * has put there is as it was.
 */
struct snpm_gctx {
	u64 spa;
	enum snpfw_guest_state state;
	/* 0: not activated. */
	u32 asid;
	u64 policy;
	u32 tsc_khz;
	u8 gosvw[16];
	u8 ld[SNPFW_DIGEST_SIZE];
	u8 imd[SNPFW_DIGEST_SIZE];
	u8 vmpck[SNPFW_NR_VMPCK][SNPFW_VMPCK_SIZE];
	u64 msg_count[SNPFW_NR_VMPCK];
	u8 report_id[32];
	u8 host_data[32];
	bool has_id_block;
	bool has_author;
	bool no_vcek;
	struct snpfw_id_block id_block;
	u8 id_key_digest[SNPFW_DIGEST_SIZE];
	u8 author_key_digest[SNPFW_DIGEST_SIZE];
};

static_assert(sizeof(struct snpm_gctx) <= PAGE_SIZE);

/* Of this firmware; what it reports can be less. */
#define SNPM_TCB		0x0100000000000001ULL

u64 snpm_fw_reported_tcb(void);

/* Memory of the system; false: there is none. */
bool snpm_fw_read(void *to, u64 spa, size_t size);
bool snpm_fw_write(u64 spa, const void *from, size_t size);
bool snpm_fw_is_zero(const void *data, size_t size);
/* Whether the firmware may write there: INVALID_PARAM, INVALID_PAGE_STATE. */
u32 snpm_fw_check_output(u64 spa, size_t size);
u32 snpm_fw_status(enum snpm_port_status status);

static inline bool snpm_fw_page_aligned(u64 spa)
{
	return IS_ALIGNED(spa, PAGE_SIZE);
}

union snpfw_buffer {
	struct snpfw_init_ex init_ex;
	struct snpfw_shutdown_ex shutdown_ex;
	struct snpfw_addr addr;
	struct snpfw_config config;
	struct snpfw_activate activate;
	struct snpfw_guest_status guest_status;
	struct snpfw_launch_start launch_start;
	struct snpfw_launch_update launch_update;
	struct snpfw_launch_finish launch_finish;
	struct snpfw_md_init md_init;
	struct snpfw_dbg dbg;
	struct snpfw_guest_request guest_request;
};

/*
 * The commands: see fw.c for what has been checked before.  Each checks
 * everything, then does what cannot fail.
 */
u32 snpm_fw_init(const union snpfw_buffer *b);
u32 snpm_fw_init_ex(const union snpfw_buffer *b);
u32 snpm_fw_shutdown(const union snpfw_buffer *b);
u32 snpm_fw_shutdown_ex(const union snpfw_buffer *b);
u32 snpm_fw_platform_status(const union snpfw_buffer *b);
u32 snpm_fw_config(const union snpfw_buffer *b);
u32 snpm_fw_df_flush(const union snpfw_buffer *b);

u32 snpm_fw_gctx_create(const union snpfw_buffer *b);
u32 snpm_fw_decommission(struct snpm_gctx *g, const union snpfw_buffer *b);
u32 snpm_fw_activate(struct snpm_gctx *g, const union snpfw_buffer *b);
u32 snpm_fw_guest_status(struct snpm_gctx *g, const union snpfw_buffer *b);

u32 snpm_fw_launch_start(struct snpm_gctx *g, const union snpfw_buffer *b);
u32 snpm_fw_launch_update(struct snpm_gctx *g, const union snpfw_buffer *b);
u32 snpm_fw_launch_finish(struct snpm_gctx *g, const union snpfw_buffer *b);

u32 snpm_fw_md_init(struct snpm_gctx *g, const union snpfw_buffer *b);
u32 snpm_fw_page_reclaim(const union snpfw_buffer *b);
u32 snpm_fw_page_unsmash(const union snpfw_buffer *b);
u32 snpm_fw_dbg_decrypt(struct snpm_gctx *g, const union snpfw_buffer *b);
u32 snpm_fw_guest_request(struct snpm_gctx *g, const union snpfw_buffer *b);

/* Parts of LAUNCH_UPDATE and LAUNCH_FINISH. */
u32 snpm_fw_sanitize_cpuid(struct snpfw_cpuid_page *page);
u32 snpm_fw_check_id(const struct snpm_gctx *g,
		     const struct snpfw_launch_finish *f,
		     struct snpfw_id_block *block, u8 *id_key_digest,
		     u8 *author_key_digest);

#endif
