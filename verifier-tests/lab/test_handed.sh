#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the kernel hands to a worker, what it leaves to the host, and what it answers are three counters, and
# each datagram is one request. Knows only the command line.
suite=handed
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"

# column NAME FUNCTION: of `xfn stat`
column()
{
	"$xfn" stat -i "$iface" | awk -v column="$1" -v name="$2" \
		'$1 == "name" && $2 == "tier" { for (i = 1; i <= NF; i++) if ($i == column) at = i } $1 == name && at { print $at; exit }'
}
# counts FUNCTION REQUESTS HANDED PASSED
counts() { [ "$(column requests "$1") $(column handed "$1") $(column passed "$1")" = "$2 $3 $4" ]; }
warned() { "$xfn" "$2" -i "$iface" | grep -q "^$1: .* requests ran in a worker, not in the kernel"; }
ask() { client "$xfn" invoke -t 500 "10.78.0.1:$1" "$2" >/dev/null 2>&1; }

# a long request has no room for what it may grow by
cat >"$dir/grows.c" <<'END'
#include "xfn.h"
XFN_FUNCTION(grows, .port = 4000, .grow = 2000)
{
	return XFN_REPLY;
}
END
head -c 3400 /dev/zero >"$dir/long"
fast() { client "$xfn" invoke -t 500 10.78.0.1:4000 fast >/dev/null 2>&1; }
long() { client "$xfn" invoke -t 500 -f "$dir/long" 10.78.0.1:4000 >/dev/null 2>&1; }

raise
server ip link set "$iface" mtu 9000
client ip link set "$client_iface" mtu 9000
start "$dir/grows.c" verifier-tests/sources/beside.c sha256 # which has AF_XDP workers
long && long && fast && long
counts grows 4 3 0
result handed_once_each $?
warned grows stat && warned grows ls
result handed_said $?
ask 53 ping
! ask 53 word && counts beside 2 0 1 && ! warned beside stat
result handed_not_passed $?
for _ in 1 2 3 4; do fast; done
counts grows 8 3 0 && ! warned grows stat && ! warned grows ls
result handed_less_than_half $?
stop
exit $bad
