#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Modules whose files change while they are served, and functions that workers cannot load: what was opened
# is served, by every supervisor and worker that comes later, and one function's trouble is not the others'.
suite=modules
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
second=xfns1$name
# shellcheck source=verifier-tests/lab/worker_ends.sh
. verifier-tests/lab/worker_ends.sh

reply() { client "$xfn" invoke -t "${2:-1000}" -j "10.78.0.1:$1" abc 2>/dev/null | sed -n 's/.*"reply": "\([0-9a-f]*\)".*/\1/p'; }
replies() { [ "$(reply "$1")" = "$2" ]; }
silent() { ! client "$xfn" invoke -t 300 "10.78.0.1:$1" abc >/dev/null 2>&1; }
worker() { "$xfn" stat -i "$iface" | awk '$4 ~ /afxdp|uring|mmsg|simple/ { print $1; exit }'; }
other_worker() { now=$(worker); [ -n "$now" ] && [ "$now" != "$was" ]; }
restarted() { was=$(worker); kill -"$1" "$was" && soon other_worker; }
# field NAME FIELD: of `ls`
field() { "$xfn" ls -i "$iface" -j | python3 -c 'import json, sys
print([f[sys.argv[2]] for f in json.load(sys.stdin)["functions"] if f["name"] == sys.argv[1]][0])' "$1" "$2"; }
in_state() { [ "$(field "$1" state)" = "$2" ]; }
# aside NAME TIMES: so often it was
aside() { [ "$(grep -c "$1: .* it is set aside" "$dir/err")" = "$2" ]; }
# make NAME PORT TEXT: a function that replies, with native code besides; its module
make()
{
	printf '#include "xfn.h"\n#ifdef XFN_NATIVE\n#include <unistd.h>\n%s\n#endif\nXFN_FUNCTION(%s, .port = %s)\n{\n\treturn XFN_REPLY;\n}\n' "$3" "$1" "$2" >"$dir/$1.c"
	"$xfn" build -o "$dir/$1.xfn" "$dir/$1.c" >"$dir/out" 2>&1 || cat "$dir/out"
}

mkdir "$dir/lib"
echo 'int gone(void) { return 1; }' >"$dir/gone.c"
cc -shared -fPIC "$dir/gone.c" -o "$dir/lib/libgone.so"
printf 'Name: gone\nDescription: gone\nVersion: 1\nLibs: -L%s -lgone -Wl,-rpath,%s\n' "$dir/lib" "$dir/lib" >"$dir/lib/gone.pc"
PKG_CONFIG_PATH=$dir/lib
export PKG_CONFIG_PATH
make wants 4001 'XFN_LINK("gone");
int gone(void);
int (*keep)(void) = gone;'
make crashes 4002 "__attribute__((constructor)) static void begin(void)
{
	if (!access(\"$dir/crash\", F_OK))
		*(volatile int *)0 = 1;
}"
make fails 4003 "XFN_INIT(fails)
{
	return access(\"$dir/fail\", F_OK) ? 0 : -5;
}"

raise
for tier in afxdp socket; do
	cp "$build/functions/echo.xfn" "$dir/echo.xfn"
	start --tier $tier "$dir/echo.xfn" && replies 7 616263
	result modules_serve_$tier $?
	# in place: the same inode, another function
	cat "$build/functions/reverse.xfn" >"$dir/echo.xfn"
	replies 7 616263
	result modules_overwritten_$tier $?
	restarted KILL && soon replies 7 616263
	result modules_overwritten_restart_$tier $? || cat "$dir/err"
	: >"$dir/echo.xfn"
	restarted KILL && soon replies 7 616263
	result modules_emptied_restart_$tier $? || cat "$dir/err"
	! grep -q 'signal 11\|signal 7' "$dir/err"
	result modules_nobody_crashes_$tier $? || cat "$dir/err"
	stop
done

# the interface's renewal, and a supervisor that starts again beside another one
ip link add "$second" netns "$name-server" type veth peer name "xfnc1$name" netns "$name-client"
server ip link set "$second" up
cp "$build/functions/echo.xfn" "$dir/echo.xfn"
start -i "$second" "$dir/echo.xfn" && replies 7 616263
result modules_fleet $? || cat "$dir/err"
rm "$dir/echo.xfn"
cp "$build/functions/reverse.xfn" "$dir/echo.xfn"
server ip link set dev "$iface" mtu 1400
soon replies 7 616263
result modules_renewed $? || cat "$dir/err"
for pid in $(pgrep -P "$run"); do kill -KILL "$pid"; done
soon grep -q "$iface: its supervisor serves again" "$dir/err" && soon replies 7 616263
result modules_fleet_restart $? || cat "$dir/err"
stop

# a library that the host lost, a constructor that crashes, an XFN_INIT that fails: the others go on
mv "$dir/lib/libgone.so" "$dir/lib/away"
: >"$dir/crash"
: >"$dir/fail"
for tier in afxdp socket; do
	start --tier $tier "$dir/wants.xfn" "$dir/crashes.xfn" "$dir/fails.xfn" echo && replies 7 616263
	result modules_set_aside_$tier $? || cat "$dir/err"
	[ "$(field wants state)" = set_aside ] && field wants state_reason | grep -q 'libgone.so: cannot open' &&
		[ "$(field crashes state)" = set_aside ] && field crashes state_reason | grep -q 'signal 11' &&
		[ "$(field fails state)" = set_aside ] && field fails state_reason | grep -q 'XFN_INIT returned -5' &&
		[ "$(field echo state)" = serving ] && "$xfn" ls -i "$iface" | grep -q 'set aside: '
	result modules_set_aside_told_$tier $? || "$xfn" ls -i "$iface"
	[ "$(grep -c 'it is set aside' "$dir/err")" = 3 ]
	result modules_set_aside_loud_$tier $? || cat "$dir/err"
	silent 4001 && "$xfn" stat -i "$iface" | grep -q QUARANTINE
	result modules_set_aside_dropped_$tier $?
	"$xfn" release fails -i "$iface" >/dev/null && soon aside fails 2 && in_state fails set_aside && soon replies 7 616263
	result modules_release_in_vain_$tier $?
	rm "$dir/fail"
	soon in_state echo serving && "$xfn" release fails -i "$iface" >/dev/null && soon replies 4003 616263 && soon in_state fails serving && soon replies 7 616263
	result modules_release_$tier $? || cat "$dir/err"
	: >"$dir/fail"
	# what has served is set aside at a restart as well
	restarted KILL && soon in_state fails set_aside && soon replies 7 616263
	result modules_set_aside_at_restart_$tier $? || cat "$dir/err"
	stop
done

# fails OF TEXT ARGUMENT...: the run ends with those words
ends_with()
{
	test=$1 text=$2
	shift 2
	timeout 20 "$xfn" lab -n "$name" exec server "$xfn" run -i "$iface" "$@" >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && [ "$(tail -n 1 "$dir/err" | grep -c "$text")" = 1 ]
	result "$test" $? || cat "$dir/err"
}
ends_with modules_alone 'wants: cannot load its native code: libgone.so' --tier afxdp "$dir/wants.xfn"
[ "$(grep -c . "$dir/err")" = 1 ]
result modules_alone_said_once $? || cat "$dir/err"
ends_with modules_none 'none of the 2 functions can be loaded; wants: ' --tier socket "$dir/wants.xfn" "$dir/crashes.xfn"

# in the kernel it serves all the same
start --mode native "$dir/wants.xfn" && replies 4001 616263 && [ "$(field wants state)" = set_aside ] &&
	field wants state_reason | grep -q 'the kernel goes on answering'
result modules_kernel_goes_on $? || cat "$dir/err"
stop

# each rule that `ls` gives for a tier has its page
for options in "--tier afxdp echo" "--tier socket echo" "--engine packet echo" "--mode none echo" "--mode native echo sha256"; do
	# shellcheck disable=SC2086 # words
	start $options
	"$xfn" ls -i "$iface" -j | sed -n 's/^ *"rule": "\([^"]*\)".*/\1/p' >>"$dir/rules"
	stop
done
pages=0
for rule in $(sort -u "$dir/rules"); do
	"$xfn" explain --rule "$rule" >"$dir/out" 2>&1 || { pages=1; cat "$dir/out"; }
done
[ $pages = 0 ] && grep -qx forced "$dir/rules" && grep -qx no_xdp "$dir/rules" && grep -qx calls_unknown "$dir/rules"
result modules_rules_have_pages $? || cat "$dir/rules"
exit $bad
