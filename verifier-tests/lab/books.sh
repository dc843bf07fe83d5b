# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh disable=SC2154
# What the shell suites share that hold what was sent against what is counted (counted.awk): to be sourced after
# in_lab.sh.

counted() { "$xfn" stat -i "$iface" | awk -f verifier-tests/lab/counted.awk | cut -d ' ' -f 1; }
# what the client's link gave up on
on_the_way() { ip netns exec "$name-client" cat "/sys/class/net/$client_iface/statistics/tx_dropped"; }

# open_books: from now on each load writes how much it has sent, a line, to $dir/sent
open_books()
{
	: >"$dir/sent"
	counted_before=$(counted) lost_before=$(on_the_way)
}

# balanced: each datagram that has reached the interface since then is a request, or has a reason why it became none
balanced()
{
	reached=$(($(awk '{ n += $1 } END { print n + 0 }' "$dir/sent") - ($(on_the_way) - lost_before)))
	for _ in $(seq 50); do
		now=$(($(counted) - counted_before))
		[ "$now" -lt $reached ] || break
		sleep 0.1
	done
	[ "$now" = $reached ] && [ $reached -gt 0 ] && return 0
	echo "$reached reached the interface, $now are counted"
	"$xfn" stat -i "$iface"
	return 1
}
