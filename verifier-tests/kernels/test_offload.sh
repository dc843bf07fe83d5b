#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Hardware offload as far as a host without such a card shows it: `xfn explain --offload` on every shipped
# kind of function, `xfn run --mode offload` where the driver has no card. offload.sh has the rest.
suite=offload
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/../lab/in_lab.sh"

# explained SOURCE LINE...: are these (basic regular expressions) what it prints, and no others?
explained()
{
	source=$1
	shift
	"$xfn" explain --offload "$source" >"$dir/out" 2>&1 || return 1
	for line in "$@"; do grep -q "^$line" "$dir/out" || return 1; done
	[ "$(grep -c . "$dir/out")" = $# ]
}
tell()
{
	result "$1" "$2"
	[ "$2" = 0 ] || cat "$dir/out"
}

csum='calls bpf_csum_diff, which nfp.s firmware does not have; '
explained functions/reverse.c "reverse: the offload path takes it, but today's cards (nfp) would not" "  functions/reverse.c: $csum"
tell explain_reverse $?
line=$(grep -n 'xfn_real_ns' functions/time.c | cut -d: -f1 | head -n 1)
explained functions/time.c "time: the offload path takes it, but today's cards (nfp) would not" "  functions/time.c: $csum" \
	"  functions/time.c:$line: calls bpf_ktime_get_tai_ns (xfn_real_ns), which nfp.s firmware does not have; "
tell explain_time $?
line=$(grep -n '!EVP_DigestInit_ex(' functions/sha256.c | cut -d: -f1)
explained functions/sha256.c 'sha256: no card could take it' \
	"  functions/sha256.c:$line: runs in tier afxdp only: calls EVP_DigestInit_ex, which the kernel does not have; "
tell explain_worker $?
line=$(grep -n 'digits\[p' verifier-tests/sources/table.c | cut -d: -f1)
explained verifier-tests/sources/table.c 'table: no card could take it' \
	"  verifier-tests/sources/table.c:$line: has .*in memory (.rodata[^)]*), and a card has none"
tell explain_global $?
"$xfn" explain --offload -j functions/echo.c functions/sha256.c >"$dir/out" &&
	[ "$(tr -d ' \n' <"$dir/out" | grep -o '"offload":[a-z]*' | tr '\n' ' ')" = '"offload":true "offload":false ' ] &&
	tr -d '\n' <"$dir/out" | grep -q '"kind": "tier".*"remedy": "[^"].*"line": [1-9]'
tell explain_json $?
"$xfn" explain --offload verifier-tests/sources/syntax.c >"$dir/out" 2>&1
[ $? = 1 ] && grep -q 'syntax.c: does not compile' "$dir/out"
tell explain_what_does_not_compile $?

"$xfn" explain --offload "$build/functions/echo.xfn" >"$dir/out" 2>&1
[ $? = 1 ] && grep -q 'echo.xfn: --offload judges sources; give NAME.c' "$dir/out"
tell explain_a_module $?

raise
nothing() { ! server ip -d link show dev "$iface" | grep -q xdp; }

# refused STATUS WORDS ARGUMENT...
refused()
{
	want=$1 words=$2
	shift 2
	timeout 20 "$xfn" lab -n "$name" exec server "$xfn" run "$@" >"$dir/out" 2>&1
	[ $? = "$want" ] && grep -q -e "$words" "$dir/out" && nothing
}
refused 1 "$iface: its driver takes no programs for a card; leave --mode out" -i "$iface" --mode offload
tell run_without_a_card $?
refused 2 "needs an interface" --mode offload echo
tell run_without_an_interface $?
for option in "--rate 5" "--reply-route fib" "--tier afxdp"; do
	# shellcheck disable=SC2086 # they are words
	refused 2 "${option%% *}.*--mode offload" -i "$iface" --mode offload $option echo
	tell "run_with_$(echo "$option" | tr -c 'a-z\n' _)" $?
done
refused 2 '--object .*is for --mode offload' -i "$iface" --object x.o echo
tell object_without_offload $?
server "$xfn" check -i "$iface" >"$dir/out" 2>&1
grep -q 'hardware offload *none: the driver takes no programs for a card' "$dir/out"
tell check_says_none $?
exit $bad
