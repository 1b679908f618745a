// SPDX-License-Identifier: GPL-2.0-only
/* LAUNCH_START, LAUNCH_UPDATE and LAUNCH_FINISH, and the launch digest. */
#include "fw.h"

static bool policy_is_valid(u64 policy)
{
	u8 major = SNPFW_POLICY_MAJOR(policy), minor = SNPFW_POLICY_MINOR(policy);

	if ((policy & SNPFW_POLICY_RSVD) || !(policy & SNPFW_POLICY_ONE))
		return false;
	if (!(policy & SNPFW_POLICY_SMT) && snpm_fw.config.smt)
		return false;
	return major < SNPFW_API_MAJOR ||
	       (major == SNPFW_API_MAJOR && minor <= SNPFW_API_MINOR);
}

struct guest_keys {
	u8 vmpck[SNPFW_NR_VMPCK][SNPFW_VMPCK_SIZE];
	u8 report_id[32];
};

u32 snpm_fw_launch_start(struct snpm_gctx *g, const union snpfw_buffer *b)
{
	const struct snpfw_launch_start *s = &b->launch_start;
	struct guest_keys keys;
	u32 ret;

	if (g->state != SNPFW_GUEST_INIT)
		return SNPFW_INVALID_GUEST_STATE;
	if (s->flags) {
		snpm_port_unmodelled(SNPFW_LAUNCH_START, "migration");
		return SNPFW_UNSUPPORTED;
	}
	if (!policy_is_valid(s->policy))
		return SNPFW_POLICY_FAILURE;
	ret = snpm_fw_status(snpm_port_random(&keys, sizeof(keys)));
	if (ret)
		return ret;

	g->policy = s->policy;
	g->tsc_khz = s->tsc_khz;
	memcpy(g->gosvw, s->gosvw, sizeof(g->gosvw));
	memcpy(g->vmpck, keys.vmpck, sizeof(g->vmpck));
	memcpy(g->report_id, keys.report_id, sizeof(g->report_id));
	g->state = SNPFW_GUEST_LAUNCH;
	snpm_fw.guest_count++;
	return SNPFW_SUCCESS;
}

/* The page to add: what is asked of it, and its entry. */
struct update {
	const struct snpfw_launch_update *cmd;
	struct snpm_rmp_entry e;
	u8 type;
};

static u32 check_update_page(struct update *u)
{
	bool large = u->cmd->page & SNPFW_UPDATE_2M;

	if (snpm_page_get(u->cmd->spa, &u->e) != SNPM_PAGE_PRE_GUEST)
		return SNPFW_INVALID_PAGE_STATE;
	if (u->e.pagesize != large)
		return SNPFW_INVALID_PAGE_SIZE;
	switch (u->type) {
	case SNPFW_PAGE_NORMAL:
	case SNPFW_PAGE_ZERO:
	case SNPFW_PAGE_UNMEASURED:
		return SNPFW_SUCCESS;
	case SNPFW_PAGE_VMSA:
	case SNPFW_PAGE_SECRETS:
	case SNPFW_PAGE_CPUID:
		return large ? SNPFW_INVALID_PAGE_SIZE : SNPFW_SUCCESS;
	default:
		return SNPFW_INVALID_PARAM;
	}
}

static u32 check_update_guest(const struct snpm_gctx *g, const struct update *u)
{
	if (g->state != SNPFW_GUEST_LAUNCH)
		return SNPFW_INVALID_GUEST_STATE;
	if (!g->asid)
		return SNPFW_INACTIVE;
	if (u->e.asid != g->asid)
		return SNPFW_INVALID_PAGE_OWNER;
	return SNPFW_SUCCESS;
}

static u32 hash_page(const void *va, u8 digest[SNPFW_DIGEST_SIZE])
{
	return snpm_fw_status(snpm_port_sha384(va, PAGE_SIZE, digest));
}

/* As if the host had not set the scale and the offset of the TSC. */
static u32 hash_vmsa(u8 *va, u8 digest[SNPFW_DIGEST_SIZE])
{
	u64 tsc[2];
	u32 ret;

	static_assert(SNPFW_VMSA_TSC_OFFSET ==
		      SNPFW_VMSA_TSC_SCALE + sizeof(tsc[0]));
	memcpy(tsc, va + SNPFW_VMSA_TSC_SCALE, sizeof(tsc));
	memset(va + SNPFW_VMSA_TSC_SCALE, 0, sizeof(tsc));
	ret = hash_page(va, digest);
	memcpy(va + SNPFW_VMSA_TSC_SCALE, tsc, sizeof(tsc));
	return ret;
}

static u32 hash_contents(const struct update *u, void *va,
			 u8 digest[SNPFW_DIGEST_SIZE])
{
	switch (u->type) {
	case SNPFW_PAGE_NORMAL:
		return hash_page(va, digest);
	case SNPFW_PAGE_VMSA:
		return hash_vmsa(va, digest);
	default:
		memset(digest, 0, SNPFW_DIGEST_SIZE);
		return SNPFW_SUCCESS;
	}
}

/* The running digests of a command: the guest's, until it has succeeded. */
struct digests {
	u8 ld[SNPFW_DIGEST_SIZE];
	u8 imd[SNPFW_DIGEST_SIZE];
};

static u32 extend(u8 digest[SNPFW_DIGEST_SIZE], struct snpfw_page_info *info)
{
	memcpy(info->digest, digest, sizeof(info->digest));
	return snpm_fw_status(snpm_port_sha384(info, sizeof(*info), digest));
}

