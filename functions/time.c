/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* RFC 868: seconds since 1900-01-01 UTC in four bytes, to any datagram. Knows nothing but xfn.h. */
#include "xfn.h"

#define SECONDS_1900_TO_1970 2208988800u /* RFC 868 */

XFN_FUNCTION(time, .port = 37, .grow = 4, .summary = "RFC 868 time")
{
	uint32_t now = (uint32_t)(xfn_real_ns() / 1000000000u) + SECONDS_1900_TO_1970;
	void *p;

	if (xfn_resize(req, 4))
		return XFN_DROP;
	p = xfn_edit(req, 0, 4);
	if (!p)
		return XFN_DROP;
	xfn_put_be32(p, now);
	return XFN_REPLY;
}
