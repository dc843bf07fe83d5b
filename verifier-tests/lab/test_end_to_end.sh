#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `xfn run` in a lab of its own: every function right in every mode and tier; workers and supervisor killed;
# what cannot be served refused in one line; and nothing left behind. Knows only the command line.
suite=end_to_end
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"

# ask PORT PAYLOAD EXPECT: from the client, over IPv4 and IPv6
ask()
{
	for host in 10.78.0.1 '[fd78::1]'; do
		got=$(client "$xfn" invoke -t 5000 -j "$host:$1" "$2" 2>/dev/null |
			sed -n 's/.*"reply": "\([^"]*\)".*/\1/p')
		want=$(printf '%s' "$3" | od -An -v -tx1 | tr -d ' \n')
		if [ "$got" != "$want" ]; then
			echo "port $1 of $host: asked '$2', got '$got', wanted '$want'"
			return 1
		fi
	done
}

# Every function, a few sizes each; time answers four bytes that no other way is known.
ask_all()
{
	long=$(printf '%01000d' 7)
	for payload in "" a ab "eighteen bytes it is" "$long"; do
		ask 7 "$payload" "$payload" || return 1
		ask 1232 "$payload" "$(printf '%s' "$payload" | rev)" || return 1
		ask 2256 "$payload" "$(printf '%s' "$payload" | sha256sum | cut -d' ' -f1)" || return 1
	done
	ask 2257 'a+b
aab
b
xab
' 'aab
xab
' || return 1
	for host in 10.78.0.1 '[fd78::1]'; do
		now=$(client "$xfn" invoke -j "$host:37" x |
			sed -n 's/.*"reply": "\([0-9a-f]*\)".*/\1/p')
		now=$((0x${now:-0} - 2208988800 - $(date +%s)))
		[ "$now" -ge -2 ] && [ "$now" -le 2 ] || return 1
	done
}

tier_of() { "$xfn" ls -i "$iface" | sed -n "s/^$1  *[0-9]*  *\([a-z]*\) .*/\1/p"; }
attached() { server ip -d link show dev "$iface" | grep -q 'prog/xdp'; }
gone() { ! attached && ! pgrep -P "$run" >/dev/null; }
# serves_again TIMES: a worker that was restarted
serves_again() { [ "$(grep -c 'serves again' "$dir/err")" = "$1" ]; }
worker() { pgrep -P "$run" | head -n 1; }

raise

start --mode native
result native_start $?
[ "$(tier_of echo) $(tier_of reverse) $(tier_of time) $(tier_of sha256) $(tier_of regex)" = "xdp xdp xdp afxdp afxdp" ]
result native_tiers $?
ask_all
result native_right $?
status=/proc/$(worker)/status
grep -q '^CapEff:	0000000000000000' "$status" && grep -q '^CapBnd:	0000000000000000' "$status" &&
	grep -q '^Seccomp:	2' "$status" && grep -q '^NoNewPrivs:	1' "$status" && ! grep -q '^Uid:	0' "$status"
result worker_sandboxed $?
"$xfn" invoke -i "$iface" -j echo hello | grep -q '"tier": "xdp"' && "$xfn" invoke -i "$iface" sha256 hello |
	grep -q 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
result invoke_by_name $?
"$xfn" stat -i "$iface" -j | grep -q '"replies": [1-9]'
result stat_counts $?
server "$xfn" run -i "$iface" >"$dir/out" 2>&1
[ $? = 1 ] && [ "$(wc -l <"$dir/out")" = 1 ] && grep -q "$iface" "$dir/out"
result second_run_refused $?

kill -KILL "$(worker)"
ask 7 "still here" "still here"
result kernel_functions_unharmed $?
soon serves_again 1 && ask_all
result worker_restarted $?

kill -KILL "$run"
wait $run 2>/dev/null
soon gone
result killed_leaves_nothing $?
start && ask 1232 abc cba
result killed_starts_again $?
stop
result ends_with_0 $?
! attached
result interface_as_found $?

for way in "--mode generic" "--tier afxdp" "--mode generic --tier afxdp" "--tier socket" "--mode none" "--tier socket --engine mmsg" "--tier socket --engine simple" "--engine packet"; do
	# shellcheck disable=SC2086 # options are words
	start $way && ask_all
	result "right$(echo "$way" | tr -c 'a-z\n' _)" $?
	stop
done

start --engine packet
kill -KILL "$(worker)"
soon serves_again 1 && ask_all
result packet_worker_restarted $?
stop

# who reads its messages goes, and then there are some
mkfifo "$dir/messages"
: >"$dir/ready"
cat "$dir/messages" >/dev/null &
others=$!
"$xfn" lab -n "$name" exec server "$xfn" run -j -i "$iface" sha256 >"$dir/ready" 2>"$dir/messages" &
run=$!
soon grep -q '"ready"' "$dir/ready" && kill "$others"
wait "$others" 2>/dev/null
others=
kill -KILL "$(worker)"
soon ask 2256 a "$(printf a | sha256sum | cut -d' ' -f1)" >/dev/null && stop && [ -z "$(ls "$dir/run")" ]
result goes_on_unread $?

