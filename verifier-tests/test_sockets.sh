#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Who answers at which address and port: the function that names it most exactly, in every tier and engine, fast
# path and slow one; and no other server's socket shares a port with ours. Knows only the command line.
suite=sockets
# shellcheck source=verifier-tests/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
head -c 3000 /dev/zero | tr '\0' x >"$dir/fragments"
printf '%s\n' 'import socket, sys, time' \
	'at, port, reuse = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "reuse"' \
	's = socket.socket(socket.AF_INET6 if ":" in at else socket.AF_INET, socket.SOCK_DGRAM)' \
	'if reuse: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)' \
	's.bind((at, port)); print("holds", flush=True); time.sleep(60)' >"$dir/hold.py"

# hold ADDRESS PORT [reuse]: another server, until `leave`
hold()
{
	: >"$dir/held"
	"$xfn" lab -n "$name" exec server python3 "$dir/hold.py" "$1" "$2" "${3:-alone}" >"$dir/held" 2>&1 &
	others=$!
	soon grep -qE 'holds|Error' "$dir/held" && grep -q holds "$dir/held"
}
leave()
{
	[ -z "$others" ] || { kill "$others" && wait "$others"; } 2>/dev/null
	others=
}

# of HOST:PORT: which function answers; echo, reverse, both, other or none
who()
{
	client "$xfn" invoke -t 3000 -j "$1" abc 2>/dev/null | awk '
		/"reply": "616263"/ { print "echo"; seen = 1 }
		/"reply": "636261"/ { print "reverse"; seen = 1 }
		/"reply": "626f7468"/ { print "both"; seen = 1 }
		END { if (!seen) print "none" }'
}
# always FUNCTION HOST:PORT...: whoever asks, from whichever port
always()
{
	expected=$1
	shift
	for at in "$@"; do
		for _ in 1 2 3 4 5 6; do
			got=$(who "$at")
			[ "$got" = "$expected" ] || { echo "$at: $got in place of $expected"; return 1; }
		done
	done
}
# slowly FUNCTION HOST:PORT...: requests of several frames
slowly()
{
	case $1 in
	echo | reverse) want=787878 ;;
	both) want=626f7468 ;;
	esac
	shift
	for at in "$@"; do
		client "$xfn" invoke -t 3000 -j -f "$dir/fragments" "$at" 2>/dev/null | grep -q "\"reply\": \"$want" || { echo "$at: no slow path"; return 1; }
	done
}
# requests of a function so far
requests() { "$xfn" stat -i "$iface" | awk -v f="$1" '$1 == f && $2 ~ /^(xdp|afxdp|socket)$/ { print $3 }'; }

raise
server ip link set lo up
server ip addr add 10.78.0.9/24 dev "$iface"
printf '%s\n' '#include "xfn.h"' 'XFN_FUNCTION(both, .port = 4000, .tier = XFN_TIER_SOCKET, .grow = 4)' \
	'{ char *p; if (xfn_resize(req, 4) || !(p = xfn_edit(req, 0, 4))) return XFN_DROP; memcpy(p, "both", 4); return XFN_REPLY; }' >"$dir/both.c"
"$xfn" build -o "$dir/both.xfn" "$dir/both.c" >/dev/null 2>&1 || result sockets_module 1

# the most exact one wins
for way in "--tier xdp" "--tier afxdp" "--mode generic" "--tier socket --engine uring" "--tier socket --engine mmsg" \
	"--tier socket --engine simple" "--engine packet"; do
	test=sockets_exact$(echo "$way" | sed 's/--[a-z]*//g; s/  */_/g')
	# shellcheck disable=SC2086 # options are words
	start $way echo@10.78.0.1:4000 reverse@4000 'reverse@[::]:4001' echo@0.0.0.0:4001 echo@4002 reverse@0.0.0.0:4002 ||
		{ result "$test" 1; continue; }
	always echo 10.78.0.1:4000 && always reverse 10.78.0.9:4000 '[fd78::1]:4000' &&
		always echo 10.78.0.1:4001 10.78.0.9:4001 && always reverse '[fd78::1]:4001' &&
		always reverse 10.78.0.1:4002 && always echo '[fd78::1]:4002'
	result "$test" $? || cat "$dir/err"
	before=$(requests echo)
	slowly echo 10.78.0.1:4000 && slowly reverse 10.78.0.9:4000 '[fd78::1]:4000' && [ "$(requests echo)" -ge "$before" ]
	result "${test}_slow" $?
	stop
done
# of two tiers
start "$dir/both.xfn@10.78.0.1:4000" reverse@4000
always both 10.78.0.1:4000 && always reverse 10.78.0.9:4000 '[fd78::1]:4000' && slowly both 10.78.0.1:4000 && slowly reverse 10.78.0.9:4000
result sockets_exact_socket_before_xdp $? || cat "$dir/err"
stop
start echo@10.78.0.1:4000 "$dir/both.xfn@4000"
always echo 10.78.0.1:4000 && always both 10.78.0.9:4000 '[fd78::1]:4000' && slowly echo 10.78.0.1:4000 && slowly both 10.78.0.9:4000
result sockets_exact_xdp_before_socket $? || cat "$dir/err"
stop

