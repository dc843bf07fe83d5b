#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the kernel hands to a worker, what it leaves to the host, and what it answers are three counters, and
# each datagram is one request. Knows only the command line.
suite=handed
# shellcheck source=verifier-tests/in_lab.sh
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

cat >"$dir/halves.c" <<'END'
#include "xfn.h"
XFN_FUNCTION(halves, .port = 4000)
{
#ifndef XFN_NATIVE
	const char *p = xfn_at(req, 0, 1);

	if (p && *p == 's')
		return XFN_PUNT;
#endif
	return XFN_REPLY;
}
END
raise
start "$dir/halves.c" verifier-tests/sources/beside.c sha256 # which has AF_XDP workers
ask 4000 slow && ask 4000 slow && ask 4000 fast && ask 4000 slow
counts halves 4 3 0
result handed_once_each $?
warned halves stat && warned halves ls
result handed_said $?
ask 53 ping
! ask 53 word && counts beside 2 0 1 && ! warned beside stat
result handed_not_passed $?
for _ in 1 2 3 4; do ask 4000 fast; done
counts halves 8 3 0 && ! warned halves stat && ! warned halves ls
result handed_less_than_half $?
stop
exit $bad
