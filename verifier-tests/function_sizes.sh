#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# function_sizes.sh FILE...: the functions of C sources that are longer than 60 lines, of a cyclomatic complexity
# above 20, or with more than six parameters. 1: there are some. One whose comment gives a reason, "Long: ...", may
# be all that; `grep -rn 'Long: ' functions xdp skel userspace tools` lists them. One that needs no reason is told too.
set -u
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
[ $# != 0 ] || {
	echo "usage: $0 FILE..." >&2
	exit 2
}
# where it loses its way it says so and goes on: what comes behind is not measured
unread=$({ pmccabe "$@" >&3; } 2>&1 3>"$out")
[ -z "$unread" ] && [ -s "$out" ] || {
	echo "$0: pmccabe cannot read all functions: ${unread:-it finds none}"
	exit 1
}
awk -F '\t' -v most_lines=60 -v most_complexity=20 -v most_parameters=6 '
	function load(path,   text) {
		if (path == loaded) return
		lines = 0
		while ((getline text <path) > 0) line[++lines] = text
		close(path)
		loaded = path
	}
	# of the last parentheses before the body, those within not counted
	function parameters_at(first,   i, k, c, depth, commas, seen) {
		for (i = first; i <= lines; i++)
			for (k = 1; k <= length(line[i]); k++) {
				c = substr(line[i], k, 1)
				if (c == "{") return seen
				if (c == "(" && !depth++) commas = 0
				if (c == "," && depth == 1) commas++
				if (c == ")" && !--depth) seen = commas + 1
			}
		return seen
	}
	# does the comment right above give a reason?
	function reason_above(first,   i) {
		i = first - 1
		if (line[i] !~ /\*\/$/) return 0
		for (; i > 0; i--) {
			if (line[i] ~ /Long: ./) return 1
			if (line[i] ~ /\/\*/) return 0
		}
		return 0
	}
	{
		# FILE(LINE): NAME
		match($6, /\([0-9]+\): /)
		path = substr($6, 1, RSTART - 1)
		first = substr($6, RSTART + 1) + 0
		name = substr($6, RSTART + RLENGTH)
		load(path)
		parameters = parameters_at(first)
		large = $5 > most_lines || $2 > most_complexity || parameters > most_parameters
		if (large == reason_above(first)) next
		wrong = 1
		printf "%s:%d: %s: %s (%d lines, complexity %d, %d parameters)\n", path, first, name,
			large ? "split it, or give the reason in its comment: Long: ..." : "needs no \"Long:\" in its comment",
			$5, $2, parameters
	}
	END { exit wrong }' "$out"
