#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Several interfaces in one run, which go down, vanish and come back while it runs. Knows only the command
# line.
suite=interfaces
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
second=xfns1$name
client_second=xfnc1$name

# pair WORD...: a second link, server 10.79.0.1 and fd79::1, as the lab's first one
pair()
{
	ip link add "$second" netns "$name-server" address 02:78:66:6e:01:01 "$@" type veth \
		peer name "$client_second" netns "$name-client" address 02:78:66:6e:01:02
	for side in "server $second 1 2" "client $client_second 2 1"; do
		# shellcheck disable=SC2086 # words
		set -- $side
		ip netns exec "$name-$1" ethtool -K "$2" rxvlan off txvlan off
		ip -n "$name-$1" link set "$2" up
		addresses "$1" "$2" 79 1 "$3" "$4"
	done
	ip -n "$name-client" link set dev "$client_second" xdpdrv obj "$build/xdp/pass.bpf.o" sec xdp.frags
}

# addresses SIDE IFACE NET PAIR OWN PEER: down takes those of IPv6 away, and neighbours
addresses()
{
	ip -n "$name-$1" addr replace "10.$3.0.$5/24" dev "$2"
	ip -n "$name-$1" addr replace "fd$3::$5/64" dev "$2" nodad
	ip -n "$name-$1" neigh replace "10.$3.0.$6" lladdr "02:78:66:6e:0$4:0$6" dev "$2" nud permanent
	ip -n "$name-$1" neigh replace "fd$3::$6" lladdr "02:78:66:6e:0$4:0$6" dev "$2" nud permanent
}

patience=1000 # ms
answers() { client "$xfn" invoke -t $patience -j "$1:7" hello 2>/dev/null | grep -q '"reply": "68656c6c6f"'; }
both() { answers "10.$1.0.1" && answers "[fd$1::1]"; }
index_of() { server ip -o link show dev "$1" | cut -d: -f1; }
attached() { server ip -o link | grep -q ' xdp'; }
detached() { ! attached; }
says() { "$xfn" ls | grep -qF "$1"; }
requests() { "$xfn" stat -i "$second" | awk '$1 == "echo" { print $3 }'; }
supervisors() { pgrep -P "$run"; }
# the first interface is asked all the time, until `asked`: how often, and how often in vain
ask() { patience=5000; while [ -e "$dir/asking" ]; do if answers 10.78.0.1; then echo 1; else echo 0; fi; done >"$dir/answered"; }
asked()
{
	rm "$dir/asking"
	wait "$others"
	others=
	[ "$(grep -c 1 "$dir/answered")" -ge 5 ] && ! grep -q 0 "$dir/answered"
}

raise -q 2
pair
for tier in xdp afxdp socket; do
	start -i "$second" --tier $tier echo
	both 78 && soon both 79 && [ "$(grep -c '"ready":true' "$dir/ready")" = 2 ]
	result "interfaces_two_$tier" $?
	server ip link set dev "$second" down
	soon says "$second: down, waiting for it to come up" && soon both 78
	result "interfaces_down_$tier" $?
	server ip link set dev "$second" up
	addresses server "$second" 79 1 1 2
	soon both 79
	result "interfaces_up_again_$tier" $?

	: >"$dir/asking"
	ask &
	others=$!
	counted=$(requests)
	server ip link del "$second"
	soon says "$second: gone, waiting for it to come back" && [ "$(requests)" -ge "$counted" ] && [ "$counted" -gt 0 ]
	result "interfaces_gone_$tier" $?
	sleep 0.3
	[ "$(grep -c "$second: gone" "$dir/err")" = 1 ] && ! grep -qE "ended|cannot" "$dir/err"
	result "interfaces_gone_said_once_$tier" $?
	pair
	soon both 79 && [ "$(requests)" -gt "$counted" ]
	result "interfaces_back_$tier" $? || cat "$dir/err"
	asked
	result "interfaces_other_goes_on_$tier" $? || cat "$dir/answered"
	if [ $tier = socket ]; then detached; else attached; fi && stop && detached
	result "interfaces_nothing_attached_$tier" $?
done

