#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What an author types: new, build, test, build --watch, invoke. Knows only the command line; serves on
# loopback only.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "${XFN_BUILD:-build}")
xfn=$build/xfn
others=
dir=$(mktemp -d) || exit 1
chmod 755 "$dir"
export XFN_RUNTIME_DIR="$dir/run"
finish()
{
	for pid in $others; do kill -KILL "$pid" 2>/dev/null; done
	rm -rf "$dir"
}
trap finish EXIT

# shellcheck source=verifier-tests/result.sh
. verifier-tests/result.sh
prefix=author_
on_failure="cat $dir/out"

if [ ! -x "$xfn" ]; then
	echo "$xfn is not built; make all"
	echo "[  FAILED  ] author"
	exit 1
fi
# may this caller load BPF programs? Then every case runs twice.
both=0
"$xfn" test -j "$build/functions/echo.xfn" | grep -q '"native_only": ""' && both=1

# what comes with xfn: its functions' cases, and what `xfn new` writes
for module in "$build"/functions/*.xfn; do
	base=$(basename "$module" .xfn)
	expect "cases_$base" 0 " passed, 0 failed" test -c "functions/$base.cases" "$module"
	[ $both = 0 ] || ! "$xfn" explain "$module" | grep -q 'tier xdp,' || grep -q '^kernel .* ok$' "$dir/out"
	result "targets_$base"
done
expect template 0 " passed, 0 failed" test tools/templates/template.c
# what no code sets is zero, in both targets
expect unset 0 " passed, 0 failed" test verifier-tests/sources/unset.c
[ $both = 0 ] || [ "$(grep -c '^kernel .* ok$' "$dir/out")" = 3 ]
result unset_both
expect grown 0 " passed, 0 failed" test verifier-tests/sources/grown.c

cd "$dir" || exit 1
expect new 0 "xfn test hello.c" new hello
expect new_builds 0 "hello: tier " build hello.c
expect build_nowhere 1 "nowhere/x.xfn: No such file or directory; choose another place with -o" build -o nowhere/x.xfn hello.c
[ "$(grep -c . "$dir/out")" = 1 ]
result build_nowhere_once
expect new_passes 0 " passed, 0 failed" test hello.xfn
[ $both = 0 ] || [ "$(grep -c '^kernel .* ok$' "$dir/out")" -ge 8 ]
result new_both
! grep -q template hello.c hello.cases
result new_named
cp hello.c before
echo mine >hello.cases
expect new_again 1 "hello.cases: is there already" new hello
rm hello.cases
expect new_again_source 1 "hello.c: is there already" new hello
cmp -s hello.c before && [ ! -e hello.cases ]
result new_kept
expect new_folder 1 "nowhere/hello.c: No such file" new -o nowhere hello
for name in Hello 1st he-llo hello.c a123456789012345; do
	expect "new_name_$(echo "$name" | tr -c 'a-zA-Z0-9\n' _)" 2 "no name of a function" new "$name"
done
expect new_name_longest 0 "a12345678901234.c" new a12345678901234

# a build takes the place of a file or of nothing, and never of what it is made of
printf '#define NEEDED 1\n' >needed.h
sed 's/"xfn.h"/"xfn.h"\n#include "needed.h"\n__asm__(".section .rodata\\n.incbin \\"brought.bin\\"\\n.previous");/' before >whole.c
echo brought >brought.bin
sed -i 's/(hello,/(whole,/' whole.c
printf 'case: any\nrequest: 00\naction: drop\n' >whole.cases
ln -s whole.c link.xfn
ln whole.c hard.xfn
mkfifo fifo.xfn
mknod null.xfn c 1 3 2>/dev/null || echo "[  SKIPPED ] author_output_null.xfn: wants CAP_MKNOD"
# not_over OUT TEXT ARGUMENT...: refused, and all that was there is as it was
not_over()
{
	out=$1 text=$2
	shift 2
	stands >was
	expect "output_$out$*" 1 "$text" build "$@" -o "$out" whole.c
	stands | cmp -s - was
	result "output_kept_$out$*"
}
stands()
{
	stat -c '%n %i %F %s' whole.* needed.h brought.bin ./*.xfn
	cat whole.c whole.cases needed.h brought.bin
}
for out in ./whole.c hard.xfn whole.cases needed.h ./brought.bin; do
	not_over "$out" "choose another name with -o"
done
for out in link.xfn fifo.xfn null.xfn; do
	[ -e $out ] || continue
	not_over "$out" "name a regular file with -o"
done
not_over whole.c "choose another name with -o" --standalone
not_over link.xfn "name a regular file with -o" --standalone
# a name that another user has put there is not written through
echo theirs >theirs
ln -s theirs whole.xfn.part
expect output_part 0 "whole: tier" build whole.c
[ "$(cat theirs)" = theirs ] && [ -f whole.xfn ] && [ "$(find . -name '*whole.xfn*' | grep -c .)" = 2 ]
result output_part_left
echo request >request.bin
expect output_request 1 "is the request" invoke -f request.bin -o ./request.bin -t 100 127.0.0.1:9
rm -f link.xfn hard.xfn fifo.xfn null.xfn whole.* was theirs needed.h brought.bin request.bin

# nothing of a source runs with the caller's privileges, or reaches what is the caller's
echo secret >secret
cat >evil.c <<END
#include "xfn.h"
#ifdef XFN_NATIVE
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char did[9];

static void try_all(char *to)
{
	int open_ones = 0;

	for (int fd = 3; fd < 64; fd++)
		open_ones += fcntl(fd, F_GETFD) >= 0;
	to[0] = geteuid() && getuid() && getgid() ? 'u' : 'U';
	to[1] = open("$dir/written", O_WRONLY | O_CREAT, 0666) < 0 ? 'w' : 'W';
	to[2] = open("$dir/secret", O_RDONLY) < 0 ? 'r' : 'R';
	to[3] = socket(AF_INET, SOCK_DGRAM, 0) < 0 && socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? 's' : 'S';
	to[4] = fork() < 0 ? 'f' : 'F';
	to[5] = execl("/bin/touch", "touch", "$dir/written", NULL) < 0 ? 'x' : 'X';
	to[6] = chmod("$dir/secret", 0777) < 0 ? 'c' : 'C';
	to[7] = open_ones <= 1 ? 'd' : 'D'; /* the module itself */
}

