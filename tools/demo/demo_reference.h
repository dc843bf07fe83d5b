/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests to the shipped functions, and the replies to expect, computed without any of xfn's code:
 * by nettle, POSIX regular expressions and plain loops. Must never include a header of xfn's.
 */
#ifndef XFN_DEMO_REFERENCE_H
#define XFN_DEMO_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEMO_PAYLOAD_MAX 1400

/* Request number `i` to function `name`: mixed sizes, 0 to DEMO_PAYLOAD_MAX. Returns its length. */
size_t demo_request(const char *name, unsigned i, uint8_t out[DEMO_PAYLOAD_MAX]);

/* Is `reply` what `name` must answer to `request`? */
bool demo_right(const char *name, const uint8_t *request, size_t len, const uint8_t *reply,
		size_t reply_len);

#endif
