// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who vouches for an SNP guest: LAUNCH_FINISH with an ID block, signed by an ID
 * key, that an author key may have signed; each thing that can be wrong with them;
 * and what the guest's report says of them.
 *
 * The keys are no secret, and the number k that a signature hides is one half: over
 * the hash z it is the pair (r, 2 * (z + r * private key)) modulo the order of curve
 * P-384, r being the x coordinate of one half times the base point. What does not
 * depend on z stands here computed. Private keys or a k of a few bits would not do:
 * the kernel adds points by a formula that has no case for a point and itself or its
 * negative (ecc_point_mult_shamir()), which one signature in four would then meet.
 */
#include "snp.h"
#include "snp_model.h"

#define WORDS		6

/* A number, the least significant word first */
typedef uint64_t num[WORDS];

static const num order = {
	0xecec196accc52973, 0x581a0db248b0a77a, 0xc7634d81f4372ddf,
	0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff
};

static const num half_base_x = {
	0x778738c0b39b107a, 0x0849550566396ff5, 0x24238d2b090d8067,
	0x0f6b86d50f02f1d3, 0x5163e8119a37aff1, 0xd36fed39ca71063a
};

/* The base point times the private key, and 2 * r * private key */
static const struct key {
	num x, y, part;
} id_key = {
	.x = { 0xc1cce1862f640748, 0x5bfc828c773835f4, 0x1592e7af354584d6,
	       0xe7b57b49faf8a9d2, 0xe5b66a59a15e45de, 0xebcaf36035068c5d },
	.y = { 0xc85f532196171609, 0xaff29da049c21233, 0xdab6eb10b9f3ea3e,
	       0x331c12a4d7907397, 0x8a1ab2d4ee0a7922, 0x84b56f6ecfe0307e },
	.part = { 0xc33baffdc7173042, 0x207857da1ffb4715, 0x9c913f98a8bb2211,
		  0x259d1e5f6c3fecea, 0x8128afa82845e02a, 0x3f7a80e68e12eca2 },
}, author_key = {
	.x = { 0xa89e933bba3e56d5, 0xea6da116080acfb2, 0xb9cf75c5ae5187d8,
	       0x48b0c6d5235d028f, 0x0fa7d77dfa3c4a89, 0x68150a495eda3cd7 },
	.y = { 0x7fbbfbe9ed54cae7, 0xc30dffb674bf25e4, 0x4874e2139c43ca7a,
	       0xfbc47f380628bb37, 0xc7a42a3f240d5d2b, 0x56a3c825b1cf9f70 },
	.part = { 0x1b5cae5380a12706, 0xda5d298c4d432d44, 0xac5e9713119c10aa,
		  0x637c28c67de28400, 0x8fe7427fa6af5fc8, 0xfe3ea054da68f81c },
};

/* a += b; returns the carry. */
static bool add(num a, const num b)
{
	bool carry = false;
	int i;

	for (i = 0; i < WORDS; i++) {
		unsigned __int128 sum = (unsigned __int128)a[i] + b[i] + carry;

		a[i] = sum;
		carry = sum >> 64;
	}
	return carry;
}

/* a -= b; returns the borrow. */
static bool subtract(num a, const num b)
{
	bool borrow = false;
	int i;

	for (i = 0; i < WORDS; i++) {
		unsigned __int128 rest = (unsigned __int128)a[i] - b[i] - borrow;

		a[i] = rest;
		borrow = rest >> 64;
	}
	return borrow;
}

/* Of two numbers whose sum is below twice the order */
static void add_modulo_order(num a, const num b)
{
	num rest;
	bool carry = add(a, b);

	memcpy(rest, a, sizeof(rest));
	if (subtract(rest, order) <= carry)
		memcpy(a, rest, sizeof(rest));
}

static void sign(const struct key *key, const void *data, uint64_t size,
		 struct snp_signature *sig)
{
	uint8_t digest[SHA384_SIZE];
	num z, s;
	int i;

	snp_sha384(data, size, digest);
	for (i = 0; i < SHA384_SIZE; i++)
		((uint8_t *)z)[i] = digest[SHA384_SIZE - 1 - i];
	memcpy(s, key->part, sizeof(s));
	add_modulo_order(s, z);
	add_modulo_order(s, z);
	memcpy(sig->r, half_base_x, sizeof(half_base_x));
	memcpy(sig->s, s, sizeof(s));
}

static void put_key(const struct key *key, struct snp_public_key *to)
{
	to->curve = SNP_ID_CURVE_P384;
	memcpy(to->x, key->x, sizeof(key->x));
	memcpy(to->y, key->y, sizeof(key->y));
}

/* What one LAUNCH_FINISH hands over */
struct id {
	struct kvm_sev_snp_launch_finish finish;
	struct snp_id_block block;
	struct snp_id_auth auth;
};

