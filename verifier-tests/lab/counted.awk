# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Of what `xfn stat` prints: "COUNTED LOST". COUNTED is how many datagrams for functions are counted, each once: as a
# request of a function, or under the reason for which it became none; LOST is how many of them have a reason.
# -v frames=1: each frame is counted as the interface saw it, what goes on to the stack as well.
BEGIN {
	# no matter of functions: neighbours and groups, of which both hosts tell
	names = "NOT_IP NOT_UDP EXT_HEADER"
	# a request that is counted already
	names = names " NO_ROOM HOST FUNCTION BAD_ACTION AMPLIFY MTU NO_SLOW ADJUST NO_ROUTE SEND"
	# goes on to a socket of its function, where it is counted
	if (!frames) names = names " FRAGMENT IP_OPTIONS LARGE_FRAME PARTIAL_SUM NO_WORKER"
	n = split(names, list)
	for (i = 1; i <= n; i++) other[list[i]] = 1
}
$2 ~ /^(xdp|afxdp|socket)$/ { counted += $3 }
$2 ~ /^(DROP|PASS|WORK)$/ && !($1 in other) { counted += $3; lost += $3 }
END { print counted + 0, lost + 0 }
