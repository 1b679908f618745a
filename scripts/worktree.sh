# shellcheck shell=bash disable=SC2154
# Building single commits of the series: a second checkout, build/<base>/bisect, and objects of it.
work=$BUILD/$BASE/bisect
fragments=$TOP/tools/testing/selftests/kvm/qemu
export KBUILD_BUILD_TIMESTAMP=2000-01-01 KBUILD_BUILD_USER=kvm KBUILD_BUILD_HOST=selftests
export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
unset MAKEFLAGS MFLAGS MAKELEVEL KBUILD_OUTPUT ARCH CROSS_COMPILE

checkout() {
	[ -d "$work" ] || git -C "$tree" worktree add -q --detach "$work" base
	git -C "$work" checkout -q --detach "$1"
}

# kmake ARCH OUT ...
kmake() {
	local arch=$1 out=$2 cross=''
	shift 2
	[ "$arch" = x86_64 ] || cross=aarch64-linux-gnu-
	make -C "$work" O="$out" ARCH="$arch" CROSS_COMPILE="$cross" CC="ccache ${cross}gcc" -j"$(nproc)" "$@"
}

# The harness's configuration, with what the series offers (on), without (off), or without options that match a pattern:
# configure ARCH OUT on|off|PATTERN.
configure() {
	mkdir -p "$2"
	cat "$fragments/kernel.config" "$fragments/arch/$1.config" 2> /dev/null > "$2/fragment" || true
	case $3 in
	on) ;;
	off) sed -i '/GMEM\|SW_PROTECTED_VM\|ARM_RMI\|KVM_AMD_SNP/d' "$2/fragment" ;;
	*) sed -i "/$3/d" "$2/fragment" ;;
	esac
	[ ! -f "$2/.config" ] || cp -p "$2/.config" "$2/.config.before"
	kmake "$1" "$2" -s KCONFIG_ALLCONFIG="$2/fragment" allnoconfig
	! cmp -s "$2/.config" "$2/.config.before" || cp -p "$2/.config.before" "$2/.config"
}

# KVM's folder of an architecture.
kvm_dir() {
	local dir=arch/$1/kvm/
	echo "${dir/x86_64/x86}"
}

# A pattern of files that mean nothing to an architecture: not_for ARCH.
not_for() {
	case $1 in
	x86_64) echo '^arch/arm64/' ;;
	arm64) echo '^\(arch/x86\|drivers/crypto/ccp\|drivers/iommu/amd\)/' ;;
	esac
}

# Objects of the C files on stdin that an architecture builds, besides KVM's own folder: objects_of ARCH.
objects_of() {
	sed -n '/^\(tools\|Documentation\|samples\)\//d; s/\.c$/.o/p' | grep -v "$(not_for "$1")" || true
}
