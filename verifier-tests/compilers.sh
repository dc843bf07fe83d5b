#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The same sources with every clang below: the tier, rule and line that the first of them gives, kernel
# programs that load and answer alike. Each builds to a folder of its own, clang-NN in the build folder.
# Where a difference cannot be removed the source says so, with what is expected instead and why:
# "// clang-22: tier=afxdp rule=stack_limit line=12: keeps both arrays".
set -u
cd "$(dirname "$0")/.." || exit 1
build=${XFN_BUILD:-build}
first=
if [ "$(id -u)" != 0 ]; then
	echo "[  SKIPPED ] compilers: wants root"
	exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# shellcheck source=verifier-tests/result.sh
. verifier-tests/result.sh

# judged CLANG: "SOURCE tier=T rule=R line=N" of every source
judged()
{
	XFN_CLANG=$1 "$build/xfn" explain -j functions/*.c verifier-tests/sources/*.c 2>&1 | sed -n '
		s/^ *"tier": //; t tier
		s/^ *"rule": //; t rule
		s/^ *"file": //; t file
		s/^ *"line": //; t line
		b
		:tier
		s/[",]//g; s/null/none/; s/.*/ tier=&/; h; b
		:rule
		s/[",]//g; s/.*/ rule=&/; H; b
		:file
		s/[",]//g; G; h; b
		:line
		s/[",]//g; s/.*/ line=&/; H; x; s/\n//g; p'
}

# compared CLANG: its judgements with the first compiler's; each source is said that differs
compared()
{
	differ=0
	while read -r source verdict; do
		now=$(sed -n "s|^$source ||p" "$dir/$1")
		[ "$now" != "$verdict" ] || continue
		# its own words: up to the colon before the reason
		[ "$now" != "$(sed -n "s|^// $1: \(.*\): .*|\1|p" "$source")" ] || continue
		echo "$source: $verdict with $first, ${now:-not judged} with $1"
		differ=1
	done <"$dir/$first"
	return $differ
}

for clang in clang-14 clang-19 clang-22; do
	name=compilers_${clang#clang-}
	if ! command -v $clang >/dev/null && ! tools/packages.sh $clang; then
		echo "[  SKIPPED ] $name: Debian's package $clang is wanted, and was not installed"
		continue
	fi
	own=$build/$clang
	make -j"$(nproc)" --no-print-directory CLANG=$clang BUILD="$own" all tests >"$dir/make" 2>&1
	status=$?
	[ $status = 0 ] || cat "$dir/make"
	result "${name}_build" $status
	[ $status = 0 ] || continue

	judged $clang >"$dir/$clang"
	if [ -z "$first" ]; then
		first=$clang
		# but for those over which it ends itself
		[ "$(grep -c . "$dir/$clang")" = "$(find functions verifier-tests/sources -name '*.c' \
			-exec grep -L "^// expect: unjudged clang=${clang#clang-}$" {} + | grep -c .)" ]
		result "${name}_judges_all" $?
	else
		compared $clang
		result "${name}_judges_like_${first#clang-}" $?
	fi
	# what the compiler can change: replies, and whether a program loads with every setting
	for suite in "$own/tests/test_agreement" "$own/tests/test_dispatcher" "$own/tests/test_fixtures" \
		verifier-tests/fuzz/test_fuzz.sh verifier-tests/kernels/test_ledger.sh; do
		XFN_CLANG=$clang XFN_BUILD=$own verifier-tests/run.sh "$suite" >"$dir/said"
		status=$?
		[ $status = 0 ] || cat "$dir/said"
		suite=${suite##*/}
		result "${name}_${suite%.sh}" $status
	done
done
exit $bad
