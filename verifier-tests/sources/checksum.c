// expect: tier=xdp
/* A sum over 256 bytes, answered in two. */
#include "xfn.h"

XFN_FUNCTION(checksum, .port = 4000)
{
	const uint8_t *p = xfn_at(req, 0, 256);
	uint32_t sum = 0;
	uint8_t *out;

	if (!p)
		return XFN_DROP;
	for (int i = 0; i < 256; i += 2)
		sum += xfn_get_be16(p + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	if (xfn_resize(req, 2))
		return XFN_DROP;
	out = xfn_edit(req, 0, 2);
	if (!out)
		return XFN_DROP;
	xfn_put_be16(out, ~sum);
	return XFN_REPLY;
}
