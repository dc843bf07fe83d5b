#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs the test programs given, shows what they print, and closes with the counts.
set -u
passed=0 failed=0 skipped=0
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
for program in "$@"; do
	echo "== $program"
	"$program" >"$out" 2>&1
	status=$?
	cat "$out"
	p=$(grep -c '^\[       OK \]' "$out")
	# cmocka names them twice: where they happen, and in its summary
	s=$(grep '^\[  SKIPPED \] [a-z]' "$out" | sort -u | grep -c .)
	f=$(grep '^\[  FAILED  \] [a-z]' "$out" | sort -u | grep -c .)
	[ "$status" = 0 ] || [ "$f" != 0 ] || f=1
	[ $((p + f + s)) != 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
