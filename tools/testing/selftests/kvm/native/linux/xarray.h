/* The Makefile chooses XA_CHUNK_SHIFT. */
#include "../../../../../../include/linux/xarray.h"
