#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# pages.sh XFN TABLES OUT VERSION: the manual pages, below OUT as below share/man. One per verb that XFN has;
# TABLES is the program made of tables.c.
set -eu
xfn=$1 tables=$2 out=$3 version=$4
here=$(dirname "$0")
rm -rf "$out/man1" "$out/man5" "$out/man7"
mkdir -p "$out/man1" "$out/man5" "$out/man7"
# what is not written for a verb yet is left out of its page
none=$out/none
: >"$none"
day() { LC_ALL=C date -r "$1" '+%B %-d, %Y'; }
# fill SOURCE: a page by hand, with date, version and the lines on standard input in their places
fill()
{
	awk -v date="$(day "$1")" -v version="$version" '
		NR != FNR { sub(/@DATE@/, date); sub(/@VERSION@/, version); if (/^@LINES@$/) printf "%s", lines; else print; next }
		{ lines = lines $0 "\n" }' - "$1"
}
"$xfn" --help | sed -n 's/^  \([a-z][a-z]*\)  *\(.*\)$/\1 \2/p' >"$out/verbs"
while read -r verb summary; do
	prose=$here/$verb.mdoc
	[ -e "$prose" ] || prose=$none
	"$xfn" "$verb" --help >"$out/help"
	[ "$verb" = stat ] && "$tables" counters >"$out/lines" || : >"$out/lines"
	fill "$prose" <"$out/lines" >"$out/prose"
	awk -v verb="$verb" -v summary="$summary" -v date="$(day "$prose")" -v version="$version" \
		-f "$here/page.awk" "$out/help" "$out/prose" >"$out/man1/xfn-$verb.1"
done <"$out/verbs"
sed 's/^\([a-z]*\) \(.*\)$/.It Xr xfn-\1 1\n\2/' "$out/verbs" | fill "$here/xfn.1" >"$out/man1/xfn.1"
echo | fill "$here/xfn-cases.5" >"$out/man5/xfn-cases.5"
echo | fill "$here/xfn-functions.7" >"$out/man7/xfn-functions.7"
"$tables" rules | fill "$here/xfn-rules.7" >"$out/man7/xfn-rules.7"
"$tables" reasons | fill "$here/xfn-reasons.7" >"$out/man7/xfn-reasons.7"
# a sentence begins a line, and no line is long: what roff wants, but not those who write or --help
for page in "$out"/man?/*; do
	awk '
		/^\.Bd -literal/ { literal = 1 }
		/^\.Ed/ { literal = 0 }
		literal || /^\./ { print; next }
		{
			n = split($0, words, / +/)
			line = words[1]
			for (i = 2; i <= n; i++)
				if (words[i - 1] ~ /[.:?!]$/ && words[i - 1] != "..." || length(line) + length(words[i]) > 78) {
					print line
					line = words[i]
				} else {
					line = line " " words[i]
				}
			print line
		}' "$page" >"$out/page"
	mv "$out/page" "$page"
done
rm -f "$out/none" "$out/verbs" "$out/help" "$out/lines" "$out/prose"
