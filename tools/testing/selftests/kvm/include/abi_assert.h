/* SPDX-License-Identifier: GPL-2.0-only */
/* What the compiler checks of a binary interface: numbers, and layouts. */
#ifndef SELFTEST_KVM_ABI_ASSERT_H
#define SELFTEST_KVM_ABI_ASSERT_H

#include <assert.h>
#include <stddef.h>

#define ASSERT_NUMBER(name, number)	static_assert((name) == (number), #name)
#define ASSERT_SIZE(type, size)		\
	static_assert(sizeof(struct type) == (size), #type)
/* Of each field: where, and how large. */
#define ASSERT_FIELD(type, field, offset, size)				     \
	static_assert(offsetof(struct type, field) == (offset) &&	     \
		      sizeof(((struct type *)0)->field) == (size),	     \
		      #type "." #field)

#endif /* SELFTEST_KVM_ABI_ASSERT_H */
