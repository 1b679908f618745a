/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands that give pages to a realm and take them back. */
#ifndef RMM_DATA_H
#define RMM_DATA_H

#include "realm.h"

u64 rmi_data_create(struct realm *r, u64 data, u64 ipa, u64 src, u64 flags);
u64 rmi_data_create_unknown(struct realm *r, u64 data, u64 ipa);
u64 rmi_data_destroy(struct realm *r, u64 ipa, u64 *data, u64 *top);

#endif
