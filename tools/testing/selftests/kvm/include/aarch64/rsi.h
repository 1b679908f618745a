/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Realm Services Interface, for code that runs in a realm: Arm DEN0137,
 * version 1.0-rel0.
 */
#ifndef SELFTEST_KVM_RSI_H
#define SELFTEST_KVM_RSI_H

#include <linux/types.h>
#include <stdint.h>

#define RSI_FID(n)		(0xc4000190ul + (n))

#define RSI_VERSION		RSI_FID(0)
#define RSI_FEATURES		RSI_FID(1)
#define RSI_MEASUREMENT_READ	RSI_FID(2)
#define RSI_MEASUREMENT_EXTEND	RSI_FID(3)
#define RSI_REALM_CONFIG	RSI_FID(6)
#define RSI_IPA_STATE_SET	RSI_FID(7)
#define RSI_IPA_STATE_GET	RSI_FID(8)
#define RSI_HOST_CALL		RSI_FID(9)

#define RSI_ABI_1_0		(1ul << 16)

enum rsi_status {
	RSI_SUCCESS,
	RSI_ERROR_INPUT,
	RSI_ERROR_STATE,
	RSI_INCOMPLETE,
};

enum rsi_ripas {
	RSI_EMPTY,
	RSI_RAM,
	RSI_DESTROYED,
};

enum rsi_response {
	RSI_ACCEPT,
	RSI_REJECT,
};

enum rsi_hash {
	RSI_HASH_SHA_256,
	RSI_HASH_SHA_512,
};

/* RSI_IPA_STATE_SET: also what the host has destroyed. */
#define RSI_CHANGE_DESTROYED	1ul

/* In a page of its own. */
struct rsi_realm_config {
	uint64_t ipa_width;
	uint64_t hash_algo;
	uint8_t pad0[0x200 - 0x10];
	uint8_t rpv[64];
	uint8_t pad1[0x1000 - 0x240];
};

/* Aligned to 256 bytes. */
struct rsi_host_call {
	uint16_t imm;
	uint8_t pad0[6];
	uint64_t gprs[31];
};

_Static_assert(sizeof(struct rsi_realm_config) == 0x1000, "RsiRealmConfig");
_Static_assert(sizeof(struct rsi_host_call) == 0x100, "RsiHostCall");

/* The registers x0 to x8 of a call, before and after it. */
struct smc_regs {
	uint64_t x[9];
};

void guest_smc(struct smc_regs *regs);

#endif /* SELFTEST_KVM_RSI_H */
