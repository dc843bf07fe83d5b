#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Workers as processes: one that starts slowly, or cannot, holds up nobody; whatever it leaves behind, its end is
# noticed; what it prints is for the log alone; and each process has no more capabilities than it needs.
suite=workers
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
# shellcheck source=verifier-tests/lab/worker_ends.sh
. verifier-tests/lab/worker_ends.sh

workers() { pgrep -P "$run" -x xfn-worker; }
# which worker holds queue 0 of engine $1
worker() { "$xfn" stat -i "$iface" | awk -v engine="$1" '$4 == engine && $1 != "-" { print $1; exit }'; }
ls_says() { timeout 2 "$xfn" ls -i "$iface" 2>/dev/null | grep -q "$1"; }
caps() { sed -n "s/^$1:	*0*//p" "/proc/$2/status"; }
over() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
# within MS COMMAND...
within()
{
	ms=$1 began=$(date +%s%3N)
	shift
	"$@" || return 1
	took=$(($(date +%s%3N) - began))
	[ $took -le "$ms" ] || { echo "'$*' took $took ms"; return 1; }
}

raise
"$xfn" build verifier-tests/sources/starts.c -o "$dir/starts.xfn" >/dev/null || result workers_build 1
XFN_STARTS=$dir/starts
export XFN_STARTS
mkdir "$XFN_STARTS"

