#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Boots Debian's other kernels under QEMU and shows what the tests say there. `kernels.sh SUITE...` runs only
# those; `kernels.sh obtain` only sees to the kernels, for logs.sh.
suite=kernels
modules="llc stp bridge garp mrp 8021q veth"
# the ledger is of one compiler: it may skip
tests=${*:-build/tests/test_fixtures build/tests/test_dispatcher build/tests/test_engines build/tests/test_engine_afxdp build/tests/test_books build/tests/test_hostile_sockets verifier-tests/kernels/test_ledger.sh
	verifier-tests/kernels/kernel_tiers.sh verifier-tests/kernels/kernel_standalone.sh verifier-tests/lab/test_addresses.sh verifier-tests/lab/test_tagged.sh verifier-tests/lab/test_links.sh
	verifier-tests/lab/test_queues.sh}
may_skip=ledger
# shellcheck source=verifier-tests/kernels/qemu.sh
. "$(dirname "$0")/qemu.sh"

if [ "$tests" = obtain ]; then
	obtain 6.1 && obtain 6.12
	exit
fi
furnish sh ip ethtool tcpdump dnsmasq xdp-loader setpriv
mkdir "$root/xfn/build/tests" "$root/xfn/objects"
cp "$build/tests/test_fixtures" "$build/tests/test_dispatcher" "$build/tests/test_engines" "$build/tests/test_engine_afxdp" "$build/tests/test_books" "$build/tests/test_hostile_sockets" "$build/tests/ledger" "$root/xfn/build/tests/"
mkdir -p "$root/xfn/build/xdp"
cp "$build"/xdp/*.bpf.o "$root/xfn/build/xdp/"
cp -r verifier-tests/fixtures "$root/xfn/verifier-tests/"
for function in echo reverse time; do
	"$build/xfn" build --standalone --local-peer -o "$root/xfn/objects/$function.o" functions/$function.c >/dev/null
done
"$build/xfn" build --standalone --local-peer -o "$root/xfn/objects/all.o" functions/echo.c functions/reverse.c functions/time.c >/dev/null
"$build/xfn" explain "$build"/functions/*.xfn >"$root/xfn/explained"
libraries
for file in /usr/lib/*/bpf/xdp-dispatcher.o; do mkdir -p "$root${file%/*}" && cp "$file" "$root$file"; done
booted=
for version in 6.1 6.12; do
	obtain $version && boot $version && booted="$booted $version"
done
# shellcheck disable=SC2086 # versions are words
finished $booted
