/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Text of unknown origin, made fit for a terminal and for JSON. Must never know whose it is. */
#ifndef XFN_PRINTABLE_H
#define XFN_PRINTABLE_H

#include <stddef.h>

/*
 * Copy `len` bytes to out as one line of UTF-8 that ends with 0: ? in the place of each byte that
 * is no UTF-8 (RFC 3629), and of each character that does something else than to be shown: controls
 * and what changes the direction of writing. A tab becomes a blank. What does not fit outlen is cut
 * between two characters. Returns the bytes written without the 0.
 */
size_t xfn_printable(const char *text, size_t len, char *out, size_t outlen);

#endif
