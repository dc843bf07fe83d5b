#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a worker does against the order of its supervisor, by accident or on purpose: it leaves its process group,
# leaves others running, talks without being asked, ends itself. The supervisor ends it, is never held up, says little,
# and the functions beside it go on.
suite=strays
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
# shellcheck source=verifier-tests/lab/worker_ends.sh
. verifier-tests/lab/worker_ends.sh

workers() { pgrep -P "$run" -x xfn-worker; }
# the processes of queue 0 that no supervisor has any more: daemons of the function, by what only they hold
daemons() { for p in /proc/[0-9]*; do grep -qz "^XFN_STARTS=$XFN_STARTS\$" "$p/environ" 2>/dev/null && [ "$(cut -d' ' -f4 "$p/stat" 2>/dev/null)" = 1 ] && ! grep -q '^State:.Z' "$p/status" && echo "${p#/proc/}"; done; }
over() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
# ended_in_time SECONDS: does it end on SIGTERM?
ended_in_time()
{
	kill -TERM "$run"
	for _ in $(seq $(($1 * 10))); do
		over "$run" && { wait "$run"; run=; return 0; }
		sleep 0.1
	done
	kill -KILL "$run"
	wait "$run"
	run=
	return 1
}
first_start()
{
	: >"$dir/ready"
	"$xfn" lab -n "$name" exec server "$xfn" run -j -i "$iface" "$@" >"$dir/ready" 2>"$dir/err" &
	run=$!
}
waits() { "$xfn" ls -i "$iface" 2>/dev/null | grep -q 'starting, since'; }
answers_soon() { timeout 1 "$xfn" ls -i "$iface" >/dev/null 2>&1; }

raise
"$xfn" build verifier-tests/sources/starts.c -o "$dir/starts.xfn" >/dev/null || result strays_build 1
XFN_STARTS=$dir/starts
export XFN_STARTS
mkdir "$XFN_STARTS"

# one that has joined its supervisor's group is ended all the same: while it starts, and once it serves
: >"$XFN_STARTS/group"
: >"$XFN_STARTS/slow"
first_start --tier socket "$dir/starts.xfn"
soon waits && sleep 0.3 && workers="$(workers)" && ended_in_time 5
result strays_other_group_starting $? || cat "$dir/err"
# shellcheck disable=SC2086 # pids are words
[ -z "${workers:-}" ] || kill -KILL $workers 2>/dev/null
rm "$XFN_STARTS/slow"
start --tier afxdp echo "$dir/starts.xfn" && kill -STOP "$(workers | head -1)" && soon logged 'stopped by a signal' 1 && soon logged 'serves again' 1 && ask 4012 a
status=$?
workers=$(workers)
ended_in_time 5 && [ $status = 0 ]
result strays_other_group_serving $? || cat "$dir/err"
# shellcheck disable=SC2086 # pids are words
[ -z "$workers" ] || kill -KILL $workers 2>/dev/null
rm "$XFN_STARTS/group"

# a daemon that it leaves has neither queue nor port, whoever of them ends first
: >"$XFN_STARTS/daemon"
for way in "--tier afxdp" "--tier socket --engine uring" "--tier socket --engine mmsg" "--engine packet"; do
	tag=$(echo "$way" | tr -c 'a-z\n' _)
	# shellcheck disable=SC2086 # options are words
	start $way "$dir/starts.xfn" && ask 4012 a && for pid in $(workers); do kill -KILL "$pid"; done && soon logged 'serves again' 1 && ask 4012 b &&
		kill -KILL "$run" && { wait "$run" 2>/dev/null; run=; true; } && [ -n "$(daemons)" ] && start $way "$dir/starts.xfn" && ask 4012 c
	result "strays_daemon_holds_nothing$tag" $? || cat "$dir/ready" "$dir/err"
	stop
	# one after another: each ends as the child of what adopted it
	for pid in $(daemons); do kill -KILL "$pid"; done
done
rm "$XFN_STARTS/daemon"

# what it says without being asked is said once, and ends it
for word in tell more; do
	start --tier afxdp echo "$dir/starts.xfn"
	say 10.78.0.1:4012 $word &
	soon logged 'serves again' 1 && answers_soon && ask 7 a && [ "$(wc -l <"$dir/err")" -le 6 ] && [ "$(grep -c 'told in vain' "$dir/err")" -le 1 ]
	result strays_talk_$word $? || { wc -l "$dir/err"; head -n 8 "$dir/err"; }
	stop
done

# what it prints without end costs the supervisor little
ticks() { sed 's/.*) //' "/proc/$run/stat" | awk '{ print $12 + $13 }'; }
: >"$XFN_STARTS/floods"
start --tier socket echo "$dir/starts.xfn" && ask 7 a
before=$(ticks)
sleep 3
used=$((($(ticks) - before) * 100 / $(getconf CLK_TCK) / 3))
[ $used -lt 10 ] && answers_soon && ask 7 b && logged 'lines left out' 2
result strays_flood_costs_little $? || { echo "$used % of a CPU"; head -n 5 "$dir/err"; }
stop
rm "$XFN_STARTS/floods"

# by whatever it ends its worker, it is known, and the others wait no longer each time
start --tier socket echo "$dir/starts.xfn"
for n in 1 2 3; do
	say -t 100 10.78.0.1:4012 term
	soon logged 'in function starts' $n
done
soon logged 'starts ended its worker 3 times' 1 && ask 7 a
result strays_term_is_blamed $? || cat "$dir/err"
stop
start --tier socket echo "$dir/starts.xfn"
for n in 1 2 3 4 5; do # as an operator does: later ends wait longer
	kill -TERM "$(workers | head -1)"
	soon logged 'serves again' $n
done
: >"$dir/err"
for n in 1 2 3; do
	say -t 100 10.78.0.1:4012 'die!'
	soon logged 'in function starts' $n && soon logged 'serves again' $n
done
[ "$(grep -c 'in function starts.*restart in 0 ms' "$dir/err")" = 3 ] && logged 'starts ended its worker 3 times' 1 && ask 7 a
result strays_crashes_wait_for_nobody $? || cat "$dir/err"
stop

# whatever fails at its start has words
: >"$XFN_STARTS/short"
timeout 30 "$xfn" lab -n "$name" exec server "$xfn" run -i "$iface" --tier socket "$dir/starts.xfn" >"$dir/out" 2>&1
[ $? = 1 ] && grep -q 'cannot .*: Cannot allocate memory' "$dir/out"
result strays_failure_has_words $? || cat "$dir/out"
exit $bad
