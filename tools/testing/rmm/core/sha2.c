// SPDX-License-Identifier: GPL-2.0-only
/*
 * SHA-256 and SHA-512 (FIPS 180-4), one code for both.
 *
 * SHA-256's constants are the upper halves of SHA-512's, since both are the
 * first bits of the same roots; so a narrow word is the upper half of a table's.
 */
#include "sha2.h"

/* Fractional parts of the cube roots of the first 80 primes. */
static const u64 round_keys[80] = {
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

/* Fractional parts of the square roots of the first 8 primes. */
static const u64 initial[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
	0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
	0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* Rotations; a shift stands last in the two small ones. */
struct sha2_shape {
	unsigned int rounds;
	unsigned int big0[3], big1[3], small0[3], small1[3];
};

static const struct sha2_shape narrow_shape = {
	.rounds = 64,
	.big0 = { 2, 13, 22 }, .big1 = { 6, 11, 25 },
	.small0 = { 7, 18, 3 }, .small1 = { 17, 19, 10 },
};

static const struct sha2_shape wide_shape = {
	.rounds = 80,
	.big0 = { 28, 34, 39 }, .big1 = { 14, 18, 41 },
	.small0 = { 1, 8, 7 }, .small1 = { 19, 61, 6 },
};

static u64 rotate(const struct sha2 *s, u64 x, unsigned int n)
{
	if (s->wide)
		return x >> n | x << (64 - n);
	return (u32)((u32)x >> n | (u32)x << (32 - n));
}

static u64 big(const struct sha2 *s, u64 x, const unsigned int n[3])
{
	return rotate(s, x, n[0]) ^ rotate(s, x, n[1]) ^ rotate(s, x, n[2]);
}

static u64 small(const struct sha2 *s, u64 x, const unsigned int n[3])
{
	return rotate(s, x, n[0]) ^ rotate(s, x, n[1]) ^ x >> n[2];
}

static u64 narrow(const struct sha2 *s, u64 x)
{
	return s->wide ? x : (u32)x;
}

static u64 table_word(const struct sha2 *s, u64 x)
{
	return s->wide ? x : x >> 32;
}

static unsigned int word_size(const struct sha2 *s)
{
	return s->wide ? 8 : 4;
}

static u64 load_word(const struct sha2 *s, unsigned int i)
{
	const u8 *p = s->block + i * word_size(s);
	u64 x = 0;

	for (unsigned int k = 0; k < word_size(s); k++)
		x = x << 8 | p[k];
	return x;
}

static void store_word(u8 *p, u64 x, unsigned int size)
{
	while (size--) {
		p[size] = x;
		x >>= 8;
	}
}

static void compress(struct sha2 *s)
{
	const struct sha2_shape *sh = s->wide ? &wide_shape : &narrow_shape;
	u64 w[16], v[8], t1, t2;

	mem_copy(v, s->h, sizeof(v));
	for (unsigned int i = 0; i < sh->rounds; i++) {
		u64 *x = &w[i % 16];

		if (i < 16)
			*x = load_word(s, i);
		else
			*x = narrow(s, *x + w[(i + 9) % 16] +
				    small(s, w[(i + 1) % 16], sh->small0) +
				    small(s, w[(i + 14) % 16], sh->small1));
		t1 = v[7] + big(s, v[4], sh->big1) +
		     ((v[4] & v[5]) ^ (~v[4] & v[6])) +
		     table_word(s, round_keys[i]) + *x;
		t2 = big(s, v[0], sh->big0) +
		     ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		for (unsigned int k = 7; k; k--)
			v[k] = v[k - 1];
		v[4] = narrow(s, v[4] + t1);
		v[0] = narrow(s, t1 + t2);
	}
	for (unsigned int k = 0; k < 8; k++)
		s->h[k] = narrow(s, s->h[k] + v[k]);
}

void sha2_init(struct sha2 *s, bool wide)
{
	mem_zero(s, sizeof(*s));
	s->wide = wide;
	for (unsigned int k = 0; k < 8; k++)
		s->h[k] = table_word(s, initial[k]);
}

void sha2_update(struct sha2 *s, const void *data, u64 size)
{
	u64 block = 16 * word_size(s);
	const u8 *p = data;

	while (size) {
		u64 at = s->bytes % block;
		u64 n = block - at < size ? block - at : size;

		mem_copy(s->block + at, p, n);
		s->bytes += n;
		p += n;
		size -= n;
		if (at + n == block)
			compress(s);
	}
}

/* A one bit, zeroes, and the length in bits in the last two words. */
void sha2_final(struct sha2 *s, u8 *digest)
{
	u64 block = 16 * word_size(s), bits = s->bytes * 8;
	u8 pad[128] = { 0x80 }, length[16] = { 0 };
	u64 tail = 2 * word_size(s);
	u64 used = (s->bytes + tail) % block;

	store_word(length + tail - 8, bits, 8);
	sha2_update(s, pad, block - used);
	sha2_update(s, length, tail);
	for (unsigned int k = 0; k < 8; k++)
		store_word(digest + k * word_size(s), s->h[k], word_size(s));
}
