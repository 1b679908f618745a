# shellcheck shell=bash
# What the tools share: where things are, reading a series of patches, and git without the user's settings.
set -euo pipefail
shopt -s nullglob
export LC_ALL=C

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BASE=${BASE:-6.1}
BUILD=${BUILD:-$TOP/build}
arch=${ARCH:-$(uname -m)}
arch=${arch/aarch64/arm64}
unset ARCH

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Top-level folders of the kernel: what stands there in this repository belongs to the series.
kernel_dirs='Documentation arch drivers fs include kernel lib mm tools virt'

# Reads bases/<base>/base: package, tested, and where the package puts its source.
read_base() {
	[ -f "$TOP/bases/$BASE/base" ] ||
		die "no base '$BASE'; there are: $(cd "$TOP/bases" && echo *)"
	package='' tested='' tarball='' version=''
	. "$TOP/bases/$BASE/base"
	tarball=${tarball:-/usr/src/$package.tar.xz}
	version=${version:-$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || true)}
	tree=$BUILD/$BASE/linux
	series_dir=$TOP/patches/$BASE
}

# git in the trees made here: the same result whatever the user's configuration says.
hermetic_git() {
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
	GIT_AUTHOR_NAME=$(sed 's/ <.*//' "$TOP/patches/author")
	GIT_AUTHOR_EMAIL=$(sed 's/.*<\(.*\)>.*/\1/' "$TOP/patches/author")
	export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL
	export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
}

make_tmp() {
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
}

# The part of a patch that concerns new files ($1 = 1) or existing ones ($1 = 0).
hunks() {
	local new=$1
	shift
	awk -v want="$new" '
		/^diff --git / { head = $0; body = 0; getline; body = ((/^new file mode /) ? 1 : 0) == want
				 if (body) print head }
		body' "$@"
}

# Extracts the files that the patches in directory $1 add into directory $2.
added_into() {
	local p
	for p in "$1"/*.patch; do
		hunks 1 "$p" > "$tmp/hunks"
		[ ! -s "$tmp/hunks" ] || (cd "$2" && GIT_CEILING_DIRECTORIES=$2 git apply --whitespace=nowarn "$tmp/hunks") ||
			die "${p##*/}: a file that it adds does not come out whole"
	done
}

# The lines that the patches in directory $1 add to MAINTAINERS.
maintainers_of() {
	cat /dev/null "$1"/*.patch |
		awk '/^diff --git /{on = /^diff --git a\/MAINTAINERS /; next} on && /^\+/ && !/^\+\+\+ /{print substr($0, 2)}' |
		sed '/./,$!d' | cat -s
}

# What the patches in directory $1 get wrong; nothing if they are as they should be.
series_faults() {
	local p name n=0 author
	author=$(cat "$TOP/patches/author")
	for p in "$1"/*.patch; do
		name=${p##*/} n=$((n + 1))
		[ "${name%%-*}" = "$(printf %04d $n)" ] || say "$name: expected number $(printf %04d $n)"
		awk -v name="$name" -v author="$author" -v zeros="$(printf %040d 0)" '
			NR == 1 && index($0, "From " zeros " ") != 1 { print name ": does not begin as zero-commit mail" }
			/^diff --git / { body = 1 }
			body { next }
			/^$/ { header_done = 1 }
			!header_done && /^Date:/ { print name ": has a Date" }
			!header_done && /^From: / { from = $0; next }
			!header_done && from && /^ / { from = from $0; next }
			from && from != "From: " author { print name ": is " from ", not " author }
			{ from = "" }
			/^[Ss]igned-off-by:/ { print name ": has a Signed-off-by" }' "$p"
	done
	# A file enters whole, in one patch: no later patch touches it.
	[ $n = 0 ] || awk '
		FNR == 1 { n = split(FILENAME, part, "/"); name = part[n] }
		/^diff --git / { file = substr($3, 3)
				 if (file in adder) print name ": touches " file ", which " adder[file] " adds"
				 getline
				 if (/^new file mode /) adder[file] = name }' "$1"/*.patch
}

# Identity of a file: mode and blob, empty if there is none. On disk, and in a commit of the tree.
id_of_file() {
	[ -f "$1" ] || return 0
	[ -x "$1" ] && printf 100755 || printf 100644
	git hash-object --no-filters "$1"
}
id_in_tree() { git -C "$tree" ls-tree "$1" -- "$2" | awk '{print $1 $3}'; }

