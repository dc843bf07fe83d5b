#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# KILLS=20: so often the AF_XDP worker is killed from outside while echo in the kernel and sha256 in that worker
# are asked, each below what it can answer: echo loses nothing, sha256 only what came while no worker served, it
# is at work again at once each time, and neither function is blamed.
suite='kill'
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
# shellcheck source=verifier-tests/lab/worker_ends.sh
. verifier-tests/lab/worker_ends.sh
kills=${KILLS:-20}
rate=2000    # requests a second to each
in_rings=10  # requests that a killed worker may have had in its rings, or taken
pause=0.3    # of service between two kills

case $kills in
'' | *[!0-9]* | 0)
	echo "test_kill.sh: KILLS '$kills': take 1 or more" >&2
	exit 2
	;;
esac

# load FUNCTION PORT: until interrupted; the figures in $dir/FUNCTION
load()
{
	"$xfn" lab -n "$name" exec client "$xfn" bench -j -r $rate -d 3600 --timeout 4000 --module "$1" "10.78.0.1:$2" >"$dir/$1" 2>"$dir/$1.err" &
	others="$others $!"
}
figure() { sed -n "s/^ *\"$2\": \([0-9]*\),*$/\1/p" "$dir/$1"; }
worker() { "$xfn" stat -i "$iface" | awk '$4 == "afxdp" { print $1; exit }'; }
restarts() { sed -n 's/.*engine afxdp.*serves again after \([0-9]*\) ms.*/\1/p' "$dir/err"; }
serves() { [ "$(restarts | wc -l)" = "$1" ]; }

raise
start --mode native echo sha256 && ask 7 a && [ -n "$(worker)" ]
result serves $?
load echo 7
load sha256 2256
sleep 1
killed=0
while [ $killed -lt "$kills" ]; do
	kill -KILL "$(worker)" || break
	killed=$((killed + 1))
	soon serves $killed || break
	sleep $pause
done
restarts >"$dir/times"
[ $killed = "$kills" ] && serves "$kills"
result "restarted_${kills}_times" $?
# shellcheck disable=SC2086 # pids are words
kill -INT $others
for pid in $others; do wait "$pid"; done
others=

down=$(awk '{ sum += $1 } END { print sum + 0 }' "$dir/times")
sort -n "$dir/times" | awk '{ t[NR] = $1 } END { printf "killed %d times; served again after (ms): min %d, median %d, max %d\n", NR, t[1], t[int((NR + 1) / 2)], t[NR] }'
for function in echo sha256; do
	echo "$function: $(figure $function sent) asked, $(figure $function right) answered right, $(figure $function wrong) wrong, $(figure $function lost) lost"
done
[ "$(figure echo sent)" -gt $((rate * kills * 3 / 10)) ] && [ "$(figure echo lost)" = 0 ] && [ "$(figure echo wrong)" = 0 ]
result kernel_functions_lose_nothing $?
bound=$((rate * down / 1000 + in_rings * kills))
[ "$(figure sha256 wrong)" = 0 ] && [ "$(figure sha256 right)" -gt 0 ] && [ "$(figure sha256 lost)" -le $bound ]
result lost_only_while_restarting $?
echo "at most $bound may be lost in $down ms without a worker"
! grep -q quarantine "$dir/err" && "$xfn" ls -i "$iface" -j | grep -q '"state": "serving"' && ! "$xfn" ls -i "$iface" -j | grep -q quarantined
result nobody_is_blamed $?
grep -v 'serves again after\|from outside; restart in' "$dir/err" # which kills alone do not explain
# each time without a pause, and as soon as a machine that may be busy gets to it
median=$(sort -n "$dir/times" | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }')
[ "${median:-9999}" -le 500 ] && [ "$(grep -c 'from outside; restart in 0 ms' "$dir/err")" = "$kills" ]
result restarted_at_once $?
stop
result ends $?

# replies that the kernel refuses are the engine's count, and an engine ends with its worker
unsent() { "$xfn" stat -i "$iface" | awk '$1 == "SEND" { n = $3 } END { print n + 0 }'; }
some_unsent() { say -t 100 10.78.0.1:7 a; [ "$(unsent)" -gt 0 ]; }
start --tier socket echo && server ip route add unreachable 10.78.0.2/32 && soon some_unsent
before=$(unsent)
kill -KILL "$(pgrep -P "$run" | head -1)"
one_more() { [ "$(unsent)" = $((before + 1)) ]; }
soon logged 'serves again' 1 && [ "$before" -gt 0 ] && { say -t 100 10.78.0.1:7 a; soon one_more; }
result counts_outlive_a_worker $? || "$xfn" stat -i "$iface"
stop
[ $bad = 0 ] || tail -n 20 "$dir/err"
exit $bad
