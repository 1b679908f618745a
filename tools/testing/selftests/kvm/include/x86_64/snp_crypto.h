/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a launch digest and a guest's messages are made with: SHA-384 and
 * AES-256-GCM, for host and guest.
 */
#ifndef SELFTEST_KVM_SNP_CRYPTO_H
#define SELFTEST_KVM_SNP_CRYPTO_H

#include <stdbool.h>
#include <stdint.h>

#define SHA384_SIZE	48
#define GCM_KEY_SIZE	32
#define GCM_IV_SIZE	12
#define GCM_TAG_SIZE	16

void snp_sha384(const void *data, uint64_t size, uint8_t digest[SHA384_SIZE]);

/* In place; the tag is made by the one and checked by the other. */
struct snp_gcm {
	const uint8_t *key, *iv;
	const void *aad;
	uint64_t aad_size;
	void *data;
	uint64_t size;
	uint8_t tag[GCM_TAG_SIZE];
};

void snp_gcm_encrypt(struct snp_gcm *gcm);
bool snp_gcm_decrypt(struct snp_gcm *gcm);

/* Known answers; fails the test if they differ. */
void snp_check_crypto(void);

#endif /* SELFTEST_KVM_SNP_CRYPTO_H */
