#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What others see: tcpdump on the client's side finds every reply's checksums right, in every mode and
# engine; and a DNS server of Debian's answers beside a function on its port.
suite=wire
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
raise
whole_checksums

# counted REASON ACTION
counted() { "$xfn" stat -i "$iface" | sed -n "s/^$1  *$2  *\([0-9]*\) .*/\1/p"; }

hosts='10.78.0.1 [fd78::1]' sizes='0 1 2 3 17 18 63 500 1399 1452' functions='echo reverse time sha256'
seen udp wire_native --mode native
asks_whole on
seen udp wire_generic --mode generic
asks_whole off
seen udp wire_generic_partial --mode generic
seen udp wire_trusting --mode native --trust-checksum
seen udp wire_afxdp --tier afxdp
asks_whole on
seen udp wire_afxdp_generic --tier afxdp --mode generic
asks_whole off
seen udp wire_uring --tier socket --engine uring
seen udp wire_mmsg --tier socket --engine mmsg
seen udp wire_simple --tier socket --engine simple
seen udp wire_packet --engine packet

# the ring and the host's stack see the same frames: one answer each, and no "port unreachable"
start --engine packet echo
capture "$dir/words" -n 'udp or icmp or (icmp6 and ip6[40] == 1)'
head -c 3000 /dev/urandom >"$dir/payload"
good=0
for host in 10.78.0.1 '[fd78::1]'; do
	client "$xfn" invoke -n 10 "$host:7" x >/dev/null 2>&1 || good=1
done
captured
[ $good = 0 ] && [ "$(grep -c . "$dir/words")" = 20 ] && ! grep -q ICMP "$dir/words"
result wire_packet_once $?
good=0
for host in 10.78.0.1 '[fd78::1]'; do
	client "$xfn" invoke -f "$dir/payload" "$host:7" >/dev/null 2>&1 || good=1
	server "$xfn" invoke "$host:7" x >/dev/null 2>&1 || good=1
done
"$xfn" stat -i "$iface" | grep -q '^echo  *socket  *24  *24 ' || good=1
result wire_packet_leaves_the_rest_to_sockets $good
stop

# replies that the runtime refuses, in the kernel as in the workers: nothing sent, and the reason counted
for way in "--tier xdp" "--tier afxdp" "--tier socket"; do
	# shellcheck disable=SC2086 # options are words
	start $way verifier-tests/sources/grow.c verifier-tests/sources/tight.c
	answered() { head -c "$1" /dev/zero >"$dir/payload"; client "$xfn" invoke -f "$dir/payload" "10.78.0.1:$2" >/dev/null 2>&1; }
	answered 1464 4000 && ! answered 1465 4000 && ! answered 20 4001 && ! answered 0 4001 &&
		[ "$(counted MTU DROP)" = 1 ] && [ "$(counted AMPLIFY DROP)" = 2 ]
	result "wire_refused_replies$(echo "$way" | tr -c 'a-z\n' _)" $?
	stop
done

# jumbo frames: small ones by the fast path, those in several buffers by the slow path
server ip link set "$iface" mtu 9000
client ip link set "$client_iface" mtu 9000
for way in "--mode native" "--mode generic" "--tier afxdp"; do
	good=0
	# shellcheck disable=SC2086 # options are words
	start $way echo sha256
	for size in 0 1000 3000 3478 3479 4000 8900; do
		head -c $size /dev/urandom >"$dir/payload"
		client "$xfn" invoke -j -f "$dir/payload" 10.78.0.1:7 | sed -n 's/.*"reply": "\([^"]*\)".*/\1/p' >"$dir/got"
		od -An -v -tx1 "$dir/payload" | tr -d ' \n' >"$dir/want"
		[ "$(cat "$dir/got")" = "$(cat "$dir/want")" ] || good=1
		[ "$(client "$xfn" invoke -j -f "$dir/payload" '[fd78::1]:2256' | sed -n 's/.*"reply": "\([^"]*\)".*/\1/p')" = \
			"$(sha256sum "$dir/payload" | cut -c1-64 | tr -d '\n' | od -An -v -tx1 | tr -d ' \n')" ] || good=1
	done
	# from 6.6 on AF_XDP takes frames in several buffers; before, and in generic mode, the slow path does
	case $way:$(uname -r) in
	*generic:* | *:6.[0-5].* | *:5.*) ;;
	*) [ "$(counted LARGE_FRAME PASS)" = "" ] || good=1 ;;
	esac
	result "wire_jumbo$(echo "$way" | tr -c 'a-z\n' _)" $good
	stop
done

# a reply above what a program sums is none of its own, whatever room the frame has
cat >"$dir/long.c" <<'END'
#include "xfn.h"
XFN_FUNCTION(long, .port = 4000, .grow = 2000)
{
	return xfn_resize(req, xfn_len(req) + 2000) ? XFN_DROP : XFN_REPLY;
}
END
asks_whole on
start --mode generic "$dir/long.c"
capture "$dir/words" -n -vv udp and src port 4000
for size in 1400 3400; do
	head -c $size /dev/urandom >"$dir/payload"
	client "$xfn" invoke -t 300 -f "$dir/payload" 10.78.0.1:4000 >/dev/null 2>&1
done
captured
grep -q 'udp sum ok. UDP, length 3400' "$dir/words" && ! grep bad "$dir/words" && [ "$(counted NO_ROOM WORK)" = 1 ]
result wire_long_replies $?
stop
asks_whole off
client ip link set "$client_iface" mtu 1500
server ip link set "$iface" mtu 1500

if command -v dnsmasq >/dev/null; then
	"$xfn" lab -n "$name" exec server dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
		--no-daemon --user=root --pid-file="$dir/pid" --listen-address=10.78.0.1 --bind-interfaces \
		--address=/a.test/192.0.2.5 >"$dir/dns" 2>&1 &
	others=$!
	start verifier-tests/sources/beside.c
	sleep 0.5
	query=123401000001000000000000016104746573740000010001
	client "$xfn" invoke -j -x $query 10.78.0.1:53 | grep -q '"reply": "1234.*c0000205' &&
		client "$xfn" invoke -j 10.78.0.1:53 pingpong | grep -q '"reply": "70696e67706f6e67'
	result wire_beside_a_dns_server $?
	"$xfn" stat -i "$iface" | grep -q '^HOST  *PASS  *1 '
	result wire_left_to_the_host_counted $?
	stop
	client "$xfn" invoke -j -x $query 10.78.0.1:53 | grep -q c0000205
	result wire_dns_server_as_before $?
else
	echo "[  SKIPPED ] wire_beside_a_dns_server: dnsmasq-base is not installed"
fi
exit $bad
