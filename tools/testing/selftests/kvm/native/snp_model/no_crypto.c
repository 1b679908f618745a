// SPDX-License-Identifier: GPL-2.0-only
/* Where libcrypto is missing: what needs it is refused. */
#include "machine.h"

bool crypto_is_there(void)
{
	return false;
}

enum snpm_port_status crypto_ecdsa_verify(const struct snpm_ecdsa *e,
					  const u8 digest[48])
{
	return SNPM_PORT_UNSUPPORTED;
}

enum snpm_port_status crypto_gcm(struct snpm_gcm *g, bool encrypt)
{
	return SNPM_PORT_UNSUPPORTED;
}

struct crypto_key *crypto_new_key(struct snpfw_pubkey *pub)
{
	fail("no libcrypto");
}

void crypto_sign(struct crypto_key *key, const void *data, size_t size,
		 struct snpfw_signature *sig)
{
	fail("no libcrypto");
}
