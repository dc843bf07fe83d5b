#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Which destinations are answered, as addresses and devices come and go while xfn runs. Knows only the
# command line.
set -u
cd "$(dirname "$0")/.." || exit 1
xfn=${XFN_BUILD:-build}/xfn
name=a$$
bad=0
run=
if [ "$(id -u)" != 0 ] || [ ! -x "$xfn" ]; then
	echo "[  SKIPPED ] addresses: wants root and build/xfn"
	exit 0
fi
dir=$(mktemp -d) || exit 1
XFN_RUNTIME_DIR=$dir/run
export XFN_RUNTIME_DIR
head -c 3000 /dev/zero | tr '\0' x >"$dir/fragments"

result()
{
	if [ "$2" = 0 ]; then
		echo "[       OK ] $1"
	else
		echo "[  FAILED  ] $1"
		bad=1
	fi
}
server() { "$xfn" lab -n "$name" exec server "$@"; }
client() { "$xfn" lab -n "$name" exec client "$@"; }
answers() { client "$xfn" invoke -j "$1:7" hello 2>/dev/null | grep -q '"reply": "68656c6c6f"'; }
silent() { ! answers "$1"; }
# of several frames: the slow path
answers_slowly() { client "$xfn" invoke -j -f "$dir/fragments" "$1:7" 2>/dev/null | grep -q '"reply": "78787878'; }

start()
{
	"$xfn" lab -n "$name" exec server "$xfn" run -j -i "xfns0$name" "$@" echo >"$dir/ready" 2>"$dir/err" &
	run=$!
	for _ in $(seq 100); do
		if grep -q '"ready"' "$dir/ready"; then return 0; fi
		sleep 0.1
	done
	cat "$dir/ready" "$dir/err"
	return 1
}

stop()
{
	[ -z "$run" ] || kill -TERM $run
	wait
	run=
}

finish()
{
	[ -z "$run" ] || kill -KILL $run
	"$xfn" lab -n "$name" down >/dev/null 2>&1
	rm -rf "$dir"
}
trap finish EXIT

"$xfn" lab -n "$name" up >/dev/null || { result addresses_lab 1; exit 1; }
server ip link set lo up
server ip addr add 10.99.0.1/32 dev lo
client ip route add 10.99.0.0/24 via 10.78.0.1

start
answers 10.78.0.1 && answers '[fd78::1]' && answers 10.99.0.1
result addresses_own_and_anycast $?
answers_slowly 10.78.0.1 && answers_slowly '[fd78::1]' && answers_slowly 10.99.0.1
result addresses_slow_path $?
silent 10.78.0.9
result addresses_not_ours $?
server ip addr add 10.78.0.9/24 dev "xfns0$name"
server ip addr add fd78::9/64 dev "xfns0$name" nodad
sleep 0.5
answers 10.78.0.9 && answers '[fd78::9]' && answers_slowly 10.78.0.9
result addresses_added_while_running $?
server ip addr del 10.78.0.9/24 dev "xfns0$name"
server ip addr del 10.99.0.1/32 dev lo
sleep 0.5
silent 10.78.0.9 && silent 10.99.0.1
result addresses_removed_while_running $?
server ip addr add 10.99.0.1/32 dev lo
if server ip link add br0 type bridge 2>/dev/null; then
	server ip link set br0 address 02:78:66:6e:00:01 up
	server ip link set "xfns0$name" master br0
	server ip addr add 10.98.0.1/24 dev br0
	client ip route add 10.98.0.0/24 dev "xfnc0$name"
	client ip neigh replace 10.98.0.1 lladdr 02:78:66:6e:00:01 dev "xfnc0$name"
	server ip route replace 10.78.0.0/24 dev br0
	server ip neigh replace 10.78.0.2 lladdr 02:78:66:6e:00:02 dev br0
	sleep 0.5
	answers 10.98.0.1 && answers_slowly 10.98.0.1
	result addresses_of_a_bridge $?
	server ip link del br0
	sleep 0.5
	silent 10.98.0.1
	result addresses_of_a_bridge_removed $?
else
	echo "[  SKIPPED ] addresses_of_a_bridge: this kernel has none"
fi
if server ip link add link "xfns0$name" name v5 type vlan id 5 2>/dev/null; then
	server ethtool -K "xfns0$name" rxvlan off txvlan off
	client ethtool -K "xfnc0$name" rxvlan off txvlan off
	server ip addr add 10.97.0.1/24 dev v5
	server ip link set v5 up
	client ip link add link "xfnc0$name" name v5 type vlan id 5
	client ip addr add 10.97.0.2/24 dev v5
	client ip link set v5 up
	sleep 0.5
	answers 10.97.0.1 && answers_slowly 10.97.0.1
	result addresses_of_a_vlan $?
else
	echo "[  SKIPPED ] addresses_of_a_vlan: this kernel has none"
fi
stop

start --address 10.99.0.1
answers 10.99.0.1 && answers_slowly 10.99.0.1 && silent 10.78.0.1 && silent '[fd78::1]'
result addresses_named $?
stop
exit $bad
