/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The reasons of xdp/reason.h as text. */
#ifndef XFN_REASON_TEXT_H
#define XFN_REASON_TEXT_H

#include "../xdp/reason.h"

struct xfn_reason_text {
	const char *name;
	const char *verdict; /* "DROP", "PASS" or "WORK" */
	const char *sentence;
};

/* By enum xfn_reason. */
extern const struct xfn_reason_text xfn_reason_texts[XFN_REASON_COUNT];

#endif
