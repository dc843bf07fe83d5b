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

# refused SIGNATURE COMMENT COUNT LINE: does function_sizes.sh refuse such a function, of COUNT such lines?
refused()
{
	{
		printf '%s\n%s\n{\n' "$2" "$1"
		for _ in $(seq "$3"); do echo "	$4"; done
		printf '}\n'
	} >"$dir/function.c"
	! verifier-tests/function_sizes.sh "$dir/function.c" >"$dir/said"
}
refused 'int f(int a, int b)' '/* Adds. */' 21 'if (a) b++;' && grep -q 'complexity 22,' "$dir/said"
result lint_complexity_shown_to_fail $?
refused 'int f(int a, int b)' '/* Adds. */' 60 'b++;' && grep -q ': f: split it.*63 lines, complexity 1,' "$dir/said"
result lint_length_shown_to_fail $?
refused 'int f(int a, int b, int c, int d, int e, int (*g)(int, int), int h)' '/* Adds. */' 1 'b++;' && grep -q '7 parameters' "$dir/said"
result lint_parameters_shown_to_fail $?
refused 'int f(int a, int b)' '/* Adds. Long: a reason. */' 1 'b++;' && grep -q 'needs no' "$dir/said"
result lint_needless_reason_shown_to_fail $?
! refused 'int f(int a, int b)' '/* Adds. Long: a reason. */' 60 'if (a) b++;' &&
	! refused 'int f(int a, int (*g)(int, int, int, int, int, int))' '/* Adds. */' 19 'if (a) b++;'
result lint_reasons $?
refused 'struct s { X }; int f(int a, int b)' '/* Adds. */' 1 'b++;' && grep -q 'cannot read' "$dir/said"
result lint_unreadable_shown_to_fail $?
exit $bad
