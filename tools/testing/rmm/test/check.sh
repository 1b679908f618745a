#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boots the firmware in QEMU with the bare client and with Linux: one line a test, and the sums.
# O: what make built; KERNEL: an arm64 Image; QEMU; LIMIT: seconds a boot may take.

passed=0 failed=0 skipped=0
limit=${LIMIT:-60}

report() { # ok|FAIL|skip NAME
	case $1 in
	ok) passed=$((passed + 1)) ;;
	skip) skipped=$((skipped + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
	echo "$1 $2"
}

summary() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
}

# boot NAME CPUS RAM QEMU-ARGUMENT...: leaves NAME.log and NAME.firmware.log.
boot() {
	local name=$1 cpus=$2 ram=$3
	shift 3
	timeout "$limit" "$QEMU" -M virt,secure=on,virtualization=on,gic-version=3 \
		-cpu max,x-rme=on,pauth-impdef=on -smp "$cpus" -m "$ram" -display none -nic none \
		-bios "$O/${firmware:-.}/fw.bin" -serial "file:$O/$name.log" \
		-serial "file:$O/$name.firmware.log" "$@" < /dev/null 2> "$O/$name.qemu.log"
	ended=$?
}

check_ended() { # NAME
	if [ $ended = 0 ]; then
		report ok "$1 ends by itself"
	else
		report FAIL "$1 ends by itself: exit $ended, $(tail -n 1 "$O/$1.firmware.log")"
	fi
}

# Each line of the client is a test; its last line tells a client that stopped halfway.
run_client() { # NAME CPUS RAM
	local line
	boot "$1" "$2" "$3" -kernel "$O/client.bin"
	check_ended "$1"
	while IFS= read -r line; do
		case $line in
		'ok '*) report ok "$1: ${line#ok }" ;;
		'skip '*) report skip "$1: ${line#skip }" ;;
		'not ok '*) report FAIL "$1: ${line#not ok }" ;;
		esac
	done < "$O/$1.log"
	expect "$1" 'reaches its end' '^done'
}

expect() { # NAME WHAT PATTERN
	if grep -qE "$3" "$O/$1.log"; then
		report ok "$1: $2"
	else
		report FAIL "$1: $2: no line has '$3', the last is: $(tail -n 1 "$O/$1.log")"
	fi
}

hotplug() { # NAME
	if grep -q 'no CPU hotplug' "$O/$1.log"; then
		report skip "$1: CPU 1 goes off and on: the kernel has no CPU hotplug"
	else
		expect "$1" 'CPU 1 goes off and on' '^CPU 1 went off and on'
	fi
}

run_linux() { # NAME CPUS RAM
	if [ ! -f "$KERNEL" ]; then
		report skip "$1: no kernel at $KERNEL (KERNEL=...)"
		return
	fi
	boot "$1" "$2" "$3" -kernel "$KERNEL" -initrd "$O/init.cpio" -append console=ttyAMA0
	check_ended "$1"
	expect "$1" 'finds PSCI' 'psci: PSCIv1.1 detected'
	expect "$1" "has $2 CPUs" "^userspace is reached with $2 CPUs"
	expect "$1" 'has KVM with VHE' 'kvm.*VHE mode initialized'
	if grep -qa 'Realms: none' "$KERNEL"; then
		expect "$1" 'says whether there are realms' "Realms: $realms[[:cntrl:]]*\$"
	else
		report skip "$1: says whether there are realms: the kernel has none"
	fi
	expect "$1" 'turns the machine off' 'reboot: Power down'
	hotplug "$1"
}

reason=$("$(dirname "$0")/missing.sh" "$QEMU")
if [ -n "$reason" ]; then
	report skip "everything: $reason"
	summary
	exit
fi

run_client client 2 1G
run_client client-4-cpus 4 3G
realms='RMM 1\.0, [0-9]+-bit IPA, [0-9]+ list registers'
run_linux linux 2 1G
run_linux linux-4-cpus 4 3G
firmware=without realms='none, there is no RMM'
run_linux linux-without-rmm 2 1G
firmware=newer realms='none, RMM 2\.0 to 2\.0 is not compatible with 1\.0'
run_linux linux-newer-rmm 2 1G
summary
