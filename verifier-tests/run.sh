#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs the test programs given, shows what they print, repeats what was said around each failure, and closes
# with the counts.
set -u
passed=0 failed=0 skipped=0
out=$(mktemp) || exit 1
again=$(mktemp) || exit 1
trap 'rm -f "$out" "$again"' EXIT

# around PROGRAM: what it said between the test before and the test after one that failed
around()
{
	echo "-- $1"
	awk -v most=60 '
		function told(i) {
			if (bad)
				for (i = n > most ? n - most : 0; i < n; i++) print line[i]
			n = 0
		}
		# a machine in this machine puts its name before, and repeats its failures itself
		/^([0-9.]+: )?== what failed$/ { told(); repeated = 1 }
		/^([0-9.]+: )?[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { repeated = 0 }
		repeated { next }
		/^([0-9.]+: )?\[ *(RUN|OK|SKIPPED|FAILED) *\]/ {
			if (bad || $0 !~ /FAILED/) told()
			bad = /FAILED/
			seen += bad
		}
		{ line[n++] = $0 }
		END { bad = bad || !seen; told() }' "$out"
}

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
	[ "$f" = 0 ] || around "$program" >>"$again"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
if [ -s "$again" ]; then
	echo "== what failed"
	cat "$again"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
