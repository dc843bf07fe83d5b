#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The command line where no xfn is running: exit status, error lines, JSON errors. Starts nothing.
set -u
cd "$(dirname "$0")/../.." || exit 1
xfn=${XFN_BUILD:-build}/xfn
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XFN_RUNTIME_DIR="$dir/run"

# shellcheck source=verifier-tests/result.sh
. verifier-tests/result.sh
on_failure="cat $dir/out"

if [ ! -x "$xfn" ]; then
	echo "$xfn is not built; make all"
	echo "[  FAILED  ] verbs"
	exit 1
fi
expect verbs_none 2 "Usage: xfn VERB"
expect verbs_help 0 "Example: xfn" --help
expect verbs_version 0 "xfn " --version
expect verbs_unknown 2 "unknown verb 'dance'" dance
# laid_out VERB: is no line of its --help too long, and does all that is said of an option stand below each other?
laid_out()
{
	"$xfn" "$1" --help | awk '
		/^  +-/ { options = 1 }
		{ said = match($0, /[^ ]/) == 30 } # from the same column on
		length($0) > 79 || (options && !said && !/^$|^  +--?[a-z0-9?]|^ [^ ].*:$/) { wrong = 1; print }
		/--usage / { exit }
		END { exit wrong }'
}
for verb in build explain new test run ls stat scale release invoke bench check lab; do
	expect verbs_help_$verb 0 "xfn $verb" $verb --help
	laid_out $verb >"$dir/out"
	result verbs_help_laid_out_$verb $?
	expect verbs_option_$verb 2 "nonsense" $verb --nonsense
done
expect verbs_ls_argument 2 "'eth0'" ls eth0
expect verbs_ls_none 1 "no xfn is running; start one with \`xfn run\`" ls
as_user="setpriv --reuid 65534 --regid 65534 --clear-groups"
if [ "$(id -u)" = 0 ] && $as_user "$xfn" --version >/dev/null 2>&1; then
	said=$($as_user env -u XFN_RUNTIME_DIR XDG_RUNTIME_DIR=/nowhere "$xfn" ls 2>&1)
	case $said in
	*"or use sudo to ask root's"*) echo "[       OK ] verbs_ls_none_of_user" ;;
	*)
		echo "$said"
		echo "[  FAILED  ] verbs_ls_none_of_user"
		bad=1
		;;
	esac
fi
expect verbs_ls_none_named 1 "xfn run -i nix0" ls -i nix0
expect verbs_stat_json 1 '"next": "start one with `xfn run`"' stat -j
XFN_CLANG=clang-0 expect verbs_check_clang 0 "clang-0 does not run" check
# a closed standard output is no file's number: what is opened next does not take it
timeout 10 "$xfn" test functions/echo.c >&- 2>"$dir/out"
if [ $? = 1 ] && grep -q "standard output cannot be written" "$dir/out"; then
	echo "[       OK ] verbs_output_closed"
else
	cat "$dir/out"
	echo "[  FAILED  ] verbs_output_closed"
	bad=1