__attribute__((constructor)) static void first(void)
{
	try_all(did);
}
XFN_INIT(evil)
{
	char now[9] = "";

	try_all(now);
	return memcmp(now, did, sizeof(now));
}
#endif
XFN_FUNCTION(evil, .port = 4000, .tier = XFN_TIER_AFXDP)
{
	char *p = xfn_edit(req, 0, 8);

	if (!p)
		return XFN_DROP;
#ifdef XFN_NATIVE
	memcpy(p, did, 8);
#endif
	return XFN_REPLY;
}
END
printf 'case: tame\nrequest: "????????"\nreply: "uwrsfxcd"\n' >evil.cases
if [ "$(id -u)" = 0 ]; then
	expect evil_test 0 "1 passed, 0 failed" test evil.c
	[ ! -e written ] && [ "$(stat -c %a secret)" = 644 ]
	result evil_tame
	sed -i 's/"????????"/00 *8/' evil.cases
else
	echo "[  SKIPPED ] author_evil: wants root"
fi
# where its native code could not be run at all the same would be said of its cost
[ "$(id -u)" != 0 ] || "$xfn" explain -j evil.c | grep -q '"cost_note": ""'
result evil_timed
n=0
printf 'Name: evil\nDescription: flags of its own\nVersion: 1\nLibs: -Wl,--evil\n' >evil.pc
for name in ./evil.pc evil.pc /tmp/evil.pc -L/tmp --libs-only-L 'libcrypto --define-variable=x=y' 'libcrypto >=' ''; do
	n=$((n + 1))
	printf '#include "xfn.h"\nXFN_LINK("%s");\nXFN_FUNCTION(links, .port = 4000)\n{\n\treturn XFN_REPLY;\n}\n' "$name" >nic_features.c
	expect "link_$n" 1 "nic_features.c:2" build nic_features.c
done