static u32 measure(const struct update *u, u64 gpa, void *va, struct digests *d)
{
	bool imi = u->cmd->page & SNPFW_UPDATE_IMI;
	struct snpfw_page_info info = {
		.length = sizeof(info),
		.page_type = u->type,
		.imi_page = imi,
		.vmpl3_perms = u->cmd->vmpl3_perms,
		.vmpl2_perms = u->cmd->vmpl2_perms,
		.vmpl1_perms = u->cmd->vmpl1_perms,
		.gpa = gpa,
	};
	u32 ret;

	ret = hash_contents(u, va, info.contents);
	if (ret)
		return ret;
	ret = extend(d->ld, &info);
	if (!ret && imi)
		ret = extend(d->imd, &info);
	return ret;
}

static u32 measure_all(const struct update *u, struct digests *d)
{
	u64 i, gpa = (u64)u->e.gfn << PAGE_SHIFT;
	u32 ret = SNPFW_SUCCESS;

	for (i = 0; !ret && i < snpm_entry_size(&u->e); i += PAGE_SIZE) {
		void *va = snpm_port_map(u->cmd->spa + i);

		if (!va)
			return SNPFW_INVALID_ADDRESS;
		ret = measure(u, gpa + i, va, d);
		snpm_port_unmap(va);
	}
	return ret;
}

/* Refused, it holds what would be accepted. */
static u32 check_cpuid(const struct update *u)
{
	void *va;
	u32 ret;

	if (u->type != SNPFW_PAGE_CPUID)
		return SNPFW_SUCCESS;
	va = snpm_port_map(u->cmd->spa);
	if (!va)
		return SNPFW_INVALID_ADDRESS;
	ret = snpm_fw_sanitize_cpuid(va);
	snpm_port_unmap(va);
	return ret;
}

static void fill_secrets(const struct snpm_gctx *g, struct snpfw_secrets *s)
{
	u32 regs[4];

	snpm_port_cpuid(1, 0, regs);
	s->version = SNPFW_SECRETS_VERSION;
	s->fms = regs[0];
	memcpy(s->gosvw, g->gosvw, sizeof(s->gosvw));
	memcpy(s->vmpck, g->vmpck, sizeof(s->vmpck));
}

/* Contents that are the firmware's to make. */
static void fill_page(const struct snpm_gctx *g, const struct update *u, u64 i)
{
	void *va = snpm_port_map(u->cmd->spa + i);

	if (!va)
		return;
	memset(va, 0, PAGE_SIZE);
	if (u->type == SNPFW_PAGE_SECRETS)
		fill_secrets(g, va);
	snpm_port_unmap(va);
}

static void finish_page(const struct snpm_gctx *g, struct update *u)
{
	u64 i;

	if (u->type == SNPFW_PAGE_ZERO || u->type == SNPFW_PAGE_SECRETS)
		for (i = 0; i < snpm_entry_size(&u->e); i += PAGE_SIZE)
			fill_page(g, u, i);
	u->e.perms[1] = u->cmd->vmpl1_perms;
	u->e.perms[2] = u->cmd->vmpl2_perms;
	u->e.perms[3] = u->cmd->vmpl3_perms;
	u->e.vmsa = u->type == SNPFW_PAGE_VMSA;
	u->e.validated = true;
	u->e.immutable = false;
	snpm_page_set(u->cmd->spa, &u->e);
}

u32 snpm_fw_launch_update(struct snpm_gctx *g, const union snpfw_buffer *b)
{
	struct update u = {
		.cmd = &b->launch_update,
		.type = SNPFW_UPDATE_TYPE(b->launch_update.page),
	};
	struct digests d;
	u32 ret;

	ret = check_update_page(&u);
	if (!ret)
		ret = check_update_guest(g, &u);
	if (!ret)
		ret = check_cpuid(&u);
	if (ret)
		return ret;
	memcpy(d.ld, g->ld, sizeof(d.ld));
	memcpy(d.imd, g->imd, sizeof(d.imd));
	ret = measure_all(&u, &d);
	if (ret)
		return ret;

	memcpy(g->ld, d.ld, sizeof(g->ld));
	memcpy(g->imd, d.imd, sizeof(g->imd));
	finish_page(g, &u);
	return SNPFW_SUCCESS;
}

u32 snpm_fw_launch_finish(struct snpm_gctx *g, const union snpfw_buffer *b)
{
	const struct snpfw_launch_finish *f = &b->launch_finish;
	u8 id_key[SNPFW_DIGEST_SIZE], author_key[SNPFW_DIGEST_SIZE];
	struct snpfw_id_block block;
	u32 ret;

	if (g->state != SNPFW_GUEST_LAUNCH)
		return SNPFW_INVALID_GUEST_STATE;
	if (!g->asid)
		return SNPFW_INACTIVE;
	ret = snpm_fw_check_id(g, f, &block, id_key, author_key);
	if (ret)
		return ret;

	g->has_id_block = f->flags & SNPFW_FINISH_ID_BLOCK;
	g->has_author = f->flags & SNPFW_FINISH_AUTHOR;
	g->no_vcek = f->flags & SNPFW_FINISH_NO_VCEK;
	g->id_block = block;
	memcpy(g->id_key_digest, id_key, sizeof(id_key));
	memcpy(g->author_key_digest, author_key, sizeof(author_key));
	memcpy(g->host_data, f->host_data, sizeof(g->host_data));
	g->state = SNPFW_GUEST_RUNNING;
	snpm_fw.asids[g->asid] = ASID_IN_USE;
	return SNPFW_SUCCESS;
}
