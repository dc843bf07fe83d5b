// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The declarations of xfn.h and the layouts of abi.h: byte order, sizes, ranges. Runs nothing else.
 */
#include <stdlib.h>
#include "../suite.h"
#include <linux/types.h>
#include "../../xdp/abi.h"
#include "../../xdp/reason.h"
#include "../../functions/xfn.h"

static void byte_order_at_any_alignment(void **state)
{
	const uint8_t wire[9] = { 0xff, 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t out[9] = { 0 };

	(void)state;
	assert_int_equal(xfn_get_be16(wire + 1), 0x0102);
	assert_int_equal(xfn_get_be32(wire + 1), 0x01020304);
	assert_true(xfn_get_be64(wire + 1) == 0x0102030405060708ull);
	xfn_put_be64(out + 1, 0x0102030405060708ull);
	assert_memory_equal(out + 1, wire + 1, 8);
	xfn_put_be32(out + 1, 0x05060708);
	assert_memory_equal(out + 1, wire + 5, 4);
	xfn_put_be16(out + 1, 0x0304);
	assert_memory_equal(out + 1, wire + 3, 2);
	assert_int_equal(out[0], 0);
}

static void port_values_carry_slot_and_tier(void **state)
{
	(void)state;
	for (unsigned slot = 0; slot < XFN_SLOTS; slot++) {
		__u32 value = XFN_PORT_VALUE(XFN_PORT_TIER_AFXDP, slot);

		assert_int_equal(XFN_PORT_SLOT(value), slot);
		assert_int_equal(XFN_PORT_TIER(value), XFN_TIER_AFXDP);
		assert_true(value != XFN_PORT_SHARED && value != 0);
	}
}

static void layouts_have_no_padding(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct xfn_address_key), 20);
	assert_int_equal(sizeof(struct xfn_binding_key), 20);
#define ONE(...) +1
	assert_int_equal(sizeof(struct xfn_slot_counters),
			 (XFN_SLOT_COUNTERS(ONE)) * sizeof(__u64));
#undef ONE
	assert_int_equal(sizeof(struct xfn_attributes), 16 + 32 + 16 + 32 + 96);
	assert_true((int)XFN_REASON_COUNT < XFN_REASON_SLOTS);
}

XFN_SUITE(cmocka_unit_test(byte_order_at_any_alignment),
	  cmocka_unit_test(port_values_carry_slot_and_tier),
	  cmocka_unit_test(layouts_have_no_padding))
