#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The load generator finds right replies right and wrong ones wrong, by sockets and by live frames, and
# loses nothing; the suite's rows, tables, ledger and plots. Measures nothing: figures are not looked at.
suite=bench
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
raise
start echo reverse sha256

load() { client "$xfn" bench "$@" >"$dir/out" 2>"$dir/err"; }
figure() { sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" "$dir/out"; }
# right: all of N
right() { [ "$(figure sent)" = "$1" ] && [ "$(figure right)" = "$1" ] && [ "$(figure wrong)" = 0 ] && [ "$(figure lost)" = 0 ]; }

load -j -n 5000 --module reverse --size 0,1,64,200,1400 10.78.0.1:1232 && right 5000 && grep -q '"p99.9"' "$dir/out"
result bench_closed_loop $?
load -j -n 2000 -r 10000 --module sha256 '[fd78::1]:2256' && right 2000
result bench_at_a_rate $?
head -c 100 /dev/urandom >"$dir/request"
load -j -n 100 --request "$dir/request" --expect "$dir/request" 10.78.0.1:7 && right 100
result bench_request_and_expect $?
load -j -n 500 --module echo 10.78.0.1:1232
[ $? = 1 ] && [ "$(figure wrong)" = 500 ] && [ "$(figure right)" = 0 ]
result bench_wrong_replies $?
load -j -n 64 --timeout 50 10.78.0.1:4999
[ $? = 1 ] && [ "$(figure lost)" = 64 ]
result bench_no_server $?
load -j -n 20000 -i "$client_iface" --mac 02:78:66:6e:00:01 --module reverse --size 0,64,1400 10.78.0.1:1232 && right 20000
result bench_live_frames $?
load -j -n 20000 -r 100000 -i "$client_iface" --mac 02:78:66:6e:00:01 --module reverse '[fd78::1]:1232' && right 20000
result bench_live_frames_at_a_rate $?
load -j -n 20000 -w 64 -i "$client_iface" --generator afxdp --mac 02:78:66:6e:00:01 --module reverse --size 0,64,1400 10.78.0.1:1232 && right 20000
result bench_afxdp $?
load -j -n 5000 -r 20000 -i "$client_iface" --generator afxdp --mac 02:78:66:6e:00:01 --module sha256 '[fd78::1]:2256' && right 5000
result bench_afxdp_at_a_rate $?
load -j -n 20000 --flood -i "$client_iface" --mac 02:78:66:6e:00:01 --module echo 10.78.0.1:1232
[ $? = 1 ] && [ "$(figure wrong)" = 20000 ]
result bench_live_frames_wrong $?
client "$xfn" invoke 10.78.0.1:7 after 2>/dev/null | grep -q after
result bench_gives_the_interface_back $?
load --size 1473 10.78.0.1:7
[ $? = 2 ] && grep -q 'lengths and ranges of them up to 1472' "$dir/err"
result bench_bad_size $?
load --rate 5 --flood 10.78.0.1:7
[ $? = 2 ] && grep -q 'one of' "$dir/err"
result bench_usage $?
stop

"$build/bench" -q -r 1 -o bounce -o xdp-trust -f "$dir/figures" 2>"$dir/err"
status=$?
[ $status = 0 ] && [ "$(grep -c '^one-core,xdp-trust,echo,64,1,[0-9][0-9]*,' "$dir/figures/results.csv")" = 1 ]
result bench_suite $?
[ $bad = 0 ] || cat "$dir/err"
# floors that any machine meets, and one that none does
printf 'possible,one-core,echo,64,xdp-trust,bounce,rate,0.001,0.001\n' >"$dir/floors"
"$build/bench" -R "$dir/floors" -f "$dir/figures" >"$dir/out" 2>"$dir/err" && grep -q 'possible .* goal$' "$dir/out"
result bench_ledger $?
printf 'impossible,one-core,echo,64,xdp-trust,bounce,rate,1000,2000\n' >>"$dir/floors"
"$build/bench" -R "$dir/floors" -f "$dir/figures" >"$dir/out" 2>"$dir/err"
[ $? = 1 ] && grep -q 'impossible .* FELL$' "$dir/out"
result bench_ledger_names_what_fell $?
if command -v gnuplot >/dev/null; then
	grep -q '</svg>' "$dir/figures/packets-one-core.svg"
	result bench_plots $?
else
	echo "[  SKIPPED ] bench_plots: gnuplot-nox is not installed"
fi
[ -z "$(ip netns list | grep '^b[0-9a-f]*_[0-9]')" ]
result bench_leaves_nothing $?
exit $bad