# in one event, under its old index; another shape of it
start -i "$second" sha256 echo
index=$(index_of "$second")
# shellcheck disable=SC2046 # numbers
kill -STOP $(supervisors)
server ip link del "$second"
pair index "$index"
# shellcheck disable=SC2046
kill -CONT $(supervisors)
soon grep -q "$second: there, and served" "$dir/err" && [ "$(index_of "$second")" = "$index" ] && soon both 79 &&
	client "$xfn" invoke 10.79.0.1:2256 x >/dev/null
result interfaces_replaced_under_its_index $? || cat "$dir/err"
# shellcheck disable=SC2046
kill -STOP $(supervisors)
server ip link del "$second"
pair
server ip link set dev "$second" xdpgeneric obj "$build/xdp/pass.bpf.o" sec xdp.frags
# shellcheck disable=SC2046
kill -CONT $(supervisors)
soon says "$second: not served: XDP program" && soon both 78 && server ip link set dev "$second" xdpgeneric off && soon both 79 &&
	[ "$(grep -c "$second: not served" "$dir/err")" = 1 ]
result interfaces_held_when_it_came_back $? || cat "$dir/err"
stop

# the same one in another shape
# shellcheck disable=SC2317 # called by soon
frame_workers() { [ "$("$xfn" stat -i "$iface" | awk '$4 == "afxdp" { n++ } END { print n + 0 }')" = "$1" ]; }
big() { client "$xfn" invoke -f "$dir/big" 10.78.0.1:7 2>/dev/null | grep -q '^2500 bytes'; }
# an idle worker tells every 100 ms
# big_by_frames ENGINE
big_by_frames() { big && sleep 0.2 && "$xfn" stat -i "$iface" | awk -v engine="$1" '$4 == engine && $6 > 0 { seen = 1 } END { exit !seen }'; }
head -c 2500 /dev/zero >"$dir/big"
fewer() { server ethtool -L "$iface" rx 1 2>/dev/null; }
soon fewer # AF_XDP sockets of the run before hold their queues a little longer
# with fewer queues than the client sends by the mode is generic: a half-made sum would take the slow path
client ethtool -K "$client_iface" tx off >/dev/null
start --tier afxdp --workers-per-queue 1 echo
frame_workers 1 && server ethtool -L "$iface" rx 2 && soon frame_workers 2 && soon answers 10.78.0.1
result interfaces_more_queues $? || cat "$dir/err"
client ip link set dev "$client_iface" mtu 3000
server ip link set dev "$iface" mtu 3000
soon grep -q 'MTU 3000' "$dir/err" && soon big_by_frames afxdp && [ "$("$xfn" stat -i "$iface" | awk '$1 == "echo" { print $3 }')" -ge 2 ]
result interfaces_other_mtu $? || cat "$dir/err"
client ethtool -K "$client_iface" tx on >/dev/null
stop
client ip link set dev "$client_iface" mtu 1500
server ip link set dev "$iface" mtu 1500
# of engine packet the ring is another one then, here with larger blocks
start --engine packet echo
big && ! big_by_frames packet
good=$?
client ip link set dev "$client_iface" mtu 9000
server ip link set dev "$iface" mtu 9000
[ $good = 0 ] && soon grep -q 'MTU 9000' "$dir/err" && soon big_by_frames packet && answers 10.78.0.1
result interfaces_other_mtu_of_a_ring $? || cat "$dir/err"
stop
client ip link set dev "$client_iface" mtu 1500
server ip link set dev "$iface" mtu 1500
# no reply is longer than the MTU holds that there is now, behind sockets either
grown() { head -c "$1" /dev/zero >"$dir/big"; client "$xfn" invoke -t 300 -f "$dir/big" 10.78.0.1:4000 2>/dev/null | grep -q "^$(($1 + 8)) bytes"; }
not_grown() { ! grown "$1" && "$xfn" stat -i "$iface" | grep -q '^MTU  *DROP'; }
for engine in uring mmsg simple packet; do
	start --tier socket --engine $engine verifier-tests/sources/grow.c
	good=0
	grown 1464 || good=1
	server ip link set dev "$iface" mtu 1400
	{ soon not_grown 1365 && soon grown 1364; } || good=1
	server ip link set dev "$iface" mtu 1500
	soon grown 1464 || good=1
	result interfaces_other_mtu_$engine $good || cat "$dir/err"
	stop
