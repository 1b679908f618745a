/* SPDX-License-Identifier: GPL-2.0-only */
/* A realm's measurements: the initial one and the extensible ones. */
#ifndef RMM_MEASURE_H
#define RMM_MEASURE_H

#include "realm.h"

void measure_realm(struct realm *r, const struct rmi_realm_params *p);
/* @content is a granule, NULL if it is not to be measured. */
void measure_data(struct realm *r, u64 ipa, u64 flags, const void *content);
void measure_rec(struct realm *r, const struct rmi_rec_params *p);
void measure_ripas(struct realm *r, u64 base, u64 top);
void measure_extend(struct realm *r, unsigned int i, const void *value,
		    u64 size);

#endif
