#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A function that meddles with what its worker serves by, behind each engine: it can neither close nor change the
# worker's descriptors, nor speak in the worker's name, and where it takes memory away it is blamed for the end.
suite=meddling
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
# shellcheck source=verifier-tests/lab/worker_ends.sh
. verifier-tests/lab/worker_ends.sh

# refused PAYLOAD: meddles says EPERM of every try
refused() { [ "$(client "$xfn" invoke -j 10.78.0.1:4007 "$1" 2>/dev/null | sed -n 's/.*"reply": "\([^"]*\)".*/\1/p')" = 45504552 ]; }
state() { "$xfn" ls -i "$iface" -j | tr -d '\n' | tr '{' '\n' | grep "\"name\": \"$1\"" | sed -n 's/.*"state": "\([a-z_]*\)".*/\1/p'; }
# meddles until it is in quarantine; each of its requests ends the worker
quarantined()
{
	for _ in $(seq 10); do
		say 10.78.0.1:4007 "$1"
		soon all_serve || return 1
		[ "$(state meddles)" != quarantined ] || return 0
	done
	return 1
}
# of all workers
descriptors() { for worker in $(pgrep -P "$run" -x xfn-worker); do ls "/proc/$worker/fd"; done | wc -l; }
all_serve() { [ "$(grep -c 'ended (' "$dir/err")" = "$(grep -c 'serves again' "$dir/err")" ]; }
blamed() { [ "$(state meddles) $(state echo)" = "quarantined serving" ] && ask 7 "others go on" && ! logged "function echo" 1; }

raise
"$xfn" build verifier-tests/sources/meddles.c -o "$dir/meddles.xfn" >/dev/null || result meddling_build 1
for way in "--tier afxdp" "--tier socket --engine uring" "--tier socket --sqpoll" "--tier socket --engine mmsg" "--tier socket --engine simple" "--engine packet"; do
	tag=$(echo "$way" | tr -c 'a-z\n' _)
	# shellcheck disable=SC2086 # options are words
	start $way echo "$dir/meddles.xfn" && ask 7 a && ask 4007 b
	[ $? = 0 ] || { result "serves$tag" 1; cat "$dir/err"; stop; continue; }
	for word in clos rang dupl shut opti flag ioct word hear; do
		refused $word && ask 7 "after" && ! logged 'ended (' 1
		result "${word}_refused$tag" $? || cat "$dir/err"
	done
	# the worker itself closes what comes with an invocation
	before=$(descriptors)
	for _ in $(seq 10); do "$xfn" invoke -i "$iface" echo x >/dev/null || result "invoked$tag" 1; done
	[ "$(descriptors)" = "$before" ]
	result "own_closed$tag" $?
	stop
	for word in term heap engn ring; do
		case "$word $way" in
		ring*sqpoll* | ring*mmsg | ring*simple) continue ;; # which know none while functions are loaded, or have none
		esac
		# shellcheck disable=SC2086
		start $way echo "$dir/meddles.xfn"
		# others are called before and after it, and not blamed
		"$xfn" lab -n "$name" exec client "$xfn" bench -j -r 500 -d 60 --module echo 10.78.0.1:7 >"$dir/load" 2>&1 &
		others=$!
		quarantined $word && blamed
		result "${word}_blamed$tag" $? || cat "$dir/err"
		kill -TERM $others
		wait $others
		others=
		stop
	done
	# before there is a sandbox: the pair, and all descriptors
	for count in 1 1000; do
		XFN_MEDDLES=$count
		export XFN_MEDDLES
		# shellcheck disable=SC2086
		start $way echo "$dir/meddles.xfn"
		soon logged "meddles: .*it is set aside" 1 && [ "$(state meddles)" = set_aside ] && ask 7 "others go on"
		result "init_closes_${count}$tag" $? || cat "$dir/err"
		stop
		unset XFN_MEDDLES
	done
done
exit $bad
