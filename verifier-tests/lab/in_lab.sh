# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh disable=SC2034,SC2154
# What the shell suites share that work in a lab of their own: to be sourced with $suite set. Raises
# nothing by itself; whatever a suite raised or started is gone when it ends.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${XFN_BUILD:-build}
xfn=$build/xfn
name=$(printf '%.1s' "$suite")$$
iface=xfns0$name
client_iface=xfnc0$name
run=    # xfn's process
others= # more processes to end
if [ "$(id -u)" != 0 ] || [ ! -x "$xfn" ]; then
	echo "[  SKIPPED ] $suite: wants root and build/xfn"
	exit 0
fi
dir=$(mktemp -d) || exit 1
chmod 755 "$dir"
XFN_RUNTIME_DIR=$dir/run
export XFN_RUNTIME_DIR

# shellcheck source=verifier-tests/result.sh
. verifier-tests/result.sh

# soon COMMAND...: tried until it holds, on a machine that may be busy
soon()
{
	for _ in $(seq 150); do
		if "$@"; then return 0; fi
		sleep 0.1
	done
	return 1
}

server() { "$xfn" lab -n "$name" exec server "$@"; }
client() { "$xfn" lab -n "$name" exec client "$@"; }

# raise OPTION...: of xfn lab
raise()
{
	"$xfn" lab -n "$name" "$@" up >/dev/null || {
		result "${suite}_lab" 1
		exit 1
	}
}

# tagged: VLAN 5 on both sides, the server's 10.97.0.1 and fd97::1. 1: this kernel has none
tagged()
{
	server ip link add link "$iface" name v5 type vlan id 5 2>/dev/null || return 1
	server ip addr add 10.97.0.1/24 dev v5
	server ip addr add fd97::1/64 dev v5 nodad
	server ip link set v5 up
	client ip link add link "$client_iface" name v5 type vlan id 5
	client ip addr add 10.97.0.2/24 dev v5
	client ip addr add fd97::2/64 dev v5 nodad
	client ip link set v5 up
	# known as the lab's others are: a question that is lost is asked again after a second
	for net in 10.97.0. fd97::; do
		server ip neigh replace ${net}2 lladdr 02:78:66:6e:00:02 dev v5 nud permanent
		client ip neigh replace ${net}1 lladdr 02:78:66:6e:00:01 dev v5 nud permanent
	done
}

# start ARGUMENT...: xfn run in the server's namespace, until it serves
start()
{
	: >"$dir/ready" # what the one before said must not be taken for this one's
	"$xfn" lab -n "$name" exec server "$xfn" run -j -i "$iface" "$@" >"$dir/ready" 2>"$dir/err" &
	run=$!
	for _ in $(seq 600); do
		if grep -q '"ready"' "$dir/ready"; then return 0; fi
		if ! kill -0 $run 2>/dev/null; then break; fi
		sleep 0.1
	done
	cat "$dir/ready" "$dir/err"
	return 1
}

# stop: its exit status
stop()
{
	[ -n "$run" ] || return 0
	kill -TERM $run 2>/dev/null
	wait $run
	status=$?
	run=
	return $status
}

# capture FILE ARGUMENT...: tcpdump of the client's incoming frames, until `captured`
capture()
{
	to=$1
	shift
	: >"$dir/tcpdump"
	"$xfn" lab -n "$name" exec client tcpdump -Z root -i "$client_iface" --immediate-mode -Q in "$@" >"$to" 2>"$dir/tcpdump" &
	others=$!
	soon grep -q listening "$dir/tcpdump"
}

captured()
{
	sleep 0.3
	kill -TERM "$others"
	wait "$others"
	others=
}

# else the stack's own replies cross the veth pair with half a checksum, for the peer's stack to believe
whole_checksums() { server ethtool -K "$iface" tx off >/dev/null; }

# asks_whole on|off: are checksums of the client's requests made, as a wire's are?
asks_whole()
{
	[ "$1" = on ] && set -- off || set -- on
	client ethtool -K "$client_iface" tx "$1" >/dev/null
}

written() { [ "$(tcpdump -Z root -nr "$dir/pcap" 2>/dev/null | grep -c .)" -ge "$1" ]; }

# seen FILTER TEST OPTION...: requests of all $sizes to the $functions (of echo, reverse, time, sha256) at
# all $hosts, and what tcpdump says of the replies
seen()
{
	filter=$1 test=$2 ports=
	shift 2
	for function in $functions; do
		case $function in
		echo) ports="$ports 7" ;;
		reverse) ports="$ports 1232" ;;
		time) ports="$ports 37" ;;
		sha256) ports="$ports 2256" ;;
		esac
	done
	# shellcheck disable=SC2086 # functions are words
	start "$@" $functions || { result "$test" 1; return; }
	capture "$dir/words" -U -w "$dir/pcap" "$filter"
	asked=0 unanswered=0
	for size in $sizes; do
		head -c $size /dev/urandom >"$dir/payload"
		for host in $hosts; do
			for port in $ports; do
				client "$xfn" invoke -t 5000 -f "$dir/payload" "$host:$port" >"$dir/out" 2>&1 || {
					cat "$dir/out"
					unanswered=$((unanswered + 1))
				}
				asked=$((asked + 1))
			done
		done
	done
	# a busy machine writes late
	soon written $asked
	captured
	# none of them is a matter for the slow path
	slow=$("$xfn" stat -i "$iface" | grep -cE '^(NOT_LOCAL|NO_WORKER|LARGE_FRAME) ')
	stop
	tcpdump -Z root -nvvr "$dir/pcap" >"$dir/read" 2>/dev/null
	good=$(grep -c 'udp sum ok' "$dir/read")
	wrong=$(grep -cE 'bad udp cksum|bad cksum|no cksum' "$dir/read")
	if [ "$good" = $asked ] && [ "$unanswered$wrong$slow" = 000 ]; then
		result "$test" 0
	else
		echo "$asked asked, $unanswered without an answer, $good replies with right checksums, $wrong others; $slow reasons for the slow path"
		grep -E -B1 'bad udp cksum|bad cksum|no cksum' "$dir/read" | head -6
		result "$test" 1
	fi
}

finish()
{
	for pid in $run $others; do kill -KILL "$pid" 2>/dev/null; done
	"$xfn" lab -n "$name" down >/dev/null 2>&1
	rm -rf "$dir"
}
trap finish EXIT
trap "exit 1" INT TERM HUP
