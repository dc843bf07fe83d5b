/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verbs of `xfn`, in the order of --help, a line each: VERB(name) of the one that its file
 * defines as `const struct xfn_verb xfn_verb_NAME`. To be included more than once.
 */
VERB(build)
VERB(explain)
VERB(new)
VERB(test)
VERB(run)
VERB(ls)
VERB(stat)
VERB(scale)
VERB(release)
VERB(invoke)
VERB(bench)
VERB(check)
VERB(lab)
