#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every kernel program loads with every setting, and costs the verifier no more than ledger.csv says of
# this kernel. Prints the rows as they are now. In the machines of kernels.sh too.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${XFN_BUILD:-build}
ledger=verifier-tests/kernels/ledger.csv
wants=$(sed -n 's/^# .*clang \([0-9]*\).*/\1/p' $ledger)
made=$("$build/xfn" explain -j "$build/functions/echo.xfn" | sed -n 's/.*"compiler": ".*version \([0-9]*\).*/\1/p')

# the bench's own programs are on the other side of the wire
set -- "$build/functions/"*.xfn
for object in "$build/xdp/"*.bpf.o; do
	[ "${object##*/}" = bench.bpf.o ] || set -- "$object" "$@"
done
if [ "$made" != "$wants" ]; then
	echo "[  SKIPPED ] ledger: its figures are of clang $wants, these programs of clang $made"
	ledger=-
fi
"$build/tests/ledger" $ledger "$@"
case $? in
77) echo "[  SKIPPED ] ledger: loading BPF programs is not permitted here" ;;
0) ;;
*) exit 1 ;;
esac
