#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --reply-route fib: replies go where the kernel's routes and neighbours say; without a neighbour the
# request is left to the stack, and still answered. Knows only the command line.
set -u
cd "$(dirname "$0")/.." || exit 1
xfn=${XFN_BUILD:-build}/xfn
name=r$$
bad=0
run=
dump=
if [ "$(id -u)" != 0 ] || [ ! -x "$xfn" ]; then
	echo "[  SKIPPED ] reply_route: wants root and build/xfn"
	exit 0
fi
dir=$(mktemp -d) || exit 1
XFN_RUNTIME_DIR=$dir/run
export XFN_RUNTIME_DIR

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
counted() { "$xfn" stat -i "xfns0$name" | sed -n "s/^$1  *[A-Z]*  *\([0-9]*\) .*/\1/p"; }

finish()
{
	for pid in $run $dump; do kill -KILL "$pid" 2>/dev/null; done
	"$xfn" lab -n "$name" down >/dev/null 2>&1
	rm -rf "$dir"
}
trap finish EXIT

"$xfn" lab -n "$name" up >/dev/null || { result reply_route_lab 1; exit 1; }
server sysctl -qw "net.ipv4.conf.xfns0$name.forwarding=1" net.ipv6.conf.all.forwarding=1
"$xfn" lab -n "$name" exec server "$xfn" run -j -i "xfns0$name" --reply-route fib echo >"$dir/ready" 2>"$dir/err" &
run=$!
for _ in $(seq 100); do
	if grep -q '"ready"' "$dir/ready"; then break; fi
	sleep 0.1
done
answers 10.78.0.1 && answers '[fd78::1]' && [ "$(counted NO_ROUTE)" = "" ]
result reply_route_fib $?

"$xfn" lab -n "$name" exec client tcpdump -Z root -i "xfnc0$name" --immediate-mode -ne -l -Q in udp port 7 >"$dir/seen" 2>"$dir/tcpdump" &
dump=$!
for _ in $(seq 50); do
	if grep -q listening "$dir/tcpdump"; then break; fi
	sleep 0.1
done
server ip neigh replace 10.78.0.2 lladdr 02:00:00:00:00:77 dev "xfns0$name"
! answers 10.78.0.1 && grep -q '02:78:66:6e:00:01 > 02:00:00:00:00:77.*10.78.0.1.7 > ' "$dir/seen"
result reply_route_to_the_neighbour $?
kill -TERM $dump
wait $dump
dump=

server ip neigh del 10.78.0.2 dev "xfns0$name"
answers 10.78.0.1 && [ "$(counted NO_ROUTE)" = 1 ]
result reply_route_without_neighbour $?
kill -TERM $run
wait $run
result reply_route_ends $?
run=
exit $bad
