# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# Builds what a run needs, each step only as far as something changed: kernel, headers, tests, init.

kmake_in() { # TREE OUTPUT ARGUMENT...
	make -C "$1" O="$2" ARCH="$karch" CROSS_COMPILE="$cross" CC="$cc" "${@:3}"
}
kmake() { kmake_in "$srctree" "$out" "$@"; }

# Runs a long step, its output in a log, saying how far it is:
# step NAME EXPECTED-LINES PATTERN COMMAND...
step() {
	local name=$1 expected=$2 pattern=$3 log=$out/logs/${1// /-}.log
	local from=$SECONDS said=$SECONDS n pid
	shift 3
	"$@" > "$log" 2>&1 &
	pid=$!
	while kill -0 $pid 2> /dev/null; do
		sleep 0.2
		[ $((SECONDS - said)) -ge "$tick" ] || continue
		said=$SECONDS n=$(grep -cE "$pattern" "$log")
		progress "$name: $n${expected:+ of about $expected} objects, $((SECONDS - from)) s"
	done
	if ! wait $pid; then
		progress_end
		grep -E -A5 'error|Error|undefined' "$log" | head -40
		die "$name failed; all of it: $log"
	fi
	progress_end
	[ $((SECONDS - from)) -lt 3 ] || echo "$name: built in $((SECONDS - from)) s" >&2
}

# Only where a fragment or the tree's Kconfig changed; a result that did not change keeps its
# time for make's sake.
configure() { # TREE OUTPUT
	local new=$2/.fragments own="$here/arch/$arch.config"
	[ "$arch" != "$family" ] || own=''
	cat "$here/kernel.config" "$here/arch/$family.config" ${own:+"$own"} \
		${debug:+"$here/debug.config"} "${fragments[@]}" > "$new"
	! cmp -s "$new" "$new.used" ||
		[ -n "$(find "$1" -name 'Kconfig*' -newer "$new.used" -print -quit)" ] || return 0
	[ ! -f "$2/.config" ] || cp -p "$2/.config" "$2/.config.before"
	kmake_in "$1" "$2" -s KCONFIG_ALLCONFIG="$new" allnoconfig
	! cmp -s "$2/.config" "$2/.config.before" || cp -p "$2/.config.before" "$2/.config"
	cp "$new" "$new.used"
}

build_headers() {
	local stamp=$out/.headers
	[ ! -f "$stamp" ] || [ -n "$(find "$srctree/include/uapi" "$srctree"/arch/*/include/uapi \
		-newer "$stamp" -print -quit)" ] || return 0
	touch "$stamp.new"
	kmake -s headers
	mv "$stamp.new" "$stamp"
}

tmake() {
	make -C "$srctree/tools/testing/selftests/kvm" OUTPUT="$out/tests" ARCH="$karch" \
		CROSS_COMPILE="$cross" CC="$cc" KHDR_INCLUDES="-isystem $out/usr/include" \
		USERLDFLAGS=-static "$@"
}

# The names of all programs in a variable of the tests' Makefile, without the output folder.
list_programs() {
	printf 'include Makefile\nlist-programs:\n\t@printf "%%s\\n" $(%s)\n' "$1" > "$out/.list.mk"
	tmake -s --no-print-directory -f "$out/.list.mk" list-programs | sed -n "s|^$out/tests/||p"
}

# The tests' Makefile does not know which header a program includes, so a changed header
# rebuilds them all.
# A program that does not build is no reason to stop: it is reported as a test.
build_tests() {
	local stamp=$out/.tests kvm=$srctree/tools/testing/selftests/kvm
	if [ -n "$(find "$kvm" "$out/usr/include" -name '*.h' -newer "$stamp" \
		-print -quit 2>&1)" ]; then
		rm -rf "$out/tests"
	fi
	mkdir -p "$out/tests"
	touch "$stamp.new"
	tmake -k -j"$(nproc)" || true
	mv "$stamp.new" "$stamp"
	list_programs TEST_GEN_PROGS > "$out/programs"
	list_programs TEST_GEN_PROGS_EXTENDED > "$out/other-programs"
}

build_init() {
	local p
	mkdir -p "$out/board"
	for p in init cases; do
		[ "$out/board/$p" -nt "$here/$p.c" ] ||
			"${cross}gcc" -O2 -Wall -Wextra -static -s -o "$out/board/$p" "$here/$p.c"
	done
	build_linux_guest
}

# The initramfs of the guest that guest_memfd_linux boots.
build_linux_guest() {
	local kvm=$here/.. guest=$out/board/linux-guest
	[ ! "$guest.cpio" -nt "$kvm/linux_guest/init.c" ] ||
		[ ! "$guest.cpio" -nt "$kvm/include/linux_guest_page.h" ] || return 0
	"${cross}gcc" -O2 -Wall -Wextra -static -s -pthread -I "$kvm/include" \
		-o "$guest" "$kvm/linux_guest/init.c" || return
	cat > "$guest.list" <<-EOF
	dir /dev 0755 0 0
	dir /proc 0755 0 0
	nod /dev/console 0600 0 0 c 5 1
	nod /dev/ttyS1 0600 0 0 c 4 65
	file /init $guest 0755 0 0
	EOF
	"$out/usr/gen_init_cpio" "$guest.list" > "$guest.cpio"
}

# The model RMM and the monitor below it, by their own Makefile.
build_firmware() {
	make -C "$rmm" --no-print-directory O="$out/rmm" CROSS_COMPILE="$cross" -j"$(nproc)"
}

build_kernel() { kmake_in "$1" "$2" -j"$(nproc)" "$target"; }

build_other_kernel() { # NAME TREE OUTPUT
	mkdir -p "$3"
	step "configuration of $1" '' . configure "$2" "$3"
	step "kernel of $1${debug:+ (debug)}" "$objects" '^  (CC|AS|LD|AR) ' build_kernel "$2" "$3"
}

build_all() {
	mkdir -p "$out/logs"
	step configuration '' . configure "$srctree" "$out"
	step "kernel${debug:+ (debug)}" "$objects" '^  (CC|AS|LD|AR) ' \
		build_kernel "$srctree" "$out"
	step headers '' . build_headers
	step tests '' 'gcc' build_tests
	step init '' . build_init
	[ -z "$firmware" ] || step firmware '' 'gcc' build_firmware
}

# A program, stripped, for the board: strip_to FROM TO.
strip_to() {
	[ ! "$2" -nt "$1" ] || return 0
	mkdir -p "$(dirname "$2")"
	"${cross}strip" -o "$2" "$1" 2> /dev/null || cp "$1" "$2"
}

# The folders on the way to a path: a/b/c gives a and a/b.
parents() {
	local path=$1
	while [[ $path == */* ]]; do
		path=${path%/*}
		echo "$path"
	done | tac
}

# What guest_memfd_linux boots: the kernel under test.
linux_guest_files() {
	echo 'dir /boot 0755 0 0'
	echo "file /boot/kernel $kernel 0644 0 0"
	echo "file /boot/initrd $out/board/linux-guest.cpio 0644 0 0"
}

# The initramfs with the given programs ("on-board-path host-path" on stdin) and list of tests:
# pack TESTS-LIST OUTPUT.
pack() {
	local dir path file dirs=' '
	{
		printf 'dir /%s 0755 0 0\n' dev proc sys tmp tests bin
		echo 'nod /dev/console 0600 0 0 c 5 1'
		echo "file /init $out/board/init 0755 0 0"
		[ ! -s "$1" ] || echo "file /tests.list $1 0644 0 0"
		if [ -x "$busybox" ]; then
			echo "file /bin/busybox $busybox 0755 0 0"
			"$busybox" --list 2> /dev/null |
				sed '/^busybox$/d; s|.*|slink /bin/& busybox 0755 0 0|'
		fi
		while read -r path file; do
			for dir in $(parents "$path"); do
				[[ $dirs != *" $dir "* ]] || continue
				dirs+="$dir "
				echo "dir /tests/$dir 0755 0 0"
			done
			echo "file /tests/$path $file 0755 0 0"
			[ "$path" != guest_memfd_linux ] || linux_guest_files
		done
	} > "$2.list"
	"$out/usr/gen_init_cpio" "$2.list" > "$2"
}
