// SPDX-License-Identifier: GPL-2.0
/*
 * What guest_memfd and memory attributes cost, in instructions and bytes.
 *
 * Made for an emulated machine with one CPU on which the TSC counts
 * instructions, as QEMU's does with -icount shift=0,sleep=off: such numbers
 * repeat, and compare kernels that never ran on the same machine. Elsewhere
 * it counts TSC ticks, says so, and the numbers are only good for ratios.
 *
 * Prints one "name value unit" per line. What the kernel does not offer is
 * left out, so the same binary also measures ordinary VMs on older kernels.
 *
 * Usage: guest_memfd_bench [largest range for the attributes in GiB, 1024 unless given]
 */
#include "bench.h"

static void measure_protected_vms(uint64_t largest)
{
	measure_ranges(largest);
	measure_alternation();
	measure_private_pages();
	measure_conversion("convert_4k", MADV_NOHUGEPAGE);
	measure_conversion("convert_2m", MADV_HUGEPAGE);
	measure_anonymous_vm("protected_4k", KVM_X86_SW_PROTECTED_VM, MADV_NOHUGEPAGE);
	measure_anonymous_vm("protected_2m", KVM_X86_SW_PROTECTED_VM, MADV_HUGEPAGE);
}

int main(int argc, char **argv)
{
	uint64_t largest = argc > 1 ? strtoul(argv[1], NULL, 0) : 1024;

	calibrate();
	measure_host();
	measure_exit();
	measure_ordinary_vms();
	if (bare_vm_types() & 1 << KVM_X86_SW_PROTECTED_VM)
		measure_protected_vms(largest * GIB);
	return 0;
}