# others' sockets
for held in 127.0.0.1 ::1; do
	hold $held 7
	start echo
	slowly echo 10.78.0.1:7 '[fd78::1]:7' && ! grep -q 'no slow path' "$dir/err"
	result "sockets_other_address_held_$(echo $held | tr -d .:)" $? || cat "$dir/err"
	leave
	hold $held 7
	result "sockets_other_address_left_free_$(echo $held | tr -d .:)" $? || cat "$dir/held"
	leave
	stop
done
# one family's failure is not the other's, and what is missing comes when the holder leaves
hold 0.0.0.0 7
start echo
slowly echo '[fd78::1]:7' && grep -q 'no slow path at 10.78.0.[19]:7: .*another server has that port.*it is tried again' "$dir/err" && [ "$(grep -c 'no slow path' "$dir/err")" = 1 ]
result sockets_slow_path_held $? || cat "$dir/err"
leave
soon slowly echo 10.78.0.1:7 >/dev/null && soon slowly echo 10.78.0.9:7 '[fd78::1]:7'
result sockets_slow_path_back $? || cat "$dir/err"
stop
# both families held: there is no worker at first
client true
hold :: 7 # Python's takes IPv4 as well
start echo
! slowly echo 10.78.0.1:7 >/dev/null && leave && soon slowly echo 10.78.0.1:7 '[fd78::1]:7' >/dev/null
result sockets_slow_path_all_back $? || cat "$dir/err"
stop
# a port shared by SO_REUSEPORT and SO_REUSEADDR
for held in 10.78.0.1 0.0.0.0 ::; do
	hold $held 4000 reuse
	timeout 20 "$xfn" lab -n "$name" exec server "$xfn" run --tier socket -i "$iface" echo@4000 >"$dir/out" 2>&1
	[ $? = 1 ] && grep -qF 'Address already in use; another server has that port' "$dir/out"
	result "sockets_shared_$(echo $held | tr -d .:)" $? || cat "$dir/out"
	leave
done
# ours is not shared either, once it is there
start --tier socket echo@4000
! hold 10.78.0.1 4000 reuse && always echo 10.78.0.1:4000
result sockets_not_shared_later $?
leave
# an address that comes while another server has the port there
server ip addr add 10.78.0.8/24 dev "$iface"
soon eval '[ "$(who 10.78.0.8:4000)" = echo ]'
server ip addr del 10.78.0.8/24 dev "$iface"
soon hold 10.78.0.8 4000 2>/dev/null
server ip addr add 10.78.0.8/24 dev "$iface"
leave
hold 10.78.0.8 4000 || soon hold 10.78.0.8 4000
leave
soon eval '[ "$(who 10.78.0.8:4000)" = echo ]'
result sockets_address_back $? || cat "$dir/err"
server ip addr del 10.78.0.8/24 dev "$iface"
stop

# without an interface: every address, and one of them
"$xfn" lab -n "$name" exec server "$xfn" run -j reverse@0.0.0.0:4000 echo@10.78.0.1:4000 'echo@[::]:4000' >"$dir/ready" 2>"$dir/err" &
run=$!
soon grep -q '"ready"' "$dir/ready"
always echo 10.78.0.1:4000 '[fd78::1]:4000' && always reverse 10.78.0.9:4000
result sockets_every_address_and_one $? || cat "$dir/ready" "$dir/err"
hold 10.78.0.9 4000 reuse
status=$?
leave
[ $status = 1 ]
result sockets_every_address_not_shared $?
stop

# refused TEST TEXT ARGUMENT...
refused()
{
	test=$1 text=$2
	shift 2
	timeout 20 "$xfn" lab -n "$name" exec server "$xfn" run "$@" >"$dir/out" 2>&1
	[ $? -gt 0 ] && [ "$(wc -l <"$dir/out")" = 1 ] && grep -qF -e "$text" "$dir/out"
	result "$test" $? || cat "$dir/out"
}
for at in 224.0.0.1 ff02::1 255.255.255.255 10.78.0.255; do
	refused "sockets_address_unfit_$(echo $at | tr -d .:)" "a multicast or broadcast address" -i "$iface" --address $at echo
done
refused sockets_bind_unfit "--bind '10.78.0.255': a multicast or broadcast address" -i "$iface" --tier socket --bind 10.78.0.255 echo
refused sockets_module_unfit "echo: 224.0.0.1 is a multicast address" -i "$iface" echo@224.0.0.1:7
refused sockets_address_loopback "--address '127.0.0.1': a loopback address" -i "$iface" --address 127.0.0.1 echo
refused sockets_address_every "--address '::': no single address" -i "$iface" --address :: echo
exit $bad
