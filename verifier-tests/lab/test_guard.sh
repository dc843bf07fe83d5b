#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Functions that crash their worker or do not return, in a lab of its own: the others answer throughout, the
# culprit is named, its request kept, and after the third time it is not called until released.
suite=guard
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
# shellcheck source=verifier-tests/lab/worker_ends.sh
. verifier-tests/lab/worker_ends.sh
crash=verifier-tests/sources/crash.c hang=verifier-tests/sources/hang.c half=verifier-tests/sources/half.c

state() { "$xfn" ls -i "$iface" -j | tr -d '\n' | tr '{' '\n' | grep "\"name\": \"$1\"" | sed -n 's/.*"state": "\([a-z]*\)".*/\1/p'; }
serving() { [ "$(state "$1")" = serving ]; }
counted() { "$xfn" stat -i "$iface" | grep -q '^QUARANTINE  *DROP  *[1-9]'; }

raise
{ printf crash; head -c 3000 /dev/zero; } >"$dir/long"
for way in "--tier afxdp" "--tier socket" "--tier socket --engine mmsg" "--engine packet"; do
	tag=$(echo "$way" | tr -c 'a-z\n' _)
	rm -f "$dir"/run/*.pcap
	# shellcheck disable=SC2086 # options are words
	start $way --deadline 300 echo $crash $hang && ask 7 a && ask 4001 b && ask 4002 c
	[ $? = 0 ] || { result "serves$tag" 1; cat "$dir/err"; stop; continue; }
	result "serves$tag" 0

	good=0
	n=0
	for host in 10.78.0.1 '[fd78::1]' 10.78.0.1; do
		n=$((n + 1))
		say "$host:4001" "crash $n"
		ask 7 "beside $n" && soon ended crash $n || good=1
	done
	ask 7 "others go on" && ask 4002 "others go on" || good=1
	result "others_answer$tag" $good
	# the first restart, on a machine that may be busy
	after=$(sed -n 's/.*serves again after \([0-9]*\) ms.*/\1/p' "$dir/err" | head -n 1)
	[ "${after:-9999}" -le 1000 ]
	result "restarted_at_once$tag" $?
	echo "restarts after $(sed -n 's/.*serves again after \([0-9]*\) ms.*/\1/p' "$dir/err" | tr '\n' ' ')ms"

	[ "$(state crash) $(state echo)" = "quarantined serving" ] && "$xfn" ls -i "$iface" | grep -q "xfn release crash -i $iface" &&
		[ "$(grep -c '^xfn: crash ended its worker 3 times' "$dir/err")" = 1 ]
	result "quarantined$tag" $?
	say 10.78.0.1:4001 "crash 4"
	# in fragments it reaches the worker of the slow path, which was told while it ran
	say 10.78.0.1:4001 -f "$dir/long"
	say 10.78.0.1:4001 "dropped"
	counted && ask 7 "still here" && ! logged "in function crash" 4
	result "dropped_and_counted$tag" $?

	# a frame has the sum that it came with, which on veth is half of one
	: >"$dir/read"
	sed -n 's/.*in function crash; its request: \(.*\.pcap\); restart.*/\1/p' "$dir/err" | while read -r file; do
		tcpdump -Z root -nvvAr "$file" >>"$dir/read" 2>/dev/null
	done
	grep -q 'crash 1' "$dir/read" && grep -q 'crash 2' "$dir/read" && grep -q '10.78.0.2.*10.78.0.1.4001' "$dir/read" &&
		grep -q 'fd78::2.*fd78::1.4001' "$dir/read" && ! grep -q 'bad cksum' "$dir/read" &&
		case $way in *socket*) [ "$(grep -c 'udp sum ok' "$dir/read")" = 3 ] ;; esac
	result "request_kept$tag" $?
	[ "$(find "$dir/run" -name '*crash*.pcap' | wc -l)" = 3 ]
	result "requests_counted$tag" $?

	"$xfn" release -i "$iface" crash >/dev/null && soon ask 4001 "again" && [ "$(state crash)" = serving ] &&
		! "$xfn" release -i "$iface" crash 2>/dev/null
	result "released$tag" $?

	say 10.78.0.1:4002 "hang"
	soon ended hang 1 && ask 4002 "back" && ask 7 "back" && logged "function hang, which had not returned within 300 ms" 1
	result "deadline$tag" $?
	stop || { cat "$dir/err"; result "ends$tag" 1; }
	[ $bad = 0 ] || cat "$dir/err"
done

# the half in the slow path's worker; the kernel's goes on
start --mode native echo $half
head -c 3000 /dev/zero >"$dir/payload"
good=0
for n in 1 2 3; do
	say 10.78.0.1:4003 -f "$dir/payload"
	soon ended half $n || good=1
done
[ "$(state half)" = quarantined ] && ask 4003 "in the kernel" && "$xfn" ls -i "$iface" | grep -q '^half .*xdp .*the kernel goes on' || good=1
result slow_half_quarantined $good
# of a function's files the oldest goes
kept=$(find "$dir/run" -name "$iface*.half.0.pcap") # IFACE:NAMESPACE.half.0.pcap
kept=${kept%.0.pcap}
touch -d 2001-01-01 "$kept.3.pcap"
for n in 4 5 6 7 8 9 10 11 12 13 14 15; do touch -d 2001-01-02 "$kept.$n.pcap"; done
"$xfn" release -i "$iface" half >/dev/null
soon serving half
say 10.78.0.1:4003 -f "$dir/payload"
soon ended half 4 && [ -s "$kept.3.pcap" ] && [ ! -s "$kept.4.pcap" ] &&
	[ "$(find "$dir/run" -name '*half*.pcap' | wc -l)" = 16 ] && [ "$(stat -c %a "$kept.3.pcap")" = 600 ]
result sixteen_requests_kept $?
stop

# not to return is as bad
start --tier socket --deadline 200 echo $hang
good=0
for n in 1 2 3; do
	say 10.78.0.1:4002 "hang"
	soon ended hang $n || good=1
done
say 10.78.0.1:4002 "hang"
[ "$(state hang)" = quarantined ] && counted && ask 7 "beside" || good=1
result hanging_quarantined $good
stop

# without a deadline what hangs is left alone
start --tier socket --deadline 0 echo $hang
say 10.78.0.1:4002 "hang"
sleep 2
! logged "ended" 1
result no_deadline $?
kill -KILL "$run"
wait $run 2>/dev/null
run=

"$xfn" lab -n "$name" down >/dev/null
! { ip netns list; ip -o link; } | grep -q "$name" && ! pgrep -f "$iface" >/dev/null
result nothing_left $?
exit $bad
