#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Fuzzes for SECONDS in all: half of it both targets against each other with ever new seeds, half of it
# libFuzzer on the parser and the native side. Ends with 1 at the first difference or crash.
# build/fuzz/parser and build/fuzz/native MODULE.so take the file that libFuzzer leaves of a finding.
set -eu
cd "$(dirname "$0")/../.."
build=${XFN_BUILD:-build}
seconds=${1:-60}
corpus=$build/fuzz/corpus
mkdir -p "$corpus"
for fixture in verifier-tests/fixtures/*.hex; do
	"$build/fuzz/native" --corpus "$fixture" "$corpus/$(basename "$fixture" .hex)"
done
for function in echo reverse time; do
	end=$(($(date +%s) + (seconds + 5) / 6))
	seed=$(date +%s)
	runs=0
	answered=0
	while [ "$(date +%s)" -lt $end ]; do
		"$build/fuzz/differential" "$build/functions/$function.xfn" 500000 $seed >"$build/fuzz/log" || {
			cat "$build/fuzz/log"
			exit 1
		}
		seed=$((seed + 2))
		runs=$((runs + 500000))
		answered=$((answered + $(sed 's/.* inputs, \([0-9]*\) answered.*/\1/' "$build/fuzz/log")))
	done
	echo "differential $function: $runs inputs, $answered answered, no difference"
done
# $1 names the target, $2 is its program, $3 the seconds
library() {
	ASAN_OPTIONS=detect_leaks=0 "$2" -max_total_time="$3" -max_len=2048 -artifact_prefix="$build/fuzz/" \
		"$corpus" >"$build/fuzz/log" 2>&1 || {
		tail -40 "$build/fuzz/log"
		exit 1
	}
	echo "libFuzzer $1: $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$build/fuzz/log") inputs, no finding"
}
library parser "$build/fuzz/libfuzzer-parser" $(((seconds + 9) / 10))
for function in echo reverse time sha256 regex; do
	export XFN_FUZZ_MODULE="$build/functions/$function.so"
	library $function "$build/fuzz/libfuzzer" $(((seconds + 12) / 13))
done
