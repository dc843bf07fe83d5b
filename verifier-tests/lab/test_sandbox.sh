#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a worker can do, behind each engine: every thread of it is without capabilities and behind seccomp, it
# holds nothing of BPF that could change the kernel's side, and a function that starts a program, opens a file,
# asks its worker's io_uring for one, writes past its payload or before it, crashes or hangs gets nothing and harms no other.
suite=sandbox
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
# shellcheck source=verifier-tests/lab/worker_ends.sh
. verifier-tests/lab/worker_ends.sh
sources=verifier-tests/sources
none=0000000000000000

# answers PAYLOAD: of escape, in hex
answers() { client "$xfn" invoke -j 10.78.0.1:4005 "$1" 2>/dev/null | sed -n 's/.*"reply": "\([^"]*\)".*/\1/p'; }
# refused PAYLOAD: says EPERM in its first four bytes
refused() { [ "$(answers "$1")" = "$(printf 'EPER%s' "${1#????}" | od -An -v -tx1 | tr -d ' \n')" ]; }
# ends FUNCTION PORT PAYLOAD: the worker, once; the others answer meanwhile and after
ends()
{
	say "10.78.0.1:$2" "$3" & # for which nobody waits: it has no reply
	ask 7 "beside" && soon ended "$1" 1 && ask 7 "after" && ask "$2" "after"
}
counter() { "$xfn" stat -i "$iface" -j | sed -n "s/^ *\"$1\": \([0-9]*\),*$/\1/p" | head -n 1; }

# of every thread of every worker
threads_confined()
{
	count=0
	for worker in $(pgrep -P "$run"); do
		for status in /proc/"$worker"/task/*/status; do
			count=$((count + 1))
			for set in CapInh CapPrm CapEff CapBnd CapAmb; do
				grep -q "^$set:	$none" "$status" || return 1
			done
			grep -q '^Seccomp:	2' "$status" && grep -q '^NoNewPrivs:	1' "$status" &&
				awk '$1 == "Uid:" { for (i = 2; i <= 5; i++) if ($i == 0) exit 1 }' "$status" || return 1
		done
		[ "$(getpcaps "$worker" 2>&1)" = "$worker: =" ] || return 1
	done
	[ $count -ge "$1" ]
}

# bpf PID: links and programs among its descriptors
bpf() { find "/proc/$1/fd" -type l -printf '%l\n' | grep -cE 'bpf[-_](link|prog)'; }
no_bpf()
{
	for worker in $(pgrep -P "$run"); do
		[ "$(bpf "$worker")" = 0 ] || return 1
	done
}

hangs() { [ "$("$xfn" stat -i "$iface" | awk '$1 == "hang" { print $3 }')" -ge 1 ]; }

# killed_before_us PID: by the kernel, where it is out of memory
killed_before_us() { [ "$(cat /proc/"$1"/oom_score_adj)" -gt "$(cat /proc/"$run"/oom_score_adj)" ]; }
# what_came PAYLOAD: of scribble
what_came() { client "$xfn" invoke -j 10.78.0.1:4006 "$1" 2>/dev/null | sed -n 's/.*"reply": "\([^"]*\)".*/\1/p'; }
said() { [ "$(what_came "$1")" = "$(printf '%s' "$2" | od -An -v -tx1 | tr -d ' \n')" ]; }

raise
for function in escape crash hang ring scribble; do
	"$xfn" build "$sources/$function.c" -o "$dir/$function.xfn" >/dev/null || result "build_$function" 1
done
# what this kernel can run at all
foreign=
if [ "$(uname -m)" = x86_64 ]; then
	foreign=x32s
	printf 'int main(void) { int r = 20; __asm__ volatile("int $0x80" : "+a"(r)); return r < 0; }\n' >"$dir/int80.c"
	cc -o "$dir/int80" "$dir/int80.c" && "$dir/int80" && foreign="$foreign int8"
fi
functions="echo $dir/escape.xfn $dir/crash.xfn $dir/hang.xfn"
for way in "--tier afxdp" "--tier socket --engine uring" "--tier socket --sqpoll" "--tier socket --engine mmsg" "--tier socket --engine simple" "--engine packet"; do
	tag=$(echo "$way" | tr -c 'a-z\n' _)
	ring=
	threads=1
	case $way in
	*uring*) ring=$dir/ring.xfn ;;
	*sqpoll*) ring=$dir/ring.xfn threads=2 ;;
	*packet*) threads=2 ;;
	esac
	# shellcheck disable=SC2086 # options and functions are words
	start $way --deadline 300 $functions $ring && ask 7 a
	[ $? = 0 ] || { result "serves$tag" 1; cat "$dir/err"; stop; continue; }
	threads_confined $threads
	result "every_thread_confined$tag" $?
	no_bpf && case $way in *afxdp*) [ "$(bpf "$run")" != 0 ] ;; esac
	result "no_link_no_program$tag" $?
	refused "exec now" && ask 7 "others go on"
	result "execve_refused$tag" $?
	refused "open now" && ask 7 "others go on"
	result "open_refused$tag" $?
	refused "kill now" && ask 7 "others go on"
	result "signals_refused$tag" $?
	ends escape 4005 "over" && logged 'in function escape, which had written past its payload' 1
	result "overrun_noticed$tag" $?
	say "10.78.0.1:4005" "undr" &
	ask 7 "beside" && soon ended escape 2 && ask 7 "after" && ask 4005 "after" &&
		logged 'in function escape, which had written before its payload' 1
	result "write_before_noticed$tag" $?
	ends crash 4001 "crash"
	result "crash_alone$tag" $?
	ends hang 4002 "hang"
	result "hang_alone$tag" $?
	threads_confined $threads && no_bpf
	result "restarted_confined$tag" $?
	if [ -n "$ring" ]; then
		# last: whoever meddles with its worker's ring breaks it
		say 10.78.0.1:4004 "x"
		[ "$(counter rings) $(counter refused) $(counter "done")" = "1 3 0" ] && [ "$(counter own_done) $(counter called)" = "1 1" ]
		result "ring_refuses$tag" $?
	fi
	[ $bad = 0 ] || { cat "$dir/err"; "$xfn" stat -i "$iface" -j | grep -A8 '"rings"'; }
	stop
