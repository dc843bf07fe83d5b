#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `make lint` finds nothing, and would find what is wrong.
set -u
cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# shellcheck source=verifier-tests/result.sh
. verifier-tests/result.sh

make -s lint
result lint $?
printf 'int f(void){return 0;}\n' >"$dir/wrong.c"
! clang-format --style=file:.clang-format --dry-run -Werror "$dir/wrong.c" 2>/dev/null
result lint_format_shown_to_fail $?
printf '#!/bin/sh\nexit $(("$1" + x[0]))\n' >"$dir/wrong.sh"
! shellcheck -S warning "$dir/wrong.sh" >/dev/null
result lint_shell_shown_to_fail $?
exit $bad
