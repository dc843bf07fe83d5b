/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests as frames on the wire of a lab, from its client to its server, for suites to change and
 * send. Knows the lab's addresses, and nothing of the code under test.
 */
#ifndef XFN_TEST_WIRE_H
#define XFN_TEST_WIRE_H

#include "../unit/frame.h"

/* A good request from the lab's client to its server. */
static size_t good(uint8_t *f, int version, size_t payload)
{
	size_t len = frame_build(f, version, 0, payload);

	memcpy(f, "\x02\x78\x66\x6e\x00\x01\x02\x78\x66\x6e\x00\x02", 12);
	if (version == 6)
		f[14 + 9] = f[14 + 25] = 0x78;
	frame_repair(f, version);
	return len;
}

#endif
