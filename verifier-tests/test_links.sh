#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What NIC and driver do for AF_XDP workers, on a link that has little of it: zero copy is refused or stepped
# down from, flow rules are refused, busy polling too unless the kernel knows what to poll; what was changed on
# the interface is changed back when the run ends, and after one that was killed.
suite=links
# shellcheck source=verifier-tests/in_lab.sh
. "$(dirname "$0")/in_lab.sh"

# refused WORDS ARGUMENT...: exit status 1, the words said, and nothing left attached
refused()
{
	words=$1
	shift
	timeout 10 "$xfn" lab -n "$name" exec server "$xfn" run -i "$iface" "$@" >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && grep -qE -- "$words" "$dir/err" && ! server ip link show dev "$iface" | grep -q xdp && return 0
	cat "$dir/out" "$dir/err"
	return 1
}

# misused WORDS ARGUMENT...: exit status 2, the words said
misused()
{
	words=$1
	shift
	"$xfn" run "$@" >"$dir/out" 2>"$dir/err"
	[ $? = 2 ] && grep -qF -- "$words" "$dir/err" && return 0
	cat "$dir/out" "$dir/err"
	return 1
}

answers() { client "$xfn" bench -n 500 -w 4 --timeout 4000 --module "${2:-echo}" "10.78.0.1:$1" >"$dir/bench" 2>&1 || { cat "$dir/bench"; return 1; }; }
said() { "$xfn" "$1" -i "$iface" -j | tr -d '\n ' | grep -qE -- "$2"; }
# what the server's interface has: flush timeout and deferred interrupts
settings()
{
	# shellcheck disable=SC2016
	server unshare -m sh -c 'mount -t sysfs none /sys; cd /sys/class/net/$0; cat gro_flush_timeout napi_defer_hard_irqs' "$iface" | tr '\n' ' '
}
left() { server "$xfn" check -i "$iface" "$@" >"$dir/check" 2>&1; sed -n 's/^no  changed by xfn run  *\([0-9]*\).*/\1/p' "$dir/check"; }

raise -q 2
start --tier afxdp echo
said ls '"zero_copy":false,"zero_copy_reason":"vethisnotamong' && said stat '"engine":"afxdp"[^}]*"zero_copy":false' &&
	said stat '"engine":"uring"[^}]*"zero_copy":null|"engine":"mmsg"[^}]*"zero_copy":null' && answers 7 &&
	"$xfn" ls -i "$iface" | grep -q '^[^ ]*: mode native, engine afxdp, copies (veth is not among'
result links_auto_copies $?
stop
start echo
said ls '"zero_copy":null'
result links_no_frames_no_copies $?
stop
refused 'driver veth refuses it on queue [01] of .* take --zero-copy auto' --zero-copy always --tier afxdp echo &&
	refused 'driver veth refuses it' --zero-copy always sha256 &&
	refused 'wants the dispatcher in native mode' --zero-copy always --mode generic sha256
result links_always_is_refused $?
start --zero-copy never sha256
said ls '"zero_copy":false,"zero_copy_reason":"--zero-copynever"' && answers 2256 sha256
result links_never_copies $?
stop

refused 'driver veth takes no flow rules .* leave --steer out' --steer 0-1 echo &&
	refused 'has no queue 2, only 2 of them' --steer 0,2 --tier afxdp echo &&
	refused 'wants XDP' --steer 0 --mode none echo && [ -z "$(left)" ]
result links_steer_is_refused $?

# kernels from 6.13 on know at bind what polls veth: nothing. Before, they learn it from the first packet
if [ "$(uname -r | awk -F. '{ print $1 * 1000 + $2 }')" -ge 6013 ]; then
	refused 'driver veth does not tell .* leave --busy-poll out' --busy-poll 50 --tier afxdp echo
	result links_busy_poll_is_refused $?
else
	polled() { server cat /proc/net/netstat | awk '$1 == "TcpExt:" { if (split($0, last) && !at) { for (i in last) if (last[i] == "BusyPollRxPackets") at = i } else print last[at] }'; }
	start --busy-poll 2000 --defer-interrupts 500 --tier afxdp echo
	answers 7 && answers 7 && said stat '"napi":[0-9]+' && [ "$(polled)" -gt 0 ]
	result links_busy_poll $? || polled
	stop
fi

before=$(settings)
start --defer-interrupts 30 --tier afxdp echo
[ "$(settings)" = "30000 2 " ] && answers 7 && [ "$(left)" = 2 ] && [ "$(left --undo)" = "" ] &&
	grep -q 'stop that one' "$dir/check" && [ "$(settings)" = "30000 2 " ]
result links_settings_change $? || cat "$dir/check"
stop && [ "$(settings)" = "$before" ] && [ -z "$(left)" ] && [ -z "$(find "$XFN_RUNTIME_DIR" -name '*.journal')" ]
result links_settings_change_back $?

server ip link set dev "$iface" down
start --wait --defer-interrupts 30 echo
server ip link set dev "$iface" up
soon said ls '"state":"serving"' && [ "$(settings)" = "30000 2 " ] && stop && [ "$(settings)" = "$before" ]
result links_settings_of_one_waited_for $? || cat "$dir/err"
stop

start --defer-interrupts 30 echo
kill -KILL "$run"
wait "$run" 2>/dev/null
run=
[ "$(settings)" = "30000 2 " ] && [ "$(left)" = 2 ] && grep -q 'check -i .* --undo' "$dir/check"
result links_killed_run_leaves $?
start echo
[ "$(settings)" = "$before" ] && grep -q 'undone what an earlier run' "$dir/err" && [ -z "$(left)" ]
result links_next_run_undoes $?
stop
start --defer-interrupts 40 echo
kill -KILL "$run"
wait "$run" 2>/dev/null
run=
[ -z "$(left --undo)" ] && [ "$(settings)" = "$before" ] && grep -q 'undone what' "$dir/check"
result links_check_undoes $? || cat "$dir/check"
# what somebody has set since is his
start --defer-interrupts 40 echo
server unshare -m sh -c "mount -t sysfs none /sys; echo 70000 >/sys/class/net/$iface/gro_flush_timeout"
stop
[ "$(settings)" = "70000 ${before#* }" ]
result links_leaves_what_others_set $?

misused "--zero-copy 'often': take auto, never or always" -i "$iface" --zero-copy often echo &&
	misused "--steer '3-1': take queues" -i "$iface" --steer 3-1 echo &&
	misused "--steer '1,1': take queues" -i "$iface" --steer 1,1 echo &&
	misused "--steer '64': take queues" -i "$iface" --steer 64 echo &&
	misused "--busy-poll '0': take 1 to" -i "$iface" --busy-poll 0 echo &&
	misused "--defer-interrupts '9x': take 1 to" -i "$iface" --defer-interrupts 9x echo &&
	misused "--busy-poll '50': wants an interface" --busy-poll 50 echo
result links_misuse $?
exit $bad
