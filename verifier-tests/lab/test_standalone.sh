#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Objects of functions alone: `ip link` and `xdp-loader` attach them, native and generic, requests are
# answered and counted, all else is the host's, and nothing is left. Knows only the command line.
suite=standalone
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"

# make TEST OUT ARGUMENT...: xfn build
make()
{
	test=$1 out=$2
	shift 2
	"$xfn" build -o "$dir/$out" "$@" >"$dir/out" 2>&1
	result "$test" $? || cat "$dir/out"
}

# refused TEST STATUS TEXT ARGUMENT...: no object, and why
refused()
{
	test=$1 want=$2 text=$3
	shift 3
	"$xfn" build -o "$dir/none.o" "$@" >"$dir/out" 2>&1
	status=$?
	if [ $status = "$want" ] && grep -qF -e "$text" "$dir/out" && [ ! -e "$dir/none.o" ]; then
		result "$test" 0
	else
		echo "status $status:"
		cat "$dir/out"
		result "$test" 1
	fi
}

hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }
# reply HOST:PORT PAYLOAD: in hex, empty where none came
reply() { client "$xfn" invoke -j "$@" 2>/dev/null | sed -n 's/.*"reply": "\([^"]*\)".*/\1/p'; }
# answers PORT PAYLOAD EXPECT: over IPv4 and IPv6
answers()
{
	for host in 10.78.0.1 '[fd78::1]'; do
		got=$(reply "$host:$1" "$2")
		if [ "$got" != "$(hex "$3")" ]; then
			echo "port $1 of $host: asked '$2', got '$got'"
			return 1
		fi
	done
}
tells_time()
{
	now=$(reply "10.78.0.1:$1" "what time is it")
	now=$((0x${now:-0} - 2208988800 - $(date +%s)))
	[ "$now" -ge -2 ] && [ "$now" -le 2 ]
}
# host_has HOST:PORT: the host's stack says that nobody serves it
host_has() { client "$xfn" invoke "$1" x 2>&1 | grep -q "nobody serves this port"; }