# One number for all the patches of the base.
hash_of() { { echo "${@##*/}"; cat /dev/null "$@"; } | sha1sum | cut -d' ' -f1; }
series_hash() { hash_of "$series_dir"/*.patch; }

# Writes base..$1 of the tree as patches into directory $2, byte for byte the same anywhere.
format_series() {
	echo '* !diff' > "$tree/.git/info/attributes"		# the names after @@ then depend on no git version
	git -C "$tree" format-patch -q -N -o "$2" --zero-commit --no-signature --full-index --no-renames \
		--no-cover-letter --no-base --no-thread --stat=72 --summary --unified=3 --inter-hunk-context=0 \
		--diff-algorithm=histogram --src-prefix=a/ --dst-prefix=b/ "base..$1"
	local p
	for p in "$2"/*.patch; do
		sed -i '1,/^$/{/^Date: /d}' "$p"
	done
}

# .git/exported holds the patches' hash and the commit at which tree and patches were last the same:
# to begin with, no patches and base.
record_state() { printf '%s %s\n' "$(series_hash)" "$(git -C "$tree" rev-parse series)" > "$tree/.git/exported"; }
recorded() { cat "$tree/.git/exported" 2> /dev/null || echo "$(hash_of)" "$(git -C "$tree" rev-parse 'base^{commit}')"; }

tree_is_clean() { [ -z "$(git -C "$tree" status --porcelain -uno)" ]; }
tree_is_idle() {
	[ "$(git -C "$tree" symbolic-ref -q HEAD)" = refs/heads/series ] &&
		[ ! -d "$tree/.git/rebase-merge" ] && [ ! -d "$tree/.git/rebase-apply" ]
}

# Moves branch series and the files from its commit to commit $1, touching only files that differ.
move_series() {
	git -C "$tree" update-index -q --refresh || true
	git -C "$tree" read-tree -m -u series "$1"
	git -C "$tree" update-ref refs/heads/series "$1"
}

# Files edited here that the tree does not have, if tree and patches were the same.
edited_here() {
	local f
	mkdir "$tmp/as-exported"
	added_into "$series_dir" "$tmp/as-exported"
	(cd "$tmp/as-exported" && find . -type f | sed 's|^\./||') | while read -r f; do
		[ "$(id_of_file "$TOP/$f")" = "$(id_of_file "$tmp/as-exported/$f")" ] || say "$f"
	done
}

# Sets gmem_tests to the tests that the series adds, for all architectures, realm_tests to those that need an RMM, and
# snp_tests to those that need SEV-SNP.
find_gmem_tests() {
	local added
	added=$(git -C "$tree" diff --no-renames --name-only --diff-filter=A base series -- \
		tools/testing/selftests/kvm ':!*/lib/*' ':!*/qemu/*' ':!*/native/*' ':!*/linux_*' |
		sed -n 's|^tools/testing/selftests/kvm/\(.*\)\.c$|\1|p')
	mapfile -t gmem_tests < <(grep -v -e '^aarch64/realm_' -e '^x86_64/snp_' <<< "$added")
	mapfile -t realm_tests < <(grep '^aarch64/realm_' <<< "$added")
	mapfile -t snp_tests < <(grep '^x86_64/snp_' <<< "$added")
	gmem_tests+=('kunit:*')
}

# Sets run to the harness of the tree, ours while the series does not bring it, and out to where it
# builds: find_harness ARCH. A machine with realms or SEV-SNP has the output of its architecture.
find_harness() {
	local harness=tools/testing/selftests/kvm/qemu/run.sh
	run=("$tree/$harness")
	[ -x "${run[0]}" ] || run=("$TOP/$harness" --tree "$tree")
	run+=(--arch "$1")
	out=${1%-realm}
	out=$BUILD/$BASE/qemu-${out%-snp}
}

# A run of several parts: part NAME COMMAND... shows one and adds up its counts; total ends with what failed, each with
# its last lines once more, and the sum alone. What took longest comes before.
passed=0 failed=0 skipped=0
failures() {
	awk -v part="$1" -v most=12 '
		function flush(i) {
			for (i = n > most ? n - most : 0; i < n; i++)
				print line[i]
			n = 0
		}
		/^FAIL / { flush(); print part ": " $0; inside = 1; next }
		inside && /^ / { line[n++] = $0; next }
		{ flush(); inside = 0 }
		END { flush() }' "$tmp/part"
}
part() {
	local name=$1 from=$SECONDS status=0 counts
	shift
	say "== $name"
	"$@" 2>&1 | tee "$tmp/part" | sed -u '/^[0-9]* passed, [0-9]* failed, [0-9]* skipped$/d' || status=$?
	counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$tmp/part" | tail -n 1)
	[ -n "$counts" ] || counts=$([ $status = 0 ] && echo 1 0 0 || echo 0 1 0)
	# shellcheck disable=SC2086
	set -- $counts
	[ $status = 0 ] || [ "$2" != 0 ] || set -- "$1" 1 "$3"	# failed without having counted it
	[ "$2" = 0 ] || { failures "$name"; say "$name: $2 failed"; } >> "$tmp/failures"
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
	say "== $name: $1 passed, $2 failed, $3 skipped in $((SECONDS - from)) s"
	printf '%6d s  %s\n' $((SECONDS - from)) "$name" >> "$tmp/seconds"
}
# Of more parts than fit on a screen, what they took.
times() {
	[ -s "$tmp/seconds" ] && [ "$(wc -l < "$tmp/seconds")" -gt 12 ] || return 0
	say "== what took longest, of $SECONDS s"
	sort -rn "$tmp/seconds" | head -n 12
}
total() {
	times
	[ ! -s "$tmp/failures" ] || { say '== what failed'; cat "$tmp/failures"; }
	say "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
}
