// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A payload as people and JSON see it. Must never know where it came from. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
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

char *xfn_payload__to_hex(const uint8_t *data, size_t len)
{
	char *hex = malloc(2 * len + 1);

	if (!hex)
		return NULL;
	for (size_t i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", data[i]);
	hex[2 * len] = '\0';
	return hex;
}

int xfn_payload__digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

ssize_t xfn_payload__from_hex(const char *hex, uint8_t *out, size_t room)
{
	int high = -1;
	size_t n = 0;

	for (; *hex; hex++) {
		int digit = xfn_payload__digit(*hex);

		if (isspace((unsigned char)*hex) || *hex == ':')
			continue;
		if (digit < 0)
			return -EINVAL;
		if (high < 0) {
			high = digit;
			continue;
		}
		if (n == room)
			return -EMSGSIZE;
		out[n++] = (uint8_t)(high << 4 | digit);
		high = -1;
	}
	return high < 0 ? (ssize_t)n : -EINVAL;
}
