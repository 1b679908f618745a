# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2054
# Boots QEMU with a list of tests, and judges each by what came over the verdict port and the
# console.

# What the kernel says when something is wrong.
splat_pattern='WARNING: |BUG: |BUG [a-z]|KASAN: |UBSAN: |KFENCE: |Oops|Kernel panic'
splat_pattern+='|general protection fault|Unable to handle kernel|Internal error:'
splat_pattern+='|possible (circular|recursive|irq|deadlock)|inconsistent lock state'
splat_pattern+='|suspicious RCU usage|DEBUG_LOCKS_WARN_ON|INFO: (task .* blocked|rcu)'
splat_pattern+='|rcu.*(stall|detected)|soft lockup|hard LOCKUP|workqueue lockup'
splat_pattern+='|kmemleak: [0-9]+ new|unreferenced object|refcount_t: |ODEBUG: '
splat_pattern+='|(list|plist)_(add|del) corruption|Bad (page|rss)|bad pm[dg]|page_table_check'

# Lines of the console about test $2 (or outside any test, if empty) that are splats.
splats() {
	tr -d '\r' < "$1" 2> /dev/null | awk -v want="$2" -v pattern="$splat_pattern" '
		match($0, /selftest: begin /) { name = substr($0, RSTART + RLENGTH); next }
		match($0, /selftest: end /) { name = ""; next }
		name == want && $0 ~ pattern && !/selftest: / { print }'
}

# Why the firmware turned the machine off, if it did: its last words.
firmware_panic() {
	[ -s "$firmware_file" ] || return 0
	tr -d '\r' < "$firmware_file" | grep -B 2 ', machine off$' | tail -n 3 |
		awk '{ printf "%s%s", NR == 1 ? "firmware: " : "; ", $0 }'
}

# What test $2 printed.
output_of() {
	tr -d '\r\000' < "$1" 2> /dev/null |
		awk -v want="=== $2" '/^=== / { on = $0 == want; next } on'
}

# Why a test skipped itself, from its output on stdin.
skip_reason() {
	awk 'NF { last = $0 } /SKIP|[Ss]kip|not met/ { reason = $0 }
		END { if (!reason) reason = last
		      sub(/^1\.\.0 /, "", reason); sub(/^# SKIP[ -]*/, "", reason)
		      print reason ? reason : "gives no reason" }'
}

# How much of itself a test has skipped that passed, from its output on stdin.
parts_skipped() {
	sed -n 's/^[0-9]* checks, .*failed, \([1-9][0-9]* parts skipped\)$/\1/p' | tail -n 1
}

# One test's line on the terminal, its record in the results, and all about it in the log.
result() { # STATUS SECONDS NAME REASON
	local line
	case $1 in
	skip) line="skip $3 # $4" ;;
	*) line="$1 ${2}s $3${4:+ # $4}" ;;
	esac
	progress_end
	printf '%s\n' "$line"
	printf '%s\t%s\t%s\t%s\n' "$1" "$3" "$2" "$4" >> "$dir/results"
	{
		printf '=== %s\n' "$line"
		output_of "$output_file" "$3"
	} >> "$dir/log"
	[ "$1" = FAIL ] || return 0
	{
		output_of "$output_file" "$3" | tail -n 20
		splats "$console_file" "$3" | head -n 10
	} | sed 's/^/    /' | tee -a "$dir/log"
}

seconds() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

