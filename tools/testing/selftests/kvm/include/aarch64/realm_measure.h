/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A realm's initial measurement, computed beside the RMM.
 */
#ifndef SELFTEST_KVM_REALM_MEASURE_H
#define SELFTEST_KVM_REALM_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#define REALM_HASH_SIZE		64

struct rim {
	unsigned int algo;		/* enum rsi_hash */
	uint8_t value[REALM_HASH_SIZE];
};

/* What is beyond the digest is zero. */
void realm_hash(unsigned int algo, const void *data, uint64_t size,
		uint8_t digest[REALM_HASH_SIZE]);

/* What of its parameters is measured; breakpoints and watchpoints one less than there are. */
struct rim_params {
	unsigned int algo;		/* enum rsi_hash */
	unsigned int ipa_bits;
	unsigned int num_bps;
	unsigned int num_wps;
	bool pmu;
	unsigned int pmu_num_ctrs;
};

/* In the order of what the host does. */
void rim_create(struct rim *rim, const struct rim_params *params);
void rim_ripas(struct rim *rim, uint64_t base, uint64_t top);
void rim_data(struct rim *rim, uint64_t ipa, const void *page, bool measured);
void rim_rec(struct rim *rim, uint64_t pc, uint64_t x0);

#endif /* SELFTEST_KVM_REALM_MEASURE_H */
