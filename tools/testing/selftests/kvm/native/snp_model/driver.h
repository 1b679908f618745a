/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel for the PSP driver: its pages, who may touch them, the firmware. */
#ifndef NATIVE_DRIVER_TEST_H
#define NATIVE_DRIVER_TEST_H

#include "host.h"
#include "kernel/ccp_kernel.h"

#include <linux/psp-sev.h>

#include "../../../../../../drivers/crypto/ccp/sev-snp.h"

struct driver {
	/* So many allocations succeed, then one fails; -1: none does. */
	int alloc_fails;
	/* What submit() returns instead of asking the model. */
	int submit_error;
	/* What the model's version becomes; 0: as it is. */
	u8 api_minor;
	bool legacy_active;
	unsigned int wbinvds, iommu_disabled, commands;
};

extern struct driver driver;
extern struct resource resources[4];

/* A machine with an RMP, a model of the firmware, and nothing initialized. */
void driver_setup(void);
/* And initialized. */
void driver_init(void);

/*
 * Everything is where it belongs: pages that are free are the host's, all that
 * are assigned are @held or counted as lost, the host touches none of them.
 */
void driver_check(unsigned long held);
/* Pages that are allocated, by whomever. */
unsigned long pages_in_use(void);
/* As the firmware, who may. */
void firmware_writes(u64 pa, u8 byte, size_t size);
u8 firmware_reads(u64 pa);

/* So many succeed, then some fail. */
void fail_command(u32 id, u32 skip, u32 times);
void fail_rmpupdate(u32 skip);
void fail_nothing(void);

/* What the linker makes of the model's port. */
void *__real_snpm_port_map(u64 spa);
void __real_snpm_port_unmap(void *va);
void *__wrap_snpm_port_map(u64 spa);
void __wrap_snpm_port_unmap(void *va);

#endif
