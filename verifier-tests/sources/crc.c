// expect: tier=xdp
/* CRC-32 (IEEE 802.3), bit by bit, of the first 64 bytes. */
#include "xfn.h"

XFN_FUNCTION(crc, .port = 4000, .grow = 4)
{
	uint32_t crc = 0xffffffff;
	uint32_t len = xfn_len(req);
	uint8_t *out;

	for (uint32_t i = 0; i < 64 && i < len; i++) {
		const uint8_t *p = xfn_at(req, i, 1);

		if (!p)
			return XFN_DROP;
		crc ^= *p;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	if (xfn_resize(req, 4))
		return XFN_DROP;
	out = xfn_edit(req, 0, 4);
	if (!out)
		return XFN_DROP;
	xfn_put_be32(out, ~crc);
	return XFN_REPLY;
}
