/* SPDX-License-Identifier: GPL-2.0-only */
/* The Makefile chooses XA_CHUNK_SHIFT. */
#include "../../../../../../include/linux/xarray.h"
