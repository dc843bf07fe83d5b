#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Under a kernel that kernels.sh booted: each shipped module is served in the tier that the host's kernel
# has it in (what `xfn explain` said there is in the file `explained`).
suite=tiers
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/../lab/in_lab.sh"
raise
start --mode native
"$xfn" ls -i "$iface" >"$dir/served"
stop
sed -n 's/^\([^:]*\): tier \([a-z]*\)[,:].*/\1 \2/p' explained >"$dir/host"
while read -r function tier; do
	grep -q "^$function  *[0-9]*  *$tier " "$dir/served"
	result "tier_${tier}_$function" $?
done <"$dir/host"
[ "$(grep -c . "$dir/host")" = "$(find "$build/functions" -name '*.xfn' | grep -c .)" ]
result tiers_of_all $?
[ $bad = 0 ] || cat explained "$dir/served"
exit $bad
