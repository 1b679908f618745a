// SPDX-License-Identifier: GPL-2.0-only
/*
 * AES-256-GCM for the messages of a guest: small and slow, and for tests, as it
 * takes a time that depends on the key.
 */
#include <string.h>

#include "snp_crypto.h"
#include "test_util.h"

#define BLOCK	16
#define ROUNDS	14
#define NR_WORDS (4 * (ROUNDS + 1))

struct aes {
	uint8_t key[4 * NR_WORDS];
};

static uint8_t sbox[256];

/* Products in the field of AES, modulo x^8 + x^4 + x^3 + x + 1. */
static uint8_t twice(uint8_t a)
{
	return a << 1 ^ (a & 0x80 ? 0x1b : 0);
}

static uint8_t product(uint8_t a, uint8_t b)
{
	uint8_t sum = 0;

	for (; b; b >>= 1, a = twice(a))
		if (b & 1)
			sum ^= a;
	return sum;
}

/* a^254, which is 0 for 0 */
static uint8_t inverse(uint8_t a)
{
	uint8_t power = 1;
	int i;

	for (i = 0; i < 254; i++)
		power = product(power, a);
	return power;
}

static void make_sbox(void)
{
	int i, bit;
	uint8_t a;

	for (i = 0; i < 256; i++) {
		a = inverse(i);
		sbox[i] = 0x63;
		for (bit = 0; bit < 5; bit++)
			sbox[i] ^= a << bit | a >> (8 - bit);
	}
}

static void set_key(struct aes *aes, const uint8_t key[GCM_KEY_SIZE])
{
	uint8_t rcon = 1, t[4], first;
	int i, j;

	if (!sbox[0])
		make_sbox();
	memcpy(aes->key, key, GCM_KEY_SIZE);
	for (i = 8; i < NR_WORDS; i++) {
		memcpy(t, aes->key + 4 * (i - 1), 4);
		if (!(i % 8)) {
			first = t[0];
			for (j = 0; j < 4; j++)
				t[j] = sbox[j < 3 ? t[j + 1] : first];
			t[0] ^= rcon;
			rcon = twice(rcon);
		} else if (i % 8 == 4) {
			for (j = 0; j < 4; j++)
				t[j] = sbox[t[j]];
		}
		for (j = 0; j < 4; j++)
			aes->key[4 * i + j] = aes->key[4 * (i - 8) + j] ^ t[j];
	}
}

static void add_key(uint8_t s[BLOCK], const uint8_t *key)
{
	int i;

	for (i = 0; i < BLOCK; i++)
		s[i] ^= key[i];
}

/* Row r of each column comes from the r-th column behind it. */
static void substitute_and_shift(uint8_t s[BLOCK])
{
	uint8_t from[BLOCK];
	int i;

	memcpy(from, s, BLOCK);
	for (i = 0; i < BLOCK; i++)
		s[i] = sbox[from[(i + 4 * (i % 4)) % BLOCK]];
}

static void mix_column(uint8_t c[4])
{
	uint8_t all = c[0] ^ c[1] ^ c[2] ^ c[3], first = c[0];
	int i;

	for (i = 0; i < 4; i++)
		c[i] ^= all ^ twice(c[i] ^ (i < 3 ? c[i + 1] : first));
}

static void encrypt_block(const struct aes *aes, const uint8_t *in,
			  uint8_t out[BLOCK])
{
	int round, i;

	memcpy(out, in, BLOCK);
	add_key(out, aes->key);
	for (round = 1; round <= ROUNDS; round++) {
		substitute_and_shift(out);
		for (i = 0; i < BLOCK && round < ROUNDS; i += 4)
			mix_column(out + i);
		add_key(out, aes->key + BLOCK * round);
	}
}

/* GHASH: bit 0 of the field is the top bit of the first byte. */
static void multiply(uint8_t x[BLOCK], const uint8_t h[BLOCK])
{
	uint8_t z[BLOCK] = { 0 }, v[BLOCK], carry;
	int bit, i;

	memcpy(v, h, BLOCK);
	for (bit = 0; bit < 8 * BLOCK; bit++) {
		if (x[bit / 8] & 0x80 >> bit % 8)
			add_key(z, v);
		carry = v[BLOCK - 1] & 1;
		for (i = BLOCK - 1; i; i--)
			v[i] = v[i] >> 1 | v[i - 1] << 7;
		v[0] >>= 1;
		if (carry)
			v[0] ^= 0xe1;
	}
	memcpy(x, z, BLOCK);
}

