/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * template: answers two operations of a small protocol. Put your own here.
 *
 *	request   version (1)  operation  id (2 bytes)  text ...
 *	reply     version (1)  operation | 0x80  id  and by operation:
 *	1 echo    the text as it came
 *	2 time    seconds since 1970, 8 bytes, big-endian
 */
#include "xfn.h"

#define HEAD	4 /* bytes before the text */
#define VERSION 1

enum operation {
	ECHO = 1,
	TIME = 2,
	REPLY = 0x80,
};

XFN_COUNTER(malformed); /* `xfn stat` shows it */

/* .grow: bytes by which a reply may be longer than its request; see xfn-functions(7) for others. */
XFN_FUNCTION(template, .port = 4000, .grow = 8, .summary = "echo and time")
{
	/* n readable bytes at an offset, or NULL where the request is shorter: always test it. */
	const uint8_t *head = xfn_at(req, 0, HEAD);
	uint8_t *reply;
	uint8_t operation;

	if (!head || head[0] != VERSION) {
		xfn_count(malformed);
		return XFN_DROP; /* no answer, counted */
	}
	operation = head[1];
	switch (operation) {
	case ECHO:
		break; /* the payload is the reply already */
	case TIME:
		/* Other length: earlier pointers are dead, new bytes are zero. */
		if (xfn_resize(req, HEAD + 8))
			return XFN_DROP;
		reply = xfn_edit(req, HEAD, 8); /* as xfn_at, but writable */
		if (!reply)
			return XFN_DROP;
		xfn_put_be64(reply, xfn_real_ns() / 1000000000u);
		break;
	default:
		return XFN_DROP;
	}
	reply = xfn_edit(req, 0, HEAD);
	if (!reply)
		return XFN_DROP;
	reply[1] = operation | REPLY;
	return XFN_REPLY; /* lengths, addresses and checksums are not your business */
}
