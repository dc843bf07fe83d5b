#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Fails on an include that runs against tools -> userspace -> skel -> xdp -> functions/xfn.h, and on a
# loader or libbpf in what becomes the worker. Reads sources only.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
# refuse NAME FILES PATTERN: no include line of FILES may match PATTERN
refuse()
{
	name=$1 pattern=$3
	# shellcheck disable=SC2086
	found=$(grep -nHE "^[[:space:]]*#[[:space:]]*include[[:space:]]+[<\"]($pattern)" $2 2>/dev/null)
	if [ -n "$found" ]; then
		echo "$found"
		echo "[  FAILED  ] $name"
		bad=1
	else
		echo "[       OK ] $name"
	fi
}
refuse arrows_functions 'functions/*.c functions/*.h' '(\.\./)?(tools|userspace|skel|xdp)/'
refuse arrows_xdp 'xdp/*.c xdp/*.h' '(\.\./)?(tools|userspace|skel)/'
refuse arrows_skel 'skel/*.c skel/*.h' '(\.\./)?(tools|userspace)/'
refuse arrows_userspace 'userspace/*.c userspace/*.h' '(\.\./)?tools/'
refuse arrows_worker 'userspace/worker* userspace/engine* userspace/call* userspace/native_load* userspace/sandbox* userspace/umem*' \
	'(\.\./)?skel/(loader|refusal)|bpf/(libbpf|bpf)\.h|xdp/(libxdp|xsk)\.h|[a-z_]*\.skel\.h'
refuse arrows_tests 'functions/* xdp/* skel/* userspace/* tools/*.[ch]' '(\.\./)?verifier-tests/'
exit $bad
