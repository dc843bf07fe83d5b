/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `xfn build` and `xfn explain` show besides the verdict's line. */
#ifndef XFN_EXPLAIN_H
#define XFN_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <jansson.h>
#include "../../skel/module.h"
#include "../../skel/refusal.h"

/* The source's line with a caret, and what the verifier had proven, where they are known. */
void xfn_explain__excerpt(FILE *to, const struct xfn_refusal *refusal);
/* The cost of a request at each size, in one line; nothing where nothing was measured. */
void xfn_explain__cost(FILE *to, const struct xfn_module_meta *meta);
/* The same as an array of objects; ns are null where they were not measured. */
json_t *xfn_explain__cost_json(const struct xfn_module_meta *meta);

/* A part of a rule's page: 0 what it means, 1 an example that meets it, 2 one that passes; *len 0
 * where there is none. Not ended by 0. */
const char *xfn_explain__page(unsigned rule, unsigned part, size_t *len);
/*
 * The page of rule `id`, or (id NULL) a line for each rule; as JSON, where asked for, appended to
 * `all`. 0 or an exit status.
 */
int xfn_explain__rule(const char *id, bool json, json_t *all);
/* What stands between the function of a source and a network card: printed, or as JSON appended to
 * `all`. Exit status. */
int xfn_explain__offload(const char *source, bool json, json_t *all);

#endif
