// SPDX-License-Identifier: GPL-2.0-only
/* The port of the SNP model in a kernel: cryptography, by the crypto API. */
#define pr_fmt(fmt) "SEV-SNP model: " fmt

#include <linux/err.h>
#include <linux/printk.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <crypto/aead.h>
#include <crypto/akcipher.h>
#include <crypto/hash.h>

#include "kernel_parts.h"
#include "snp_port.h"

static enum snpm_port_status status_of(int err)
{
	switch (err) {
	case 0:
		return SNPM_PORT_OK;
	case -EBADMSG:
	case -EKEYREJECTED:
	case -EINVAL:
		return SNPM_PORT_BAD;
	case -ENOENT:
		return SNPM_PORT_UNSUPPORTED;
	default:
		return SNPM_PORT_ERROR;
	}
}

/* Digests are part of most commands, which have no memory to run out of. */
static struct crypto_shash *sha384;

int __init snp_model_start_crypto(void)
{
	if (!sha384)
		sha384 = crypto_alloc_shash("sha384", 0, 0);
	if (!IS_ERR(sha384))
		return 0;

	pr_warn("no SHA-384: error %ld\n", PTR_ERR(sha384));
	sha384 = NULL;
	return -ENODEV;
}

enum snpm_port_status snpm_port_sha384(const void *data, size_t size,
				       u8 digest[48])
{
	int err = crypto_shash_tfm_digest(sha384, data, size, digest);

	return err ? SNPM_PORT_ERROR : SNPM_PORT_OK;
}

/*
 * What a signature is verified with; the API wants memory that has pages, and
 * numbers r and s in DER.
 */
struct verification {
	u8 key[1 + 48 + 48];
	u8 der[2 + 2 * (2 + 1 + 48)];
	u8 digest[48];
};

static u8 *der_integer(u8 *to, const u8 n[48])
{
	unsigned int zeroes = 0, sign;

	while (zeroes < 47 && !n[zeroes])
		zeroes++;
	sign = n[zeroes] >> 7;
	*to++ = 0x02;
	*to++ = 48 - zeroes + sign;
	if (sign)
		*to++ = 0;
	memcpy(to, n + zeroes, 48 - zeroes);
	return to + 48 - zeroes;
}

static unsigned int der_signature(u8 *to, const struct snpm_ecdsa *e)
{
	u8 *end = der_integer(der_integer(to + 2, e->r), e->s);

	to[0] = 0x30;
	to[1] = end - to - 2;
	return end - to;
}

static int verify(struct crypto_akcipher *tfm, struct verification *v,
		  unsigned int der_size)
{
	struct akcipher_request *req;
	struct scatterlist sg[2];
	DECLARE_CRYPTO_WAIT(wait);
	int err;

	err = crypto_akcipher_set_pub_key(tfm, v->key, sizeof(v->key));
	if (err)
		return err == -ENOMEM ? err : -EKEYREJECTED;
	req = akcipher_request_alloc(tfm, GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	sg_init_table(sg, 2);
	sg_set_buf(&sg[0], v->der, der_size);
	sg_set_buf(&sg[1], v->digest, sizeof(v->digest));
	akcipher_request_set_crypt(req, sg, NULL, der_size, sizeof(v->digest));
	akcipher_request_set_callback(req, CRYPTO_TFM_REQ_MAY_BACKLOG |
				      CRYPTO_TFM_REQ_MAY_SLEEP,
				      crypto_req_done, &wait);
	err = crypto_wait_req(crypto_akcipher_verify(req), &wait);
	akcipher_request_free(req);
	return err;
}

enum snpm_port_status snpm_port_ecdsa_verify(const struct snpm_ecdsa *e,
					     const u8 digest[48])
{
	struct crypto_akcipher *tfm;
	struct verification *v;
	int err = -ENOMEM;

	tfm = crypto_alloc_akcipher("ecdsa-nist-p384", 0, 0);
	if (IS_ERR(tfm))
		return status_of(PTR_ERR(tfm));
	v = kmalloc(sizeof(*v), GFP_KERNEL);
	if (v) {
		/* An uncompressed point. */
		v->key[0] = 0x04;
		memcpy(v->key + 1, e->x, sizeof(e->x));
		memcpy(v->key + 49, e->y, sizeof(e->y));
		memcpy(v->digest, digest, sizeof(v->digest));
		err = verify(tfm, v, der_signature(v->der, e));
	}
	kfree(v);
	crypto_free_akcipher(tfm);
	return status_of(err);
}

static int crypt(struct crypto_aead *tfm, struct snpm_gcm *g, u8 *buf,
		 bool encrypt)
{
	struct aead_request *req = aead_request_alloc(tfm, GFP_KERNEL);
	unsigned int tag = encrypt ? 0 : sizeof(g->tag);
	struct scatterlist sg;
	int err;

	if (!req)
		return -ENOMEM;
	sg_init_one(&sg, buf, g->aad_size + g->size + sizeof(g->tag));
	aead_request_set_callback(req, 0, NULL, NULL);
	aead_request_set_ad(req, g->aad_size);
	aead_request_set_crypt(req, &sg, &sg, g->size + tag, g->iv);
	err = encrypt ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req);
	aead_request_free(req);
	return err;
}

static int set_up(struct crypto_aead *tfm, const struct snpm_gcm *g)
{
	int err = crypto_aead_setkey(tfm, g->key, sizeof(g->key));

	return err ? err : crypto_aead_setauthsize(tfm, sizeof(g->tag));
}

/* One buffer for all, because neither stack nor scratch need have pages. */
static int gcm(struct crypto_aead *tfm, struct snpm_gcm *g, bool encrypt)
{
	u8 *buf, *data, *tag;
	int err;

	err = set_up(tfm, g);
	if (err)
		return err;
	buf = kmalloc(g->aad_size + g->size + sizeof(g->tag), GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	data = buf + g->aad_size;
	tag = data + g->size;
	memcpy(buf, g->aad, g->aad_size);
	memcpy(data, g->data, g->size);
	memcpy(tag, g->tag, sizeof(g->tag));
	err = crypt(tfm, g, buf, encrypt);
	if (!err) {
		memcpy(g->data, data, g->size);
		memcpy(g->tag, tag, sizeof(g->tag));
	}
	kfree_sensitive(buf);
	return err;
}

static enum snpm_port_status port_gcm(struct snpm_gcm *g, bool encrypt)
{
	struct crypto_aead *tfm;
	int err;

	tfm = crypto_alloc_aead("gcm(aes)", 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(tfm))
		return status_of(PTR_ERR(tfm));
	err = gcm(tfm, g, encrypt);
	crypto_free_aead(tfm);
	return status_of(err);
}

enum snpm_port_status snpm_port_gcm_encrypt(struct snpm_gcm *g)
{
	return port_gcm(g, true);
}

enum snpm_port_status snpm_port_gcm_decrypt(struct snpm_gcm *g)
{
	return port_gcm(g, false);
}
