#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the kernel of the tree this file stands in and its KVM selftests,
# boots them in QEMU, runs the tests and says what became of each.
set -uo pipefail
shopt -s nullglob
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
srctree=$(cd "$here/../../../../.." && pwd)

usage() {
	cat <<-EOF
	Usage: run.sh [OPTION]... [PATTERN]...
	Runs the KVM selftests whose names match a PATTERN (all by default); kunit:GLOB for suites.

	  --arch ARCH        $(cd "$here/arch" && printf '%s ' *.sh | sed 's/\.sh//g')
	  --debug            a kernel with KASAN, lockdep, kmemleak; panics on a warning
	  --shell            no tests: a prompt, the tests on board
	  --exec 'PROG ARG'  no tests: one program; its output on stdout as it comes, its status
	  --self-test        no tests: shows that the harness sees what goes wrong
	  --build            no tests: build only
	  --list             no tests: the names that match
	  --built            what is built is good: do not look for changes
	  --extra NAME=DIR   more test programs, static, named NAME:program
	  --kernel-of NAME=TREE  another tree's kernel instead of this one's, same configuration
	  --icount           emulated, one CPU, and the clock counts instructions: for benchmarks
	  --tree DIR         another kernel tree than the one this file stands in
	  --output DIR       where to build (default: beside the tree)
	  --config FILE      one more fragment of kernel configuration
	  --append ARGS      add to the kernel's command line
	  --cpus N, --memory SIZE, --jobs N (machines at a time)
	  --limit SECONDS    for one test        --total SECONDS    for all

	QEMU_ARGS in the environment is given to QEMU. ccache is used where it is installed.
	EOF
}

kernel_arch() { echo "${1/aarch64/arm64}"; }	# the name that the kernel's Makefile has for it
die() { echo "run.sh: $*" >&2; exit 1; }
tty=''
[ ! -t 2 ] || tty=1
tick=$([ -n "$tty" ] && echo 1 || echo 30)
progress() { # a line that the next one replaces, or plain lines where there is no terminal
	if [ -n "$tty" ]; then
		printf '\r\033[K%s' "$*" >&2
	elif [[ $* != running* ]]; then
		printf '%s\n' "$*" >&2
	fi
}
progress_end() { [ -z "$tty" ] || printf '\r\033[K' >&2; }

arch=$(kernel_arch "$(uname -m)") mode=tests out='' append=''
cpus=2 memory=4G jobs=1 limit='' total=''
debug='' icount='' built='' other='' exec_command='' family=''
rmm='' snp='' unable='' machine_args=''
extras=() patterns=() fragments=()
while [ $# -gt 0 ]; do
	case $1 in
	--debug) debug=1 ;;
	--icount) icount=1 ;;
	--built) built=1 ;;
	--shell | --self-test | --build | --list) mode=${1#--} ;;
	--help | -h) usage; exit 0 ;;
	--*)
		[ $# -ge 2 ] || die "$1 needs a value (see --help)"
		case $1 in
		--arch) arch=$(kernel_arch "$2") ;;
		--exec) mode=exec exec_command=$2 ;;
		--tree) srctree=$(cd "$2" && pwd) || exit 1 ;;
		--extra) extras+=("$2") ;;
		--kernel-of) other=$2 ;;
		--output) out=$2 ;;
		--config) fragments+=("$(realpath "$2")") ;;
		--append) append+=" $2" ;;
		--cpus) cpus=$2 ;;
		--memory) memory=$2 ;;
		--jobs) jobs=$2 ;;
		--limit) limit=$2 ;;
		--total) total=$2 ;;
		*) die "no option $1 (see --help)" ;;
		esac
		shift ;;
	*) patterns+=("$1") ;;
	esac
	shift
done
[ -f "$here/arch/$arch.sh" ] || die "no architecture '$arch'"
[ -z "$icount" ] || cpus=1
. "$here/build.sh"
. "$here/machine.sh"
. "$here/arch/$arch.sh"
family=${family:-$arch}		# one architecture, configured in several ways

limit=${limit:-$([ -n "$debug" ] && echo 900 || echo 300)}
total=${total:-$([ -n "$debug" ] && echo 7200 || echo 3600)}
boot_limit=$([ -n "$debug" ] && echo 300 || echo 60)
[ -z "$icount" ] || boot_limit=600	# one thread, and it may have to share its CPU
max_boots=12 stream=''

