# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# arm64: EL2 and GICv3, emulated.
karch=arm64
triplet=aarch64-linux-gnu
image=arch/arm64/boot/Image
target=Image
objects=1300
qemu=qemu-system-aarch64
console=ttyAMA0

board=${board:-virtualization=on,gic-version=3,mte=on -cpu max,pauth-impdef=on}
machine_args="-M virt,$board -accel tcg"
if [ -n "$icount" ]; then
	machine_args+=' -icount shift=0,sleep=off'
else
	machine_args+=" $(two_nodes)"
fi
