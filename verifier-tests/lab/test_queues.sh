#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Receive queues without a transmit queue, more of them than can have workers, and other numbers of queues
# while requests come: AF_XDP workers answer all that they count as sent.
suite=queues
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"

# flows: from many sockets, since one may keep to one queue
flows()
{
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		client "$xfn" bench -n 200 -w 16 --timeout 4000 --module echo 10.78.0.1:7 >"$dir/bench" 2>&1 || { cat "$dir/bench"; return 1; }
	done
}
# all_left: workers of more than one queue have received requests, and all have sent what they received, in no
# more wake-ups than that takes; an idle one tells after a while
all_left() { "$xfn" stat -i "$iface" | awk '$4 == "afxdp" { if ($6) met[$2] = 1; bad += $6 != $7 || $8 || $9 > 1000 + 5 * $6 } END { exit bad || length(met) < 2 }'; }
shaped() { server ethtool -L "$iface" "$@" 2>"$dir/shape"; }
add_up() { "$xfn" stat -i "$iface" -v -j | grep -q '"frames_lost": 0,*$'; }
complain() { cat "$dir/err" "$dir/bench"; "$xfn" stat -i "$iface"; }

raise -q 4
for mode in native generic; do
	# a half-made sum would take the slow path in generic mode
	[ $mode = native ] || client ethtool -K "$client_iface" tx off >/dev/null
	soon shaped rx 4 tx 1 # AF_XDP sockets of a run before hold their queues a little longer
	start --tier afxdp --workers-per-queue 1-2 --mode $mode echo
	flows && soon all_left && grep -q 'workers of 3 RX queues send by AF_PACKET' "$dir/err"
	result "queues_more_rx_than_tx_$mode" $? || complain
	"$xfn" scale -i "$iface" 2 >/dev/null && flows && add_up && server "$xfn" check -i "$iface" 2>&1 | grep -q '^no  transmit queues  *1 '
	result "queues_more_rx_than_tx_threads_$mode" $? || complain
	shaped tx 4 && soon grep -q 'TX queues: 4; its workers start anew' "$dir/err" && soon flows && soon all_left && add_up
	result "queues_get_tx_$mode" $? || complain
	stop
done
client ethtool -K "$client_iface" tx on >/dev/null

# what comes while workers are made anew waits for them elsewhere, and is answered
figure() { sed -n "s/^ *\"$1\": \([0-9.]*\),*\$/\1/p" "$dir/load"; }
anew() { [ "$(grep -c 'its workers start anew' "$dir/err")" -ge "$1" ]; }
asked() { "$xfn" stat -i "$iface" | awk '$4 == "afxdp" { n += $6 } END { exit !n }'; }
# the workers of four queues, and the one of slow sockets
all_serve() { "$xfn" stat -i "$iface" | awk '$3 == 0 && $NF == "serving" { n++ } END { exit n != 5 }'; }
start --tier afxdp --workers-per-queue 1 echo
"$xfn" lab -n "$name" exec client "$xfn" bench -j -r 100 -d 3 --timeout 4000 --flows 16 --module echo 10.78.0.1:7 >"$dir/load" 2>&1 &
others=$!
good=0 times=0
soon asked || good=1
for mtu in 1400 1500 1400; do
	times=$((times + 1))
	server ip link set dev "$iface" mtu $mtu
	soon anew $times && soon all_serve || good=1
done
wait "$others" && [ "$(figure right)" = "$(figure sent)" ] && [ "$(figure right)" -gt 20 ] && [ $good = 0 ]
result queues_renewed_workers_lose_nothing $? || cat "$dir/err" "$dir/load"
others=
stop
exit $bad
