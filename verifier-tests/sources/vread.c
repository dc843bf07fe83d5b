// expect: tier=xdp
/* A length in the first byte says how much to copy to the front. */
#include "xfn.h"

XFN_FUNCTION(vread, .port = 4000)
{
	const uint8_t *head = xfn_at(req, 0, 1);
	uint8_t buf[32];
	uint32_t n;

	if (!head)
		return XFN_DROP;
	n = *head;
	if (xfn_read(req, 1, buf, n, sizeof(buf)) || xfn_write(req, 0, buf, n, sizeof(buf)))
		return XFN_DROP;
	return xfn_resize(req, n) ? XFN_DROP : XFN_REPLY;
}
