# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh disable=SC2034
# What the shell suites share that work in a lab of their own: to be sourced with $suite set. Raises
# nothing by itself; whatever a suite raised or started is gone when it ends.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${XFN_BUILD:-build}
xfn=$build/xfn
name=$(printf '%.1s' "$suite")$$
iface=xfns0$name
client_iface=xfnc0$name
bad=0
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

result()
{
	if [ "$2" = 0 ]; then
		echo "[       OK ] $1"
	else
		echo "[  FAILED  ] $1"
		bad=1
	fi
}

server() { "$xfn" lab -n "$name" exec server "$@"; }
client() { "$xfn" lab -n "$name" exec client "$@"; }

raise()
{
	"$xfn" lab -n "$name" up >/dev/null || {
		result "${suite}_lab" 1
		exit 1
	}
}

# start ARGUMENT...: xfn run in the server's namespace, until it serves
start()
{
	"$xfn" lab -n "$name" exec server "$xfn" run -j -i "$iface" "$@" >"$dir/ready" 2>"$dir/err" &
	run=$!
	for _ in $(seq 150); do
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
	"$xfn" lab -n "$name" exec client tcpdump -Z root -i "$client_iface" --immediate-mode -Q in "$@" >"$to" 2>"$dir/tcpdump" &
	others=$!
	for _ in $(seq 50); do
		if grep -q listening "$dir/tcpdump"; then return 0; fi
		sleep 0.1
	done
	return 1
}

captured()
{
	sleep 0.3
	kill -TERM "$others"
	wait "$others"
	others=
}

finish()
{
	for pid in $run $others; do kill -KILL "$pid" 2>/dev/null; done
	"$xfn" lab -n "$name" down >/dev/null 2>&1
	rm -rf "$dir"
}
trap finish EXIT
