#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Under a kernel that offload.sh booted: every shipped function that can be offloaded goes onto netdevsim's card by
# bpftool, by ip and by xfn, each says so, and nothing stays there. Requests are answered by the host: netdevsim
# never runs a program.
set -u
cd "$(dirname "$0")/../.." || exit 1
xfn=build/xfn
dir=/tmp/card
mkdir $dir
export XFN_RUNTIME_DIR=$dir/run
run=
card=/sys/kernel/debug/netdevsim/netdevsim1

# shellcheck source=verifier-tests/result.sh
. verifier-tests/result.sh
on_failure="tail -n 20 $dir/out $dir/err"

# two devices; the second is the client's. On kernels that have it (6.10 and later) a wire joins them.
mount -t debugfs debugfs /sys/kernel/debug
echo "1 1" >/sys/bus/netdevsim/new_device
echo "2 1" >/sys/bus/netdevsim/new_device
ip netns add client
ip link set eth1 netns client
ip addr add 10.88.0.1/24 dev eth0
ip addr add fd88::1/64 dev eth0 nodad
ip link set eth0 up
client() { ip netns exec client "$@"; }
client ip addr add 10.88.0.2/24 dev eth1
client ip link set eth1 up
wire=0
if [ -e /sys/bus/netdevsim/link_device ]; then
	there=$(client cat /sys/class/net/eth1/ifindex)
	echo "3:$(cat /sys/class/net/eth0/ifindex) 4:$there" 3</proc/self/ns/net 4</run/netns/client >/sys/bus/netdevsim/link_device && wire=1
fi

# attached: does the interface, or the card, have a program?
attached()
{
	ip -d link show dev eth0 | grep -q xdp || grep -qs Y $card/bpf_bound_progs/*/loaded || [ "$(cat $card/ports/0/bpf_offloaded_id)" != 0 ]
}
# offloaded: do all who can tell say that a program is on the card?
offloaded()
{
	ip -d link show dev eth0 | grep -q xdpoffload || return 1
	bpftool net show dev eth0 | grep -q '^eth0([0-9]*).*offload id [0-9]' || return 1
	bpftool prog show | grep -q 'offloaded_to eth0' || return 1
	grep -q Y $card/bpf_bound_progs/*/loaded && grep -q xlated $card/bpf_bound_progs/*/state
}
gone() { ! attached && ! bpftool prog show | grep -q xdp; }

"$xfn" check -i eth0 | grep -q 'hardware offload *the driver takes programs'
result check_says_so $?

for object in objects/*.o; do
	function=$(basename "$object" .o)
	bpftool prog load "$object" /sys/fs/bpf/card type xdp dev eth0 >$dir/out 2>$dir/err &&
		bpftool prog show pinned /sys/fs/bpf/card >$dir/out && grep -q 'offloaded_to eth0' $dir/out
	result "bpftool_$function" $?
	rm -f /sys/fs/bpf/card
	ip link set dev eth0 xdpoffload obj "$object" sec xdp >$dir/out 2>$dir/err && offloaded
	result "ip_$function" $?
	ip link set dev eth0 xdpoffload off
	gone
	result "ip_off_$function" $?
done

start()
{
	"$xfn" run -j -i eth0 --mode offload "$@" >$dir/out 2>$dir/err &
	run=$!
	for _ in $(seq 300); do
		if grep -q '"ready"' $dir/out; then return 0; fi
		if ! kill -0 $run 2>/dev/null; then break; fi
		sleep 0.1
	done
	return 1
}

# stop SIGNAL: until it has ended
stop()
{
	kill "-$1" $run
	wait $run 2>/dev/null
	run=
}

# mode FUNCTION TIER MODE REASON: as `xfn ls` has them
mode() { grep -q "^$1  *[0-9]*  *$2  *$3  *$4" $dir/served; }

echo N >$card/ports/0/bpf_xdpdrv_accept # else the host's program is in a native mode that never runs it
start --object objects/all.o && offloaded
result run_offloads $?
"$xfn" ls -i eth0 >$dir/served 2>&1
mode echo xdp offload 'on the card; ' && mode reverse xdp offload 'on the card; ' && mode time xdp offload 'on the card; '
result run_tells_what_is_on_the_card $?
mode sha256 afxdp generic 'not on the card: .*; calls EVP_' && mode regex afxdp generic 'not on the card: '
result run_tells_what_is_not $?
grep -q '^eth0: mode generic (.*driver XDP disabled in DebugFS' $dir/served
result the_drivers_own_words $?
bpftool net show dev eth0 | grep -q '^eth0([0-9]*) generic id [0-9]* offload id [0-9]'
result the_host_beside_the_card $?

# answered PORT PAYLOAD HEX: is there a reply with this in it?
answered()
{
	client "$xfn" invoke -j 10.88.0.1:"$1" "$2" >$dir/out 2>$dir/err && grep -q "\"reply\": \".*$3" $dir/out
}
if [ $wire = 1 ]; then
	answered 7 well, 77656c6c2c && answered 1232 well, 2c6c6c6577 && answered 37 x '[0-9a-f]\{8\}"'
	result the_host_answers_for_the_card $?
	answered 2256 well, "$(printf well, | sha256sum | cut -d' ' -f1 | tr -d '\n' | od -An -v -tx1 | tr -d ' \n')"
	result the_host_answers_what_the_card_cannot $?
fi
"$xfn" stat -i eth0 >$dir/out 2>&1 && grep -q "^echo  *xdp  *$wire  *$wire " $dir/out
result stat_with_the_cards_counters $?
stop TERM
gone
result run_leaves_nothing $?

start --object objects/echo.o echo sha256 && offloaded
stop KILL
for _ in $(seq 50); do
	if gone; then break; fi
	sleep 0.1
done
gone
result killed_leaves_nothing $?

# refused WORDS ARGUMENT...: xfn run ends with status 1, says so, and leaves nothing
refused()
{
	words=$1
	shift
	timeout 60 "$xfn" run -i eth0 --mode offload "$@" >$dir/out 2>$dir/err
	[ $? = 1 ] && grep -q "$words" $dir/err && gone
}
echo N >$card/ports/0/bpf_xdpoffload_accept
refused 'nothing can be offloaded: .*XDP offload disabled in DebugFS' --object objects/echo.o echo
result refused_by_the_driver $?
echo Y >$card/ports/0/bpf_xdpoffload_accept
echo N >$card/ports/0/bpf_map_accept
refused 'nothing can be offloaded: .*does not take the map echo_stat of 1 entries' --object objects/echo.o echo
result refused_for_a_map $?
echo Y >$card/ports/0/bpf_map_accept
echo N >$card/bpf_bind_accept
refused 'takes no programs for a card' --object objects/echo.o echo
result refused_at_all $?
echo Y >$card/bpf_bind_accept
refused 'nothing can be offloaded: ' --object objects/all.o sha256 regex
result refused_for_workers $?
refused 'nothing can be offloaded: accesses memory' --object refused.o echo
result refused_by_the_verifier $?
refused 'its source functions/echo.c is not here as it was built' echo
result refused_without_source $?

ip link set dev eth0 xdpoffload obj objects/echo.o sec xdp >/dev/null 2>&1
timeout 60 "$xfn" run -i eth0 --mode offload --object objects/echo.o echo >$dir/out 2>$dir/err
[ $? = 1 ] && grep -q 'xfn_echo (id [0-9]*) holds it.*ip link set dev eth0 xdpoffload off' $dir/err && offloaded
result held_card_is_left_alone $?
ip link set dev eth0 xdpoffload off
gone
result nothing_is_left $?
exit $bad