done

# what cannot be read is no interface that is gone: it is served as before, and read again
start --tier xdp echo
prlimit --pid "$run" --nofile=8:
server ip link set dev "$iface" mtu 1400
soon grep -qE "cannot read .*: Too many open files; (it is t|retried)" "$dir/err" && answers 10.78.0.1 && attached
result interfaces_unread $? || cat "$dir/err"
prlimit --pid "$run" --nofile=1024:
server ip link set dev "$iface" down
soon says "$iface: down, waiting for it to come up"
result interfaces_read_again $? || cat "$dir/err"
server ip link set dev "$iface" up
addresses server "$iface" 78 0 1 2
soon both 78 && ! grep -q gone "$dir/err"
result interfaces_read_again_serves $? || cat "$dir/err"
prlimit --pid "$run" --nofile=3: # poll(2) takes no more descriptors than that
server ip link set dev "$iface" mtu 1400
soon grep -q "cannot wait for what happens" "$dir/err" && prlimit --pid "$run" --nofile=1024: && soon says "mode native" && both 78
result interfaces_cannot_wait $? || cat "$dir/err"
prlimit --pid "$run" --nofile=3:
stop && detached
result interfaces_cannot_wait_ends $? || cat "$dir/err"
server ip link set dev "$iface" mtu 1500

# an address of both
server ip link set lo up
server ip addr add 10.99.0.1/32 dev lo
for tier in xdp socket; do
	start -i "$second" --tier $tier echo
	good=0
	for net in 78 79; do
		client ip route replace 10.99.0.0/24 via 10.$net.0.1
		for _ in 1 2 3 4 5 6; do answers 10.99.0.1 || good=1; done
	done
	[ $tier = socket ] || [ "$(requests)" = 6 ] || good=1
	result "interfaces_anycast_$tier" $good
	stop
done
for way in "--address 10.78.0.1" "--tier socket --bind 10.78.0.1"; do
	# shellcheck disable=SC2086 # options are words
	start -i "$second" $way echo
	answers 10.78.0.1 && ! answers 10.79.0.1
	result "interfaces_named$(echo "$way" | tr -c 'a-z\n' _)" $?
	stop
done

start -i "$second" echo sha256
"$xfn" ls -j | grep -q '"interfaces": \[' && says "$iface: mode native" && says "$second: mode native" && [ "$("$xfn" stat | grep -c '^echo ')" = 2 ]
result interfaces_ls_of_all $?
"$xfn" invoke echo 2>&1 | grep -qF "2 xfn are running: $iface, $second; choose one with -i" && "$xfn" invoke -i "$second" echo x >/dev/null && "$xfn" release echo 2>&1 | grep -qF 'choose one with -i'
result interfaces_choose_one $?
prlimit --pid $run --nofile=1:
kill -KILL "$(supervisors | head -1)"
soon grep -q 'cannot start its supervisor: Too many open files' "$dir/err" && prlimit --pid $run --nofile=1024: &&
	soon grep -q 'its supervisor serves again' "$dir/err" && soon both 78 && soon both 79 && [ "$(supervisors | wc -l)" = 2 ]
result interfaces_crashed_supervisor $? || cat "$dir/err"
pids=$(supervisors)
kill -KILL $run
wait $run 2>/dev/null
run=
soon detached
result interfaces_parent_killed $?
# shellcheck disable=SC2086 # several
for _ in $(seq 40); do ps -p "$(echo $pids | tr ' ' ,)" >/dev/null || break; sleep 0.05; done
! pgrep -f "$second" >/dev/null && [ -z "$(ls "$dir/run")" ]
result interfaces_parent_killed_nothing_left $? || { pgrep -af "$second"; ls "$dir/run"; }

