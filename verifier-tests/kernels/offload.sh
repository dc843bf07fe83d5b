#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Boots Debian's other kernels with the driver netdevsim, the kernel's own stand-in for a card that takes BPF programs,
# and shows what offload_card.sh says there. It exercises the path to the card only: netdevsim verifies and keeps
# programs and maps, and never runs one. Debian has the driver's source, but does not build it: this does, once.
suite=offload
modules="psample netdevsim"
tests=verifier-tests/kernels/offload_card.sh
# shellcheck source=verifier-tests/kernels/qemu.sh
. "$(dirname "$0")/qemu.sh"

# release VERSION: of the cached vmlinuz, as its setup header tells (Documentation/arch/x86/boot.rst, kernel_version)
release()
{
	offset=$(od -An -tu2 -j526 -N2 "$cache/$1/vmlinuz")
	tail -c +$((offset + 513)) "$cache/$1/vmlinuz" | head -c 100 | tr '\0 ' '\n' | head -n 1
}

# sources VERSION RELEASE: in $to, the driver's source, and the kernel's headers as if they were installed there
sources()
{
	kbuild=$(apt-cache show "linux-headers-$2" 2>/dev/null | sed -n 's/^Depends:.*\(linux-kbuild-[^ ,]*\).*/\1/p' | head -n 1)
	[ -n "$kbuild" ] || return 1
	echo "$1: downloading linux-source-$1 and headers of $2"
	(cd "$to" && apt-get download -qq "linux-source-$1" "linux-headers-$2" "linux-headers-${2%-cloud-amd64}-common" "$kbuild" 2>log) || return 1
	for package in "$to"/linux-headers*.deb "$to"/linux-kbuild*.deb; do dpkg-deb -x "$package" "$to" || return 1; done
	dpkg-deb --fsys-tarfile "$to"/linux-source*.deb | tar -x -C "$to" --wildcards './usr/src/*.tar.xz' || return 1
	tar -xJf "$to"/usr/src/linux-source-*.tar.xz -C "$to" --strip-components=3 --wildcards '*/drivers/net/netdevsim' || return 1
	headers=$to/usr/src/linux-headers-$2
	sed -i "s|/usr/src|$to/usr/src|" "$headers/Makefile"
	rm -f "$headers/vmlinux" # else the module's BTF is wanted, and pahole for it
}

# driver VERSION: netdevsim.ko in the cache, once, for the kernel that is there
driver()
{
	[ ! -f "$cache/$1/netdevsim.ko" ] || return 0
	to=$dir/driver-$1
	mkdir "$to"
	if ! sources "$1" "$(release "$1")"; then
		# superseded since: the newest kernel has its headers
		rm -rf "${cache:?}/$1" "$to"
		mkdir "$to"
		apt-get update -qq 2>/dev/null
		obtain "$1" || return 1
		sources "$1" "$(release "$1")" || {
			[ ! -f "$to/log" ] || cat "$to/log"
			skip "_$1: apt has no linux-source-$1, or no headers of $(release "$1"), to download"
			return 1
		}
	fi
	make -C "$headers" M="$to/netdevsim" CONFIG_NETDEVSIM=m KCFLAGS=-DCONFIG_NETDEVSIM_MODULE=1 modules >"$to/log" 2>&1 || {
		cat "$to/log"
		echo "[  FAILED  ] offload_$1: netdevsim does not build"
		unbuilt=1
		return 1
	}
	strip -g -o "$cache/$1/new" "$to/netdevsim/netdevsim.ko" && mv "$cache/$1/new" "$cache/$1/netdevsim.ko"
	rm -rf "$to"
}

furnish sh ip bpftool
mkdir "$root/xfn/objects"
fitting= # functions that the offload path takes
for source in functions/*.c; do
	name=$(basename "$source" .c)
	if "$build/xfn" explain --offload "$source" | grep -q "^$name: no card"; then continue; fi
	fitting="$fitting $source"
	"$build/xfn" build --offload -o "$root/xfn/objects/$name.o" "$source" >/dev/null || exit 1
done
# shellcheck disable=SC2086 # they are words
"$build/xfn" build --offload --address 10.88.0.1 --address fd88::1 -o "$root/xfn/objects/all.o" $fitting >/dev/null || exit 1
# what the verifier refuses on a card too: no bound is checked
cat >"$dir/refused.c" <<'END'
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} echo_stat SEC(".maps");
SEC("xdp") int xfn_refused(struct xdp_md *ctx)
{
	__u32 key = *(char *)(long)ctx->data;

	return bpf_map_lookup_elem(&echo_stat, &key) ? XDP_TX : XDP_PASS;
}
END
clang -target bpf -O2 -g "-I/usr/include/$(uname -m)-linux-gnu" -c "$dir/refused.c" -o "$root/xfn/refused.o" || exit 1
libraries
booted=
unbuilt=0
for version in 6.1 6.12; do
	obtain $version && driver $version && boot $version && booted="$booted $version"
done
# shellcheck disable=SC2086 # versions are words
finished $booted && [ $unbuilt = 0 ]
