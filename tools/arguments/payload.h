/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A payload as people and JSON see it. Must never know where it came from. */
#ifndef XFN_PAYLOAD_H
#define XFN_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Is it UTF-8 without control characters, blanks and line ends aside? */
bool xfn_payload__printable(const uint8_t *data, size_t len);

/* Its hexadecimal text, two digits a byte; the caller frees. NULL: out of memory. */
char *xfn_payload__to_hex(const uint8_t *data, size_t len);

/* The value of a hexadecimal digit, -1: it is none. */
int xfn_payload__digit(char c);

/*
 * Bytes of the hexadecimal text, blanks and colons skipped, written to out[room]. How many, or
 * -EINVAL: no pairs of digits, -EMSGSIZE: more than there is room for.
 */
ssize_t xfn_payload__from_hex(const char *hex, uint8_t *out, size_t room);

#endif