# cases that fail, each in its own way; what comes behind them still runs
cat >fails.c <<'END'
#include "xfn.h"
XFN_FUNCTION(fails, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 1);
	volatile bool forever = p && *p == 'h';

	if (!p)
		return XFN_CONSUME;
	if (*p == 'c')
		*(volatile char *)(uintptr_t)xfn_len(req) = 1;
	while (forever)
		;
	return *p < 32 ? *p : XFN_REPLY;
}
END
cat >fails.cases <<'END'
case: crash
request: "crash"
reply: "crash"
case: hang
request: "hang"
reply: "hang"
case: bytes
request: "0123456789"
reply: "01234567x" 00 00
case: action
request:
action: drop
case: reason
request: 09
action: drop FUNCTION
case: right
request: 09
action: drop BAD_ACTION
case: empty
request:
action: consume
END
expect fails 1 "2 passed, 5 failed" test fails.c
for line in 'crash .*FAILED (line 1): \(crashes: signal 11\|ends the process\)' 'hang .*FAILED (line 4): does not return' \
	'bytes .*FAILED (line 7): its reply differs from byte 8' '000008  78 00 00 *38 39' \
	'action .*: expected drop, got consume' 'reason .*: expected drop FUNCTION, got drop BAD_ACTION'; do
	name=fails_${line%% *}
	grep -q "$line" "$dir/out"
	result "$name"
done
expect fails_built 0 "fails: tier afxdp" build fails.c
expect fails_json 1 '"why": "expected drop, got consume"' test -j -n action fails.xfn -c fails.cases
expect fails_one 1 "0 passed, 1 failed" test -n action fails.xfn
expect fails_no_case 1 "has no case 'nix'" test -n nix fails.xfn
expect fails_no_file 1 "nothing.cases: No such file" test -c nothing.cases fails.xfn
echo "reqest: 00" >wrong.cases
expect fails_line 1 "wrong.cases:1: 'reqest': no field" test -c wrong.cases fails.xfn
expect usage_none 2 "no function given" test
expect usage_two 2 "-c is one function's" test -c wrong.cases fails.xfn fails.xfn

# what only the kernel does is told of both halves
cat >leaves.c <<'END'
#include "xfn.h"
XFN_FUNCTION(leaves, .port = 4000, .fallback = XFN_FALLBACK_HOST)
{
	if (xfn_len(req) == 1)
		xfn_edit(req, 0, 1);
	return XFN_PASS;
}
END
printf 'case: left\nrequest: 00 00\naction: pass\ncase: edited\nrequest: 00\naction: drop NO_SLOW\n' >leaves.cases
expect passes 0 " passed, 0 failed" test leaves.c

# two halves that are not the same function
cat >two.c <<'END'
#include "xfn.h"
XFN_FUNCTION(two, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 1, 1);

	if (!p)
		return XFN_DROP;
#ifdef XFN_NATIVE
	*p ^= 1;
#endif
	return XFN_REPLY;
}
END
printf 'case: half\nrequest: "hello"\nreply-prefix: "h"\n' >two.cases
if [ $both = 1 ]; then
	expect halves 1 "reply's bytes differ from the native half's at byte 1" test two.c
	chmod 755 "$dir"
	if setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all "$xfn" --version >/dev/null 2>&1; then
		setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all \
			"$xfn" test -c two.cases "$build/functions/echo.xfn" >"$dir/out" 2>&1
		[ $? = 0 ] && grep -q 'not permitted here; run as root' "$dir/out"
		result unprivileged
	else
		echo "[  SKIPPED ] author_unprivileged: another user cannot run $xfn"
	fi
else
	echo "[  SKIPPED ] author_halves: wants CAP_BPF"
fi

# a build that is ended leaves nothing of what it compiled
mkdir tmp
TMPDIR=$dir/tmp "$xfn" explain "$OLDPWD/verifier-tests/sources/long_way.c" >"$dir/out" 2>&1 &
ended=$!
others="$others $ended"
for _ in $(seq 200); do
	if [ -n "$(ls -A tmp)" ] || ! kill -0 $ended 2>/dev/null; then break; fi
	sleep 0.05
done
kill -TERM $ended
wait $ended 2>/dev/null
[ $? = 143 ]
result ended_build
# a compiler that was on its way has a file of its own there, until it ends
for _ in $(seq 100); do
	if [ -z "$(ls -A tmp)" ]; then break; fi
	sleep 0.1
done
rmdir tmp 2>"$dir/out"
result ended_build_empty

# seen N TEXT: it is in the output of --watch N times, soon
seen()
{
	for _ in $(seq 200); do
		if [ "$(grep -c "$2" watched)" -ge "$1" ]; then return 0; fi
		sleep 0.1
	done
	cat watched
	return 1
}

