#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Workers of a queue are added and taken away under load and no request is lost, by hand and by load; a slow
# function holds up no other one for longer than one call, and with a worker of its own not even for that.
suite=scale
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
# shellcheck source=verifier-tests/lab/books.sh
. verifier-tests/lab/books.sh

cat >"$dir/slow.c" <<'END'
#include "xfn.h"
/* about 3 ms of a CPU */
XFN_FUNCTION(slow, .port = 4000, .tier = XFN_TIER_AFXDP)
{
	uint64_t until = xfn_mono_ns() + 3000000;

	while (xfn_mono_ns() < until)
		;
	return XFN_REPLY;
}
END

# SERVES of all workers of frames, in turn
serve() { "$xfn" stat -i "$iface" | awk '$4 == "afxdp" { printf "%s ", $5 }'; }
they_serve() { [ "$(serve)" = "$1" ]; }
scaled() { "$xfn" scale -i "$iface" "$@" >"$dir/scaled" 2>&1; }
figure() { sed -n "s/^ *\"$1\": \([0-9.]*\),*\$/\1/p" "$2"; }
# load FILE ARGUMENT...: bench in the background, until `over`
load()
{
	to=$1
	shift
	"$xfn" lab -n "$name" exec client "$xfn" bench -j "$@" >"$to" 2>&1 &
	others=$!
}
# over: what it has sent is in the books; its status
over()
{
	wait "$others"
	status=$?
	others=
	figure sent "$to" >>"$dir/sent"
	return $status
}
# loaded: every request of it answered, rightly
loaded()
{
	over && [ "$(figure right "$to")" = "$(figure sent "$to")" ] && [ "$(figure right "$to")" -gt 1000 ] && return 0
	cat "$to"
	return 1
}
# the median round trip of echo alone, in us
median()
{
	client "$xfn" bench -j -w 1 -n "${1:-1000}" --module echo --timeout 4000 10.78.0.1:7 >"$dir/echo" 2>&1 || cat "$dir/echo" >&2
	figure sent "$dir/echo" >>"$dir/sent"
	sed -n 's/^ *"p50[^:]*": \([0-9]*\).*/\1/p' "$dir/echo"
}

raise
start --tier afxdp --workers-per-queue 1-3 echo sha256
[ "$(serve)" = "all none none " ]
result scale_begins_with_one $?
open_books
load "$dir/load" -w 64 -d 3 --size 64,1400 --module sha256 10.78.0.1:2256
good=0
for workers in 3 1 2 3 1 3; do
	sleep 0.3
	scaled $workers || good=1
done
[ "$(serve)" = "all all all " ] || good=1
scaled 2 && scaled sha256 1 && [ "$(serve)" = "all all sha256 " ] || good=1
sleep 0.3
scaled sha256 0 && [ "$(serve)" = "all all none " ] || good=1
loaded && [ $good = 0 ]
result scale_loses_no_request $? || cat "$dir/scaled"
balanced
result scale_books_balance $?
"$xfn" stat -i "$iface" | awk '$4 == "afxdp" { n += $6 > 0 } END { exit n != 3 }'
result scale_all_have_worked $?

good=0
scaled 4 && good=1
grep -q -- '--workers-per-queue 1-4' "$dir/scaled" || good=1
scaled 0 && good=1
scaled --queue 7 1 && good=1
scaled nobody 1 && good=1
grep -q 'no such function' "$dir/scaled" || good=1
scaled --queue 0 echo 1 && good=1
[ "$(serve)" = "all all none " ] && [ $good = 0 ]
result scale_refuses $?
kill -KILL "$(pgrep -P "$run" | head -1)"
soon grep -q 'serves again' "$dir/err" && client "$xfn" bench -n 2000 --flows 64 --module sha256 10.78.0.1:2256 >/dev/null && [ "$(serve)" = "all all none " ]
result scale_outlives_a_crash $?
"$xfn" stat -i "$iface" -v -j | grep -q '"frames_lost": 0,*$'
result scale_frames_add_up $?
# a worker that was stopped reads nothing: it is replaced once its socket is full, and nobody waits for it
kill -STOP "$("$xfn" stat -i "$iface" | awk '$4 == "afxdp" { print $1; exit }')"
good=0
for workers in $(seq 120); do
	timeout 5 "$xfn" scale -i "$iface" $((workers % 2 + 1)) >"$dir/scaled" 2>&1 || { good=1; break; }
	grep -q 'takes no orders' "$dir/err" && break