# The verdict on a test that reported its end: judge NAME HOW VALUE.
judge() {
	local status=FAIL reason='' splat
	splat=$(splats "$console_file" "$1" | head -n 1)
	case $2/$3 in
	exit/0) status=ok reason=$(output_of "$output_file" "$1" | parts_skipped) ;;
	exit/4) status=skip reason=$(output_of "$output_file" "$1" | skip_reason) ;;
	exit/*) reason="exit status $3" ;;
	timeout/*) reason="timeout: still running after $3 s" ;;
	*) reason="killed by signal $3" ;;
	esac
	if [ -n "$splat" ]; then
		status=FAIL reason="kernel: ${splat#*] }"
	elif [ -n "$taint" ]; then
		status=FAIL reason="the kernel is tainted: $taint"
	fi
	result "$status" "$(seconds "$began")" "$1" "$reason"
}

# The verdict on the test that was running when the machine went away.
judge_interrupted() {
	local reason=$killed panic
	panic=$(tr -d '\r' < "$console_file" |
		sed -n 's/.*Kernel panic[^:]*: /kernel panic: /p' | head -n 1)
	panic=${panic:-$(firmware_panic)}
	reason=${panic:-$reason}
	result FAIL "$(seconds "$began")" "$current" "${reason:-no verdict: the machine stopped}"
}

# What splits a machine's memory over two nodes, for tests of memory policies.
two_nodes() {
	local n half=$(($(numfmt --from=iec "$memory") / 2))
	for n in 0 1; do
		printf ' -object memory-backend-ram,id=node%s,size=%s' "$n" "$half"
		printf ' -numa node,nodeid=%s,memdev=node%s' "$n" "$n"
	done
}

start_machine() { # INITRAMFS
	local ports=(-device virtio-serial-pci) args=$cmdline
	# Suites run while booting, asked for or not.
	grep -qs '^kunit:' "$dir/left" || args+=' kunit.enable=0'
	rm -f "$dir/verdict"
	mkfifo "$dir/verdict"
	exec {verdict}<> "$dir/verdict"
	ports+=(-chardev "file,id=verdict,path=$dir/verdict")
	ports+=(-device virtserialport,chardev=verdict,name=verdict)
	ports+=(-chardev "file,id=output,path=${stream:-$output_file}")
	ports+=(-device virtserialport,chardev=output,name=output)
	[ -z "$firmware" ] || ports+=(-bios "$firmware" -serial "file:$firmware_file")
	# shellcheck disable=SC2086
	"$qemu" $machine_args -smp "$cpus" -m "$memory" -nographic -no-reboot -nodefaults \
		-monitor none -kernel "$kernel" -initrd "$1" -append "$args" \
		-serial "file:$console_file" \
		"${ports[@]}" ${QEMU_ARGS:-} < /dev/null > "$dir/qemu" 2>&1 {verdict}<&- 9<&- &
	machine=$!
}

stop_machine() {
	kill -9 "$machine" 2> /dev/null || true
	wait "$machine" 2> /dev/null || true
	exec {verdict}<&-
}

# Follows the machine until it is done or gone. Sets finished if it went through its list.
follow() {
	local line='' part deadline=$((SECONDS + boot_limit)) since=$SECONDS name how value
	current='' taint='' killed='' finished=''
	while :; do
		if IFS= read -r -t 1 -u "$verdict" part; then
			line+=$part
		elif line+=$part; kill -0 "$machine" 2> /dev/null; then
			[ $SECONDS -lt $deadline ] && [ $SECONDS -lt "$total_deadline" ] || {
				killed="timeout: the machine did not answer"
				[ $SECONDS -lt "$total_deadline" ] ||
					killed="timeout: the run's $total s are over"
				break
			}
			[ -z "$current" ] || progress "running $current, $((SECONDS - since)) s"
			continue
		else
			break
		fi
		case $line in
		'begin '*)
			current=${line#begin } began=$EPOCHREALTIME taint='' since=$SECONDS
			deadline=$((SECONDS + limit + boot_limit)) ;;
		'taint '*) taint=${line##* } ;;
		'end '*)
			value=${line##* } line=${line% *}
			how=${line##* } line=${line% *} name=${line#end }
			judge "$name" "$how" "$value"
			printf '%s\n' "$name" >> "$dir/reported"
			current='' deadline=$((SECONDS + boot_limit)) ;;
		done) finished=1 ;;
		esac
		line=''
	done
	stop_machine
}

# What the machine said last.
last_words() { tail -n 15 "$console_file" "$dir/qemu" | sed 's/^/    /'; }

may_boot_again() { [ "$1" -lt "$max_boots" ] && [ $SECONDS -lt "$total_deadline" ]; } # BOOTS

# Runs a list of tests, booting again after a test that took the machine down, and
# once after a boot that came to nothing without a word of what is wrong: emulated
# machines do that, one in some hundred. A skip says so.
# run_list DIR LIST PROGRAMS, where PROGRAMS says what to put on board.
run_list() {
	local boots=0 list=$2 name splat reason again=''
	dir=$1
	mkdir -p "$dir"
	: > "$dir/reported"
	: > "$dir/results"
	: > "$dir/log"
	cp "$list" "$dir/left"
	while [ -s "$dir/left" ]; do
		boots=$((boots + 1))
		console_file=$dir/console.$boots output_file=$dir/output.$boots
		firmware_file=$dir/firmware.$boots
		: > "$console_file"
		: > "$output_file"
		pack "$dir/left" "$dir/initramfs" < "$3"
		start_machine "$dir/initramfs"
		follow
		{
			echo "=== console of boot $boots"
			tr -d '\r' < "$console_file"
			cat "$dir/qemu"
			[ ! -s "$firmware_file" ] || {
				echo "=== firmware of boot $boots"
				tr -d '\r' < "$firmware_file"
			}
		} >> "$dir/log"
		began=${began:-$EPOCHREALTIME}
		splat=$(splats "$console_file" '' | head -n 1)
		[ -n "$current" ] || splat=${splat:-$(firmware_panic)}
		[ -z "$splat" ] || [ -z "$current$finished" ] ||
			result FAIL 0 "console:$boots" "kernel, outside any test: ${splat#*] }"
		if [ -n "$current" ]; then
			judge_interrupted
			printf '%s\n' "$current" >> "$dir/reported"
		elif [ -z "$finished" ]; then
			reason="${killed:-the machine stopped} before a test"
			reason+=${splat:+: ${splat#*] }}
			if [ -z "$again" ] && may_boot_again $boots &&
				[[ -z $splat || $splat == *'rcu: INFO'* ]]; then
				again=1
				result skip 0 "machine:$boots" "$reason; booted again"
				last_words
				continue
			fi
			result FAIL 0 "machine:$boots" "no verdict: $reason"
			last_words
		fi
		still_left
		[ -z "$finished" ] && [ -n "$current" ] || break
		may_boot_again $boots || break
	done
	while IFS=$'\t' read -r name _; do
		case $name in
		kunit:*) ;;
		*) result FAIL 0 "$name" 'no verdict: it never ran' ;;
		esac
	done < "$dir/left"
	began=''
}

# Takes what has reported off the list, and suites that booting again would report again.
still_left() {
	awk -F '\t' 'FILENAME == ARGV[1] { seen[$0] = 1; next } !($1 in seen) && !/^kunit:/' \
		"$dir/reported" "$dir/left" > "$dir/left.new"
	if [ -n "$finished" ]; then sed -i '/^kmemleak$/d' "$dir/left.new"; fi
	mv "$dir/left.new" "$dir/left"
}