fi
# what nobody writes to is not waited for, wherever a file is named
mkfifo "$dir/fifo.c" "$dir/fifo.cases" "$dir/fifo.xfn" "$dir/fifo.h"
fifo="is a FIFO, not a regular file"
expect verbs_fifo_build 1 "fifo.c: $fifo" build -o "$dir/x.xfn" "$dir/fifo.c"
expect verbs_fifo_standalone 1 "fifo.c: $fifo" build --standalone -o "$dir/x.o" "$dir/fifo.c"
expect verbs_fifo_explain 1 "fifo.c: $fifo" explain "$dir/fifo.c"
expect verbs_fifo_explain_offload 1 "fifo.c: $fifo" explain --offload "$dir/fifo.c"
expect verbs_fifo_explain_module 1 "fifo.xfn: $fifo" explain "$dir/fifo.xfn"
expect verbs_fifo_test 1 "fifo.c: $fifo" test "$dir/fifo.c"
expect verbs_fifo_test_module 1 "fifo.xfn: $fifo" test "$dir/fifo.xfn"
expect verbs_fifo_cases 1 "fifo.cases: $fifo" test -c "$dir/fifo.cases" functions/echo.c
expect verbs_fifo_invoke 1 "fifo.cases: $fifo" invoke -f "$dir/fifo.cases" 127.0.0.1:7
expect verbs_fifo_bench 1 "fifo.cases: $fifo" bench --request "$dir/fifo.cases" 127.0.0.1:7
expect verbs_fifo_run 1 "fifo.xfn: $fifo" run "$dir/fifo.xfn"
printf '#include "xfn.h"\n/* #include "fifo.xfn" */\n#  include "between.h"\nXFN_FUNCTION(reads, .port = 4000)\n{\n\treturn XFN_REPLY;\n}\n' >"$dir/reads.c"
printf '#pragma once\n\n#include "fifo.h"\n' >"$dir/between.h"
expect verbs_fifo_include 1 "between.h: line 3 includes fifo.h, which $fifo" build -o "$dir/x.xfn" "$dir/reads.c"
printf '#include "xfn.h"\n__asm__(".section .rodata\\n.incbin \\"%s\\"\\n.previous");\nXFN_FUNCTION(brings, .port = 4000)\n{\n\treturn XFN_REPLY;\n}\n' "$dir/fifo.h" >"$dir/brings.c"
expect verbs_fifo_incbin 1 "brings.c: line 2 includes $dir/fifo.h, which $fifo" build -o "$dir/x.xfn" "$dir/brings.c"
expect verbs_fifo_include_standalone 1 "between.h: line 3 includes fifo.h, which $fifo" build --standalone -o "$dir/x.o" "$dir/reads.c"
# named by a macro, in either half, and brought in by words that no scan finds: the compiler is seen to wait, and ended
waits="clang waits for $dir/fifo.h, which $fifo; include a regular one"
# half TEST LINE...: a source with these lines, refused by every verb that builds it
half()
{
	test=$1
	shift
	{ printf '#include "xfn.h"\n#define FILE "%s"\n' "$dir/fifo.h"; printf '%s\n' "$@" 'XFN_FUNCTION(half, .port = 4000)' '{' 'return XFN_REPLY;' '}'; } >"$dir/half.c"
	expect "verbs_fifo_$test" 1 "half.c: $waits" build -o "$dir/x.xfn" "$dir/half.c"
	! ps -eo args | grep -v grep | grep -q "$dir/half.c"
	result "verbs_fifo_${test}_none_left" $?
}
half by_macro '#include FILE'
expect verbs_fifo_by_macro_explain 1 "$waits" explain "$dir/half.c"
expect verbs_fifo_by_macro_offload 1 "$waits" explain --offload "$dir/half.c"
expect verbs_fifo_by_macro_test 1 "$waits" test "$dir/half.c"
expect verbs_fifo_by_macro_standalone 1 "$waits" build --standalone -o "$dir/x.o" "$dir/half.c"
half asked_for '#if __has_include(FILE)' '#endif'
half by_macro_in_kernel '#ifndef XFN_NATIVE' '#include FILE' '#endif'
half by_assembler '__asm__(".section .rodata\n.inc" "bin \"" FILE "\"\n.previous");'
# one that somebody holds open, and never writes to
exec 9<>"$dir/fifo.h"
half held '#include FILE'
exec 9>&-
printf '#include "/dev/zero"\n' >"$dir/between.h"
expect verbs_device_include 1 "which is a device" explain "$dir/reads.c"
# the mark that some editors begin a text with
printf '\357\273\277' | cat - functions/echo.c >"$dir/echo.c"
printf '\357\273\277' | cat - functions/echo.cases >"$dir/echo.cases"
expect verbs_byte_order_mark 0 " 0 failed" test "$dir/echo.c"
expect verbs_build_nowhere 1 "x.xfn: No such file or directory; choose another place" build -o "$dir/none/x.xfn" functions/echo.c
XFN_SUPPORT=/nowhere expect verbs_build_support 1 "holds none of xfn's headers" build -o "$dir/x.xfn" functions/echo.c
expect verbs_run_mode 2 "--mode 'fast'" run --mode fast
expect verbs_run_attach 2 "--attach 'pin'" run --attach pin
expect verbs_run_attach_alone 2 "name it with -i" run --attach libxdp
expect verbs_run_tier 2 "--tier 'nic'" run --tier nic
expect verbs_run_tier_alone 2 "name it with -i" run --tier xdp
expect verbs_run_engine 2 "--engine 'dpdk'" run --engine dpdk
expect verbs_run_engine_tier 2 "--engine 'afxdp': has no place in tier socket" run -i lo --engine afxdp --tier socket
expect verbs_run_auto_alone 2 "run: --auto: needs an interface; name it with -i" run --auto
# the remedy is one that is taken
expect verbs_run_same_port 1 "give one another port: reverse@PORT" run echo@7007 reverse@7007
expect verbs_run_bind 2 "--bind '10.0.0'" run --bind 10.0.0
expect verbs_run_bind_unfit 2 "--bind '224.0.0.1': a multicast or broadcast address" run --bind 224.0.0.1 echo
expect verbs_run_address_alone 2 "--address '192.0.2.1': needs an interface; name it with -i, or take --bind" run --address 192.0.2.1 echo
expect verbs_run_route_alone 2 "--reply-route 'fib': needs an interface" run --reply-route fib echo
expect verbs_run_address_multicast 2 "--address 'ff02::1': a multicast or broadcast address" run -i lo --address ff02::1
expect verbs_run_address_broadcast 2 "--address '255.255.255.255': a multicast or broadcast address" run -i lo --address 255.255.255.255
expect verbs_run_address_loopback 2 "--address '127.0.0.1': a loopback address" run -i lo --address 127.0.0.1
expect verbs_run_address_every 2 "--address '::': no single address" run -i lo --address ::
expect verbs_run_offset 2 "--port-offset '-1'" run --port-offset -1
expect verbs_run_deadline 2 "--deadline 'soon'" run --deadline soon
expect verbs_release_none 2 "names no function" release
expect verbs_release_nobody 1 "no xfn is running" release echo
# shellcheck disable=SC2258 # a list that ends so is wrong
for list in 0- 1-0 a 0,,1 0, -1 0x1 0-1-1; do
	expect "verbs_run_cpus_$(echo "$list" | tr -c 'a-z0-9\n' _)" 2 "--cpus '$list': take CPUs and ranges" run --cpus=$list
