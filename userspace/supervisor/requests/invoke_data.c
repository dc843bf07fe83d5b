// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What `xfn invoke NAME` tells, whoever answered. */
#include <stdlib.h>
#include "requests_inside.h"

static const char *const reason_names[] = {
#define XFN_REASON(code, name, verdict, sentence) [code] = #name,
	XFN_REASONS(XFN_REASON)
#undef XFN_REASON
};

static char *to_hex(const uint8_t *bytes, size_t len)
{
	char *hex = malloc(2 * len + 1);

	for (size_t i = 0; hex && i < len; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
	if (hex)
		hex[2 * len] = 0;
	return hex;
}

json_t *xfn_invoke__data(int tier, const char *action, unsigned reason, const uint8_t *reply,
			 uint32_t len, uint32_t ns)
{
	char *hex = to_hex(reply, len);
	json_t *data =
		hex ? json_pack("{s:s, s:s, s:s, s:s, s:I}", "tier", xfn_tier_name(tier), "action",
				action, "reason",
				reason && reason < XFN_REASON_COUNT ? reason_names[reason] : "",
				"reply", hex, "ns", (json_int_t)ns) :
		      NULL;

	free(hex);
	return data;
}
