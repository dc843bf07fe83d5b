# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh disable=SC2154
# What the suites share in which workers end: to be sourced after in_lab.sh.

# ask PORT PAYLOAD: is it echoed? A request of a worker that is gone is lost, so again
ask()
{
	for _ in 1 2 3; do
		got=$(client "$xfn" invoke -j "10.78.0.1:$1" "$2" 2>/dev/null | sed -n 's/.*"reply": "\([^"]*\)".*/\1/p')
		[ "$got" != "$(printf '%s' "$2" | od -An -v -tx1 | tr -d ' \n')" ] || return 0
	done
	echo "port $1 does not answer '$2'"
	return 1
}

# say HOST:PORT PAYLOAD: once, whatever comes
say() { client "$xfn" invoke "$@" >/dev/null 2>&1; }

logged() { [ "$(grep -c "$1" "$dir/err")" -ge "$2" ]; }
# ended FUNCTION TIMES: so often it ended a worker, and that serves again
ended() { logged "in function $1" "$2" && [ "$(grep -c 'ended (' "$dir/err")" = "$(grep -c 'serves again' "$dir/err")" ]; }
