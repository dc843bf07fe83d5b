#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What `xfn build` and `xfn explain` print: the cost of a request, the budget, rules, excerpts, errors as JSON.
set -u
cd "$(dirname "$0")/../.." || exit 1
xfn=${XFN_BUILD:-build}/xfn
sources=verifier-tests/sources
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
bad=0

# holds NAME TEST...: the test's status is the result
holds()
{
	name=explain_$1
	shift
	if "$@"; then
		echo "[       OK ] $name"
	else
		cat "$dir/out"
		echo "[  FAILED  ] $name"
		bad=1
	fi
}
# field KEY [N]: the Nth value of that key in the JSON of $dir/out
field() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\"]*[^\",]\)\"\{0,1\},\{0,1\}\$/\1/p" "$dir/out" | sed -n "${2:-1}p"; }
has() { grep -qF -e "$1" "$dir/out"; }

"$xfn" explain -j functions/echo.c >"$dir/out" 2>&1
if [ "$(field verified)" = true ]; then
	for i in 1 2 3; do
		ns=$(field kernel_ns $i)
		holds kernel_ns_$i [ "$ns" -gt 5 ]
		holds kernel_ns_bound_$i [ "$ns" -lt 20000 ]
	done
	holds action [ "$(field action 3)" = reply ]
	# frames that each repetition changes: a reply four bytes long must not become the next request
	"$xfn" explain -j verifier-tests/sources/checksum.c >"$dir/out" 2>&1
	holds action_shrunk [ "$(field action 3)" = reply ]
	"$xfn" explain --budget 0.001 functions/echo.c >"$dir/out" 2>&1
	holds budget has "tier afxdp: takes "
	"$xfn" explain --budget 0 -j functions/reverse.c >"$dir/out" 2>&1
	holds budget_none [ "$(field tier)" = xdp ]
	"$xfn" explain --budget 0.001 $sources/beside.c >"$dir/out" 2>&1
	holds budget_host has "beside: tier xdp"
else
	echo "[  SKIPPED ] explain_kernel_ns: loading BPF programs is not permitted here"
	"$xfn" explain functions/echo.c >"$dir/out" 2>&1
	holds not_measured has "not measured here in the kernel"
fi
"$xfn" build -o "$dir/sha256.xfn" functions/sha256.c >"$dir/out" 2>&1 && "$xfn" explain -j "$dir/sha256.xfn" >"$dir/out" 2>&1
holds native_ns_kept [ "$(field native_ns 3)" -gt "$(field native_ns 1)" ]
holds kernel_ns_none [ "$(field kernel_ns)" = null ]
# a second without a CPU is no second of its own
cat >"$dir/late.c" <<'END'
#include "xfn.h"
#ifdef XFN_NATIVE
#include <unistd.h>
XFN_INIT(late)
{
	return (int)sleep(2);
}
#endif
XFN_FUNCTION(late, .port = 4003)
{
	return XFN_REPLY;
}
END
"$xfn" explain -j "$dir/late.c" >"$dir/out" 2>&1
holds native_ns_late [ "$(field native_ns)" -gt 0 ]
"$xfn" explain $sources/hang.c $sources/indexed.c >"$dir/out" 2>&1
case ${XFN_BUILD:-build} in
*/sanitize) echo "[  SKIPPED ] explain_death_told: a sanitizer ends the process in its own way" ;;
*) holds death_told has "its native code died of SIG" ;;
esac
holds story has "a payload pointer with 64 bytes checked; line 13"
"$xfn" explain $sources/stale.c >"$dir/out" 2>&1
holds failed_status [ $? = 1 ]
holds excerpt has '    12 | p[0] = 1;'
holds caret has '       |      ^'
"$xfn" build -j -o "$dir/none.xfn" $sources/stale.c >"$dir/out" 2>&1
holds error_json [ "$(field next)" = "call xfn_at or xfn_edit again after xfn_resize" ]
holds error_no_module [ ! -e "$dir/none.xfn" ]
long=$dir/$(printf '%060d' 0)
mkdir "$long"
TMPDIR=$long "$xfn" build -o "$dir/echo.xfn" functions/echo.c >"$dir/out" 2>&1
holds long_tmpdir [ -s "$dir/echo.xfn" ]
holds tmpdir_emptied rmdir "$long"
printf '#include "xfn.h"\nXFN_FUNCTION(wide, .port = 4000) { return XFN_PASS; } /* %0300d */\n' 0 >"$dir/wide.c"
"$xfn" explain "$dir/wide.c" >"$dir/out" 2>&1
holds excerpt_cut grep -q '^     2 | XFN_FUNCTION(wide, .*\.\.\.$' "$dir/out"
"$xfn" explain --rule >"$dir/out" 2>&1
holds rules [ "$(grep -c ' \(worker\|fails \) ' "$dir/out")" -ge 30 ]
for form in "--rule budget" "--rule=licence"; do
	# shellcheck disable=SC2086
	"$xfn" explain $form >"$dir/out" 2>&1
	holds "rule_page$(echo "$form" | tr -c 'a-z\n' _)" grep -q '^EXAMPLE THAT PASSES$' "$dir/out"
