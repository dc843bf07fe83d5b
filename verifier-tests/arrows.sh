#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Holds every include against the Makefile's table of rooms (`make rooms`), NAME_inside.h to the files of its room, and
# the worker's rooms against libbpf and the loader. Each check is also shown to fail. Reads sources only.
set -u
cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# shellcheck source=verifier-tests/result.sh
. verifier-tests/result.sh

# backward ROOT TABLE: the includes below ROOT that TABLE does not allow. 1: there are some
backward()
{
	(cd "$1" && find functions xdp skel userspace tools -name '*.[ch]' -exec grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' {} +) |
		awk -v table="$2" '
		BEGIN {
			while ((getline line <table) > 0) {
				colon = index(line, ":")
				room = substr(line, 1, colon - 1)
				known[room] = 1
				n = split(substr(line, colon + 1), list, " ")
				for (i = 1; i <= n; i++) allowed[room, list[i]] = 1
			}
		}
		# the room of a file: the longest of its folders that the table names
		function room_of(file) {
			while (sub(/\/[^\/]*$/, "", file))
				if (file in known) return file
			return ""
		}
		function normal(path) {
			while (match(path, /[^\/.][^\/]*\/\.\.\//)) path = substr(path, 1, RSTART - 1) substr(path, RSTART + RLENGTH)
			return path
		}
		{
			split($0, part, ":")
			file = part[1]
			match($0, /"[^"]*"/)
			include = substr($0, RSTART + 1, RLENGTH - 2)
			folder = file
			sub(/[^\/]*$/, "", folder)
			to = normal(folder include)
			# a name alone is of the same folder, or found by -I: xdp/, functions/, or made in the build folder
			if (include !~ /\//) next
			here = room_of(file)
			there = room_of(to)
			if (here == "" || there == "") { print file ": no room of the table holds it, or " to; wrong = 1; next }
			if (here != there && include ~ /_inside\.h$/) {
				print file ": " to " is for the files of " there " only"
				wrong = 1
			}
			if (here != there && !((here, there) in allowed) && !((here, to) in allowed)) {
				print file ": " here " must not know " there " (" to ")"
				wrong = 1
			}
		}
		END { exit wrong }'
}

# refuse NAME ROOT FILES PATTERN: no include line of FILES below ROOT may match PATTERN
refuse()
{
	# shellcheck disable=SC2086
	found=$(cd "$2" && grep -rnHE "^[[:space:]]*#[[:space:]]*include[[:space:]]+[<\"]($4)" $3 2>/dev/null)
	[ -z "$found" ] || {
		echo "$found"
		return 1
	}
}

worker_rooms="userspace/worker userspace/protocol userspace/engine userspace/call userspace/host"
loaders='(\.\./)*skel/(loader|refusal|trial|cost)|bpf/(libbpf|bpf)\.h|xdp/(libxdp|xsk)\.h|[a-z_]*\.skel\.h'
make -s rooms >"$dir/table"
[ "$(grep -c . "$dir/table")" -gt 15 ]
result arrows_table $?
backward . "$dir/table"
result arrows_rooms $?
refuse arrows_worker . "$worker_rooms" "$loaders"
result arrows_worker $?

# the same on a copy in which one line of each kind is wrong
mkdir "$dir/copy"
cp -r functions xdp skel userspace tools "$dir/copy/"
echo '#include "../supervisor/supervisor.h"' >>"$dir/copy/userspace/host/log.c"
backward "$dir/copy" "$dir/table" | grep -q '^userspace/host/log.c: userspace/host must not know userspace/supervisor '
result arrows_rooms_shown_to_fail $?
echo '#include "../requests/requests.h"' >>"$dir/copy/userspace/supervisor/workers/pools.c"
backward "$dir/copy" "$dir/table" | grep -q '^userspace/supervisor/workers/pools.c: userspace/supervisor/workers must not know userspace/supervisor/requests '
result arrows_owners_shown_to_fail $?
echo '#include "../ingress/ingress_inside.h"' >>"$dir/copy/userspace/supervisor/workers/pools.c"
backward "$dir/copy" "$dir/table" | grep -q '^userspace/supervisor/workers/pools.c: userspace/supervisor/ingress/ingress_inside.h is for '
result arrows_inside_shown_to_fail $?
echo '#include <bpf/libbpf.h>' >>"$dir/copy/userspace/call/call.c"
! refuse arrows_worker "$dir/copy" "$worker_rooms" "$loaders" >/dev/null
result arrows_worker_shown_to_fail $?
exit $bad
