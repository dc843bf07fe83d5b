// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Text of unknown origin, made fit for a terminal and for JSON. Must never know whose it is. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "../../skel/array_size.h"
#include "printable.h"

/* The bytes of the character that begins there, 0: none does. */
static size_t character(const unsigned char *p, size_t len, uint32_t *code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t bytes = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;

	if (!bytes || bytes > len)
		return 0;
	*code = bytes == 1 ? *p : *p & (0x7fu >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < smallest[bytes] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return bytes;
}

static bool is_shown(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} others[] = {
		{ 0x00, 0x1f },	    { 0x7f, 0x9f },	/* controls */
		{ 0x200e, 0x200f }, { 0x2028, 0x202e }, /* line ends and direction */
		{ 0x2066, 0x2069 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
		if (code >= others[i].first && code <= others[i].last)
			return false;
	return true;
}

size_t xfn_printable(const char *text, size_t len, char *out, size_t outlen)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t at = 0, n = 0;

	while (at < len) {
		uint32_t code = 0;
		size_t bytes = character(p + at, len - at, &code);
		bool shown = bytes && is_shown(code);
		size_t room = shown ? bytes : 1;

		if (n + room >= outlen)
			break;
		if (shown)
			memcpy(out + n, p + at, bytes);
		else
			out[n] = code == '\t' && bytes ? ' ' : '?';
		n += room;
		at += bytes ?: 1;
	}
	if (outlen)
		out[n] = 0;
	return n;
}
