/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every suite in C needs of cmocka, and its main(): XFN_SUITE(cmocka_unit_test(a), ...), or with
 * functions to run before and after all of them, XFN_SUITE_AROUND(set_up, tear_down, ...).
 */
#ifndef XFN_SUITE_H
#define XFN_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../skel/array_size.h"

#define XFN_SUITE(...) XFN_SUITE_AROUND(NULL, NULL, __VA_ARGS__)

#define XFN_SUITE_AROUND(before, after, ...)                                                       \
	int main(void)                                                                             \
	{                                                                                          \
		const struct CMUnitTest tests[] = { __VA_ARGS__ };                                 \
                                                                                                   \
		return cmocka_run_group_tests(tests, before, after);                               \
	}

#endif
