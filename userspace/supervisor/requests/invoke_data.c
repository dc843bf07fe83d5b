// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What `xfn invoke NAME` tells, whoever answered. */
#include <stdlib.h>
#include "../../../skel/reason_text.h"
#include "../../host/hex.h"
#include "requests_inside.h"

json_t *xfn_invoke__data(int tier, const char *action, unsigned reason, const uint8_t *reply,
			 uint32_t len, uint32_t ns)
{
	char *hex = xfn_hex__text(reply, len);
	json_t *data = hex ? json_pack("{s:s, s:s, s:s, s:s, s:I}", "tier", xfn_tier_name(tier),
				       "action", action, "reason",
				       reason && reason < XFN_REASON_COUNT ?
					       xfn_reason_texts[reason].name :
					       "",
				       "reply", hex, "ns", (json_int_t)ns) :
			     NULL;

	free(hex);
	return data;
}
