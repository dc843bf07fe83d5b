# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh disable=SC2034,SC2154
# What the suites share that boot Debian's other kernels under QEMU (TCG: no KVM wanted, no rate means anything),
# each with an initramfs of what is built and qemu_init.sh: to be sourced with $suite, $modules (each after what it
# needs) and $tests (what is run there) set. Boots nothing by itself; whatever was started is gone when the suite
# ends. Wants no root.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${XFN_BUILD:-build}
cache=$build/kernels
kept="llc stp bridge garp mrp 8021q veth psample" # modules of a package that some suite wants
limit=600                                         # seconds, for a machine that hangs on a host that is busy
pids=
skip() { echo "[  SKIPPED ] $suite$1"; }

tools/packages.sh kernels || {
	skip ": qemu-system-x86, busybox-static, cpio and xz-utils are wanted, and were not installed"
	exit 0
}
dir=$(mktemp -d) || exit 1
root=$dir/root
finish()
{
	for pid in $pids; do kill "$pid" 2>/dev/null; done
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

newest() { apt-cache search --names-only "^linux-image-$1\.[0-9][^ ]*-cloud-amd64\$" | cut -d' ' -f1 | sort -V | tail -n 1; }

# cached VERSION: is all of it there?
cached()
{
	[ -f "$cache/$1/vmlinuz" ] || return 1
	for module in $kept; do [ -f "$cache/$1/$module.ko" ] || return 1; done
}

# obtain VERSION: its vmlinuz and modules in the cache, once
obtain()
{
	! cached "$1" || return 0
	to=$dir/package-$1
	rm -rf "${cache:?}/$1"
	mkdir -p "$to" "$cache/$1"
	for attempt in 1 2; do
		package=$(newest "$1")
		[ -z "$package" ] || echo "$1: downloading $package"
		if [ -n "$package" ] && (cd "$to" && apt-get download -qq "$package" 2>log && dpkg-deb -x ./*.deb .); then break; fi
		if [ $attempt = 2 ]; then
			[ ! -f "$to/log" ] || cat "$to/log"
			skip "_$1: apt has no ${package:-linux-image-$1.*-cloud-amd64} to download"
			return 1
		fi
		apt-get update -qq 2>/dev/null
	done
	for module in $kept; do
		file=$(find "$to" -name "$module.ko*" | head -n 1)
		case $file in
		*.ko) cp "$file" "$cache/$1/" ;;
		*.xz) xz -dc "$file" >"$cache/$1/$module.ko" ;;
		*) echo "$1: $package has no module $module" ;;
		esac
	done
	cp "$to"/boot/vmlinuz-* "$cache/$1/new" && mv "$cache/$1/new" "$cache/$1/vmlinuz"
	rm -rf "$to"
}

# furnish TOOL...: $root with busybox, these programs of the host, and what is built. A suite adds what it tests.
furnish()
{
	mkdir -p "$root/bin" "$root/etc" "$root/xfn/build" "$root/xfn/verifier-tests" "$root/dev" "$root/proc" "$root/sys" \
		"$root/run" "$root/tmp"
	cp "$(command -v busybox)" "$root/bin/busybox"
	for tool in "$@"; do
		file=$(PATH=$PATH:/usr/sbin:/sbin command -v "$tool") && cp -L "$file" "$root/bin/$tool"
	done
	cp "$build/xfn" "$build/xfn-worker" "$root/xfn/build/"
	cp -r "$build/functions" "$root/xfn/build/"
	cp -r verifier-tests/run.sh verifier-tests/result.sh verifier-tests/lab verifier-tests/kernels "$root/xfn/verifier-tests/"
	printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	echo "$modules" | tr ' ' '\n' >"$root/xfn/modules"
	echo "$tests" >"$root/xfn/tests"
	cp verifier-tests/kernels/qemu_init.sh "$root/init"
	chmod 755 "$root/init" "$root/bin"/*
}

# libraries: whatever is linked dynamically in $root, with its loader, at its own place
libraries()
{
	find "$root" -type f -perm -u+x -exec ldd {} + 2>/dev/null | sed -n 's/.*[ \t]\(\/[^ ]*\) (0x.*/\1/p' | sort -u |
		while read -r file; do mkdir -p "$root${file%/*}" && cp -L "$file" "$root$file"; done
}

# boot VERSION: in the background, its console to $dir/VERSION.console
boot()
{
	rm -rf "$root/modules"
	mkdir "$root/modules"
	for module in $modules; do cp "$cache/$1/$module.ko" "$root/modules/"; done
	(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$dir/$1.cpio"
	timeout $limit qemu-system-x86_64 -accel tcg,thread=single -machine q35 -cpu max -smp 1 -m 1024 \
		-nodefaults -no-user-config -display none -no-reboot -serial "file:$dir/$1.console" \
		-kernel "$cache/$1/vmlinuz" -initrd "$dir/$1.cpio" -append "console=ttyS0 quiet panic=-1" </dev/null &
	pids="$pids $!"
}

# shown VERSION: what its console says. 0: it came to the end, nothing failed there, and nothing was skipped
# but what $may_skip names
shown()
{
	tr -d '\r' <"$dir/$1.console" | sed "s/^/$1: /"
	end=$(grep -ao '^KERNEL-CHECK-END.*skipped=[0-9]*' "$dir/$1.console")
	case $end in
	'') end="no KERNEL-CHECK-END within $limit s" ;;
	*' passed=0 '*) ;;
	*' failed=0 '*)
		if ! grep -a '^\[  SKIPPED \]' "$dir/$1.console" | grep -qv " ${may_skip:-none}"; then
			echo "[       OK ] ${suite}_$1:${end#*END}"
			return 0
		fi
		;;
	esac
	echo "[  FAILED  ] ${suite}_$1: $end"
	return 1
}

# finished VERSION...: wait for those machines and show them. Status of the suite.
finished()
{
	for pid in $pids; do wait "$pid"; done
	pids=
	bad=0
	for version in "$@"; do
		shown "$version" || bad=1
	done
	return $bad
}
