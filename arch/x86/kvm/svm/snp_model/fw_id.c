// SPDX-License-Identifier: GPL-2.0-only
/* The ID block of LAUNCH_FINISH and the signatures that vouch for it. */
#include "fw.h"

/* Little-endian with zeroes behind, to big-endian; false: too large. */
static bool to_big_endian(const u8 from[72], u8 to[48])
{
	unsigned int i;

	for (i = 0; i < 48; i++)
		to[47 - i] = from[i];
	return snpm_fw_is_zero(from + 48, 72 - 48);
}

static u32 verify(const struct snpfw_pubkey *key,
		  const struct snpfw_signature *sig, const void *data,
		  size_t size)
{
	u8 digest[SNPFW_DIGEST_SIZE];
	struct snpm_ecdsa e;
	u32 ret;

	if (key->curve != SNPFW_CURVE_P384)
		return SNPFW_BAD_SIGNATURE;
	if (!to_big_endian(key->x, e.x) || !to_big_endian(key->y, e.y) ||
	    !to_big_endian(sig->r, e.r) || !to_big_endian(sig->s, e.s))
		return SNPFW_BAD_SIGNATURE;
	ret = snpm_fw_status(snpm_port_sha384(data, size, digest));
	if (ret)
		return ret;
	ret = snpm_fw_status(snpm_port_ecdsa_verify(&e, digest));
	if (ret == SNPFW_UNSUPPORTED)
		snpm_port_unmodelled(SNPFW_LAUNCH_FINISH, "ECDSA P-384");
	return ret;
}

static u32 check_block(const struct snpm_gctx *g,
		       const struct snpfw_id_block *block)
{
	if (memcmp(block->ld, g->ld, sizeof(g->ld)))
		return SNPFW_BAD_MEASUREMENT;
	if (block->policy != g->policy)
		return SNPFW_POLICY_FAILURE;
	return block->version == 1 ? SNPFW_SUCCESS : SNPFW_INVALID_PARAM;
}

static u32 hash_key(const struct snpfw_pubkey *key, u8 *digest)
{
	return snpm_fw_status(snpm_port_sha384(key, sizeof(*key), digest));
}

static u32 check_signatures(const struct snpfw_launch_finish *f,
			    const struct snpfw_id_block *block,
			    const struct snpfw_id_auth *auth,
			    u8 *id_key_digest, u8 *author_key_digest)
{
	bool author = f->flags & SNPFW_FINISH_AUTHOR;
	u32 ret;

	if (auth->id_key_algo != SNPFW_ALGO_P384_SHA384 ||
	    (author && auth->author_key_algo != SNPFW_ALGO_P384_SHA384))
		return SNPFW_INVALID_PARAM;
	ret = verify(&auth->id_key, &auth->id_block_sig, block, sizeof(*block));
	if (!ret)
		ret = hash_key(&auth->id_key, id_key_digest);
	if (ret || !author)
		return ret;
	ret = verify(&auth->author_key, &auth->id_key_sig, &auth->id_key,
		     sizeof(auth->id_key));
	return ret ? ret : hash_key(&auth->author_key, author_key_digest);
}

u32 snpm_fw_check_id(const struct snpm_gctx *g,
		     const struct snpfw_launch_finish *f,
		     struct snpfw_id_block *block, u8 *id_key_digest,
		     u8 *author_key_digest)
{
	struct snpfw_id_auth *auth = &snpm_scratch.auth;
	u32 ret;

	memset(block, 0, sizeof(*block));
	memset(id_key_digest, 0, SNPFW_DIGEST_SIZE);
	memset(author_key_digest, 0, SNPFW_DIGEST_SIZE);
	if (!(f->flags & SNPFW_FINISH_ID_BLOCK))
		return f->flags & SNPFW_FINISH_AUTHOR ? SNPFW_INVALID_PARAM :
			SNPFW_SUCCESS;
	if (!snpm_fw_read(block, f->id_block, sizeof(*block)) ||
	    !snpm_fw_read(auth, f->id_auth, sizeof(*auth)))
		return SNPFW_INVALID_ADDRESS;
	ret = check_block(g, block);
	return ret ? ret : check_signatures(f, block, auth, id_key_digest,
					    author_key_digest);
}
