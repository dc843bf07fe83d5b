#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The lab: raised twice, entered, removed; and gone after `lab run`, SIGKILL included. Knows only xfn lab.
cd "$(dirname "$0")/../.." || exit 1
xfn=build/xfn
name=t$$
# shellcheck source=verifier-tests/result.sh
. verifier-tests/result.sh
gone() { ! ip netns list | grep -q "^$name-"; }
if [ "$(id -u)" != 0 ] || [ ! -x "$xfn" ]; then
	echo "[  SKIPPED ] lab: wants root and build/xfn"
	exit 0
fi
trap '"$xfn" lab down -n $name >/dev/null 2>&1' EXIT
# what is wrong is said, and where the help is not printed, in one line
for words in "-q 65 up" "-q 2x up" "-n a/b up" bogus "up now" "exec elsewhere true" "exec server"; do
	# shellcheck disable=SC2086
	said=$("$xfn" lab $words 2>&1)
	[ $? = 2 ] && [ "$(echo "$said" | wc -l)" = 1 ]; result "lab_usage_$(echo "$words" | tr -c 'a-z0-9\n' _)" $?
done
"$xfn" lab -j -q 65 up | grep -q '"error"'; result lab_usage_json $?
"$xfn" lab exec -n none$name server true 2>&1 | grep -q "xfn lab up -n none$name"; result lab_none $?
"$xfn" lab up -n $name >/dev/null && "$xfn" lab up -n $name >/dev/null; result lab_up_twice $?
"$xfn" lab exec -n $name client ip -d link show | grep -q prog/xdp; result lab_client_program $?
"$xfn" lab down -n $name && gone; result lab_down $?
"$xfn" lab run -n $name -- sh -c 'exit 3'; [ $? = 3 ] && gone; result lab_run_status $?
# the environment is the caller's, whatever language ip was asked to speak
# shellcheck disable=SC2016
[ "$(LC_ALL=C.UTF-8 "$xfn" lab run -n $name -- sh -c 'echo "$LC_ALL"')" = C.UTF-8 ]; result lab_run_environment $?
"$xfn" lab run -n $name -- sleep 30 &
pid=$!
sleep 1
kill -9 $pid
sleep 2
gone; result lab_run_killed $?
exit $bad
