# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# arm64 with pages of 64 KiB.
family=arm64
. "$here/arch/arm64.sh"
