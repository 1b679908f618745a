// SPDX-License-Identifier: GPL-2.0-only
/*
 * A realm's initial measurement, computed beside the RMM: SHA-256, SHA-512, and
 * the records that they are made of.
 */
#include <string.h>

#include "realm_measure.h"
#include "rsi.h"

/*
 * The first 64 bits of the fractional parts of the cube roots of the first 80
 * primes, and of the square roots of the first 8; SHA-256 has the first 32.
 */
static const uint64_t k[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f,
	0xe9b5dba58189dbbc, 0x3956c25bf348b538, 0x59f111f1b605d019,
	0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242,
	0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
	0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3,
	0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65, 0x2de92c6f592b0275,
	0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f,
	0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
	0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc,
	0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6,
	0x92722c851482353b, 0xa2bfe8a14cf10364, 0xa81a664bbc423001,
	0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
	0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99,
	0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb,
	0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc,
	0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915,
	0xc67178f2e372532b, 0xca273eceea26619c, 0xd186b8c721c0c207,
	0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba,
	0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
	0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a,
	0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static const uint64_t h[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
	0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
	0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

#define ROR(x, n)	((x) >> (n) | (x) << (8 * sizeof(x) - (n)))
#define SUM(x, a, b, c)	(ROR(x, a) ^ ROR(x, b) ^ ROR(x, c))
#define MIX(x, a, b, s)	(ROR(x, a) ^ ROR(x, b) ^ (x) >> (s))

#define sha256_sum0(x)	SUM(x, 2, 13, 22)
#define sha256_sum1(x)	SUM(x, 6, 11, 25)
#define sha256_mix0(x)	MIX(x, 7, 18, 3)
#define sha256_mix1(x)	MIX(x, 17, 19, 10)
#define sha512_sum0(x)	SUM(x, 28, 34, 39)
#define sha512_sum1(x)	SUM(x, 14, 18, 41)
#define sha512_mix0(x)	MIX(x, 1, 8, 7)
#define sha512_mix1(x)	MIX(x, 19, 61, 6)

/* For each width of words: one block, and then all of a message. */
#define DEFINE_SHA(name, word, swap, rounds, skip)			\
static void name##_block(word state[8], const word *block)		\
{									\
	word w[rounds], s[8], t, u;					\
	int i;								\
									\
	memcpy(s, state, sizeof(s));					\
	for (i = 0; i < rounds; i++) {					\
		w[i] = i < 16 ? swap(block[i]) :			\
		       name##_mix1(w[i - 2]) + w[i - 7] +			\
		       name##_mix0(w[i - 15]) + w[i - 16];			\
		t = s[7] + name##_sum1(s[4]) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + \
		    (word)(k[i] >> skip) + w[i];			\
		u = name##_sum0(s[0]) +				\
		    ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));	\
		memmove(&s[1], &s[0], 7 * sizeof(word));		\
		s[4] += t;						\
		s[0] = t + u;						\
	}								\
	for (i = 0; i < 8; i++)						\
		state[i] += s[i];					\
}									\
									\
static void name(const void *data, uint64_t size, uint8_t *digest)	\
{									\
	const uint64_t step = 16 * sizeof(word);			\
	uint64_t bits = size * 8;					\
	word state[8], last[32] = {}, *words;				\
	int i;								\
									\
	for (i = 0; i < 8; i++)						\
		state[i] = h[i] >> skip;				\
	for (; size >= step; size -= step, data += step)		\
		name##_block(state, data);				\
	memcpy(last, data, size);					\
	((uint8_t *)last)[size] = 0x80;					\
	words = last + (size < 14 * sizeof(word) ? 16 : 32);		\
	bits = __builtin_bswap64(bits);					\
	memcpy((uint8_t *)words - 8, &bits, 8);				\
	name##_block(state, last);					\
	if (words == last + 32)						\
		name##_block(state, last + 16);				\
	for (i = 0; i < 8; i++)						\
		state[i] = swap(state[i]);				\
	memcpy(digest, state, sizeof(state));				\
}

