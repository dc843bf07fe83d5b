#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Under a kernel that kernels.sh booted: the objects of functions that it made (in the folder `objects`), by
# `ip link`, and several on one interface by xdp-loader, that is under libxdp's dispatcher.
suite=standalone
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/../lab/in_lab.sh"

# answers PORT EXPECT: to "abc", in hex
answers()
{
	got=$(client "$xfn" invoke -t 5000 -j "10.78.0.1:$1" abc 2>/dev/null | sed -n 's/.*"reply": "\([^"]*\)".*/\1/p')
	[ "$got" = "$2" ] || {
		echo "port $1: '$got'"
		return 1
	}
}
tells_time()
{
	now=$(client "$xfn" invoke -t 5000 -j 10.78.0.1:37 x 2>/dev/null | sed -n 's/.*"reply": "\([^"]*\)".*/\1/p')
	now=$((0x${now:-0} - 2208988800 - $(date +%s)))
	[ "$now" -ge -2 ] && [ "$now" -le 2 ]
}
loader() { server xdp-loader "$@" >"$dir/out" 2>&1; }
unload() { loader unload -a "$iface"; }
attached() { server ip -d link show dev "$iface" | grep -q 'prog/xdp'; }

# the other's program, without xfn's
left_alone() { loader status "$iface" && ! grep -qE 'xfn_(dispatcher|redirector)' "$dir/out"; }

raise
for mode in xdpdrv xdpgeneric; do
	server ip link set dev "$iface" $mode obj objects/all.o sec xdp && answers 7 616263 && answers 1232 636261 && tells_time
	result standalone_$mode $?
	server ip link set dev "$iface" $mode off
done
for mode in native skb; do
	loader load -m $mode "$iface" objects/echo.o objects/reverse.o && answers 7 616263 && answers 1232 636261 &&
		loader status "$iface" && grep -q xdp_dispatcher "$dir/out" && grep -q 'xfn_echo' "$dir/out" && grep -q 'xfn_reverse' "$dir/out"
	result standalone_two_$mode $? || cat "$dir/out"
	unload
	loader load -m $mode "$iface" objects/reverse.o && loader load -m $mode "$iface" objects/echo.o && answers 7 616263 && answers 1232 636261
	result standalone_added_$mode $? || cat "$dir/out"
	unload
	! attached
	result standalone_detached_$mode $?
done
# one that resizes beside another: where the kernel asks whether the dispatcher may change packets, it may not
if loader load -m native "$iface" objects/echo.o objects/time.o; then
	answers 7 616263 && tells_time
	result standalone_resizing_answers $?
else
	! attached && LIBXDP_SKIP_DISPATCHER=1 loader load -m native "$iface" objects/time.o && tells_time
	result standalone_resizing_alone $?
fi
unload

# xfn run beside another's program, by tail calls or, where the kernel has none there, in workers
for mode in native generic; do
	case $mode in native) loader load "$iface" objects/reverse.o ;; *) loader load -m skb "$iface" objects/reverse.o ;; esac
	server "$xfn" run -i "$iface" echo >"$dir/out" 2>&1
	grep -q 'xdp_dispatcher.*join it with --attach libxdp' "$dir/out"
	result shared_told_$mode $? || cat "$dir/out"
	start --attach libxdp --mode $mode echo time && answers 7 616263 && answers 1232 636261 && tells_time
	result shared_$mode $? || cat "$dir/err"
	"$xfn" ls -i "$iface" && cat "$dir/err"
	stop && answers 1232 636261 && ! client "$xfn" invoke 10.78.0.1:7 abc >/dev/null 2>&1
	result shared_left_$mode $?
	start --attach libxdp --mode $mode echo
	kill -KILL $run
	wait $run 2>/dev/null
	run=
	soon left_alone && answers 1232 636261
	result shared_killed_$mode $? || cat "$dir/out"
	unload
	start --attach libxdp --mode $mode echo && answers 7 616263 && stop && ! attached
	result shared_alone_$mode $?
done
# jumbo frames, in several buffers where the kernel hands those out
server ip link set dev "$iface" mtu 9000
client ip link set dev "$client_iface" mtu 9000
head -c 5000 /dev/zero >"$dir/payload"
start --attach libxdp --mode native echo && answers 7 616263 && client "$xfn" invoke -t 5000 -f "$dir/payload" 10.78.0.1:7 | grep -q '^5000 bytes from'
result shared_jumbo $? || cat "$dir/err"
stop
client ip link set dev "$client_iface" mtu 1500
server ip link set dev "$iface" mtu 1500
server ip link set dev "$iface" xdp obj objects/reverse.o sec xdp
server timeout 20 "$xfn" run --attach libxdp -i "$iface" echo >"$dir/out" 2>&1
[ $? = 1 ] && grep -q 'xfn_reverse.*was not attached by libxdp' "$dir/out"
result shared_held_refused $? || cat "$dir/out"
server ip link set dev "$iface" xdp off
! attached && ! find /sys/fs/bpf -name 'dispatch-*' | grep -q .
result standalone_nothing_left $?
exit $bad
