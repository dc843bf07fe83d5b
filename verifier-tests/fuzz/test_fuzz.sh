#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A few thousand generated inputs per function: both targets alike, and nothing beyond a buffer's end.
# `make fuzz` runs longer.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${XFN_BUILD:-build}
count=${1:-20000}
seed=${2:-1}
bad=0
for function in echo reverse time; do
	# two seeds: with and without what their bits choose
	"$build/fuzz/differential" "$build/functions/$function.xfn" "$count" "$seed" &&
		"$build/fuzz/differential" "$build/functions/$function.xfn" "$count" "$((seed + 6))"
	case $? in
	0) echo "[       OK ] fuzz_differential_$function" ;;
	77) echo "[  SKIPPED ] fuzz_differential_$function: loading BPF programs is not permitted here" ;;
	*)
		echo "[  FAILED  ] fuzz_differential_$function"
		bad=1
		;;
	esac
done
if "$build/fuzz/parser" "$((5 * count))" "$seed"; then
	echo "[       OK ] fuzz_parser"
else
	echo "[  FAILED  ] fuzz_parser"
	bad=1
fi
# a finding's file, as libFuzzer leaves it; native takes it as frame and as payload
file=$build/fuzz/replayed
if "$build/fuzz/native" --corpus verifier-tests/fixtures/v4_64.hex "$file" &&
	[ "$("$build/fuzz/parser" "$file")" = "parser: 1 inputs, 1 fine" ] &&
	[ "$("$build/fuzz/native" "$build/fuzz/echo.so" "$file")" = "echo: 1 inputs, 2 answered" ]; then
	echo "[       OK ] fuzz_replay"
else
	echo "[  FAILED  ] fuzz_replay"
	bad=1
fi
for function in echo reverse time sha256 regex; do
	# what a library keeps until the end is no leak of ours
	if ASAN_OPTIONS=detect_leaks=0 "$build/fuzz/native" "$build/fuzz/$function.so" "$count" "$seed"; then
		echo "[       OK ] fuzz_native_$function"
	else
		echo "[  FAILED  ] fuzz_native_$function"
		bad=1
	fi
done
exit $bad
