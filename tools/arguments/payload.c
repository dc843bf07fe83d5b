// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A payload as people and JSON see it. Must never know where it came from. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../cli/output.h"
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

void xfn_payload__show(const uint8_t *data, size_t len, bool dump)
{
	if (!len)
		return;
	if (!dump && xfn_payload__printable(data, len)) {
		fwrite(data, 1, len, stdout);
		if (data[len - 1] != '\n')
			putchar('\n');
		return;
	}
	for (size_t off = 0; off < len; off += 16) {
		printf("%04zx ", off);
		for (size_t i = off; i < off + 16; i++)
			i < len ? printf(" %02x", data[i]) : printf("   ");
		printf("  ");
		for (size_t i = off; i < off + 16 && i < len; i++)
			putchar(data[i] > ' ' && data[i] < 0x7f ? data[i] : '.');
		putchar('\n');
	}
}

char *xfn_payload__to_hex(const uint8_t *data, size_t len)
{
	char *hex = malloc(2 * len + 1);

	if (!hex) {
		fputs("xfn: no memory; free some\n", stderr);
		exit(XFN_EXIT_FAILED);
	}
	for (size_t i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", data[i]);
	hex[2 * len] = '\0';
	return hex;
}

ssize_t xfn_payload__from_hex(const char *hex, uint8_t *out, size_t room)
{
	size_t len = strlen(hex) / 2;

	if (len > room)
		return -1;
	for (size_t i = 0; i < len; i++) {
		unsigned byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return -1;
		out[i] = (uint8_t)byte;
	}
	return (ssize_t)len;
}