static struct snp snp;
static struct id good;

static void sign_all(struct id *id)
{
	sign(&id_key, &id->block, sizeof(id->block), &id->auth.id_block_sig);
	sign(&author_key, &id->auth.id_key, sizeof(id->auth.id_key),
	     &id->auth.id_key_sig);
}

static void make_good(struct id *id)
{
	*id = (struct id) {
		.finish = { .id_block_en = 1, .auth_key_en = 1 },
		.block = {
			.version = 1,
			.guest_svn = 0x1234,
			.policy = snp.policy,
		},
		.auth = {
			.id_key_algo = SNP_ID_P384_SHA384,
			.author_key_algo = SNP_ID_P384_SHA384,
		},
	};
	memcpy(id->block.ld, snp.ld, sizeof(snp.ld));
	memset(id->block.family_id, 0xf1, sizeof(id->block.family_id));
	memset(id->block.image_id, 0xf2, sizeof(id->block.image_id));
	memset(id->finish.host_data, 0xf3, sizeof(id->finish.host_data));
	put_key(&id_key, &id->auth.id_key);
	put_key(&author_key, &id->auth.author_key);
	sign_all(id);
}

static int finish(struct id *id, uint32_t *fw_error)
{
	if (!id->finish.id_block_uaddr)
		id->finish.id_block_uaddr = (uintptr_t)&id->block;
	if (!id->finish.id_auth_uaddr)
		id->finish.id_auth_uaddr = (uintptr_t)&id->auth;
	return snp_op(snp.vm, KVM_SEV_SNP_LAUNCH_FINISH, &id->finish, fw_error);
}

/* Changes of what is good: a mask for one byte of it, signed again or not */
#define WRONG(field, mask, again, error) \
	{ #field, offsetof(struct id, field), mask, again, error }

static const struct {
	const char *name;
	unsigned long offset;
	uint8_t mask;
	bool sign_again;
	uint32_t fw_error;
} wrongs[] = {
	WRONG(block.ld[0], 0x80, true, SNP_FW_BAD_MEASUREMENT),
	WRONG(block.ld[47], 1, true, SNP_FW_BAD_MEASUREMENT),
	WRONG(block.version, 2, true, SNP_FW_INVALID_PARAM),
	WRONG(block.policy, 1, true, SNP_FW_POLICY_FAILURE),
	WRONG(block.family_id[5], 1, false, SNP_FW_BAD_SIGNATURE),
	WRONG(block.guest_svn, 1, false, SNP_FW_BAD_SIGNATURE),
	WRONG(auth.id_key_algo, 2, false, SNP_FW_INVALID_PARAM),
	WRONG(auth.author_key_algo, 2, false, SNP_FW_INVALID_PARAM),
	WRONG(auth.id_block_sig.r[0], 1, false, SNP_FW_BAD_SIGNATURE),
	WRONG(auth.id_block_sig.s[47], 0x80, false, SNP_FW_BAD_SIGNATURE),
	WRONG(auth.id_block_sig.s[71], 1, false, SNP_FW_BAD_SIGNATURE),
	WRONG(auth.id_key.curve, 1, true, SNP_FW_BAD_SIGNATURE),
	WRONG(auth.id_key.x[3], 1, true, SNP_FW_BAD_SIGNATURE),
	WRONG(auth.id_key.rsvd[9], 1, false, SNP_FW_BAD_SIGNATURE),
	WRONG(auth.id_key_sig.r[1], 2, false, SNP_FW_BAD_SIGNATURE),
	WRONG(auth.id_key_sig.s[0], 1, false, SNP_FW_BAD_SIGNATURE),
	WRONG(auth.author_key.y[47], 1, false, SNP_FW_BAD_SIGNATURE),
};

static void test_wrong(void)
{
	uint32_t fw_error;
	struct id id;
	int i;

	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		id = good;
		((uint8_t *)&id)[wrongs[i].offset] ^= wrongs[i].mask;
		if (wrongs[i].sign_again)
			sign_all(&id);
		fw_error = 0;
		EXPECT_ERRNO(finish(&id, &fw_error), EIO,
			     "LAUNCH_FINISH with a wrong %s", wrongs[i].name);
		EXPECT_EQ(fw_error, wrongs[i].fw_error,
			  "firmware's status for a wrong %s", wrongs[i].name);
	}
}

