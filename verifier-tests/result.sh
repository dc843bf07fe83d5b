# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh disable=SC2034,SC2154
# How a shell suite says what each check came to: to be sourced. $bad is 1 after a failure. A suite may set
# $prefix, for names, and $on_failure, a command that shows more.
bad=0

# result NAME [STATUS]: by the status before, if none is given; which it returns
result()
{
	set -- "$1" "${2-$?}"
	if [ "$2" = 0 ]; then
		echo "[       OK ] ${prefix-}$1"
	else
		${on_failure-:}
		echo "[  FAILED  ] ${prefix-}$1"
		bad=1
	fi
	return "$2"
}

# expect NAME STATUS TEXT ARGUMENT...: that status of xfn, and TEXT somewhere in what is printed
expect()
{
	name=$1 want=$2 text=$3
	shift 3
	timeout 60 "$xfn" "$@" >"$dir/out" 2>&1
	got=$?
	if [ "$got" = "$want" ] && grep -qF -e "$text" "$dir/out"; then
		result "$name" 0
	else
		echo "xfn $*: status $got, wanted $want and '$text':"
		result "$name" 1
	fi
}
