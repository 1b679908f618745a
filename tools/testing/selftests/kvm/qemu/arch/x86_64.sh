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

nests='svm|vmx'
[ -z "$snp" ] || nests=svm	# the model is kvm_amd's
emulated='-M q35 -accel tcg -cpu EPYC-Milan,+svm,+npt'
if [ -n "$icount" ]; then
	machine_args="$emulated -icount shift=0,sleep=off"
elif [ "$(uname -m)" = x86_64 ] && [ -w /dev/kvm ] && grep -qwE "$nests" /proc/cpuinfo; then
	machine_args='-M q35 -accel kvm -cpu host'
else
	# In QEMU up to 10.0 at least, a restore of FPU state on any CPU writes the
	# first CPU's hflags2, without a lock (cpu_clear_ignne()): now and then a
	# guest loses its nested paging there, or the host finds it on. Guests
	# therefore run on other CPUs.
	cpus=$((cpus + 1)) append+=' isolcpus=0'
	machine_args="$emulated $(two_nodes)"
fi
