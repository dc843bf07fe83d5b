/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is every frame of a queue in exactly one place? */
#ifndef XFN_ENGINE_AFXDP_AUDIT_H
#define XFN_ENGINE_AFXDP_AUDIT_H

#include "engine.h"

/* Engine op `audit`; `threads` of them, all but the caller standing still. */
void xfn_afxdp__audit(struct xfn_engine *const *threads, unsigned count,
		      struct xfn_engine_audit *out);

#endif