static void test_addresses(void)
{
	struct id id = good;

	id.finish.id_block_uaddr = (uintptr_t)NOWHERE;
	EXPECT_ERRNO(finish(&id, NULL), EFAULT, "an ID block where no memory is");
	id = good;
	id.finish.id_auth_uaddr = (uintptr_t)NOWHERE;
	EXPECT_ERRNO(finish(&id, NULL), EFAULT,
		     "authentication where no memory is");

	id = good;
	id.finish.id_auth_uaddr = (uintptr_t)&id.auth;
	EXPECT_ERRNO(snp_op(snp.vm, KVM_SEV_SNP_LAUNCH_FINISH, &id.finish, NULL),
		     EINVAL, "an ID block at address 0");
	id.finish.id_block_uaddr = (uintptr_t)&id.block;
	id.finish.id_auth_uaddr = 0;
	EXPECT_ERRNO(snp_op(snp.vm, KVM_SEV_SNP_LAUNCH_FINISH, &id.finish, NULL),
		     EINVAL, "authentication at address 0");
}

static bool is_all(const uint8_t *bytes, size_t size, uint8_t byte)
{
	while (size--)
		if (bytes[size] != byte)
			return false;
	return true;
}

static void expect_digest(const uint8_t *digest, const void *of, size_t size,
			  const char *what)
{
	uint8_t want[SHA384_SIZE];

	snp_sha384(of, size, want);
	EXPECT(!memcmp(digest, want, sizeof(want)),
	       "the report should hold the digest of the %s", what);
}

static void test_report(bool author)
{
	const struct snp_report *report = &snp_mailbox(&snp.agents[0])->report;

	if (!EXPECT_EQ(snp_call(&snp, 0, guest_report, 0x66), 0,
		       "status of the request for a report"))
		return;
	EXPECT(!memcmp(report->measurement, snp.ld, sizeof(snp.ld)),
	       "the guest's launch digest should be the computed one");
	EXPECT_EQ(report->guest_svn, 0x1234, "guest's version in the report");
	EXPECT(is_all(report->family_id, 16, 0xf1), "family in the report");
	EXPECT(is_all(report->image_id, 16, 0xf2), "image in the report");
	EXPECT(is_all(report->host_data, 32, 0xf3), "host's data in the report");
	EXPECT_EQ(report->flags & SNP_REPORT_AUTHOR_KEY,
		  author ? SNP_REPORT_AUTHOR_KEY : 0, "author key in the report");
	expect_digest(report->id_key_digest, &good.auth.id_key,
		      sizeof(good.auth.id_key), "ID key");
	if (author)
		expect_digest(report->author_key_digest, &good.auth.author_key,
			      sizeof(good.auth.author_key), "author key");
	else
		EXPECT(is_all(report->author_key_digest, SHA384_SIZE, 0),
		       "the digest of an author key that was not used should be zero");
}

/* Up to where LAUNCH_FINISH is due, and the digest is known that it gives. */
static void begin(void)
{
	const struct snp_options options = {};

	snp_create(&snp, &options);
	snp_seal(&snp);
	snp_bind(&snp);
	EXPECT_ERRNO(snp_start(&snp), 0, "LAUNCH_START");
	EXPECT_ERRNO(snp_update_all(&snp, true), 0, "LAUNCH_UPDATE");
	snp_measure_vmsas(&snp);
	make_good(&good);
}

static void end(const char *when)
{
	snp_free(&snp);
	snp_expect_all_back(when);
}

static void test_author(void)
{
	begin();
	test_addresses();
	test_wrong();
	EXPECT_ERRNO(finish(&good, NULL), 0, "a good ID block, after bad ones");
	EXPECT_ERRNO(finish(&good, NULL), EINVAL, "the same again");
	test_report(true);
	end("guest with an author key");
}

/* What is not asked for is not looked at. */
static void test_no_author(void)
{
	struct id id;

	begin();
	id = good;
	id.finish.auth_key_en = 0;
	id.auth.author_key_algo = 77;
	memset(&id.auth.id_key_sig, 0xff, sizeof(id.auth.id_key_sig));
	EXPECT_ERRNO(finish(&id, NULL), 0, "an ID block without an author key");
	test_report(false);
	end("guest without an author key");
}

/* The chip's key is all that the firmware could sign a report with. */
static void test_no_vcek(void)
{
	struct id id = {};

	begin();
	id.finish.vcek_disabled = 1;
	id.finish.id_block_uaddr = (uintptr_t)NOWHERE;
	id.finish.id_auth_uaddr = (uintptr_t)NOWHERE;
	EXPECT_ERRNO(finish(&id, NULL), 0, "LAUNCH_FINISH without the chip's key");
	EXPECT_EQ(snp_call(&snp, 0, guest_report, 0x77), SNP_FW_INVALID_KEY,
		  "status of the request for a report");
	end("guest without the chip's key");
}

int main(int argc, char *argv[])
{
	snp_begin();
	snp_check_crypto();

	test_author();
	test_no_author();
	test_no_vcek();
	return test_verdict();
}
