/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes as hexadecimal text. */
#ifndef XFN_HEX_H
#define XFN_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Two digits a byte, in small letters, and a 0 byte: 2 * len + 1 bytes at `text`. */
void xfn_hex__write(const uint8_t *data, size_t len, char *text);

/* The same; the caller frees. NULL: out of memory. */
char *xfn_hex__text(const uint8_t *data, size_t len);

/* The value of a hexadecimal digit, -1: it is none. */
int xfn_hex__digit(char c);

/*
 * Bytes of the hexadecimal text, blanks and colons skipped, written to out[room]. How many, or
 * -EINVAL: no pairs of digits, -EMSGSIZE: more than there is room for.
 */
ssize_t xfn_hex__read(const char *text, uint8_t *out, size_t room);

#endif