done
"$xfn" explain -j --rule=budget >"$dir/out" 2>&1
holds rule_json [ "$(field fails)" = false ]
# one document, whatever fails of several
for form in "explain -j nowhere.c $sources/stale.c functions/echo.c" "explain -j nowhere.xfn nowhere.xfn" \
	"explain -j --rule=budget nonsense licence" "explain -j --offload nowhere.c functions/echo.c" \
	"build -j nowhere.c nowhere.c" "test -j functions/echo.c $sources/stale.c"; do
	# shellcheck disable=SC2086
	"$xfn" $form >"$dir/out" 2>&1
	holds "several_status_$(echo "$form" | tr -c 'a-z\n' _)" [ $? = 1 ]
	holds "several_$(echo "$form" | tr -c 'a-z\n' _)" [ "$(grep -c '^[][{}]' "$dir/out")" = 2 ]
done
# a name that is no UTF-8 costs no document
odd=$dir/$(printf 'odd\377')
mkdir "$odd"
cp functions/echo.c functions/echo.cases "$odd"
for form in "explain -j" "explain -j --offload" "build -j -o $dir/odd.xfn" "build -j --standalone -o $odd/odd.o" "test -j"; do
	# shellcheck disable=SC2086
	"$xfn" $form "$odd/echo.c" >"$dir/out" 2>&1
	holds "no_utf8_status_$(echo "${form%% -o*}" | tr -c 'a-z\n' _)" [ $? = 0 ]
	holds "no_utf8_$(echo "${form%% -o*}" | tr -c 'a-z\n' _)" grep -qF "${odd%?}?/" "$dir/out"
done
"$xfn" new -j -o "$odd" fresh >"$dir/out" 2>&1
holds no_utf8_new has "${odd%?}?/fresh.cases"
# what an author names steers no terminal
cat >"$dir/steers.c" <<'END'
#include "xfn.h"
#ifdef XFN_NATIVE
int other(int n) __asm__("\033[31mother");
int other(int n)
{
	return n;
}
#else
extern int other(int n) __asm__("\033[31mother");
#endif
XFN_FUNCTION(steers, .port = 4000)
{
	return other(XFN_REPLY) ? XFN_REPLY /* \302\23331m */ : XFN_DROP;
}
END
"$xfn" build -o "$dir/steers.xfn" "$dir/steers.c" >"$dir/out" 2>&1
holds steers_none has "steers: tier afxdp: calls ?[31mother, which"
"$xfn" explain "$dir/steers.xfn" >"$dir/out" 2>&1
holds steers_none_of_module has "calls ?[31mother, which"
# a place of which the compiler names no file is not told by one
cat >"$dir/placed.c" <<'END'
#include "xfn.h"
XFN_FUNCTION(placed, .port = 4000)
{
	if (xfn_len(req) > 9 && xfn_write(req, 0, __builtin_memset(__builtin_alloca(16), 1, 8), 8, 8))
		return XFN_DROP;
	return XFN_REPLY;
}
END
(program=$(realpath "$xfn") && cd "$dir" && "$program" explain placed.c) >"$dir/out" 2>&1
holds place_without_file has "of a length that varies (placed.c:4)"
"$xfn" explain --rule nonsense >"$dir/out" 2>&1
holds rule_none [ $? = 1 ]
"$xfn" explain --budget soon functions/echo.c >"$dir/out" 2>&1
holds budget_wrong [ $? = 2 ]
exit $bad
