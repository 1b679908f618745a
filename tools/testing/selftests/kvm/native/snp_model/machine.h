/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port of the core that tests link: memory is an array, and locks know
 * what may be called under them.
 */
#ifndef NATIVE_MACHINE_H
#define NATIVE_MACHINE_H

#include <stdio.h>

#include "fw.h"

/* Memory from address 0 on; the RMP covers less of it. */
#define MEM_PAGES	2560ULL
#define RMP_PAGES	2048ULL
#define PAGE(n)		((n) * (u64)PAGE_SIZE)
/* Where there is none. */
#define NOWHERE		PAGE(MEM_PAGES)
/* Where there is, but no RMP. */
#define UNCOVERED	PAGE(RMP_PAGES)

#define MAX_ASID	15

struct machine {
	u8 *mem;
	struct snpm_rmp_entry *rmp;
	int mapped;
	bool rmp_locked, fw_locked;
	bool snp_disabled;
	/* A page of RAM that cannot be mapped. */
	u64 hole;
	/* So many calls from now on fail; -1: none. */
	int sha_fails, random_fails;
	bool no_crypto;
	unsigned long unmodelled;
	u32 unmodelled_command;
};

extern struct machine machine;

extern const struct snpm_config default_config;

/* Fresh memory and snpm_init(). */
void machine_init(const struct snpm_config *config);
void *machine_va(u64 spa);
/* For "nothing changed": memory, RMP and firmware. */
void machine_save(void);
bool machine_is_saved(void);

/* What libcrypto is asked for, or refused. */
bool crypto_is_there(void);
enum snpm_port_status crypto_ecdsa_verify(const struct snpm_ecdsa *e,
					  const u8 digest[48]);
enum snpm_port_status crypto_gcm(struct snpm_gcm *g, bool encrypt);
/* A key pair, and a signature by it; little-endian, as the ABI has them. */
struct crypto_key;
struct crypto_key *crypto_new_key(struct snpfw_pubkey *pub);
void crypto_sign(struct crypto_key *key, const void *data, size_t size,
		 struct snpfw_signature *sig);

void sha384(const void *data, unsigned long size, unsigned char *digest);

/* Say what is wrong and end the test. */
#define fail(fmt, ...) do {						\
	printf("%s:%d: " fmt "\n", __FILE__, __LINE__, ##__VA_ARGS__);	\
	machine_fail();							\
} while (0)

#define expect(cond, fmt, ...) do {					\
	if (!(cond))							\
		fail("%s: " fmt, #cond, ##__VA_ARGS__);			\
} while (0)

#define expect_eq(a, b) do {						\
	u64 __a = (a), __b = (b);					\
	if (__a != __b)							\
		fail("%s is %#llx, should be %#llx", #a, __a, __b);	\
} while (0)

void machine_fail(void) __attribute__((noreturn));

struct test {
	const char *name;
	void (*run)(void);
	/* Why it cannot run here; NULL: it can. */
	const char *(*missing)(void);
};

const char *needs_crypto(void);

/* Each test in a process of its own; the exit status of the program. */
int run_tests(const char *program, const struct test *tests, unsigned int nr);

#endif
