# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# x86-64: AMD's SVM with nested paging, emulated, or the host's own where it can nest.
karch=x86_64
triplet=x86_64-linux-gnu
image=arch/x86/boot/bzImage
target=bzImage
objects=1500
qemu=qemu-system-x86_64
console=ttyS0
busybox=/bin/busybox

machine_args() {
	if [ -n "$icount" ]; then
		echo '-M q35 -accel tcg -cpu EPYC-Milan,+svm,+npt -icount shift=0,sleep=off'
	elif [ "$(uname -m)" = x86_64 ] && [ -w /dev/kvm ] &&
	     grep -qwE 'svm|vmx' /proc/cpuinfo; then
		echo '-M q35 -accel kvm -cpu host'
	else
		echo '-M q35 -accel tcg -cpu EPYC-Milan,+svm,+npt'
	fi
}
