#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Workers run where --cpus says, in turn, also after a restart, and anywhere on a link without interrupts;
# `xfn stat` says where. Their frames are in huge pages where there are enough.
suite=pinning
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"

list_of() { sed -n 's/^Cpus_allowed_list:[^0-9]*//p' "/proc/$1/status"; }
workers() { pgrep -P "$run"; }
# what each worker may run on, by the kernel
kernel_says() { for pid in $(workers); do printf '%s ' "$(list_of "$pid")"; done; }
xfn_says() { "$xfn" stat -i "$iface" -j | sed -n 's/^ *"cpu": \([^,]*\),*$/\1/p' | tr '\n' ' '; }
all=$(list_of self)
first=${all%%[-,]*}
last=${all##*[-,]}

raise -q 2
start --tier afxdp echo
[ "$(kernel_says)" = "$all $all $all " ] && [ "$(xfn_says)" = "null null null " ]
result pinning_none_on_veth $?
stop

start --tier afxdp --cpus "$first,$last" echo
[ "$(kernel_says)" = "$first $last $first " ] && [ "$(xfn_says)" = "$first $last $first " ]
result pinning_in_turn $? || kernel_says
kill -KILL "$(workers | sed -n 2p)"
for _ in $(seq 50); do
	sleep 0.1
	[ "$("$xfn" stat -i "$iface" -j | sed -n 's/^ *"restarts": 1,*$/1/p')" ] && break
done
[ "$(kernel_says | tr ' ' '\n' | sort | tr '\n' ' ')" = "$(printf '%s\n' "$first" "$first" "$last" | sort | tr '\n' ' ')" ] && [ "$(xfn_says)" = "$first $last $first " ]
result pinning_after_restart $?
client "$xfn" bench -n 2000 --module echo 10.78.0.1:7 >/dev/null
result pinning_answers $?
stop

start --tier socket --cpus "$last" echo
[ "$(kernel_says)" = "$last " ]
result pinning_behind_sockets $?
stop

# 2 queues of 16 MB
free=$(sed -n 's/^HugePages_Free: *//p' /proc/meminfo)
want=normal
[ "$free" -lt 8 ] || want='[a-z]*' # for one of them
[ "$free" -lt 16 ] || want=huge
XFN_DEBUG=1
export XFN_DEBUG
start --tier afxdp --cpus "$first" echo
[ "$(grep -c "^xfn: frames of queue [01] are in $want pages$" "$dir/err")" = 2 ] && grep -q "^xfn: worker of engine afxdp, queue 1 is bound to CPU $first$" "$dir/err"
result pinning_pages $? || cat "$dir/err"
client "$xfn" bench -n 2000 --module echo 10.78.0.1:7 >/dev/null
result pinning_pages_answer $?
stop
exit $bad
