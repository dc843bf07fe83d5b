// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>
#include "error.h"

void xfn_error__set(struct xfn_error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->line, sizeof(err->line), format, args);
	va_end(args);
}

int xfn_fail(struct xfn_error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->line, sizeof(err->line), format, args);
	va_end(args);
	return code;
}
