// SPDX-License-Identifier: GPL-2.0-only
/* The ID block of LAUNCH_FINISH, with real signatures. */
#include <string.h>

#include "host.h"

/* Both cross a page. */
static u64 block_spa, auth_spa;
static struct snpfw_id_block *block;
static struct snpfw_id_auth *auth;
static struct crypto_key *id_key, *author_key;
static struct snpfw_launch_finish finish;

static void sign(void)
{
	crypto_sign(id_key, block, sizeof(*block), &auth->id_block_sig);
	crypto_sign(author_key, &auth->id_key, sizeof(auth->id_key),
		    &auth->id_key_sig);
}

static void setup(void)
{
	world_launching();
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(ZERO, guest_page(0)));
	block_spa = any_page() + PAGE_SIZE - 16;
	any_page();
	auth_spa = any_page() + 0x800;
	any_page();
	block = machine_va(block_spa);
	auth = machine_va(auth_spa);
	memset(auth, 0, sizeof(*auth));
	*block = (struct snpfw_id_block) {
		.family_id = { 1 }, .image_id = { 2 }, .version = 1,
		.guest_svn = 3, .policy = POLICY,
	};
	memcpy(block->ld, gctx()->ld, sizeof(block->ld));
	auth->id_key_algo = SNPFW_ALGO_P384_SHA384;
	auth->author_key_algo = SNPFW_ALGO_P384_SHA384;
	id_key = crypto_new_key(&auth->id_key);
	author_key = crypto_new_key(&auth->author_key);
	sign();
	finish = (struct snpfw_launch_finish) {
		.gctx = w.gctx, .id_block = block_spa, .id_auth = auth_spa,
		.flags = SNPFW_FINISH_ID_BLOCK | SNPFW_FINISH_AUTHOR,
	};
}

static void test_good(void)
{
	u8 digest[48];

	setup();
	fw_is(SUCCESS, LAUNCH_FINISH, .launch_finish = finish);
	expect(gctx()->has_id_block && gctx()->has_author, "flags");
	expect(!memcmp(&gctx()->id_block, block, sizeof(*block)), "block");
	sha384(&auth->id_key, 0x404, digest);
	expect(!memcmp(gctx()->id_key_digest, digest, 48), "ID key");
	sha384(&auth->author_key, 0x404, digest);
	expect(!memcmp(gctx()->author_key_digest, digest, 48), "author key");
}

static void test_no_author(void)
{
	setup();
	finish.flags = SNPFW_FINISH_ID_BLOCK;
	auth->author_key_algo = 0;
	auth->id_key_sig.r[0]++;
	fw_is(SUCCESS, LAUNCH_FINISH, .launch_finish = finish);
	expect(gctx()->has_id_block && !gctx()->has_author, "flags");
	expect(snpm_fw_is_zero(gctx()->author_key_digest, 48), "author key");
}

static void test_block(void)
{
	setup();
	block->ld[47]++;
	sign();
	fw_is(BAD_MEASUREMENT, LAUNCH_FINISH, .launch_finish = finish);
	block->ld[47]--;
	block->policy |= SNPFW_POLICY_DEBUG;
	sign();
	fw_is(POLICY_FAILURE, LAUNCH_FINISH, .launch_finish = finish);
	block->policy = POLICY;
	block->version = 2;
	sign();
	fw_is(INVALID_PARAM, LAUNCH_FINISH, .launch_finish = finish);
	block->version = 1;
	sign();
	finish.id_block = NOWHERE;
	fw_is(INVALID_ADDRESS, LAUNCH_FINISH, .launch_finish = finish);
	finish.id_block = block_spa;
	finish.id_auth = NOWHERE - PAGE_SIZE + 8;
	fw_is(INVALID_ADDRESS, LAUNCH_FINISH, .launch_finish = finish);
	finish.id_auth = auth_spa;
	fw_is(SUCCESS, LAUNCH_FINISH, .launch_finish = finish);
}

/* One byte is wrong, and then right again. */
static void one_wrong(void *p, const char *what)
{
	u8 *byte = p;

	(*byte)++;
	machine_save();
	expect(fw(SNPFW_LAUNCH_FINISH, &(union snpfw_buffer) {
		.launch_finish = finish }) == SNPFW_BAD_SIGNATURE,
	       "%s is not seen", what);
	expect(gctx()->state == SNPFW_GUEST_LAUNCH && !gctx()->has_id_block,
	       "%s changed something", what);
	(*byte)--;
}

static void test_signatures(void)
{
	setup();
	one_wrong(&block->guest_svn, "the block");
	one_wrong(&auth->id_block_sig.r, "r");
	one_wrong(&auth->id_block_sig.s, "s");
	one_wrong(&auth->id_block_sig.r[71], "a large r");
	one_wrong(&auth->id_block_sig.s[48], "a large s");
	one_wrong(&auth->id_key.curve, "the curve");
	one_wrong(&auth->id_key.x, "x");
	one_wrong(&auth->id_key.y[48], "a large y");
	one_wrong(&auth->author_key.curve, "the author's curve");
	one_wrong(&auth->author_key.y, "the author's y");
	one_wrong(&auth->id_key_sig.r, "the author's r");
	one_wrong(&auth->id_key.rsvd[9], "what the author signed");
	/* Zero is no signature */
	memset(&auth->id_block_sig, 0, sizeof(auth->id_block_sig));
	fw_is(BAD_SIGNATURE, LAUNCH_FINISH, .launch_finish = finish);
	sign();
	fw_is(SUCCESS, LAUNCH_FINISH, .launch_finish = finish);
}

static void test_algorithms(void)
{
	setup();
	auth->id_key_algo = 0;
	fw_is(INVALID_PARAM, LAUNCH_FINISH, .launch_finish = finish);
	auth->id_key_algo = SNPFW_ALGO_P384_SHA384;
	auth->author_key_algo = 2;
	fw_is(INVALID_PARAM, LAUNCH_FINISH, .launch_finish = finish);
	auth->author_key_algo = SNPFW_ALGO_P384_SHA384;
	for (int i = 0; i < 4; i++) {
		machine.sha_fails = i;
		fw_is(HWERROR_PLATFORM, LAUNCH_FINISH, .launch_finish = finish);
	}
	machine.sha_fails = -1;
	fw_is(SUCCESS, LAUNCH_FINISH, .launch_finish = finish);
}

/* Who cannot check a signature does not take it. */
static void test_unsupported(void)
{
	world_launching();
	machine.no_crypto = true;
	block = machine_va(any_page());
	auth = machine_va(any_page());
	memset(block, 0, sizeof(*block));
	memset(auth, 0, sizeof(*auth));
	block->version = 1;
	block->policy = POLICY;
	auth->id_key_algo = SNPFW_ALGO_P384_SHA384;
	auth->id_key.curve = SNPFW_CURVE_P384;
	fw_is(UNSUPPORTED, LAUNCH_FINISH, .launch_finish = {
		.gctx = w.gctx, .flags = SNPFW_FINISH_ID_BLOCK,
		.id_block = (u8 *)block - machine.mem,
		.id_auth = (u8 *)auth - machine.mem,
	});
	expect_eq(machine.unmodelled, 1);
}

int main(void)
{
	const struct test tests[] = {
		{ "with an author key", test_good, needs_crypto },
		{ "without an author key", test_no_author, needs_crypto },
		{ "the block", test_block, needs_crypto },
		{ "signatures", test_signatures, needs_crypto },
		{ "algorithms", test_algorithms, needs_crypto },
		{ "where nobody can check it", test_unsupported },
	};

	return run_tests("id", tests, ARRAY_SIZE(tests));
}