# refused TEST TEXT ARGUMENT...: one line, status 1, nothing attached
refused()
{
	test=$1 text=$2
	shift 2
	# a supervisor that has others beside it may not be looked at for leaks
	ASAN_OPTIONS=detect_leaks=0 timeout 20 "$xfn" lab -n "$name" exec server "$xfn" run "$@" >"$dir/out" 2>&1
	status=$?
	[ $status = 1 ] && [ "$(wc -l <"$dir/out")" = 1 ] && grep -qF -e "$text" "$dir/out" && detached
	result "$test" $? || { echo "status $status:"; cat "$dir/out"; }
}
refused interfaces_one_missing "xfn: nix0: no such interface" -i "$iface" -i nix0 echo
server ip link set dev "$second" down
refused interfaces_one_down "xfn: $second: is down" -i "$iface" -i "$second" echo
start --wait -i "$second" -i nix0 echo
answers 10.78.0.1 && [ "$(grep -c '"ready":false' "$dir/ready")" = 2 ] && says "nix0: no such interface yet, waiting for it"
result interfaces_waited_for $?
server ip link set dev "$second" up
addresses server "$second" 79 1 1 2
server ip link add nix0 type veth peer name nix1
server ip link set dev nix0 up
soon both 79 && soon says "nix0: mode"
result interfaces_waited_for_came $? || cat "$dir/err"
stop && detached
result interfaces_waited_for_nothing_attached $?

# one name in two network namespaces is two interfaces; without one, each namespace has its own ports
other=$name-other
trap 'finish; ip netns del "$other" 2>/dev/null' EXIT
ip netns add "$other"
ip -n "$other" link add "$iface" type veth peer name peer0
ip -n "$other" addr add 10.80.0.1/24 dev "$iface"
ip -n "$other" link set "$iface" up
ip -n "$other" link set peer0 up
ip -n "$other" link set lo up
# there ARGUMENT...: in that one
there() { nsenter --net="/run/netns/$other" "$@"; }
pid_of() { sed -n 's/^ *"pid": \([0-9]*\).*/\1/p' | head -n 1; }
for way in "-i $iface echo" "echo@7777"; do
	# shellcheck disable=SC2086 # words
	tag=$(echo "${way%% *}" | tr -dc 'a-z0-9')
	nsenter --net="/run/netns/$name-server" "$xfn" run -j $way >"$dir/ready" 2>"$dir/err" &
	run=$!
	soon grep -q '"ready":true' "$dir/ready"
	nsenter --net="/run/netns/$other" "$xfn" run -j $way >"$dir/ready2" 2>"$dir/err2" &
	others=$!
	soon grep -q '"ready":true' "$dir/ready2"
	result "interfaces_of_one_name_$tag" $? || cat "$dir/err2"
	[ "$tag" = i ] && asked=$iface || asked=@sockets
	[ "$(server "$xfn" ls -i "$asked" -j | pid_of)" = "$run" ] && [ "$(there "$xfn" stat -i "$asked" -j | pid_of)" = "$others" ]
	result "interfaces_of_one_name_are_told_apart_$tag" $?
	[ "$("$xfn" ls | grep -c "^$asked:[0-9]* (pid [0-9]*): mode")" = 2 ] && "$xfn" ls -i "$asked" 2>&1 | grep -q "$asked: 2 xfn serve one of that name.*choose one with -i" &&
		"$xfn" ls -i "$("$xfn" ls | sed -n "s/ (pid $others).*//p")" -j | grep -q "\"pid\": $others" && there "$xfn" run $way 2>&1 | grep -q 'an xfn serves it already'
	result "interfaces_of_one_name_from_elsewhere_$tag" $? || "$xfn" ls
	kill -TERM "$others"
	wait "$others"
	others=
	stop
done
ip netns del "$other"

# all names of an interface are the same one
server ip link property add dev "$iface" altname the_first_interface altname alt0
server "$xfn" run -i "$iface" -i the_first_interface echo >"$dir/out" 2>&1
[ $? = 2 ] && grep -qF "xfn run: --interface 'the_first_interface': is an interface that was given already" "$dir/out"
result interfaces_altname_twice $?
start --tier socket -i "$second" echo
refused interfaces_altname_served "$iface: an xfn serves it already" -i the_first_interface echo
server "$xfn" ls -i alt0 | grep -q "^$iface: mode" && server "$xfn" check -i the_first_interface | grep -q "interface  *$iface, up"
result interfaces_altname_asked $?
stop
server ip link property del dev "$iface" altname the_first_interface altname alt0
exit $bad
