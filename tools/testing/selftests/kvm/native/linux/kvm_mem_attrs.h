#include "../../../../../../include/linux/kvm_mem_attrs.h"