done
expect verbs_run_cpus_none 2 "--cpus '': take CPUs" run --cpus=
expect verbs_run_cpus_absent 2 "CPU 1023 is none" run --cpus 0,1023
expect verbs_run_cpus_unknown 2 "take CPUs and ranges of them up to 1023" run --cpus 99999999999
# one wording for every verb, and with -j as JSON, wherever -j stands
expect verbs_number 2 "xfn run: --rate '0': take 1 to 100000000" run --rate 0 echo
expect verbs_number_elsewhere 2 "xfn bench: --rate '1e9': take 1 to 100000000" bench --rate 1e9 127.0.0.1:7
expect verbs_number_unit 2 "--duration '0': take 0.01 to 86400 seconds" bench --duration 0 127.0.0.1:7
expect verbs_number_json 2 '"message": "--rate '"'-1'" run --rate -1 -j
expect verbs_range 2 "--workers-per-queue '4-1': take 1 to 8, or two of them" run -i lo --workers-per-queue 4-1
expect verbs_list 2 "--size '64,2000': take lengths and ranges of them up to 1472" bench --size 64,2000 127.0.0.1:7
expect verbs_twice 2 "--interface 'lo': given twice" run -i lo -i lo
expect verbs_exclusive 2 "give one of --outstanding, --rate and --flood" bench --flood --outstanding 2 127.0.0.1:7
expect verbs_exclusive_json 2 '"message": "give one of --expect and --module"' bench -j --module a --expect b 127.0.0.1:7
expect verbs_needs 2 "--mac '02:00:00:00:00:01': needs an interface" bench --mac 02:00:00:00:00:01 127.0.0.1:7
expect verbs_words 2 "'there': takes HOST:PORT" bench 127.0.0.1:7 there
expect verbs_words_none 2 "'lo': takes no argument; name an interface with -i" check lo
expect verbs_table 0 "--tier	=auto xdp afxdp socket" help --options run
expect verbs_run_port 2 "'echo@70000'" run echo@70000
expect verbs_run_address 2 "'echo@::1:7'" run echo@::1:7
expect verbs_run_module 1 "nowhere.xfn: no such module" run nowhere.xfn
expect verbs_run_json 2 '"message": "--mode '"'fast'" run -j --mode fast
expect verbs_invoke_target 2 "names no function" invoke
expect verbs_invoke_port 2 "port '0'" invoke 127.0.0.1:0
expect verbs_invoke_hex 2 "--hex 'abc'" invoke 127.0.0.1:7 -x abc
expect verbs_invoke_timeout 2 "--timeout '0': take 1 to 60000" invoke -t 0 127.0.0.1:7
expect verbs_invoke_two 2 "more than one payload" invoke 127.0.0.1:7 hello -x 00
expect verbs_invoke_name 1 "no xfn is running" invoke echo
expect verbs_invoke_file 1 "$dir/none" invoke 127.0.0.1:7 -f "$dir/none"
head -c 65508 /dev/zero >"$dir/big"
expect verbs_invoke_big_v4 1 "127.0.0.1:7: a payload above 65507 bytes, the most IPv4 carries" invoke 127.0.0.1:7 -f "$dir/big"
expect verbs_invoke_big_v6 1 "[::1]:1: nobody serves this port" invoke '[::1]:1' -f "$dir/big"
head -c 65528 /dev/zero >"$dir/big"
expect verbs_invoke_big 1 "payload above 65527 bytes" invoke '[::1]:7' -f "$dir/big"
expect verbs_invoke_refused 1 "127.0.0.1:1: nobody serves this port" invoke 127.0.0.1:1
expect verbs_check 0 "UDP sockets" check
expect verbs_check_json 0 '"serves": true' check -j
expect verbs_check_interface 0 "lo, up" check -i lo
expect verbs_check_no_interface 1 "nix0" check -i nix0
exit $bad