attached() { server ip -d link show dev "$iface" | grep -q 'prog/xdp'; }
program() { server ip -d link show dev "$iface" | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p'; }
# counted MAP KEY FIELD: in the program attached, the sum over CPUs of a counter is not 0
counted()
{
	for id in $(bpftool prog show id "$(program)" | sed -n 's/.*map_ids \([0-9,]*\).*/\1/p' | tr , ' '); do
		bpftool map show id "$id" | grep -q "name $1 " || continue
		bpftool map lookup id "$id" key "$2" 0 0 0 | grep -q "\"$3\": [1-9]" && return 0
	done
	echo "$1 $2 $3 is not counted"
	return 1
}

# sum MAP KEY: over CPUs, of the program attached
sum()
{
	for id in $(bpftool prog show id "$(program)" | sed -n 's/.*map_ids \([0-9,]*\).*/\1/p' | tr , ' '); do
		bpftool map show id "$id" | grep -q "name $1 " || continue
		bpftool map lookup id "$id" key "$2" 0 0 0 | sed -n 's/.*"value": \([0-9]*\).*/\1/p' | awk '{ n += $1 } END { print n + 0 }'
		return
	done
}

# code REASON: its number
code() { sed -n "s/.*X(\([0-9]*\), $1,.*/\1/p" xdp/reason.h; }

raise
server sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 # the host answers each wrong port

make builds_one echo.o --standalone --local-peer functions/echo.c
make builds_several four.o --standalone --local-peer functions/echo.c functions/reverse.c functions/time.c@3700 \
	verifier-tests/sources/table.c@4001
make builds_with_address bound.o --standalone --local-peer --mtu 600 --address 10.78.0.1 --address fd78::1 --address 10.97.0.1 functions/echo.c \
	verifier-tests/sources/branch.c@4002
"$xfn" build --standalone -j -o "$dir/j.o" functions/echo.c@10.78.0.1:99 | tr -d ' \n' |
	grep -q '"program":"xfn_echo","functions":\[{"name":"echo","port":99,"bound":"10.78.0.1:99"}\]'
result builds_json $?

refused refused_worker 1 "functions/sha256.c:38" --standalone functions/sha256.c
refused refused_pinned 1 "its .tier asks for it" --standalone verifier-tests/sources/worker.c
refused refused_broken 1 "syntax.c:" --standalone verifier-tests/sources/syntax.c
refused refused_amplifier 1 "--allow-amplify loud" --standalone verifier-tests/sources/loud.c
refused refused_same_port 1 "port 7: both echo and time" --standalone functions/echo.c functions/time.c@7
refused refused_licences 1 "one object has one licence" --standalone functions/echo.c verifier-tests/sources/licensed.c@9
refused refused_unserved_version 1 "no --address is the one of its port" --standalone --address 10.0.0.1 'functions/echo.c@[::]:7'
refused refused_unserved 1 "no --address is the one of its port" --standalone --address 10.0.0.1 functions/echo.c@10.0.0.2:7
refused refused_budget 1 "the budget is 0.0 us" --standalone --budget 0.001 functions/echo.c
refused refused_address 2 "--address '10.0.0'" --standalone --address 10.0.0 functions/echo.c
refused refused_mac 2 "--mac '01:00:5e:00:00:01'" --standalone --mac 01:00:5e:00:00:01 functions/echo.c
refused refused_port 2 "--port '0'" --standalone --port 0 functions/echo.c
refused refused_ports 2 "--port names one port" --standalone --port 7 functions/echo.c functions/time.c
refused refused_mtu 2 "--mtu '9000'" --standalone --mtu 9000 functions/echo.c
refused refused_without 2 "needs an object of its own; add --standalone" --address 10.0.0.1 functions/echo.c
refused refused_both 2 "give one of --standalone and --offload" --standalone --offload functions/echo.c
refused refused_rate_on_nic 2 "NICs have no map for it" --offload --rate 10 functions/echo.c
refused refused_table_on_nic 1 "in memory (.rodata" --offload verifier-tests/sources/table.c

# what the function did not set is zero there too
make builds_unset unset.o --standalone --local-peer verifier-tests/sources/unset.c
server ip link set dev "$iface" xdp obj "$dir/unset.o" sec xdp
unset=$(client "$xfn" invoke -j -x "02$(printf '%0126d' 0 | tr 0 f)" 10.78.0.1:4121 | sed -n 's/.*"reply": "\([^"]*\)".*/\1/p')
[ "$unset" = "01ffff$(printf '%042d' 0)40$(printf '%046d' 0)ffff$(printf '%012d' 0)40$(printf '%014d' 0)" ]
result unset_is_zero $?
server ip link set dev "$iface" xdp off

for mode in xdpdrv xdpgeneric; do
	server ip link set dev "$iface" $mode obj "$dir/echo.o" sec xdp && answers 7 "" "" && answers 7 "by ip link" "by ip link" &&
		answers 7 "$(printf '%01000d' 7)" "$(printf '%01000d' 7)"
	result ip_link_one_$mode $?
	host_has 10.78.0.1:8 && host_has '[fd78::1]:1232' && counted xfn_reasons 8 value && counted echo_stat 0 replies
	result ip_link_passes_$mode $?
	server ip link set dev "$iface" $mode off
	server ip link set dev "$iface" $mode obj "$dir/four.o" sec xdp && answers 7 abc abc && answers 1232 "reversed it is" "si ti desrever" &&
		tells_time 3700 && answers 4001 abcdefgh 12345678 && host_has 10.78.0.1:37 && counted time_stat 0 replies
	result ip_link_several_$mode $?
	server ip link set dev "$iface" $mode off
	! attached && host_has 10.78.0.1:7
	result ip_link_detached_$mode $?
done

server ip addr add 10.78.0.9/24 dev "$iface"
server ip link set dev "$iface" xdp obj "$dir/echo.o" sec xdp && [ "$(reply 10.78.0.9:7 any)" = "$(hex any)" ]
result any_address $?
server ip link set dev "$iface" xdp off
server ip link set dev "$iface" xdp obj "$dir/bound.o" sec xdp && answers 7 here here && host_has 10.78.0.9:7 && counted xfn_reasons 9 value
result address_honoured $?
answers 4002 ping Ping && counted branch_pings 0 value
result author_counts $?
# another host's MAC; and without --local-peer half a checksum is the host's
make builds_with_mac mac.o --standalone --mac 02:78:66:6e:00:77 functions/echo.c
server ip link set dev "$iface" xdp off
server ip link set dev "$iface" xdp obj "$dir/mac.o" sec xdp && host_has 10.78.0.1:7 && counted xfn_reasons "$(code OTHERHOST)" value
result another_mac_is_passed $?
make builds_careful careful.o --standalone --mac 02:78:66:6e:00:01 functions/echo.c
server ip link set dev "$iface" xdp off
server ip link set dev "$iface" xdp obj "$dir/careful.o" sec xdp && host_has 10.78.0.1:7 && counted xfn_reasons "$(code PARTIAL_SUM)" value
result half_a_checksum_is_passed $?
server ip link set dev "$iface" xdp off
server ip link set dev "$iface" xdp obj "$dir/bound.o" sec xdp
head -c 600 /dev/zero >"$dir/payload"
client "$xfn" invoke -f "$dir/payload" 10.78.0.1:7 2>&1 | grep -q "nobody serves this port" && counted xfn_reasons 29 value
result longer_is_passed $?
if tagged; then
	[ "$(reply 10.97.0.1:7 tagged)" = "$(hex tagged)" ]
	result tagged_answered $?
fi
server ip link set dev "$iface" xdp off

# an address of --address asks nothing, in objects of one function and of several: its request is neither answered nor the
# host's, which would tell the client that nobody serves the port
for ip in 10.98.0.1/32 fd98::1/128; do client ip addr add $ip dev lo; done
server ip route add 10.98.0.1 via 10.78.0.2
server ip route add fd98::1 via fd78::2
all="--address 10.78.0.1 --address fd78::1"
bad_source=$(code BAD_SOURCE)
for functions in functions/echo.c "functions/echo.c verifier-tests/sources/branch.c@4002"; do
	tag=$(echo "$functions" | wc -w)
	# shellcheck disable=SC2086 # functions and options are words
	make builds_sources_of_$tag free.o --standalone --local-peer $all $functions
	# shellcheck disable=SC2086
	make builds_own_sources_of_$tag own.o --standalone --local-peer $all --address 10.98.0.1 --address fd98::1 $functions
	for mode in xdpdrv xdpgeneric; do
		client ip route add 10.78.0.1 dev "$client_iface" src 10.98.0.1
		client ip route add fd78::1 dev "$client_iface" src fd98::1
		# the same requests are answered where that address is not named
		server ip link set dev "$iface" $mode obj "$dir/free.o" sec xdp && answers 7 there there
		result other_sources_of_${tag}_$mode $?
		server ip link set dev "$iface" $mode off
		server ip link set dev "$iface" $mode obj "$dir/own.o" sec xdp
		good=0
		for host in 10.78.0.1 '[fd78::1]'; do
			before=$(sum xfn_reasons "$bad_source")
			client "$xfn" invoke -t 300 "$host:7" x >"$dir/out" 2>&1
			[ $? = 1 ] && grep -q 'no reply' "$dir/out" && [ "$(sum xfn_reasons "$bad_source")" -gt "${before:-0}" ] || { good=1; cat "$dir/out"; }
		done
		client ip route del 10.78.0.1 dev "$client_iface"
		client ip route del fd78::1 dev "$client_iface"
		answers 7 back back || good=1
		result own_sources_of_${tag}_$mode $good
		server ip link set dev "$iface" $mode off
	done
done

# a sum that is there is verified; of half of one the host knows more, but on such a link
make builds_strict strict.o --standalone --rate 10 functions/reverse.c@10.78.0.1:99 functions/reverse.c
server ip link set dev "$iface" xdp obj "$dir/strict.o" sec xdp
[ -z "$(reply 10.78.0.1:99 half)" ] && counted xfn_reasons "$(code PARTIAL_SUM)" value
result partial_sum_left $?
client ethtool -K "$client_iface" tx off >/dev/null
[ "$(reply 10.78.0.1:99 abc)" = "$(hex cba)" ] && [ "$(reply '[fd78::1]:1232' abcd)" = "$(hex dcba)" ] && host_has '[fd78::1]:99'
result bound_to_address $?
client "$xfn" invoke -j -n 40 10.78.0.1:1232 x >"$dir/out" 2>&1
counted xfn_reasons 28 value
result rate_bounds $?
server ip link set dev "$iface" xdp off

# growth, where a frame has the room and where it has not
make builds_grow grow.o --standalone verifier-tests/sources/grow.c
for mode in xdpdrv xdpgeneric; do
	server ip link set dev "$iface" $mode obj "$dir/grow.o" sec xdp
	good=0
	for size in 0 12 18 64 512 1440 1444 1464; do
		head -c $size /dev/zero >"$dir/payload"
		client "$xfn" invoke -f "$dir/payload" 10.78.0.1:4000 | grep -q "^$((size + 8)) bytes from" || good=1
	done
	result grown_$mode $good
	server ip link set dev "$iface" $mode off
done

for mode in native skb; do
	server xdp-loader load -m $mode "$iface" "$dir/echo.o" >"$dir/out" 2>&1 && answers 7 loaded loaded && host_has 10.78.0.1:8
	result xdp_loader_one_$mode $? || cat "$dir/out"
	server xdp-loader unload -a "$iface" >/dev/null 2>&1
	! attached && host_has 10.78.0.1:7
	result xdp_loader_detached_$mode $?
	# one of them resizes, which newer kernels allow it only without the dispatcher
	LIBXDP_SKIP_DISPATCHER=1 server xdp-loader load -m $mode "$iface" "$dir/four.o" >"$dir/out" 2>&1 && answers 7 loaded loaded &&
		answers 1232 abc cba && tells_time 3700 && host_has 10.78.0.1:8
	result xdp_loader_several_$mode $? || cat "$dir/out"
	server xdp-loader unload -a "$iface" >/dev/null 2>&1
done

# through libxdp: beside others where the kernel has extensions, here maybe alone
for mode in native generic; do
	start --attach libxdp --mode $mode echo time && answers 7 shared shared && tells_time 37
	result libxdp_answers_$mode $? || cat "$dir/err"
	keeper=$(pgrep -P "$run" xfn-keeper)
	if [ $mode = native ]; then
		stop
	else
		kill -KILL "$run"
		wait "$run" 2>/dev/null
		run=
	fi
	for _ in $(seq 50); do
		if ! attached && [ -n "$keeper" ] && ! kill -0 "$keeper" 2>/dev/null; then break; fi
		sleep 0.1
	done
	! attached && [ -n "$keeper" ] && ! kill -0 "$keeper" 2>/dev/null && host_has 10.78.0.1:7
	result libxdp_detached_$mode $?
done
server ip link set dev "$iface" xdpgeneric obj "$dir/echo.o" sec xdp
server "$xfn" run --attach libxdp -i "$iface" time >"$dir/out" 2>&1
[ $? = 1 ] && grep -q 'xfn_echo.*was not attached by libxdp' "$dir/out" && answers 7 "still there" "still there"
result libxdp_held_refused $? || cat "$dir/out"
server ip link set dev "$iface" xdpgeneric off
ifindex=$(server ip -o link show dev "$iface" | cut -d: -f1)
[ -n "$ifindex" ] && ! find /sys/fs/bpf -name "dispatch-$ifindex-*" | grep -q .
result no_pins $?

"$xfn" lab -n "$name" down >/dev/null
! { ip netns list; ip -o link; } | grep -q "$name"
result nothing_left $?
exit $bad
