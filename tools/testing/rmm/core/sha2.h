/* SPDX-License-Identifier: GPL-2.0-only */
/* SHA-256 and SHA-512 of a buffer or of a sequence of them. */
#ifndef RMM_SHA2_H
#define RMM_SHA2_H

#include "rmm_types.h"

#define SHA256_SIZE	32
#define SHA512_SIZE	64

struct sha2 {
	/* SHA-256 uses the lower half of each word. */
	u64 h[8];
	u64 bytes;
	u8 block[128];
	bool wide;
};

void sha2_init(struct sha2 *s, bool wide);
void sha2_update(struct sha2 *s, const void *data, u64 size);
/* Writes 32 or 64 bytes. */
void sha2_final(struct sha2 *s, u8 *digest);

#endif
