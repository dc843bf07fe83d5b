#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# soak.sh [SECONDS]: echo, reverse and sha256 on two queues of two workers each, in tier afxdp and in the tiers they choose,
# workers that sleep and that spin; frames above what can be answered, then a closed loop, in turn. At the
# end of each: every worker still receives, replies are right, frames add up, memory has not grown, nothing
# was restarted. Knows only the command line and /proc.
suite=soak
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
# shellcheck source=verifier-tests/lab/books.sh
. verifier-tests/lab/books.sh
seconds=${1:-60}
functions="echo reverse sha256"
sizes=0,1,17,64,200,512,1400,1444
phases=4
longest=5 # seconds of one load at most
grown_max=2048 # kB
sanitized=0

case $seconds in
'' | *[!0-9]* | 0)
	echo "soak.sh: SECONDS '$seconds': take 1 or more" >&2
	exit 2
	;;
esac
case $build in */sanitize) sanitized=1 ;; esac
# rounds of every function under both loads, each load no longer than it may be
rounds=$(((seconds + phases * 6 * longest - 1) / (phases * 6 * longest)))
load=$(awk -v s="$seconds" -v p=$phases -v r=$rounds 'BEGIN { printf "%.3f", s / p / 6 / r }')

port_of()
{
	case $1 in
	echo) echo 7 ;;
	reverse) echo 1232 ;;
	sha256) echo 2256 ;;
	esac
}

figure()
{
	number=$(sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" "$dir/out")
	echo "${number:-0}"
}

# ask FUNCTION HOST ARGUMENT...: bench it; false where a reply was wrong or none came
ask()
{
	function=$1 host=$2
	shift 2
	client "$xfn" bench -j --size $sizes --module "$function" --timeout 4000 "$@" "$host:$(port_of "$function")" >"$dir/out" 2>"$dir/bench"
	status=$?
	figure sent >>"$dir/sent"
	[ $status != 0 ] || return 0
	echo "$function at $host, $*: $(figure sent) sent, $(figure right) right, $(figure wrong) wrong $(cat "$dir/bench")"
	return 1
}
flood() { ask "$@" --flood -i "$client_iface" --mac 02:78:66:6e:00:01; }

processes() { echo "$run" && pgrep -P "$run"; }
memory() { for pid in $(processes); do sed -n "s/^VmRSS:[^0-9]*\([0-9]*\) kB/$pid \1/p" "/proc/$pid/status"; done; }
# PID QUEUE.THREAD ENGINE RECEIVED of each worker
received() { "$xfn" stat -i "$iface" | awk '$4 == "afxdp" || $4 == "uring" || $4 == "mmsg" { print $1, $2 "." $3, $4, $6 }'; }

# every frame of both queues is in its place, and none is under way any more
frames_at_rest()
{
	for _ in $(seq 25); do
		sleep 0.2
		"$xfn" stat -i "$iface" -v -j >"$dir/stat"
		[ "$(grep -c '"frames_lost": 0,*$' "$dir/stat")" = 2 ] && [ "$(grep -c '"frames_sending": 0,$' "$dir/stat")" = 2 ] && return 0
	done
	grep -E '"frames_|null' "$dir/stat"
	return 1
}

# an audit while frames fly, also where only sha256 is the workers'
frames_in_flood()
{
	flood sha256 10.78.0.1 -d 1 >"$dir/flooded" &
	others=$!
	sleep 0.3
	"$xfn" stat -i "$iface" -v -j >"$dir/stat"
	wait "$others" && [ "$(grep -c '"frames_lost": 0,*$' "$dir/stat")" = 2 ]
	status=$?
	others=
	[ $status = 0 ] || grep '"frames_' "$dir/stat" "$dir/flooded"
	return $status
}

# phase NAME OPTION...
phase()
{
	phase=soak_$1
	shift
	# shellcheck disable=SC2086 # functions are words
	start --workers-per-queue 2 "$@" $functions || { result "${phase}_starts" 1; return; }
	sent=0 right=0 asked=0 answered=0 good=0
	open_books
	for function in $functions; do # warm-up
		flood "$function" 10.78.0.1 -d 0.1 && ask "$function" '[fd78::1]' -n 500 || good=1
	done
	frames_in_flood
	result "${phase}_frames_in_flood" $?
	memory >"$dir/memory"
	for round in $(seq "$rounds"); do
		host=10.78.0.1
		[ $((round % 2)) = 1 ] || host='[fd78::1]'
		for function in $functions; do
			flood "$function" "$host" -d "$load" || good=1
			sent=$((sent + $(figure sent))) right=$((right + $(figure right)))
			ask "$function" "$host" -d "$load" || good=1
			asked=$((asked + $(figure sent))) answered=$((answered + $(figure right)))
		done
	done
	echo "$phase: $rounds rounds of 6 loads of $load s; flood: $sent sent, $right answered; closed loop: $asked sent, $answered answered"
	result "${phase}_no_reply_wrong" $good

	received >"$dir/before"
	good=0
	for function in $functions; do
		for host in 10.78.0.1 '[fd78::1]'; do
			ask "$function" "$host" -n 3000 -w 64 && [ "$(figure right)" = 3000 ] && continue
			echo "$function at $host: $(figure right) of 3000 right, $(figure lost) lost"
			good=1
		done
	done
	result "${phase}_all_answered" $good
	balanced
	result "${phase}_books_balance" $?
	# larger than the MTU: what comes in fragments goes to the slow path's worker
	head -c 3000 /dev/urandom >"$dir/payload"
	client "$xfn" invoke -f "$dir/payload" 10.78.0.1:7 >/dev/null 2>&1
	good=$?
	sleep 0.3
	received | paste -d ' ' "$dir/before" - >"$dir/both"
	awk '$1 != $5 || $8 <= $4 { print; bad = 1 } END { exit bad || NR != 5 }' "$dir/both" || good=1
	[ $good = 0 ] || cat "$dir/both"
	result "${phase}_all_receive" $good

	frames_at_rest
	result "${phase}_frames_add_up" $?
	memory | paste -d ' ' "$dir/memory" - >"$dir/both"
	if [ $sanitized = 1 ]; then
		echo "[  SKIPPED ] ${phase}_memory: a sanitizer keeps what was freed"
	else
		awk -v most=$grown_max '$1 != $3 || $4 - $2 > most { print "process, kB after warm-up, process, kB at the end:", $0; bad = 1 } END { exit bad || NR != 4 }' "$dir/both"
		result "${phase}_memory" $?
	fi
	stop
	status=$?
	! grep -E 'restart|ended|serves again|not ready' "$dir/err" && [ $status = 0 ]
	result "${phase}_no_restart" $?
}

raise -q 2
phase afxdp --tier afxdp
phase afxdp_spin --tier afxdp --spin
phase tiers
phase tiers_spin --spin
exit $bad