static uint32_t swap32(uint32_t x) { return __builtin_bswap32(x); }
static uint64_t swap64(uint64_t x) { return __builtin_bswap64(x); }

DEFINE_SHA(sha256, uint32_t, swap32, 64, 32)
DEFINE_SHA(sha512, uint64_t, swap64, 80, 0)

void realm_hash(unsigned int algo, const void *data, uint64_t size,
		uint8_t digest[REALM_HASH_SIZE])
{
	memset(digest, 0, REALM_HASH_SIZE);
	if (algo == RSI_HASH_SHA_512)
		sha512(data, size, digest);
	else
		sha256(data, size, digest);
}

/* Records: what DEN0137 calls measurement descriptors, and their parameters. */

enum { DATA, REC, RIPAS };

struct record {
	uint8_t type, pad0[7];
	uint64_t len;
	uint8_t rim[REALM_HASH_SIZE];
	union {
		struct {
			uint64_t ipa, flags;
			uint8_t content[REALM_HASH_SIZE];
		} data;
		uint8_t rec[REALM_HASH_SIZE];
		struct {
			uint64_t base, top;
		} ripas;
		uint8_t pad1[0xb0];
	};
};

#define FLAG_LPA2	(1ul << 0)
#define FLAG_PMU	(1ul << 2)

struct realm_params {
	uint64_t flags, s2sz, sve_vl, num_bps, num_wps, pmu_num_ctrs, hash_algo;
	uint8_t pad[4096 - 7 * 8];
};

struct rec_params {
	uint64_t flags, pad0[0x1f], mpidr, pad1[0x1f], pc, pad2[0x1f], gprs[8];
	uint8_t pad3[4096 - 0x340];
};

_Static_assert(sizeof(struct record) == 0x100, "descriptor");
_Static_assert(sizeof(struct realm_params) == 4096, "RmiRealmParams");
_Static_assert(sizeof(struct rec_params) == 4096, "RmiRecParams");

static void extend(struct rim *rim, struct record *record)
{
	record->len = sizeof(*record);
	memcpy(record->rim, rim->value, sizeof(rim->value));
	realm_hash(rim->algo, record, sizeof(*record), rim->value);
}

void rim_create(struct rim *rim, const struct rim_params *p)
{
	static struct realm_params params;

	params = (struct realm_params) {
		.flags = (p->ipa_bits > 48 ? FLAG_LPA2 : 0) |
			 (p->pmu ? FLAG_PMU : 0),
		.s2sz = p->ipa_bits,
		.num_bps = p->num_bps,
		.num_wps = p->num_wps,
		.pmu_num_ctrs = p->pmu_num_ctrs,
		.hash_algo = p->algo,
	};
	rim->algo = p->algo;
	realm_hash(p->algo, &params, sizeof(params), rim->value);
}

/* One record for each entry of the tables, which are as large as they can be. */
void rim_ripas(struct rim *rim, uint64_t base, uint64_t top)
{
	while (base < top) {
		struct record record = { .type = RIPAS };
		uint64_t size = 1ul << 30;

		while (base % size || top - base < size)
			size >>= 9;
		record.ripas.base = base;
		record.ripas.top = base + size;
		extend(rim, &record);
		base += size;
	}
}

void rim_data(struct rim *rim, uint64_t ipa, const void *page, bool measured)
{
	struct record record = { .type = DATA };

	record.data.ipa = ipa;
	record.data.flags = measured;
	if (measured)
		realm_hash(rim->algo, page, 4096, record.data.content);
	extend(rim, &record);
}

void rim_rec(struct rim *rim, uint64_t pc, uint64_t x0)
{
	static struct rec_params params;
	struct record record = { .type = REC };

	params = (struct rec_params) { .flags = 1, .pc = pc, .gprs = { x0 } };
	realm_hash(rim->algo, &params, sizeof(params), record.rec);
	extend(rim, &record);
}
