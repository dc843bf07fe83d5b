#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Writes verifier-tests/kernels/ledger.csv anew: rows of the running kernel and of those that kernels.sh boots.
# Rows of kernels that cannot be had here stay as they are. A row that has grown is said twice: run.sh repeats what failed.
set -u
cd "$(dirname "$0")/../.." || exit 1
ledger=verifier-tests/kernels/ledger.csv
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
row='[a-z0-9_]*,[a-z]*,[0-9.]*,[0-9]*,[0-9]*,[0-9]*,[0-9]*'

# what fails there is what has grown; that is why we are here
{
	verifier-tests/kernels/test_ledger.sh
	verifier-tests/kernels/kernels.sh verifier-tests/kernels/test_ledger.sh
} >"$dir/said" 2>&1
sed -n "s/^\([0-9.]*: \)*\($row\)\$/\2/p" "$dir/said" >"$dir/new"
cut -d, -f3 "$dir/new" | sort -uV >"$dir/kernels"
if [ ! -s "$dir/kernels" ] || grep -E ': not loaded|of clang' "$dir/said"; then
	cat "$dir/said"
	echo "ledger.csv stays as it is"
	exit 1
fi
sed -n '/^#/p; /^program,/p' $ledger >"$dir/ledger"
{
	grep -v '^#\|^program,' $ledger | while IFS= read -r old; do
		grep -qxF "$(echo "$old" | cut -d, -f3)" "$dir/kernels" || echo "$old"
	done
	cat "$dir/new"
} | sort -u -t, -k1,1 -k2,2 -k3,3V >>"$dir/ledger"
cat "$dir/ledger" >$ledger
echo "ledger.csv has new rows of the kernels $(tr '\n' ' ' <"$dir/kernels")"
grep '^\[  SKIPPED \] kernels' "$dir/said"
exit 0
