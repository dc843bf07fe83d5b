#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --reply-route fib: replies go where the kernel's routes and neighbours say; without a neighbour the
# request is left to the stack, and still answered. Knows only the command line.
suite=reply_route
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"

answers() { client "$xfn" invoke -j "$1:7" hello 2>/dev/null | grep -q '"reply": "68656c6c6f"'; }
counted() { "$xfn" stat -i "$iface" | sed -n "s/^$1  *[A-Z]*  *\([0-9]*\) .*/\1/p"; }

raise
server sysctl -qw "net.ipv4.conf.$iface.forwarding=1" net.ipv6.conf.all.forwarding=1
start --reply-route fib echo
answers 10.78.0.1 && answers '[fd78::1]' && [ "$(counted NO_ROUTE)" = "" ]
result reply_route_fib $?

capture "$dir/seen" -ne -l udp port 7
server ip neigh replace 10.78.0.2 lladdr 02:00:00:00:00:77 dev "$iface"
! answers 10.78.0.1 && grep -q '02:78:66:6e:00:01 > 02:00:00:00:00:77.*10.78.0.1.7 > ' "$dir/seen"
result reply_route_to_the_neighbour $?
captured

server ip neigh del 10.78.0.2 dev "$iface"
answers 10.78.0.1 && [ "$(counted NO_ROUTE)" = 1 ]
result reply_route_without_neighbour $?
stop
result reply_route_ends $?

# a way narrower than the interface: what fits is answered, a longer reply is a counted drop
raw() { head -c "$1" /dev/zero >"$dir/payload"; client "$xfn" invoke -j -f "$dir/payload" "10.78.0.1:$2" 2>/dev/null | grep -q '"reply"'; }
server ip route add 10.78.0.2/32 dev "$iface" mtu lock 300
start --reply-route fib echo verifier-tests/sources/grow.c verifier-tests/sources/closed.c
raw 272 7 && ! raw 273 7 && raw 264 4000 && ! raw 265 4000 && [ "$(counted MTU)" = 2 ]
result reply_route_mtu $?
# the kernel's routes are for GPL-compatible programs only: that one goes to a worker
raw 8 4002 && "$xfn" ls -j -i "$iface" | grep -q '"rule": "licence"'
result reply_route_licence $?
stop
server ip route del 10.78.0.2/32 dev "$iface"
exit $bad