echo '#define GREETING 4' >greeting.h
sed 's/"xfn.h"/"xfn.h"\n#include "greeting.h"/; s/HEAD	4/HEAD	GREETING/' before >hello.c
: >watched # it is read before it is written to
"$xfn" build --watch hello.c >watched 2>&1 &
watch=$!
others="$others $watch"
seen 1 '^hello: tier'
result watch_first
echo 'nonsense' >>hello.c
seen 1 'hello.c: does not compile'
result watch_error
grep -q '^---- [0-9:]* hello.c$' watched
result watch_separator
# as editors do that write another file
sed '$d' hello.c >hello.new && mv hello.new hello.c
seen 2 '^hello: tier'
result watch_replaced
echo '#define GREETING 8' >greeting.h
seen 3 '^hello: tier'
result watch_header
echo >unrelated.c
sleep 0.3
[ "$(grep -c '^----' watched)" = 3 ]
result watch_unrelated
expect watch_nowhere 1 "name sources in folders that are there" build --watch nowhere/x.c
expect watch_object 2 "give one of --watch, --standalone and --offload" build --watch --standalone hello.c
kill -INT $watch
wait $watch
result watch_ends_with_0

# a worker that does not come back holds nobody else
sed 's/, .tier = XFN_TIER_AFXDP//' "$OLDPWD/verifier-tests/sources/hang.c" >hang.c
: >ready
"$xfn" run -j --bind 127.0.0.1 --port-offset 21000 "$build/functions/echo.xfn" "$build/functions/regex.xfn@127.0.0.1:23257" hang.c >ready 2>log &
run=$!
others="$others $run"
for _ in $(seq 200); do
	if grep -q '"ready"' ready || ! kill -0 $run 2>/dev/null; then break; fi
	sleep 0.1
done
printf 'a\0b' >request
"$xfn" invoke -f request -o reply 127.0.0.1:21007 >"$dir/out" 2>&1 && cmp -s request reply &&
	grep -q '^3 bytes from' "$dir/out"
result invoke_host_output
rm -f reply
"$xfn" invoke -f - -o - echo <request >reply 2>"$dir/out" && cmp -s request reply && grep -q '^tier socket' "$dir/out"
result invoke_name_output
expect invoke_dump 0 "0000  61 62 63" invoke -d -x '61:62 63' echo
expect invoke_output_json 2 "both write to standard output" invoke -j -o - echo
expect invoke_output_nowhere 1 "nowhere/reply: No such file" invoke -o nowhere/reply echo x
# a match may begin at many places: no reason to end the worker
{ echo '(?:a|a){12}[bc]' && head -c 60000 /dev/zero | tr '\0' a; } >hostile
expect regex_refuses 1 "no reply" invoke -t 3000 -f hostile 127.0.0.1:23257
printf 'b\nabc\n' >request
expect regex_goes_on 0 abc invoke -f request 127.0.0.1:23257
! grep 'in function regex' log >"$dir/out"
result regex_in_time
"$xfn" invoke hang hang >hung 2>&1 &
hung=$!
sleep 0.2
timeout 0.7 "$xfn" ls >"$dir/out" 2>&1 && kill -0 $hung 2>/dev/null && grep -q '^hang' "$dir/out"
result invoke_hangs_alone
! wait $hung && grep -q 'hang: its worker ended before it answered' hung
result invoke_hang_told
# what it hung on was kept, and is a case
printf 'case: kept\nrequest: @run/%s\nreply: "hang"\n' "$(cd run && echo @sockets*.hang.0.pcap)" >hang.cases
expect kept_request 1 "does not return" test hang.c
expect invoke_after 0 "action reply" invoke hang fine
# what native code writes does nothing to a terminal
printf '#include "xfn.h"\n#ifdef XFN_NATIVE\n#include <unistd.h>\nXFN_INIT(escapes)\n{\n\treturn write(2, "\\033]0;x\\n", 6) != 6;\n}\n#endif\nXFN_FUNCTION(escapes, .port = 4301)\n{\n\treturn XFN_REPLY;\n}\n' >escapes.c
printf 'case: one\nrequest: 01\nreply: 01\n' >escapes.cases
expect test_words_are_cleaned 0 "xfn: escapes printed: ?]0;x" test escapes.c
kill -TERM $run
wait $run
result run_ends
exit $bad
