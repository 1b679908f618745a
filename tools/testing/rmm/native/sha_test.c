// SPDX-License-Identifier: GPL-2.0-only
/* SHA-256 and SHA-512 against published vectors (FIPS 180-4, NIST). */
#include <string.h>

#include "arena.h"
#include "sha2.h"

struct vector {
	const char *text;
	unsigned int times;
	const char *narrow, *wide;
};

static const struct vector vectors[] = {
	{ "", 1,
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ "abc", 1,
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ "a", 1000000,
	  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
	  "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b" },
	/* Around the ends of blocks, as sha256sum and sha512sum say. */
	{ "a", 55,
	  "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318",
	  "b0220c772cbf6c1822e2cb38a437d0e1d58772417a4bbb21c961364f8b6143e05aa6316dca8d1d7b19e16448419076395f6086cb55101fbd6d5497b148e1745f" },
	{ "a", 56,
	  "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a",
	  "962b64aae357d2a4fee3ded8b539bdc9d325081822b0bfc55583133aab44f18bafe11d72a7ae16c79ce2ba620ae2242d5144809161945f1367f41b3972e26e04" },
	{ "a", 63,
	  "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34",
	  "c1b0f5c6d3b03dfe4a2602e67242f54e344090b66e01100a469b129f583f016c7e27dddeaa438393dcc7ec54b0b57c9ba7af007f9b56db5f6fb677d972a31362" },
	{ "a", 64,
	  "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb",
	  "01d35c10c6c38c2dcf48f7eebb3235fb5ad74a65ec4cd016e2354c637a8fb49b695ef3c1d6f7ae4cd74d78cc9c9bcac9d4f23a73019998a7f73038a5c9b2dbde" },
	{ "a", 65,
	  "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0",
	  "b83086cd8494e55708ad7ecd82dfb4bca1bda61ecbb7caf0c68967902e709345e5d8305eb7ac0d588afc6cbb75161aa9c8c7e0ea986bd833dafe5e1ccd37345a" },
	{ "a", 111,
	  "6374f73208854473827f6f6a3f43b1f53eaa3b82c21c1a6d69a2110b2a79baad",
	  "fa9121c7b32b9e01733d034cfc78cbf67f926c7ed83e82200ef86818196921760b4beff48404df811b953828274461673c68d04e297b0eb7b2b4d60fc6b566a2" },
	{ "a", 112,
	  "f54353008a2553262ecdc4a34749563ba0950e8b0fc8652780b0a614b99683c1",
	  "c01d080efd492776a1c43bd23dd99d0a2e626d481e16782e75d54c2503b5dc32bd05f0f1ba33e568b88fd2d970929b719ecbb152f58f130a407c8830604b70ca" },
	{ "a", 119,
	  "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb",
	  "130396a75cb483f2eee8c56d8a668bb3d2641f5243212c0bee2bd33da096ad9eb8179fe18f9eaacf76e09fae9de4c3f14ba13341e345be05bf76c182cc3468cb" },
	{ "a", 127,
	  "c57e9278af78fa3cab38667bef4ce29d783787a2f731d4e12200270f0c32320a",
	  "828613968b501dc00a97e08c73b118aa8876c26b8aac93df128502ab360f91bab50a51e088769a5c1eff4782ace147dce3642554199876374291f5d921629502" },
	{ "a", 128,
	  "6836cf13bac400e9105071cd6af47084dfacad4e5e302c94bfed24e013afb73e",
	  "b73d1929aa615934e61a871596b3f3b33359f42b8175602e89f7e06e5f658a243667807ed300314b95cacdd579f3e33abdfbe351909519a846d465c59582f321" },
	{ "a", 129,
	  "c12cb024a2e5551cca0e08fce8f1c5e314555cc3fef6329ee994a3db752166ae",
	  "4f681e0bd53cda4b5a2041cc8a06f2eabde44fb16c951fbd5b87702f07aeab611565b19c47fde30587177ebb852e3971bbd8d3fd30da18d71037dfbd98420429" },
};

static void check(const struct vector *v, bool wide)
{
	const char *expected = wide ? v->wide : v->narrow;
	char hex[2 * SHA512_SIZE + 1] = "";
	u8 digest[SHA512_SIZE];
	struct sha2 s;

	sha2_init(&s, wide);
	for (unsigned int i = 0; i < v->times; i++)
		sha2_update(&s, v->text, strlen(v->text));
	sha2_final(&s, digest);
	for (unsigned int i = 0; i < (wide ? SHA512_SIZE : SHA256_SIZE); i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
	expect(!strcmp(hex, expected), "%u times '%s': %s, should be %s",
	       v->times, v->text, hex, expected);
}

static void test_narrow(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(vectors); i++)
		check(&vectors[i], false);
}

static void test_wide(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(vectors); i++)
		check(&vectors[i], true);
}

/* Any cut of the input gives the same. */
static void test_pieces(void)
{
	u8 data[600], whole[SHA512_SIZE], pieces[SHA512_SIZE];
	struct sha2 s;

	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = i * 7;
	for (int wide = 0; wide < 2; wide++) {
		for (unsigned int cut = 0; cut <= 300; cut++) {
			memset(whole, 0, sizeof(whole));
			memset(pieces, 0, sizeof(pieces));
			sha2_init(&s, wide);
			sha2_update(&s, data, sizeof(data));
			sha2_final(&s, whole);
			sha2_init(&s, wide);
			sha2_update(&s, data, cut);
			sha2_update(&s, data + cut, sizeof(data) - cut);
			sha2_final(&s, pieces);
			expect(!memcmp(whole, pieces, sizeof(whole)),
			       "wide %d, cut at %u", wide, cut);
		}
	}
}

int main(void)
{
	const struct test tests[] = {
		{ "SHA-256", test_narrow },
		{ "SHA-512", test_wide },
		{ "in pieces", test_pieces },
	};

	return run_tests("sha", tests, ARRAY_SIZE(tests));
}
