# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# arm64 with realms: what arm64 builds, booted by the firmware of the model RMM.
arch=arm64
rmm=$(cd "$here/../../../rmm" && pwd)
board='secure=on,virtualization=on,gic-version=3 -cpu max,x-rme=on,pauth-impdef=on'
. "$here/arch/arm64.sh"
unable=$("$rmm/test/missing.sh" "$qemu")