# more sockets than a shell allows its programs, unless asked
prlimit --pid $$ --nofile=256:
# shellcheck disable=SC2046 # functions are words
start --tier socket echo $(seq -f 'echo@10.78.0.1:%.0f' 20001 20300) && ask 7 many many
result many_sockets $?
stop

printf '#include "xfn.h"\nXFN_FUNCTION(latin, .port = 4077, .summary = "caf\351")\n{\n\treturn XFN_REPLY;\n}\n' >"$dir/latin.c"
start "$dir/latin.c" && "$xfn" ls -i "$iface" | grep -q '^latin '
result listed_whatever_its_summary $?
stop

# a burst of 16, then 10 a second: the rest is not answered, and counted
for tier in xdp afxdp socket; do
	start --tier $tier --rate 10 echo
	client "$xfn" invoke -j -n 100 10.78.0.1:7 x >"$dir/out" 2>&1
	[ $? = 1 ] && "$xfn" stat -i "$iface" | grep -q '^RATE  *DROP  *1 ' && "$xfn" stat -i "$iface" | grep -q '^echo  *[a-z]*  *1[67] '
	result "rate_bounds_$tier" $?
	stop
done
start --allow-amplify loud verifier-tests/sources/loud.c &&
	client "$xfn" invoke 10.78.0.1:4000 x | grep -q '^600 bytes from'
result allowed_amplifier $?
stop

# Growth: a trailer of 8 bytes on requests of every shape a client's socket makes, room or not in the frame.
for way in "--mode native" "--mode generic" "--tier afxdp" "--tier socket" "--engine packet"; do
	good=0
	# shellcheck disable=SC2086 # options are words
	start $way verifier-tests/sources/grow.c
	for size in 0 1 10 12 17 18 63 64 200 512 1000 1400 1440 1444 1464; do
		head -c $size /dev/zero >"$dir/payload"
		client "$xfn" invoke -f "$dir/payload" 10.78.0.1:4000 | grep -q "^$((size + 8)) bytes from" || good=1
		[ $size -gt 1444 ] || client "$xfn" invoke -f "$dir/payload" '[fd78::1]:4000' | grep -q "^$((size + 8)) bytes from" || good=1
	done
	result "grown$(echo "$way" | tr -c 'a-z\n' _)" $good
	stop
done

# refused TEST TEXT ARGUMENT...: one line, status 1, nothing attached, no process
refused()
{
	test=$1 text=$2
	shift 2
	timeout 20 "$xfn" lab -n "$name" exec server "$xfn" run "$@" >"$dir/out" 2>&1
	status=$?
	if [ $status = 1 ] && [ "$(wc -l <"$dir/out")" = 1 ] && grep -qF -e "$text" "$dir/out" && ! attached; then
		result "$test" 0
	else
		echo "status $status:"
		cat "$dir/out"
		result "$test" 1
	fi
}

head -c 5000 "$build/functions/echo.xfn" >"$dir/short.xfn"
echo "not a module" >"$dir/text.xfn"
refused no_such_interface "nix0: no such interface" -i nix0 echo
refused truncated_module "$dir/short.xfn" -i "$iface" "$dir/short.xfn"
refused no_module "$dir/text.xfn" -i "$iface" "$dir/text.xfn"
refused missing_module "$dir/none.xfn" -i "$iface" "$dir/none.xfn"
refused two_on_one_port "port 7" -i "$iface" echo time@7
refused amplifier "--allow-amplify loud" -i "$iface" verifier-tests/sources/loud.c
refused host_beside_a_worker "only tier xdp can" -i "$iface" --tier afxdp verifier-tests/sources/beside.c
refused forced_tier "sha256: cannot run in tier xdp" -i "$iface" --tier xdp sha256
server ip link set dev "$iface" down
refused interface_down "is down" -i "$iface" echo
server ip link set dev "$iface" up
server ip link set dev "$iface" xdpgeneric obj "$build/xdp/pass.bpf.o" sec xdp.frags
timeout 20 "$xfn" lab -n "$name" exec server "$xfn" run -i "$iface" echo >"$dir/out" 2>&1
[ $? = 1 ] && [ "$(wc -l <"$dir/out")" = 1 ] && grep -q 'xfn_pass.*holds it' "$dir/out" && attached
result held_interface_refused $?

"$xfn" lab -n "$name" down >/dev/null
! { ip netns list; ip -o link; } | grep -q "$name" && ! pgrep -f "$iface" >/dev/null && [ -z "$(ls "$dir/run" 2>/dev/null)" ]
result nothing_left $?
exit $bad
