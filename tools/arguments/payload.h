/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A payload as people and JSON see it. Must never know where it came from. */
#ifndef XFN_PAYLOAD_H
#define XFN_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is it UTF-8 without control characters, blanks and line ends aside? */
bool xfn_payload__printable(const uint8_t *data, size_t len);

#endif
