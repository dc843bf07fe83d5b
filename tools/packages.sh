#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Installs the Debian packages that building, running and testing need; silent when all are there.
# `packages.sh bench`: those that comparing and plotting need too. `packages.sh kernels`: instead those that booting other kernels needs
# (their images, headers and sources are downloaded where they are wanted, and not installed);
# `packages.sh compilers`: every clang that make check-compilers compares; `packages.sh clang-NN`: one of them;
# `packages.sh lint`: what make lint needs.
set -eu
want="build-essential clang llvm bpftool libbpf-dev libxdp-dev xdp-tools liburing-dev libcmocka-dev
libelf-dev libseccomp-dev libcap-ng-dev libmnl-dev libjansson-dev libssl-dev libpcre2-dev nettle-dev libpcap-dev mandoc
zlib1g-dev iproute2 ethtool pkg-config linux-libc-dev procps libcap2-bin tcpdump dnsmasq-base"
[ "${1:-}" != bench ] || want="$want gnuplot-nox dpdk-dev"
[ "${1:-}" != kernels ] || want="qemu-system-x86 busybox-static cpio xz-utils"
case ${1:-} in
compilers) want="clang-14 clang-19 clang-22" ;;
lint) want="clang-format pmccabe shellcheck" ;;
clang-*) want=$1 ;;
esac
missing=
for package in $want; do
	state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "xfn: missing packages, and neither root nor sudo to install them: apt-get install$missing" >&2
		exit 1
	}
	root=sudo
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -qq
# shellcheck disable=SC2086
$root apt-get install -y -qq --no-install-recommends $missing >/dev/null
