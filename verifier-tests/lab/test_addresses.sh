#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Which destinations are answered, as addresses and devices come and go while xfn runs. Knows only the
# command line.
suite=addresses
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
head -c 3000 /dev/zero | tr '\0' x >"$dir/fragments"

# answers ADDRESS...: does each?
answers()
{
	for address in "$@"; do
		client "$xfn" invoke -j "$address:7" hello 2>/dev/null | grep -q '"reply": "68656c6c6f"' || return 1
	done
}
silent()
{
	for address in "$@"; do
		if answers "$address"; then return 1; fi
	done
}
# of several frames: the slow path
answers_slowly()
{
	for address in "$@"; do
		client "$xfn" invoke -t 5000 -j -f "$dir/fragments" "$address:7" 2>/dev/null | grep -q '"reply": "78787878' || return 1
	done
}
# datagrams that workers took, those of the slow path; an idle worker tells every 100 ms
by_workers() { sleep 0.3; "$xfn" stat -j -i "$iface" | awk '/"received":/ { sum += $2 } END { print sum + 0 }'; }
have_taken() { [ "$(by_workers)" = "$1" ]; }

raise
server ip link set lo up
server ip addr add 10.99.0.1/32 dev lo
client ip route add 10.99.0.0/24 via 10.78.0.1

# an address that is named stands before its port as it is written, and by itself in JSON
start 'echo@[fd78::1]:7' 'reverse@10.78.0.1:7' 'time@[::]:7'
listed=$("$xfn" ls -i "$iface" | sed -n 's/^[a-z]*  *\([^ ]*:7\)  .*/\1/p' | tr '\n' ' ')
[ "$listed" = '[fd78::1]:7 10.78.0.1:7 [::]:7 ' ] && "$xfn" ls -j -i "$iface" | grep -q '"address": "fd78::1"' || {
	echo "listed: $listed"
	false
}
result addresses_listed $?
stop

start echo
soon answers 10.78.0.1 '[fd78::1]' 10.99.0.1
result addresses_own_and_anycast $?
answers_slowly 10.78.0.1 '[fd78::1]' 10.99.0.1
result addresses_slow_path $?
silent 10.78.0.9
result addresses_not_ours $?
server ip addr add 10.78.0.9/24 dev "$iface"
server ip addr add fd78::9/64 dev "$iface" nodad
soon answers 10.78.0.9 '[fd78::9]' && answers_slowly 10.78.0.9
result addresses_added_while_running $?
server ip addr del 10.78.0.9/24 dev "$iface"
server ip addr del 10.99.0.1/32 dev lo
soon silent 10.78.0.9 10.99.0.1
result addresses_removed_while_running $?
server ip addr add 10.99.0.1/32 dev lo
if server ip link add br0 type bridge 2>/dev/null; then
	server ip link set br0 address 02:78:66:6e:00:01 up
	server ip link set "$iface" master br0
	server ip addr add 10.98.0.1/24 dev br0
	client ip route add 10.98.0.0/24 dev "$client_iface"
	client ip neigh replace 10.98.0.1 lladdr 02:78:66:6e:00:01 dev "$client_iface"
	server ip route replace 10.78.0.0/24 dev br0
	server ip neigh replace 10.78.0.2 lladdr 02:78:66:6e:00:02 dev br0
	soon answers 10.98.0.1 && answers_slowly 10.98.0.1
	result addresses_of_a_bridge $?
	server ip link del br0
	soon silent 10.98.0.1
	result addresses_of_a_bridge_removed $?
else
	echo "[  SKIPPED ] addresses_of_a_bridge: this kernel has none"
fi
if tagged; then
	capture "$dir/seen" -nvvel vlan
	before=$(by_workers)
	soon answers 10.97.0.1 '[fd97::1]' && have_taken "$before"
	result addresses_of_a_vlan $?
	answers_slowly 10.97.0.1 '[fd97::1]' && soon have_taken $((before + 2))
	result addresses_of_a_vlan_slow_path $?
	captured
	[ "$(grep -c 'vlan 5, .*udp sum ok\|10.97.0.1.7 >.*udp sum ok' "$dir/seen")" -ge 2 ] && ! grep -q 'bad udp cksum' "$dir/seen"
	result addresses_of_a_vlan_on_the_wire $?
	server ip link del v5
	client ip link del v5
	soon silent 10.97.0.1 '[fd97::1]'
	result addresses_of_a_vlan_removed $?
else
	echo "[  SKIPPED ] addresses_of_a_vlan: this kernel has none"
fi
stop

start --tier socket echo
server ip addr flush dev "$iface"
sleep 0.2
server ip addr add 10.78.0.1/24 dev "$iface"
server ip addr add fd78::1/64 dev "$iface" nodad
server ip neigh replace 10.78.0.2 lladdr 02:78:66:6e:00:02 dev "$iface" nud permanent
soon answers 10.78.0.1 '[fd78::1]'
result addresses_all_away_and_back $?
server ip addr add 10.78.0.9/24 dev "$iface"
soon answers 10.78.0.9 10.78.0.1 '[fd78::1]'
result addresses_added_behind_sockets $?
server ip addr del 10.78.0.9/24 dev "$iface"
soon silent 10.78.0.9 && soon answers 10.78.0.1
result addresses_removed_behind_sockets $?
stop

# A new address wants workers anew: what is asked meanwhile waits, and is answered. Of engine packet the ring and the
# sockets take turns by two filters, six times here: what is on its way from the one to the other just then may be lost.
figure() { sed -n "s/^ *\"$1\": \([0-9.]*\),*\$/\1/p" "$dir/load"; }
for engine in uring mmsg packet; do
	start --tier socket --engine $engine echo || continue
	"$xfn" lab -n "$name" exec client "$xfn" bench -j -r 1000 -d 2 --timeout 4000 --module echo 10.78.0.1:7 >"$dir/load" 2>&1 &
	others=$!
	good=0
	for host in 7 8 9; do
		server ip addr add 10.78.0.$host/24 dev "$iface"
		soon answers 10.78.0.$host || good=1
		server ip addr del 10.78.0.$host/24 dev "$iface"
	done
	may_lose=0
	[ $engine != packet ] || may_lose=6
	wait "$others"
	[ "$(figure right)" -ge $(($(figure sent) - may_lose)) ] && [ "$(figure wrong)" = 0 ] && [ "$(figure right)" -gt 200 ] && [ $good = 0 ]
	result addresses_followed_without_loss_$engine $? || cat "$dir/err" "$dir/load"
	others=
	stop
done

start --address 10.99.0.1 echo
soon answers 10.99.0.1 && answers_slowly 10.99.0.1 && silent 10.78.0.1 '[fd78::1]' && ! grep -q 'gets no request' "$dir/err"
result addresses_named $?
stop

# what nobody can ask is said
start --address 10.99.0.1 'echo@10.78.0.1:7' 'time@[::]:38' regex
grep -q 'echo gets no request: 10.78.0.1 is not served on' "$dir/err" && grep -q 'time gets no request: no IPv6 address is served on' "$dir/err" &&
	[ "$(grep -c 'gets no request' "$dir/err")" = 2 ]
result addresses_not_served_are_said $? || cat "$dir/err"
stop
# nor is it answered there by sockets
start --tier socket --address 10.99.0.1 'echo@10.78.0.1:7' echo@8
soon client "$xfn" invoke -t 200 10.99.0.1:8 x >/dev/null 2>&1 && silent 10.78.0.1 &&
	grep -q 'echo gets no request: 10.78.0.1 is not served on' "$dir/err"
result addresses_not_served_by_sockets $? || cat "$dir/err"
stop
exit $bad
