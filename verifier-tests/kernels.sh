#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Boots Debian's other kernels under QEMU and shows what the tests say there. `kernels.sh TEST...` runs only those;
# `kernels.sh obtain` only sees to the kernels, for logs.sh.
suite=kernels
modules="llc stp bridge garp mrp 8021q veth"
tests="build/tests/test_fixtures build/tests/test_dispatcher build/tests/test_engines verifier-tests/test_ledger.sh
verifier-tests/kernel_tiers.sh verifier-tests/test_addresses.sh verifier-tests/test_tagged.sh"
[ $# = 0 ] || tests=$*
# shellcheck source=verifier-tests/qemu.sh
. "$(dirname "$0")/qemu.sh"

if [ "$tests" = obtain ]; then
	obtain 6.1 && obtain 6.12
	exit
fi
furnish sh ip ethtool tcpdump dnsmasq
mkdir "$root/xfn/build/tests" "$root/xfn/build/xdp"
cp "$build/tests/test_fixtures" "$build/tests/test_dispatcher" "$build/tests/test_engines" "$build/tests/ledger" "$root/xfn/build/tests/"
cp "$build"/xdp/*.bpf.o "$root/xfn/build/xdp/"
cp -r verifier-tests/fixtures verifier-tests/ledger.csv "$root/xfn/verifier-tests/"
"$build/xfn" explain "$build"/functions/*.xfn >"$root/xfn/explained"
libraries
booted=
for version in 6.1 6.12; do
	obtain $version && boot $version && booted="$booted $version"
done
# shellcheck disable=SC2086 # versions are words
finished $booted
