// SPDX-License-Identifier: GPL-2.0-only
/* ECDSA on P-384 and AES-256-GCM, by libcrypto. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <string.h>

#include "machine.h"

bool crypto_is_there(void)
{
	return true;
}

static BIGNUM *number(const u8 n[48])
{
	return BN_bin2bn(n, 48, NULL);
}

enum snpm_port_status crypto_ecdsa_verify(const struct snpm_ecdsa *e,
					  const u8 digest[48])
{
	EC_KEY *key = EC_KEY_new_by_curve_name(NID_secp384r1);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *x = number(e->x), *y = number(e->y);
	bool good;

	ECDSA_SIG_set0(sig, number(e->r), number(e->s));
	good = EC_KEY_set_public_key_affine_coordinates(key, x, y) == 1 &&
	       ECDSA_do_verify(digest, 48, sig, key) == 1;
	ECDSA_SIG_free(sig);
	EC_KEY_free(key);
	BN_free(x);
	BN_free(y);
	return good ? SNPM_PORT_OK : SNPM_PORT_BAD;
}

static bool gcm(EVP_CIPHER_CTX *c, struct snpm_gcm *g, bool encrypt)
{
	int n;

	if (EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, g->key, g->iv,
			      encrypt) != 1)
		return false;
	if (!encrypt)
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, g->tag);
	if (EVP_CipherUpdate(c, NULL, &n, g->aad, g->aad_size) != 1 ||
	    EVP_CipherUpdate(c, g->data, &n, g->data, g->size) != 1 ||
	    EVP_CipherFinal_ex(c, (u8 *)g->data + n, &n) != 1)
		return false;
	if (encrypt)
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, g->tag);
	return true;
}

enum snpm_port_status crypto_gcm(struct snpm_gcm *g, bool encrypt)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool good = gcm(c, g, encrypt);

	EVP_CIPHER_CTX_free(c);
	return good ? SNPM_PORT_OK : SNPM_PORT_BAD;
}

struct crypto_key {
	EC_KEY *ec;
};

struct crypto_key *crypto_new_key(struct snpfw_pubkey *pub)
{
	struct crypto_key *key = OPENSSL_zalloc(sizeof(*key));
	BIGNUM *x = BN_new(), *y = BN_new();

	key->ec = EC_KEY_new_by_curve_name(NID_secp384r1);
	expect(EC_KEY_generate_key(key->ec) == 1, "no key");
	EC_POINT_get_affine_coordinates(EC_KEY_get0_group(key->ec),
					EC_KEY_get0_public_key(key->ec), x, y,
					NULL);
	memset(pub, 0, sizeof(*pub));
	pub->curve = SNPFW_CURVE_P384;
	BN_bn2lebinpad(x, pub->x, sizeof(pub->x));
	BN_bn2lebinpad(y, pub->y, sizeof(pub->y));
	BN_free(x);
	BN_free(y);
	return key;
}

void crypto_sign(struct crypto_key *key, const void *data, size_t size,
		 struct snpfw_signature *sig)
{
	ECDSA_SIG *s;
	u8 digest[48];

	sha384(data, size, digest);
	s = ECDSA_do_sign(digest, sizeof(digest), key->ec);
	expect(s, "no signature");
	memset(sig, 0, sizeof(*sig));
	BN_bn2lebinpad(ECDSA_SIG_get0_r(s), sig->r, sizeof(sig->r));
	BN_bn2lebinpad(ECDSA_SIG_get0_s(s), sig->s, sizeof(sig->s));
	ECDSA_SIG_free(s);
}
