#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Devices that stand on a local link: a container asks a function that serves on its bridge, or on a
# macvlan device; its checksums are still to be made. Knows only the command line.
suite=stacked
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"

answers() { client "$xfn" invoke -j "$1:7" hello 2>/dev/null | grep -q '"reply": "68656c6c6f"'; }
counted() { "$xfn" stat -i "$iface" | sed -n "s/^$1  *[A-Z]*  *\([0-9]*\) .*/\1/p"; }

# both TEST DEVICE ADDRESS
both()
{
	for tier in xdp afxdp; do
		start --tier $tier echo
		soon answers "$3" && [ "$(counted BAD_UDP_SUM)" = "" ] && [ "$(counted PARTIAL_SUM)" -ge 1 ]
		result "$1_$tier" $?
		"$xfn" stat -i "$iface" | grep -q '^echo: .* ran in a worker, not in the kernel'
		said=$?
		"$xfn" ls -i "$iface" | grep -q '^echo: .* ran in a worker, not in the kernel' || [ $tier = afxdp ] || said=1
		# tier afxdp means a worker
		[ $tier = xdp ] && result "$1_said" $said
		stop
	done
}

raise
port=$iface
if server ip link add br0 type bridge 2>/dev/null; then
	server ip addr add 10.78.1.1/24 dev br0
	server ip link set br0 up
	iface=br0
	# a port that joins while it serves
	start echo
	server ip link set "$port" master br0
	client ip addr add 10.78.1.2/24 dev "$client_iface"
	soon answers 10.78.1.1
	result stacked_joins $?
	stop
	both stacked_bridge br0 10.78.1.1
	server ip link set "$port" nomaster
else
	echo "[  SKIPPED ] stacked_bridge: this kernel has no bridge"
fi
if server ip link add mv0 link "$port" type macvlan mode bridge 2>/dev/null; then
	server ip link set mv0 address 02:78:66:6e:00:05
	server ip addr add 10.78.0.5/24 dev mv0
	server ip link set mv0 up
	client ip neigh replace 10.78.0.5 lladdr 02:78:66:6e:00:05 dev "$client_iface"
	iface=mv0
	both stacked_macvlan mv0 10.78.0.5
else
	echo "[  SKIPPED ] stacked_macvlan: this kernel has no macvlan"
fi
exit $bad
