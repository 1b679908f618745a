/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the RMM below the host holds, and how to make its commands fail: the
 * first from KVM's own count, the rest with the model RMM only.
 */
#ifndef SELFTEST_KVM_RMM_H
#define SELFTEST_KVM_RMM_H

#include <stdbool.h>
#include <stdint.h>

/* Commands that can be told to fail alone. */
#define RMI_FID(n)			(0xc4000150u + (n))
#define RMI_GRANULE_DELEGATE		RMI_FID(0x1)
#define RMI_GRANULE_UNDELEGATE		RMI_FID(0x2)
#define RMI_DATA_CREATE			RMI_FID(0x3)
#define RMI_DATA_CREATE_UNKNOWN		RMI_FID(0x4)
#define RMI_DATA_DESTROY		RMI_FID(0x5)
#define RMI_REALM_ACTIVATE		RMI_FID(0x7)
#define RMI_REALM_CREATE		RMI_FID(0x8)
#define RMI_REC_CREATE			RMI_FID(0xa)
#define RMI_REC_ENTER			RMI_FID(0xc)
#define RMI_RTT_CREATE			RMI_FID(0xd)
#define RMI_RTT_MAP_UNPROTECTED		RMI_FID(0xf)
#define RMI_RTT_UNMAP_UNPROTECTED	RMI_FID(0x12)
#define RMI_RTT_FOLD			RMI_FID(0x16)
#define RMI_REC_AUX_COUNT		RMI_FID(0x17)
#define RMI_RTT_INIT_RIPAS		RMI_FID(0x18)
#define RMI_RTT_SET_RIPAS		RMI_FID(0x19)

/* What they can fail with. */
#define STATUS_INPUT			1
#define STATUS_REALM			2
#define STATUS_REC			3
#define STATUS_RTT(level)		(4 | (level) << 8)
#define STATUS_UNKNOWN			5	/* not of RMM 1.0 */

/* Granules by KVM's count: those of the RMM, those that never come back. */
uint64_t rmm_delegated(void);
uint64_t rmm_leaked(void);

/*
 * Waits, as VMs end some time after their last file is closed; true if there are
 * @delegated of them and @leaked has stayed.
 */
bool rmm_expect_granules(uint64_t delegated, uint64_t leaked, const char *when);

/* The model: all that is not the host's, by its own count. */
bool rmm_is_model(void);
void require_rmm_model(void);
uint64_t rmm_held(void);

/* Granules that the RMM gave back with contents, since it started. */
uint64_t rmm_not_scrubbed(void);

/* The @nth command from now, or @nth one of that number, fails with @status. */
void rmm_fail(uint64_t nth, uint32_t command, uint32_t status);
bool rmm_has_failed(void);

/* How often @command has been called since. */
void rmm_count(uint32_t command);
uint64_t rmm_counted(void);
void rmm_stop_failing(void);

/* The next @nr entries of RECs end at once, with that in the exit record. */
void rmm_exit(uint64_t nr, uint32_t reason, uint64_t esr);
uint64_t rmm_exits_left(void);

/* Why a REC exits */
#define RMI_EXIT_SYNC			0
#define RMI_EXIT_SERROR			6

#endif /* SELFTEST_KVM_RMM_H */
