#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Says why a QEMU cannot boot the firmware, or nothing: missing.sh QEMU.

qemu=$1
command -v "$qemu" > /dev/null || { echo "no $qemu"; exit; }
said=$("$qemu" -M virt -cpu max,x-rme=on -display none -monitor stdio -S <<< quit 2>&1)
! grep -q "x-rme' not found" <<< "$said" || echo "$qemu is older than 8.1, without x-rme"
