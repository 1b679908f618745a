// SPDX-License-Identifier: GPL-2.0-only
/* SHA-384: SHA-512 that starts elsewhere and is cut. */
#include <string.h>

#include "sha2.h"

void sha384(const void *data, unsigned long size, unsigned char *digest);

void sha384(const void *data, unsigned long size, unsigned char *digest)
{
	static const u64 start[8] = {
		0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17,
		0x152fecd8f70e5939, 0x67332667ffc00b31, 0x8eb44a8768581511,
		0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
	};
	unsigned char whole[SHA512_SIZE];
	struct sha2 s;

	sha2_init(&s, true);
	memcpy(s.h, start, sizeof(start));
	sha2_update(&s, data, size);
	sha2_final(&s, whole);
	memcpy(digest, whole, 48);
}
