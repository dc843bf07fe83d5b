// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Bytes as hexadecimal text. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include "hex.h"

void xfn_hex__write(const uint8_t *data, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*text++ = digits[data[i] >> 4];
		*text++ = digits[data[i] & 0xf];
	}
	*text = '\0';
}

char *xfn_hex__text(const uint8_t *data, size_t len)
{
	char *text = malloc(2 * len + 1);

	if (text)
		xfn_hex__write(data, len, text);
	return text;
}

int xfn_hex__digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

ssize_t xfn_hex__read(const char *text, uint8_t *out, size_t room)
{
	int high = -1;
	size_t n = 0;

	for (; *text; text++) {
		int digit = xfn_hex__digit(*text);

		if (isspace((unsigned char)*text) || *text == ':')
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
