#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Manual pages, --help and completion against the program itself and each other. Each check is also shown to
# fail. Starts nothing.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "${XFN_BUILD:-build}")
xfn=$build/xfn
export XFN_RUNTIME_DIR=/nowhere/xfn
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# shellcheck source=verifier-tests/result.sh
. verifier-tests/result.sh
prefix=documents_

verbs=$("$xfn" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
[ "$(echo "$verbs" | wc -w)" -ge 12 ]
result verbs

# long_options VERB: all of its --help
long_options() { "$xfn" "$1" --help | sed -n 's/^ \{2,6\}\(-., \)\{0,1\}\(--[a-z][a-z0-9-]*\).*/\2/p'; }

# has_all TEXT WORD...: each word stands in TEXT, as a word of its own
has_all()
{
	text=$1
	shift
	for word; do
		grep -qE -e "(^|[^A-Za-z0-9_-])$word([^A-Za-z0-9_-]|\$)" "$text" || {
			echo "$word is not in $text"
			return 1
		}
	done
}

# clean PAGE: mandoc has no complaint, style included
clean()
{
	said=$(MANPATH=$build/man mandoc -T lint -W style "$1" 2>/dev/null)
	[ -z "$said" ] || {
		echo "$said"
		return 1
	}
}

# plain PAGE FILE: as a reader sees it
plain() { mandoc -T utf8 -O width=300 "$1" | sed "s/.\x08//g" >"$2"; }

# documented VERB PAGE: prose, all options; and the prose speaks of no others
documented()
{
	[ -s "tools/man/$1.mdoc" ] || {
		echo "tools/man/$1.mdoc is missing: write what --help does not say"
		return 1
	}
	plain "$2" "$dir/text"
	# shellcheck disable=SC2046 # words
	has_all "$dir/text" $(long_options "$1") || return 1
	"$xfn" "$1" --help >"$dir/help"
	# shellcheck disable=SC2046
	has_all "$dir/help" $(grep -oE '^\.Fl -[a-z][a-z0-9-]*' "tools/man/$1.mdoc" | sed 's/^\.Fl /-/')
}

# each option has its own item, as --help spells it, and a heading is none of them
items()
{
	plain "$2" "$dir/text"
	form='(-., --[^ ]+|--[^ ]+|-. [A-Z]+|-.)'
	grep -oE "^ {5}$form( |\$)" "$dir/text" | tr -d ' ' | sort >"$dir/items"
	"$xfn" "$1" --help | grep -oE "^ {2,6}$form( |\$)" | tr -d ' ' | sort | diff - "$dir/items" &&
		"$xfn" "$1" --help | sed -n 's/^ \([^ -].*:\)$/\1/p' | while read -r heading; do
			grep -qxF "     $heading" "$dir/text" || exit 1
		done
}

# example VERB < its --help: it ends with an example of that verb
example()
{
	sed -n '/^Example/,$p' >"$dir/example"
	grep -q "^Example: .*xfn $1" "$dir/example" && ! grep -qvE '^Example: |^  ' "$dir/example"
}

for page in "$build"/man/man?/*; do
	name=lint_$(basename "$page" | tr . _)
	clean "$page"
	result "$name"
done
for verb in $verbs; do
	documented "$verb" "$build/man/man1/xfn-$verb.1"
	result "options_$verb"
	items "$verb" "$build/man/man1/xfn-$verb.1"
	result "items_$verb"
	"$xfn" "$verb" --help | example "$verb"
	result "example_$verb"
	grep -q "^\.It Xr xfn-$verb 1" "$build/man/man1/xfn.1"
	result "overview_$verb"
done

# one version, of the program, its pages and xfn.pc
version=$("$xfn" --version | sed 's/^xfn //')
# versioned VERSION: that is what all of them have
versioned()
{
	[ -n "$1" ] && [ "$(grep -lxF ".Os xfn $1" "$build"/man/man?/* | wc -l)" = "$(ls "$build"/man/man?/* | wc -l)" ] &&
		make -n install 2>/dev/null | grep -qF "s|@VERSION@|$1|"
}
versioned "$version"
result version
! versioned "$version.1"
result version_can_fail

# every name that xfn.h gives to authors
plain "$build/man/man7/xfn-functions.7" "$dir/text"
# shellcheck disable=SC2046
set -- $(sed -n 's/^XFN_CALL .*[ *]\(xfn_[a-z0-9_]*\)(.*/\1/p; s/^static inline .*[ *]\(xfn_[gp]et_[a-z0-9]*\|xfn_put_[a-z0-9]*\)(.*/\1/p' functions/xfn.h) \
	$(sed -n '/^enum xfn_action/,/^}/s/^	\(XFN_[A-Z]*\) = .*/\1/p' functions/xfn.h) \
	$(sed -n 's/^#define \(XFN_[A-Z]*\|xfn_[a-z]*\)(.*/\1/p' functions/xfn.h | grep -vE '^XFN_(ENTRY)$' | sort -u) \
	$(sed -n '/^struct xfn_attributes/,/^}/s/^	[a-z0-9_]* \([a-z]*\)[;[].*/[.]\1/p' functions/xfn.h | grep -vE '\](api|name)$')
echo "$# names of xfn.h"
[ $# -ge 30 ] && has_all "$dir/text" "$@"
result functions

# every rule and reason
plain "$build/man/man7/xfn-rules.7" "$dir/text"
# shellcheck disable=SC2046
set -- $(sed -n 's/^	X(\([a-z_]*\),.*/\1/p' skel/rules.h)
[ $# -ge 20 ] && has_all "$dir/text" "$@"
result rules
plain "$build/man/man7/xfn-reasons.7" "$dir/text"
# shellcheck disable=SC2046
set -- $(sed -n 's/^	X([1-9][0-9]*, \([A-Z_]*\),.*/\1/p' xdp/reason.h)
[ $# -ge 30 ] && has_all "$dir/text" "$@"
result reasons

# every counter of `xfn stat`
# counted NAME...: each has its item
counted()
{
	for name; do
		grep -qxF ".It Cm $name" "$build/man/man1/xfn-stat.1" || return 1
	done
}
# shellcheck disable=SC2046
set -- $(sed -n 's/^	X(u\?int[0-9]*_t, \([a-z]*\),.*/frames_\1/p; s/^	X(\([a-z_]*\),.*/\1/p' xdp/abi.h userspace/protocol/engine_stats.h)
[ $# -ge 20 ] && counted "$@"
result counters
! counted "$@" no_such_counter
result counters_can_fail

# every field of a case, as the program lists them
echo nonsense >"$dir/f.cases"
fields=$("$xfn" test -c "$dir/f.cases" "$build/functions/echo.xfn" 2>&1 | sed -n 's/.*there are //p' | tr -d ',' | sed 's/ and / /')
plain "$build/man/man5/xfn-cases.5" "$dir/text"
# shellcheck disable=SC2086
[ "$(echo "$fields" | wc -w)" -ge 12 ] && has_all "$dir/text" $fields
result fields
# and the page's own examples are cases
sed -n '/^# of a time server/,/^\.Ed/p' "$build/man/man5/xfn-cases.5" | sed '/^\.Ed/d' >"$dir/f.cases"
"$xfn" test -j -c "$dir/f.cases" "$build/functions/echo.xfn" | grep -q '"case": "the year begins"'
result page_example

# completion
# offers WORD...: what bash offers for the last word
offers()
{
	bash -c '. tools/completion/xfn; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _xfn "$1"; printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$xfn" "$@" >"$dir/offered" 2>&1
}
offers ''
# shellcheck disable=SC2086
has_all "$dir/offered" $verbs
result complete_verbs
offers in
[ "$(cat "$dir/offered")" = invoke ]
result complete_verb
for verb in $verbs; do
	offers "$verb" --
	# shellcheck disable=SC2046
	has_all "$dir/offered" $(long_options "$verb")
	result "complete_options_$verb"
done
offers run --interface = l
has_all "$dir/offered" lo
result complete_interface
offers stat -i ''
has_all "$dir/offered" lo
result complete_interface_short
offers run ech
has_all "$dir/offered" echo
result complete_shipped
offers run --engine ''
"$xfn" run --help >"$dir/help"
# shellcheck disable=SC2046
has_all "$dir/help" $(cat "$dir/offered") && has_all "$dir/offered" afxdp uring mmsg packet simple
result complete_engine
# every option with a list of values: that list alone is offered, and --help has it
tab=$(printf '\t')
for verb in $verbs; do
	"$xfn" help --options "$verb" | sed -n "s/ -.$tab/$tab/; s/^\(--[a-z-]*\)$tab=/\1 /p" >"$dir/lists"
	"$xfn" "$verb" --help >"$dir/help"
	[ -s "$dir/lists" ] || continue
	while read -r option values; do
		name=complete_values_$verb$(echo "$option" | tr - _)
		offers "$verb" "$option" ''
		[ "$(tr '\n' ' ' <"$dir/offered")" = "$values " ] && grep -qF -e "$option=$(echo "$values" | tr ' ' '|')" "$dir/help" || {
			echo "$verb $option: $values"
			false
		}
		result "$name"
	done <"$dir/lists"
done
offers explain --rule = unb
[ "$(cat "$dir/offered")" = unbounded_loop ]
result complete_rule
offers bench --module sha
[ "$(cat "$dir/offered")" = sha256 ]
result complete_module
offers build functions/rev
[ "$(cat "$dir/offered")" = functions/reverse.c ]
result complete_source

# none of this passes whatever it is given
page=$build/man/man1/xfn-run.1
sed 's/Fl -wait/Fl -turn/' "$page" >"$dir/xfn-run.1"
! documented run "$dir/xfn-run.1" >/dev/null && ! documented dance "$page" >/dev/null &&
	! "$xfn" ls --help | sed '/^Example/d' | example ls && ! "$xfn" ls --help | example stat
result checks_can_fail
sed 's/^\.Sh OPTIONS/.Sh OPTIONS\n.Xx/' "$page" >"$dir/xfn-run.1"
! clean "$dir/xfn-run.1" >/dev/null
result lint_can_fail

# installed and removed again
if [ "$build" = "$PWD/build" ] && make -s install DESTDIR="$dir/root" PREFIX=/usr >"$dir/out" 2>&1; then
	cmp -s "$page" "$dir/root/usr/share/man/man1/xfn-run.1" &&
		cmp -s tools/completion/xfn "$dir/root/usr/share/bash-completion/completions/xfn" &&
		[ "$(find "$dir/root/usr/share/man/man1" -type f | wc -l)" = $(($(echo "$verbs" | wc -w) + 1)) ]
	result installed
	make -s uninstall DESTDIR="$dir/root" PREFIX=/usr && [ -z "$(find "$dir/root" ! -type d)" ]
	result uninstalled
else
	cat "$dir/out" 2>/dev/null
	echo "[  SKIPPED ] documents_installed: not of build/"
fi
exit $bad
