/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* RFC 862: sends every datagram back as it came. Knows nothing but xfn.h. */
#include "xfn.h"

XFN_FUNCTION(echo, .port = 7, .summary = "RFC 862 echo")
{
	return XFN_REPLY;
}