for way in "--mode native" "--tier socket --engine mmsg" "--engine packet"; do
	tag=$(echo "$way" | tr -c 'a-z\n' _)
	engine=${way##* }
	[ "$engine" = native ] && engine=afxdp # of this function; echo is in the kernel
	: >"$XFN_STARTS/helps"
	# shellcheck disable=SC2086 # options are words
	start $way echo "$dir/starts.xfn" && ask 4012 a || { result "workers_serve$tag" 1; cat "$dir/err"; continue; }
	pid=$(worker "$engine")
	helper=$(pgrep -P "$pid")
	kill -KILL "$pid"
	[ -n "$helper" ] && soon logged 'serves again' 1 && ask 4012 b && [ "$(worker "$engine")" != "$pid" ] && soon over "$helper"
	result "workers_end_is_noticed$tag" $? || cat "$dir/err"
	rm "$XFN_STARTS/helps"

	# a start that waits is a state: others are answered meanwhile, and a signal ends it at once
	: >"$XFN_STARTS/slow"
	kill -KILL "$(worker "$engine")"
	soon ls_says "^starts .*worker of engine $engine, queue 0 starts" && within 1500 ls_says "^starts .*queue 0 starts" && { [ $engine != afxdp ] || ask 7 beside; } &&
		"$xfn" stat -i "$iface" -j | grep -q '"state": "starting"'
	result "workers_slow_start_holds_nobody$tag" $? || { cat "$dir/err"; "$xfn" ls -i "$iface"; }
	within 1500 stop
	result "workers_slow_start_ends_at_once$tag" $?
	rm "$XFN_STARTS/slow"
done

# one that cannot start says why, has no process, and is tried again
start --workers-per-queue 1 "$dir/starts.xfn" && prlimit --pid "$run" --fsize=1024: && kill -KILL "$(worker afxdp)"
soon ls_says '^starts .*queue 0 cannot start: cannot allocate frames .*: File too large; raise the limit of .*tried again in' &&
	"$xfn" stat -i "$iface" -j | grep -q '"pid": null' && "$xfn" stat -i "$iface" | grep -qE '^ *-  *0  *0  *afxdp .*waiting  *cannot start' &&
	prlimit --pid "$run" --fsize=unlimited: && soon ls_says '^starts .*its .tier asks for it' && ask 4012 again
result workers_that_cannot_start $? || cat "$dir/err"
stop
# the first start: told while it goes on; one that fails is the run's error
: >"$XFN_STARTS/slow"
"$xfn" lab -n "$name" exec server "$xfn" run -j -i "$iface" "$dir/starts.xfn" >"$dir/ready" 2>"$dir/err" &
run=$!
soon ls_says "^$iface: starting, since" && [ ! -s "$dir/ready" ] && within 1500 stop && [ ! -s "$dir/ready" ]
result workers_slow_first_start $? || cat "$dir/ready" "$dir/err"
rm "$XFN_STARTS/slow"
: >"$XFN_STARTS/fail"
server "$xfn" run -i "$iface" --tier afxdp "$dir/starts.xfn" >"$dir/out" 2>&1
[ $? = 1 ] && [ "$(cat "$dir/out")" = "xfn: starts: its XFN_INIT returned -5 (Input/output error)" ]
result workers_failing_first_start $? || cat "$dir/out"
rm "$XFN_STARTS/fail"

# what they print is cleaned, cut and bounded, and no part of the answer of -j
: >"$XFN_STARTS/prints"
start --tier socket "$dir/starts.xfn" && soon logged 'worker of engine uring, queue 0: [0-9]* lines left out' 1
status=$?
lines=$(grep -c 'queue 0 printed: ' "$dir/err")
[ $status = 0 ] && [ "$(wc -l <"$dir/ready")" = 1 ] && [ "$lines" -ge 2 ] && [ "$lines" -le 40 ] && ! LC_ALL=C grep -q '[^ -~]' "$dir/err" &&
	logged 'printed: ?\[31mred?$' 1 && logged 'printed: 0*\.* \.\.\. (cut)' 1 && [ "$(awk '{ if (length > n) n = length } END { print n }' "$dir/err")" -lt 400 ]
result workers_print_to_the_log $? || head -n 40 "$dir/ready" "$dir/err" | cat -v | cut -c1-300
rm "$XFN_STARTS/prints"
# what ends all of them at once needs no word and no restart; one alone is replaced
: >"$dir/err"
# shellcheck disable=SC2046 # pids are words
kill -TERM $(workers) && kill -TERM "$run" && wait "$run" && [ ! -s "$dir/err" ]
result workers_end_together $? || cat "$dir/err"
run=
start --tier socket echo && kill -TERM "$(worker uring)" && soon logged 'ended (signal 15), from outside; restart in 0 ms' 1 && soon logged 'serves again' 1 && ask 7 again
result workers_end_alone $? || cat "$dir/err"
stop
# a thread of it that rests ends a while after the others, which answer meanwhile
start --tier afxdp --workers-per-queue 1-2 echo
"$xfn" lab -n "$name" exec client "$xfn" bench -j -r 500 -d 2 --timeout 3000 --module echo 10.78.0.1:7 >"$dir/load" 2>&1 &
others=$!
kill -TERM "$(worker afxdp)"
soon logged 'serves again' 1 && wait "$others"
[ "$(sed -n 's/^ *"lost": \([0-9]*\),*$/\1/p' "$dir/load")" -le 20 ] && [ "$(sed -n 's/^ *"right": \([0-9]*\),*$/\1/p' "$dir/load")" -gt 200 ]
result workers_end_alone_answering $? || cat "$dir/err" "$dir/load"
others=
# nothing that their supervisor was started with
stop
exec 9<"$dir/err"
start --tier socket echo && [ ! -e "/proc/$(worker uring)/fd/9" ] && [ "$(readlink "/proc/$(worker uring)/fd/0" | cut -c1-5)" = pipe: ] &&
	grep -q '^flags:.*2......$' "/proc/$(worker uring)/fdinfo/3"
result workers_descriptors $? || ls -l "/proc/$(worker uring)/fd"
exec 9<&-
stop

# never more capabilities than what is held of those that are needed
for missing in perfmon ipc_lock bpf; do
	: >"$dir/ready" # what the run before said is not to be taken for what this one says
	"$xfn" lab -n "$name" exec server capsh --drop=cap_$missing -- -c "exec $xfn run -j -i $iface echo" >"$dir/ready" 2>"$dir/err" &
	run=$!
	soon grep -q '"ready":true' "$dir/ready"
	[ $((0x$(caps CapEff "$run") & ~0xc0000075e0)) = 0 ] && [ $((0x$(caps CapPrm "$run") & ~0xc0000075e0)) = 0 ] && [ "$(caps CapInh "$run")" = "" ] && [ $((0x$(caps CapBnd "$run") & ~0xc0000075e0)) = 0 ]
	result "workers_capabilities_without_$missing" $? || grep Cap "/proc/$run/status"
	stop
done
start -i lo echo
status=1
for pid in $run $(pgrep -P "$run"); do
	status=0
	[ $((0x$(caps CapEff "$pid") & ~0xc0002075e4)) = 0 ] && [ $((0x$(caps CapBnd "$pid") & ~0xc0002075e4)) = 0 ] || { status=1; break; }
done
[ $status = 0 ] && [ "$(pgrep -P "$run" | wc -l)" = 2 ]
result workers_capabilities_of_several_interfaces $? || cat "$dir/err"
stop

# limits and what is hidden are named
limited()
{
	test=$1 text=$2
	shift 2
	timeout 10 "$@" >"$dir/out" 2>&1
	[ $? = 1 ] && [ "$(wc -l <"$dir/out")" = 1 ] && grep -qF -e "$text" "$dir/out"
	result "$test" $? || cat "$dir/out"
}
limited workers_open_files "raise the limit of open files (\`ulimit -n\`, LimitNOFILE= of a unit), which is 24, this run wants some" prlimit --nofile=24 "$xfn" run
limited workers_file_size "raise the limit of a file's bytes (\`ulimit -f\`, LimitFSIZE= of a unit), which is 1024" prlimit --fsize=1024 "$xfn" run echo
limited workers_hidden_proc "mount -t proc proc /proc" unshare -m sh -c 'mount -t tmpfs none /proc && exec "$0" run echo' "$xfn"
limited workers_hidden_sys "mount -t sysfs sysfs /sys" unshare -m sh -c 'mount -t tmpfs none /sys && exec nsenter --net=/run/netns/'"$name"'-server "$0" run --mode native -i '"$iface"' echo' "$xfn"
exit $bad
