/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core of the SNP model needs of its surroundings.
 *
 * Instructions take the RMP's lock alone and call nothing else while they hold
 * it: that lock may be a raw spinlock.  Commands take the firmware's lock and,
 * inside of it, the RMP's for moments; whatever else is here is called with
 * the firmware's lock at most, and may sleep.
 */
#ifndef SNP_MODEL_PORT_H
#define SNP_MODEL_PORT_H

#include "snp_types.h"

void snpm_port_rmp_lock(void);
void snpm_port_rmp_unlock(void);
void snpm_port_fw_lock(void);
void snpm_port_fw_unlock(void);

/**
 * snpm_port_map() - Map a page of system memory, whoever owns it.
 * @spa: system physical address, page aligned
 *
 * At most three are mapped at a time, the checker of invariants included.
 *
 * Return: the page's 4 KiB, aligned; NULL if there is no memory at @spa.
 */
void *snpm_port_map(u64 spa);
void snpm_port_unmap(void *va);

/* Whether SYSCFG has SNP, VMPL and MFDM enabled on all CPUs. */
bool snpm_port_snp_enabled(void);

enum snpm_port_status {
	SNPM_PORT_OK,
	/* The signature or the tag does not fit. */
	SNPM_PORT_BAD,
	/* Nobody here can do that. */
	SNPM_PORT_UNSUPPORTED,
	/* For want of memory, say. */
	SNPM_PORT_ERROR,
};

enum snpm_port_status snpm_port_random(void *to, size_t size);
enum snpm_port_status snpm_port_sha384(const void *data, size_t size,
				       u8 digest[48]);

/* Big-endian numbers of curve P-384. */
struct snpm_ecdsa {
	u8 x[48];
	u8 y[48];
	u8 r[48];
	u8 s[48];
};

enum snpm_port_status snpm_port_ecdsa_verify(const struct snpm_ecdsa *e,
					     const u8 digest[48]);

/* AES-256-GCM in place: encrypting makes @tag, decrypting checks it. */
struct snpm_gcm {
	u8 key[32];
	u8 iv[12];
	u8 tag[16];
	const void *aad;
	size_t aad_size;
	void *data;
	size_t size;
};

enum snpm_port_status snpm_port_gcm_encrypt(struct snpm_gcm *g);
enum snpm_port_status snpm_port_gcm_decrypt(struct snpm_gcm *g);

/* What CPUID says of the machine: EAX, EBX, ECX, EDX. */
void snpm_port_cpuid(u32 function, u32 index, u32 out[4]);

/* Say that @what, which the model lacks, was asked for by @command. */
void snpm_port_unmodelled(u32 command, const char *what);

#endif