done
replaced() { [ "$(grep -c 'serves again' "$dir/err")" = 2 ]; }
[ $good = 0 ] && soon replaced && client "$xfn" bench -n 2000 --flows 64 --module sha256 10.78.0.1:2256 >/dev/null
result scale_waits_for_none $? || cat "$dir/scaled" "$dir/err"
stop

start --tier afxdp --workers-per-queue 1-2 --auto sha256
open_books
load "$dir/load" -d 60 --size 1400 --module sha256 --flood -i "$client_iface" --mac 02:78:66:6e:00:01 10.78.0.1:2256
soon they_serve "all all "
result scale_up_by_load $?
kill -INT "$others"
over || cat "$dir/load"
soon they_serve "all none "
result scale_down_by_load $?
balanced
result scale_books_balance_flooded $?
stop

# more than it can do: its own requests wait, and are dropped with a reason; those of others do not
start --tier afxdp --workers-per-queue 1 echo "$dir/slow.c"
open_books
load "$dir/load" -r 600 -d 4 --timeout 100 10.78.0.1:4000
sleep 1
waited=$(median 300)
most=$(sed -n 's/^ *"p90": \([0-9]*\).*/\1/p' "$dir/echo")
over
[ "${most:-9999999}" -lt 300000 ] && [ "$(figure right "$dir/echo")" = 300 ]
result scale_slow_one_shares $? || cat "$dir/echo"
# each of its requests that found no place to wait is its own drop
"$xfn" stat -i "$iface" >"$dir/stat"
awk '$1 == "slow" { dropped = $5 } $1 == "BACKLOG" { backlog = $3 } END { exit !backlog || dropped != backlog }' "$dir/stat"
result scale_slow_one_drops $? || cat "$dir/stat"
balanced
result scale_books_balance_overloaded $?
stop
"$xfn" run --dedicate slow "$dir/slow.c" 2>&1 | grep -q "needs an interface"
result scale_wants_an_interface $?
start --tier socket --dedicate slow echo "$dir/slow.c" && grep -q 'slow: is served behind UDP sockets' "$dir/err"
result scale_not_behind_sockets $? || cat "$dir/err"
stop
start --tier afxdp --dedicate slow --workers-per-queue 1 echo "$dir/slow.c"
[ "$(serve)" = "all slow " ]
result scale_dedicated $?
open_books
load "$dir/load" -r 600 -d 3 --timeout 100 10.78.0.1:4000
sleep 1
alone=$(median)
over
echo "median round trip of echo beside a slow function: sharing its worker ${waited:-?} us, apart ${alone:-?} us"
[ "${alone:-99999}" -lt 1000 ] && [ "$(figure right "$dir/echo")" = 1000 ]
result scale_slow_one_apart $? || cat "$dir/echo"
balanced
result scale_books_balance_apart $?
stop

# more than they can do: told to stop, all go on for a second at the same time, and are not killed after two
start --tier afxdp --workers-per-queue 2 "$dir/slow.c"
load "$dir/load" -d 60 --size 64 --flows 64 --flood -i "$client_iface" --mac 02:78:66:6e:00:01 10.78.0.1:4000
worked() { "$xfn" stat -i "$iface" | awk '$4 == "afxdp" { n += $6 > 1000 } END { exit n != 2 }'; }
soon worked
good=$?
begun=$(date +%s%N)
stop
[ $good = 0 ] && [ $((($(date +%s%N) - begun) / 1000000)) -lt 1900 ]
result scale_stops_together $?
kill -INT "$others"
wait "$others"
others=
exit $bad