out=${out:-$srctree/../qemu-$arch${debug:+-debug}}
mkdir -p "$out"
out=$(cd "$out" && pwd)
firmware=${rmm:+$out/rmm/fw.bin}
if [ "$(kernel_arch "$(uname -m)")" = "$family" ]; then
	cross='' busybox=/bin/busybox
else
	cross=$triplet- busybox=''
fi
cc=${cross}gcc
if command -v ccache > /dev/null; then
	cc="ccache $cc"
	export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$(dirname "$srctree")} CCACHE_NOHASHDIR=1
	export CCACHE_DEPEND=1		# a miss costs no second preprocessing
fi
export KBUILD_BUILD_TIMESTAMP='2000-01-01' KBUILD_BUILD_USER=kvm KBUILD_BUILD_HOST=selftests
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES KBUILD_OUTPUT ARCH CROSS_COMPILE

cmdline="console=$console loglevel=7 printk.devkmsg=on panic=-1 hugepages=64 random.trust_cpu=on"
[ -z "$debug" ] || cmdline+=' panic_on_warn=1 hung_task_panic=1 softlockup_panic=1'
cmdline+=$append

matches() { # NAME: is it asked for?
	local p
	[ ${#patterns[@]} -gt 0 ] || return 0
	for p in "${patterns[@]}"; do
		# shellcheck disable=SC2053
		[[ $1 != $p && ${1##*/} != $p ]] || return 0
	done
	return 1
}
asked_by_name() { [[ " ${patterns[*]-} " == *" $1 "* || " ${patterns[*]-} " == *" ${1##*/} "* ]]; }

# Of the lists beside this file: the reason in a line "name # reason", the words after a name.
reason_in() { sed -n "s|^$2 # ||p" "$here/$1" 2> /dev/null; }
arguments_of() { sed -n "s|^$1 | |p" "$here/arguments"; }

skips=()
plan_test() { # NAME PROGRAM-ON-HOST PATH-ON-BOARD
	local reason whose='the unpatched base too: '
	matches "$1" || return 0
	[ -z "$unable" ] || { skips+=("$1"$'\t'"$unable"); return 0; }
	[[ $1 != *:* ]] || whose=''
	reason=$(reason_in "known-failures.$family" "$1")
	if [ ! -x "$2" ]; then
		case $reason in
		'does not build'*) skips+=("$1"$'\t'"$reason") ;;
		*) broken+=("$1") ;;
		esac
	elif [ -n "$reason" ] && [[ $reason != 'does not build'* ]] && ! asked_by_name "$1"; then
		skips+=("$1"$'\t'"$whose$reason")
	else
		printf '%s\t%s\t/tests/%s\n' "$1" "$limit" "$3$(arguments_of "$1")" >> "$work/list"
		program "$3" "$2"
	fi
}

plan_suites() { # kunit:GLOB
	if [ -n "$unable" ]; then
		skips+=("$1"$'\t'"$unable")
	else
		echo "$1" >> "$work/list"
	fi
}

program() { # PATH-ON-BOARD PROGRAM-ON-HOST
	strip_to "$2" "$out/board/tests/$1"
	echo "$1 $out/board/tests/$1" >> "$work/programs"
}

# The list of tests, and what goes on board for them.
plan() {
	local name extra file p
	broken=()
	for p in "${patterns[@]:-kunit:*}"; do
		[[ $p != kunit:* ]] || plan_suites "$p"
	done
	while read -r name; do
		plan_test "$name" "$out/tests/$name" "$name"
	done < "$out/programs"
	for extra in ${extras[@]+"${extras[@]}"}; do
		for file in "${extra#*=}"/*; do
			[ -x "$file" ] && [ -f "$file" ] || continue
			p=$(basename "$file")
			plan_test "${extra%%=*}:$p" "$file" "${extra%%=*}/$p"
		done
	done
	[ -z "$debug" ] || ! grep -q "	" "$work/list" || echo kmemleak >> "$work/list"
}

all_programs() {
	local name
	while read -r name; do
		[ ! -x "$out/tests/$name" ] || program "$name" "$out/tests/$name"
	done < <(cat "$out/programs" "$out/other-programs")
}

# What tests took, the last time that they ran.
times=$out/times

remember_times() {
	touch "$times"
	awk -F '\t' 'NF == 2 { took[$1] = $2 }
		NF > 2 && $1 != "skip" { took[$2] = $3 }
		END { for (name in took) print name "\t" took[name] }
		' "$times" "$work/results" > "$work/times"
	mv "$work/times" "$times"
}

# Splits the list: what takes longest first, each to the machine that has least to
# do so far; there in the order of the list.
split_list() {
	touch "$times"
	awk -F '\t' -v times="$times" '
		FILENAME == times { took[$1] = $2; next }
		{ print ($1 in took ? took[$1] : 1) "\t" FNR "\t" $0 }
		' "$times" "$work/list" | sort -k1,1nr -k2,2n |
		awk -F '\t' -v jobs="$jobs" -v list="$work/list" '
		function give(j) { print substr($0, length($1) + 2) > (list "." j) }
		$3 == "kmemleak" { for (j = 1; j <= jobs; j++) give(j); next }
		{
			to = 1
			for (j = 2; j <= jobs && $3 !~ /^kunit:/; j++)
				if (load[j] < load[to])
					to = j
			load[to] += $1
			give(to)
		}'
}

# Runs the list on one machine, or split over several at a time, and counts.
run_tests() {
	local name j
	for name in ${skips[@]+"${skips[@]}"}; do
		result skip 0 "${name%%	*}" "${name#*	}"
	done
	for name in ${broken[@]+"${broken[@]}"}; do
		result FAIL 0 "$name" "does not build: $out/logs/tests.log"
	done
	split_list
	for j in $(seq "$jobs"); do
		[ -s "$work/list.$j" ] || continue
		sort -n "$work/list.$j" | cut -f 2- > "$work/list.of.$j"
		run_list "$work/machine.$j" "$work/list.of.$j" "$work/programs" &
	done
	wait
	silent_suites
}

# Suites that the kernel has lost say nothing; it may be configured without.
silent_suites() {
	local glob name found status=FAIL reason='no verdict: the suite has not run'
	grep -rqs kunit_test_suite "$srctree/virt/kvm" || return 0
	grep -q '^CONFIG_KVM_.*KUNIT_TEST=y' "$out/.config" ||
		status=skip reason='there is no suite for this configuration'
	while read -r glob; do
		found=''
		while read -r name; do
			# shellcheck disable=SC2053
			[[ $name != $glob ]] || found=1
		done < <(cut -f 2 "$work"/machine.*/results)
		[ -n "$found" ] || result "$status" 0 "$glob" "$reason"
	done < <(grep '^kunit:' "$work/list")
}

# The last line and the status: a run in which nothing ran has failed.
conclude() {
	local passed failed skipped
	cat "$work"/machine.*/log > "$work/log" 2> /dev/null
	cat "$work"/machine.*/results > "$work/results" 2> /dev/null
	remember_times
	passed=$(grep -c '^ok' "$work/results")
	failed=$(grep -c '^FAIL' "$work/results")
	skipped=$(grep -c '^skip' "$work/results")
	if [ $((passed + failed + skipped)) = 0 ]; then
		echo "FAIL nothing ran${patterns[*]:+: no test is called ${patterns[*]}}"
		failed=1
	fi
	echo "log: $work/log"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
}

new_work() {
	work=$out/run${1:+-$1}
	rm -rf "$work"
	mkdir -p "$work/machine.0"
	: > "$work/programs"
	: > "$work/list"
	dir=$work/machine.0 output_file=/dev/null console_file=/dev/null
	: > "$dir/results"
}

# No machine for what is not a list of tests: a skip, with its reason.
cannot_boot() {
	echo "skip $mode # $unable"
	echo '0 passed, 0 failed, 1 skipped'
	exit 0
}

run_shell() { # [SECONDS]: no longer than that
	[ -n "$busybox" ] || die "no shell for $arch: there is no busybox for it here"
	all_programs
	: > "$work/empty"
	pack "$work/empty" "$work/initramfs" < "$work/programs"
	echo "The tests are in /tests. Ctrl-A x ends it." >&2
	# shellcheck disable=SC2086
	exec ${1:+timeout "$1"} "$qemu" $machine_args -smp "$cpus" \
		-m "$memory" -nographic -no-reboot -nodefaults \
		-serial mon:stdio ${firmware:+-bios "$firmware" -serial "file:$work/firmware"} \
		-kernel "$kernel" -initrd "$work/initramfs" \
		-append "$cmdline loglevel=4" ${QEMU_ARGS:-}
}

# One program, whose output is our output.
run_exec() {
	local status copier
	all_programs
	printf 'exec\t%s\t%s\n' "$limit" "$exec_command" > "$work/list"
	mkfifo "$work/stream"
	(sed -u '1{/^=== exec$/d}' < "$work/stream") &
	copier=$!
	stream=$work/stream max_boots=1
	run_list "$work/machine.1" "$work/list" "$work/programs" > "$work/verdict"
	: <> "$stream"		# a machine that never opened it must not keep the copier waiting
	wait $copier
	status=$(sed -n 's/.*# exit status //p; s/^ok .*/0/p' "$work/verdict" | head -n 1)
	[ "$status" = 0 ] || cat "$work/verdict" >&2
	return "${status:-1}"
}

# A machine that stops before its first test, the first time.
qemu_stops_once() {
	[ -e "$work/stopped" ] || { : > "$work/stopped"; return; }
	exec "$emulator" "$@"
}

# Each case alone; what comes out must be what it does, by name.
self_test() {
	local case want expect said got passed=0 failed=0 emulator=$qemu
	limit=3 boot_limit=30
	while IFS='|' read -r case expect want said; do
		[ -n "$case" ] || continue
		new_work "self-test-$case"
		qemu=$emulator
		[ "$case" != again ] || qemu=qemu_stops_once
		printf '%s\t%s\t/tests/cases %s\n' "$case" "$limit" "$case" > "$work/list"
		echo "cases $out/board/cases" > "$work/programs"
		run_list "$work/machine.1" "$work/list" "$work/programs" > "$work/said"
		[ "$case" = again ] || sed -i '/^skip machine:/d' "$work/said"
		got=$(grep -m 1 -v '^ ' "$work/said")
		[ -z "$said" ] || said=$(grep -m 1 -oE "$said" "$work/machine.1/log" ||
			echo "no line '$said' in the log")
		if [[ $got == "$expect "*"$case"*"$want"* && $said != 'no line'* ]]; then
			echo "ok self-test: $case: $got${said:+; $said}"
			passed=$((passed + 1))
		else
			echo "FAIL self-test: $case: expected $expect, $want;" \
				"got: $got${said:+; $said}"
			cat "$work/said"
			failed=$((failed + 1))
		fi
	done <<-EOF
	pass|ok
	fail|FAIL|exit status 1
	skip|skip
	hang|FAIL|timeout
	panic|FAIL|kernel panic
	silence|FAIL|no verdict
	warn|FAIL|kernel: WARNING
	again|skip||FAIL [0-9.]*s again # exit status 1
	${rmm:+granule|FAIL|granule protection fault}
	${snp:+assigned|FAIL|unable to handle page fault|SEV-SNP: pfn 0x[0-9a-f]*: assigned 4K}
	EOF
	[ -z "$busybox" ] || test_shell
	echo "$passed passed, $failed failed, 0 skipped"
	[ $failed = 0 ]
}

# Types at the prompt, until there is one to answer.  What is typed before gets
# there in parts.
test_shell() {
	new_work self-test-shell
	: > "$work/console"
	for _ in $(seq $boot_limit); do
		sleep 1
		if grep -q '^42 from ' "$work/console"; then
			echo exit
		else
			echo 'echo $((6 * 7)) from $PWD, $(ls | wc -l) programs'
		fi || break
	done 2> /dev/null | (run_shell $boot_limit) > "$work/console" 2>&1
	tr -d '\r' < "$work/console" > "$work/text"
	if grep -m 1 '^42 from /tests, [1-9][0-9]* programs$' "$work/text" > "$work/said"; then
		echo "ok self-test: shell: $(cat "$work/said")"
		passed=$((passed + 1))
	else
		echo "FAIL self-test: shell: no answer at the prompt"
		tail -n 15 "$work/text" | sed 's/^/    /'
		failed=$((failed + 1))
	fi
}

exec 9> "$out/.lock"
flock -n 9 || { echo "Waiting for another run in $out" >&2; flock 9; }
[ -n "$built" ] || build_all
kernel=$out/$image
if [ -n "$other" ]; then
	other_out=$out/kernel-${other%%=*}
	build_other_kernel "${other%%=*}" "$(realpath "${other#*=}")" "$other_out"
	kernel=$other_out/$image
fi
new_work
total_deadline=$((SECONDS + total))
case $mode in
shell | exec | self-test) [ -z "$unable" ] || cannot_boot ;;
esac
case $mode in
build) ;;
list) plan; cut -f1 "$work/list" ;;
shell) run_shell ;;
exec) run_exec ;;
self-test) self_test ;;
tests) plan; run_tests; conclude ;;
esac
