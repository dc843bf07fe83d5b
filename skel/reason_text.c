// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The reasons of xdp/reason.h as text. */
#include "reason_text.h"

const struct xfn_reason_text xfn_reason_texts[XFN_REASON_COUNT] = {
#define XFN_REASON(code, name, verdict, sentence) [code] = { #name, #verdict, sentence },
	XFN_REASONS(XFN_REASON)
#undef XFN_REASON
};