done
# what a worker does to the supervisor itself, which has no deadline to end it by
for way in "--tier afxdp" "--tier socket"; do
	tag=$(echo "$way" | tr -c 'a-z\n' _)
	# shellcheck disable=SC2086 # options are words
	start $way --deadline 0 --workers-per-queue 1 echo "$dir/escape.xfn" "$dir/hang.xfn"
	say 10.78.0.1:4005 junk &
	soon logged 'killed since it had left its supervisor in function escape' 1 && soon ended escape 1 &&
		ask 7 "after" &&
		timeout 2 "$xfn" ls -i "$iface" >/dev/null
	result "junk$tag" $? || cat "$dir/err"
	[ "$tag" = __tier_afxdp ] || { stop; continue; }
	say 10.78.0.1:4002 hang &
	soon hangs
	"$xfn" stat -v -i "$iface" -j >"$dir/audit" &
	sleep 0.2
	timeout 2 "$xfn" ls -i "$iface" >/dev/null && [ ! -s "$dir/audit" ] && wait $! && grep -q '"frames_lost": null' "$dir/audit"
	result "audit_of_a_hung_worker_alone" $? || cat "$dir/audit"
	# more than its socket holds
	told=0
	while [ $told -lt 400 ] && timeout 2 "$xfn" scale -i "$iface" 1 >/dev/null; do told=$((told + 1)); done
	[ $told = 400 ]
	result "hung_worker_takes_no_messages" $? || echo "$told were taken"
	stop
done

# memory, and system calls of other architectures
for way in "--tier afxdp --workers-per-queue 2" "--tier socket --sqpoll"; do
	tag=$(echo "$way" | tr -c 'a-z\n' _)
	# shellcheck disable=SC2086 # options are words
	start $way --worker-memory 100 echo "$dir/scribble.xfn"
	good=0
	for worker in $(pgrep -P "$run"); do killed_before_us "$worker" || good=1; done
	result "ended_before_the_supervisor$tag" $good
	said many none && said heap full && ask 7 "after" && said heap none && ! logged 'ended (' 1
	result "memory_bounded$tag" $?
	ends=0
	# of all threads, not of the one alone
	for word in $foreign; do
		ends=$((ends + 1))
		say 10.78.0.1:4006 "$word"
		soon ended scribble $ends && [ "$(grep -c 'ended (signal 31)' "$dir/err")" = $ends ] && ask 7 "after"
		result "$word$tag" $? || cat "$dir/err"
	done
	foreign=
	stop
done

# counted: requests and replies of echo
counted() { "$xfn" stat -i "$iface" | awk '$1 == "echo" { print $3, $4; exit }'; }
stays() { [ "$(counted)" = "$seen" ]; }
# by what ask has asked, again where an answer was lost
grown()
{
	now=$(counted)
	[ "${now% *}" -gt "${seen% *}" ] && [ "${now% *}" -le $((${seen% *} + 3)) ] && [ "${now% *}" = "${now#* }" ] || return 1
	seen=$now
}
grows() { ask 7 "$1" && soon grown; }
disbelieved() { [ "$(grep -c 'cannot be and is not counted; one of its functions overwrites memory' "$dir/err")" = "$1" ]; }
for way in "--tier afxdp" "--tier socket --engine uring"; do
	tag=$(echo "$way" | tr -c 'a-z\n' _)
	seen="0 0"
	# shellcheck disable=SC2086 # options are words
	start $way echo "$dir/scribble.xfn"
	grows one && grows two && disbelieved 0
	result "counts$tag" $?
	# one line for each worker
	say 10.78.0.1:4006 fall
	soon disbelieved 1 && stays && grows three
	result "no_count_falls$tag" $?
	say 10.78.0.1:4006 jump
	stays && grows four
	result "no_count_jumps$tag" $?
	say 10.78.0.1:4006 name
	! "$xfn" stat -i "$iface" -j | grep -q red && grows five && disbelieved 1
	result "no_strange_names$tag" $?
	# shellcheck disable=SC2046 # numbers of processes are words
	kill -KILL $(pgrep -P "$run")
	soon logged 'serves again' 1 && grows six && say 10.78.0.1:4006 fall && soon disbelieved 2 && stays
	result "next_worker_is_believed_anew$tag" $?
	[ $bad = 0 ] || { cat "$dir/err"; counted; }
	stop
done
start --tier socket --worker-memory 0 "$dir/scribble.xfn"
said heap more
result no_bound_on_memory $?
stop
"$xfn" run --worker-memory much echo >"$dir/out" 2>&1
[ $? = 2 ] && grep -q -e "--worker-memory 'much'" "$dir/out"
result worker_memory_is_a_number $?
"$xfn" run --sqpoll --engine mmsg echo >"$dir/out" 2>&1
[ $? = 2 ] && grep -q -e '--sqpoll needs engine uring' "$dir/out"
result sqpoll_wants_uring $?
exit $bad
