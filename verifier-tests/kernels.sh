#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Boots Debian's other kernels under QEMU (TCG: no KVM wanted, no rate means anything), each with an
# initramfs of what is built and kernel_init.sh, and shows what the tests say there. Wants no root.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${XFN_BUILD:-build}
cache=$build/kernels
modules="llc stp bridge garp mrp 8021q veth" # each after what it needs
limit=300                                    # seconds, for a machine that hangs
pids=
skip() { echo "[  SKIPPED ] kernels$1"; }

tools/packages.sh kernels || {
	skip ": qemu-system-x86, busybox-static, cpio and xz-utils are wanted, and were not installed"
	exit 0
}
dir=$(mktemp -d) || exit 1
finish()
{
	for pid in $pids; do kill "$pid" 2>/dev/null; done
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

newest() { apt-cache search --names-only "^linux-image-$1\.[0-9][^ ]*-cloud-amd64\$" | cut -d' ' -f1 | sort -V | tail -n 1; }

# obtain VERSION: its vmlinuz and modules in the cache, once
obtain()
{
	[ ! -f "$cache/$1/vmlinuz" ] || return 0
	to=$dir/package-$1
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
	for module in $modules; do
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

# What is the same for each kernel: $dir/root.
prepare()
{
	root=$dir/root
	mkdir -p "$root/bin" "$root/etc" "$root/xfn/build/tests" "$root/xfn/verifier-tests" "$root/dev" "$root/proc" \
		"$root/sys" "$root/run" "$root/tmp"
	cp "$(command -v busybox)" "$root/bin/busybox"
	for tool in sh ip ethtool tcpdump dnsmasq; do
		file=$(PATH=$PATH:/usr/sbin:/sbin command -v $tool) && cp -L "$file" "$root/bin/$tool"
	done
	cp "$build/xfn" "$build/xfn-worker" "$root/xfn/build/"
	cp -r "$build/functions" "$root/xfn/build/"
	cp "$build/tests/test_fixtures" "$build/tests/test_dispatcher" "$build/tests/test_engines" "$root/xfn/build/tests/"
	cp -r verifier-tests/*.sh verifier-tests/fixtures "$root/xfn/verifier-tests/"
	"$build/xfn" explain "$build"/functions/*.xfn >"$root/xfn/explained"
	# whatever is linked dynamically, with its loader, at its own place
	find "$root" -type f -perm -u+x -exec ldd {} + 2>/dev/null | sed -n 's/.*[ \t]\(\/[^ ]*\) (0x.*/\1/p' | sort -u |
		while read -r file; do mkdir -p "$root${file%/*}" && cp -L "$file" "$root$file"; done
	printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	echo "$modules" | tr ' ' '\n' >"$root/xfn/modules"
	cp verifier-tests/kernel_init.sh "$root/init"
	chmod 755 "$root/init" "$root/bin"/*
}

# boot VERSION: in the background, its console to $dir/VERSION.console
boot()
{
	rm -rf "$dir/root/modules"
	mkdir "$dir/root/modules"
	cp "$cache/$1"/*.ko "$dir/root/modules/"
	(cd "$dir/root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$dir/$1.cpio"
	timeout $limit qemu-system-x86_64 -accel tcg,thread=single -machine q35 -cpu max -smp 1 -m 1024 \
		-nodefaults -no-user-config -display none -no-reboot -serial "file:$dir/$1.console" \
		-kernel "$cache/$1/vmlinuz" -initrd "$dir/$1.cpio" -append "console=ttyS0 quiet panic=-1" </dev/null &
	pids="$pids $!"
}

# shown VERSION: what its console says. 0: it came to the end, nothing failed there, and nothing was skipped
shown()
{
	tr -d '\r' <"$dir/$1.console" | sed "s/^/$1: /"
	grep -aq '^KERNEL-CHECK-END [^ ]* passed=[1-9][0-9]* failed=0 skipped=0' "$dir/$1.console" && return 0
	echo "[  FAILED  ] kernels_$1: $(grep -ao '^KERNEL-CHECK-END.*skipped=[0-9]*' "$dir/$1.console" ||
		echo "no KERNEL-CHECK-END within $limit s")"
	return 1
}

if [ "${1:-}" = obtain ]; then # the cached kernels only, for logs.sh
	obtain 6.1 && obtain 6.12
	exit
fi
prepare
bad=0 booted=
for version in 6.1 6.12; do
	obtain $version && boot $version && booted="$booted $version"
done
for pid in $pids; do wait "$pid"; done
pids=
for version in $booted; do
	shown "$version" && echo "[       OK ] kernels_$version" || bad=1
done
exit $bad
