# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# x86-64 with SEV-SNP, by the kernel's model of it: what x86-64 builds, booted with the model on.
arch=x86_64
snp=1
append+=' kvm_amd.snp_model=1'
. "$here/arch/x86_64.sh"
