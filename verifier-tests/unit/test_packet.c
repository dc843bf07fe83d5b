// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The parser over frames built here: every header kind, every truncation, every strict check. */
#include <stdlib.h>
#include <string.h>
#include "../suite.h"
#include <linux/types.h>
#include "../../xdp/abi.h"
#include "../../xdp/reason.h"
#include "../../xdp/packet.h"
#include "../../functions/xfn.h"
#include "frame.h"

static enum xfn_reason judge(const uint8_t *frame, size_t len, struct xfn_packet *pkt)
{
	/* memory of the exact size: valgrind and ASan see a byte too far */
	uint8_t *copy = malloc(len ? len : 1);
	enum xfn_reason reason;

	assert_non_null(copy);
	memcpy(copy, frame, len);
	reason = xfn_packet_parse(copy, copy + len, pkt);
	if (reason == XFN_REASON_NONE)
		reason = xfn_packet_check(copy, copy + len, pkt);
	free(copy);
	return reason;
}

static void finds_payload_behind_every_header(void **state)
{
	uint8_t f[2048];
	struct xfn_packet pkt;

	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		for (int tags = 0; tags <= 2; tags++) {
			for (size_t payload = 0; payload <= 1400; payload += 7) {
				size_t len = frame_build(f, version, tags, payload);

				assert_int_equal(judge(f, len, &pkt), XFN_REASON_NONE);
				assert_int_equal(pkt.payload_len, payload);
				assert_int_equal(pkt.payload_off, len - payload);
				assert_int_equal(pkt.version, version);
				assert_int_equal(pkt.tags, tags);
				assert_int_equal(pkt.tag[0], tags ? 100 : 0);
				assert_int_equal(pkt.tag[1], tags == 2 ? 101 : 0);
				assert_int_equal(pkt.sport, 40000);
				assert_int_equal(pkt.dport, 1232);
				/* Ethernet padding is not payload */
				assert_int_equal(judge(f, len + 18, &pkt), XFN_REASON_NONE);
				assert_int_equal(pkt.payload_len, payload);
			}
		}
	}
}

static void refuses_every_truncation(void **state)
{
	uint8_t f[512];
	struct xfn_packet pkt;

	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		for (int tags = 0; tags <= 2; tags++) {
			size_t len = frame_build(f, version, tags, 40);

			for (size_t cut = 0; cut < len; cut++)
				assert_int_not_equal(judge(f, cut, &pkt), XFN_REASON_NONE);
		}
	}
}

static void names_the_obstacle(void **state)
{
	static const struct {
		int version;
		size_t off; /* from the frame's start */
		uint8_t value;
		enum xfn_reason reason;
	} cases[] = {
		{ 4, 13, 0x06, XFN_REASON_NOT_IP }, /* ARP */
		{ 4, 14, 0x46, XFN_REASON_IP_OPTIONS }, { 4, 20, 0x20, XFN_REASON_FRAGMENT },
		{ 4, 21, 0x01, XFN_REASON_FRAGMENT },	{ 4, 23, 6, XFN_REASON_NOT_UDP },
		{ 4, 24, 0x11, XFN_REASON_BAD_IP_SUM }, { 4, 39, 9, XFN_REASON_BAD_UDP_LEN },
		{ 6, 20, 6, XFN_REASON_NOT_UDP },	{ 6, 20, 44, XFN_REASON_FRAGMENT },
		{ 6, 20, 0, XFN_REASON_EXT_HEADER },	{ 6, 20, 60, XFN_REASON_EXT_HEADER },
		{ 6, 22, 0xff, XFN_REASON_BAD_SOURCE }, { 6, 38, 0xff, XFN_REASON_MULTICAST },
		{ 6, 59, 3, XFN_REASON_BAD_UDP_LEN },
	};
	uint8_t f[512];
	struct xfn_packet pkt;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = frame_build(f, cases[i].version, 0, 32);

		f[cases[i].off] = cases[i].value;
		assert_int_equal(judge(f, len, &pkt), cases[i].reason);
	}
	f[60] = f[61] = 0;
	frame_build(f, 6, 0, 32);
	f[60] = f[61] = 0;
	assert_int_equal(judge(f, 94, &pkt), XFN_REASON_NO_UDP_SUM);
	frame_build(f, 6, 0, 32);
	f[54] = f[55] = 0;
	assert_int_equal(judge(f, 94, &pkt), XFN_REASON_PORT_ZERO);
	f[0] = 0xff;
	assert_int_not_equal(judge(f, 94, &pkt), XFN_REASON_NONE);
}

XFN_SUITE(cmocka_unit_test(finds_payload_behind_every_header),
	  cmocka_unit_test(refuses_every_truncation), cmocka_unit_test(names_the_obstacle))
