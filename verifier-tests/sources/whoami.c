// expect: tier=xdp
/* Answers with the sender's address and port. */
#include "xfn.h"

XFN_FUNCTION(whoami, .port = 4000, .grow = 18)
{
	struct xfn_address peer;
	uint8_t *p;

	xfn_peer(req, &peer);
	if (xfn_resize(req, 18))
		return XFN_DROP;
	p = xfn_edit(req, 0, 18);
	if (!p)
		return XFN_DROP;
	memcpy(p, peer.ip, 16);
	xfn_put_be16(p + 16, peer.port);
	return XFN_REPLY;
}
