// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A payload as people and JSON see it. Must never know where it came from. */
#include <jansson.h>
#include <string.h>
#include "payload.h"

bool xfn_payload__printable(const uint8_t *data, size_t len)
{
	json_t *text = json_stringn((const char *)data, len); /* NULL: not UTF-8 */

	json_decref(text);
	for (size_t i = 0; i < len; i++)
		if ((data[i] < ' ' && !strchr("\t\r\n", data[i])) || !data[i] || data[i] == 0x7f)
			return false;
	return text != NULL;
}
