#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Workers that stand still outside of functions, behind each engine: one that was stopped, that loops or waits for
# ever while no function runs, is ended and started again, and no function is blamed. One that is idle, rests, or
# gets no CPU is left alone.
suite=still
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
# shellcheck source=verifier-tests/lab/worker_ends.sh
. verifier-tests/lab/worker_ends.sh
scribble=$dir/scribble.xfn

# stood TIMES WHY: so many workers ended for that, and all serve again
stood()
{
	[ "$(cat "$dir"/err* | grep -c "had stood still for 3 s outside of functions: $2; restart")" -ge "$1" ] &&
		[ "$(cat "$dir"/err* | grep -c 'ended (')" = "$(cat "$dir"/err* | grep -c 'serves again')" ]
}
# beside ENGINE ADDRESS: another run behind UDP sockets, of the server's loopback
beside()
{
	: >"$dir/ready$1"
	XFN_RUNTIME_DIR=$dir/run$1 "$xfn" lab -n "$name" exec server "$xfn" run -j --engine "$1" --bind "$2" echo "$scribble" \
		>"$dir/ready$1" 2>"$dir/err$1" &
	others="$others $!"
	soon grep -q '"ready"' "$dir/ready$1"
}
workers() { for pid in $run $others; do pgrep -P "$pid"; done; }
all_workers() { [ "$(workers | grep -c .)" = "$1" ]; }
blames() { cat "$dir"/err* | grep -q 'in function\|quarantine'; }

raise
"$xfn" build verifier-tests/sources/scribble.c -o "$scribble" >/dev/null || result build_scribble 1

# the AF_XDP worker and that of its slow path, mmsg and simple
start --tier afxdp --workers-per-queue 1-3 echo "$scribble" && beside mmsg 127.0.0.1 && beside simple 127.0.0.2
result serve $?
count=0 afxdp=
for pid in $(workers); do
	count=$((count + 1))
	# it has threads
	if [ "$(find /proc/"$pid"/task -mindepth 1 -maxdepth 1 | grep -c .)" = 3 ]; then
		afxdp=$pid
		# which idle, rest, and hardly get a CPU
		chrt -a -i -p 0 "$pid"
	else
		kill -STOP "$pid"
	fi
done
[ $count = 4 ] && [ -n "$afxdp" ] || result four_workers 1
for _ in $(seq "$(nproc)"); do timeout 4 sh -c 'while :; do :; done' & done
soon stood 3 'stopped by a signal'
result stopped_are_ended $?
[ "$(workers | grep -cx "$afxdp")" = 1 ] && ask 7 "after"
result idle_is_left_alone $?

say 10.78.0.1:4006 wait &
server "$xfn" invoke 127.0.0.1:4006 loop >/dev/null 2>&1
soon stood 1 'it loops' && soon stood 1 'it waits for something that does not come' && ask 7 "after"
result still_while_no_function_runs $?
! blames
result nobody_blamed $?
[ $bad = 0 ] || cat "$dir"/err*
stop
for pid in $others; do kill -TERM "$pid"; done
for pid in $others; do wait "$pid"; done
others=
rm "$dir"/err*

# what stops in the midst of a call is not the function's fault; the worker of the ring as well
# a module that stands: a run that is killed cannot remove one that it has built
"$xfn" build -o "$dir/hang.xfn" verifier-tests/sources/hang.c >"$dir/built" 2>&1 || cat "$dir/built"
start --engine packet --deadline 1000 echo "$dir/hang.xfn" && ask 7 before
result serves_packet $?
say 10.78.0.1:4002 hang &
soon sh -c "\"$xfn\" stat -i $iface | awk '\$1 == \"hang\" && \$3 > 0' | grep -q ."
for pid in $(workers); do kill -STOP "$pid"; done
soon stood 2 'stopped by a signal' && ask 7 "after" && ! blames
result stopped_within_a_call $? || cat "$dir/err"
stop
exit $bad