static void hash(uint8_t y[BLOCK], const uint8_t h[BLOCK], const uint8_t *data,
		 uint64_t size)
{
	uint8_t block[BLOCK];
	uint64_t i, len;

	for (i = 0; i < size; i += BLOCK) {
		len = size - i < BLOCK ? size - i : BLOCK;
		memset(block, 0, BLOCK);
		memcpy(block, data + i, len);
		add_key(y, block);
		multiply(y, h);
	}
}

static void make_tag(const struct aes *aes, const struct snp_gcm *gcm,
		     uint8_t tag[BLOCK])
{
	uint8_t h[BLOCK] = { 0 }, block[BLOCK] = { 0 };
	int i;

	encrypt_block(aes, h, h);
	memset(tag, 0, BLOCK);
	hash(tag, h, gcm->aad, gcm->aad_size);
	hash(tag, h, gcm->data, gcm->size);
	for (i = 0; i < 8; i++) {
		block[7 - i] = gcm->aad_size * 8 >> 8 * i;
		block[15 - i] = gcm->size * 8 >> 8 * i;
	}
	hash(tag, h, block, BLOCK);

	memset(block, 0, BLOCK);
	memcpy(block, gcm->iv, GCM_IV_SIZE);
	block[BLOCK - 1] = 1;
	encrypt_block(aes, block, h);
	add_key(tag, h);
}

/* The same there and back; the counter of the tag is 1. */
static void apply_stream(const struct aes *aes, struct snp_gcm *gcm)
{
	uint8_t counter[BLOCK] = { 0 }, stream[BLOCK], *data = gcm->data;
	uint64_t i;

	memcpy(counter, gcm->iv, GCM_IV_SIZE);
	for (i = 0; i < gcm->size; i++) {
		if (!(i % BLOCK)) {
			counter[BLOCK - 1] = i / BLOCK + 2;
			counter[BLOCK - 2] = (i / BLOCK + 2) >> 8;
			encrypt_block(aes, counter, stream);
		}
		data[i] ^= stream[i % BLOCK];
	}
}

void snp_gcm_encrypt(struct snp_gcm *gcm)
{
	struct aes aes;

	set_key(&aes, gcm->key);
	apply_stream(&aes, gcm);
	make_tag(&aes, gcm, gcm->tag);
}

bool snp_gcm_decrypt(struct snp_gcm *gcm)
{
	uint8_t tag[BLOCK];
	struct aes aes;

	set_key(&aes, gcm->key);
	make_tag(&aes, gcm, tag);
	if (memcmp(tag, gcm->tag, BLOCK))
		return false;
	apply_stream(&aes, gcm);
	return true;
}

/* Known answers: FIPS 180-4's "abc"; GCM's test case 14, with data that is zero */

static const uint8_t sha_of_abc[SHA384_SIZE] = {
	0xcb, 0x00, 0x75, 0x3f, 0x45, 0xa3, 0x5e, 0x8b, 0xb5, 0xa0, 0x3d, 0x69,
	0x9a, 0xc6, 0x50, 0x07, 0x27, 0x2c, 0x32, 0xab, 0x0e, 0xde, 0xd1, 0x63,
	0x1a, 0x8b, 0x60, 0x5a, 0x43, 0xff, 0x5b, 0xed, 0x80, 0x86, 0x07, 0x2b,
	0xa1, 0xe7, 0xcc, 0x23, 0x58, 0xba, 0xec, 0xa1, 0x34, 0xc8, 0x25, 0xa7,
};

static const uint8_t gcm_data[BLOCK] = {
	0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e,
	0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18,
};

static const uint8_t gcm_tag[GCM_TAG_SIZE] = {
	0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0,
	0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19,
};

void snp_check_crypto(void)
{
	uint8_t digest[SHA384_SIZE], key[GCM_KEY_SIZE] = { 0 }, data[BLOCK] = { 0 };
	struct snp_gcm gcm = {
		.key = key, .iv = key, .data = data, .size = sizeof(data),
	};
	bool good;

	snp_sha384("abc", 3, digest);
	TEST_ASSERT(!memcmp(digest, sha_of_abc, sizeof(digest)),
		    "SHA-384 of \"abc\" should be the standard's");

	snp_gcm_encrypt(&gcm);
	TEST_ASSERT(!memcmp(data, gcm_data, sizeof(data)) &&
		    !memcmp(gcm.tag, gcm_tag, sizeof(gcm_tag)),
		    "AES-256-GCM of a block of zeroes should be the standard's");
	good = snp_gcm_decrypt(&gcm);
	TEST_ASSERT(good && !data[0] && !memcmp(data, data + 1, BLOCK - 1),
		    "AES-256-GCM should decrypt what it has encrypted");
}
