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

/* Print it: text as it is, with a newline at its end, else (or with `dump`) rows of bytes. */
void xfn_payload__show(const uint8_t *data, size_t len, bool dump);

/* Its hexadecimal text, two digits a byte; the caller frees. Without memory the program ends. */
char *xfn_payload__to_hex(const uint8_t *data, size_t len);

/* Bytes of the hexadecimal text, written to out[room]; -1 where it is none, or too long. */
ssize_t xfn_payload__from_hex(const char *hex, uint8_t *out, size_t room);

#endif
