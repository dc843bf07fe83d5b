/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Obstacle -> rule, author's line, sentence, remedy; from verifier logs too. Both build and attach
 * use it. Pure text work: must never load or run anything. */
#ifndef XFN_REFUSAL_H
#define XFN_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>
#include "rules.h"

struct xfn_refusal {
	char rule[32];	  /* identifier of rules.h */
	char reason[384]; /* the obstacle, in plain words */
	char remedy[256]; /* the next step */
	char file[256];	  /* where the obstacle is; "" if unknown */
	uint32_t line;	  /* 0 if unknown */
	uint32_t column;  /* counted from 1; 0 if unknown */
	int fatal;	  /* 1: a bug in every tier, the build fails; 0: demotes to a worker */
	char story[384];  /* what the verifier had proven and where it lost that; "" where its log
			   * does not show it */
};

/* A rule as rules.h has it. */
struct xfn_rule_text {
	const char *id;
	int fatal; /* as in struct xfn_refusal */
	const char *sentence, *remedy;
};
const struct xfn_rule_text *xfn_refusal__rule(enum xfn_rule rule);
/* The rule of that identifier, or NULL. */
const struct xfn_rule_text *xfn_refusal__by_id(const char *id);

/* The figures in a verifier log, of an accepted or a refused program; a missing one stays 0. */
struct xfn_verifier_figures {
	uint32_t processed;   /* instructions */
	uint32_t stack_bytes; /* deepest call chain */
};

/* Fill *out for `rule`. `detail` names the obstacle ("calls strlen"); NULL: the rule's own
 * sentence. */
void xfn_refusal__set(struct xfn_refusal *out, enum xfn_rule rule, const char *detail,
		      const char *file, uint32_t line);

/*
 * Does a load's -errno mean that the host lacks memory, descriptors or time? Then the load gave no
 * verdict, whatever the log says.
 */
bool xfn_refusal__host_failed(int ret);

/*
 * Explain the refusal in `log` (NUL-terminated, level 1 or 2). `source` is the author's file: where
 * the log has no line numbers (before 6.10) the quoted text is looked up in it. `err` is the load's
 * errno.
 */
void xfn_refusal__from_log(const char *log, const char *source, int err, struct xfn_refusal *out);
/*
 * Fill out->story from the register states that the log of a refused program prints along the path
 * to its end (level 1 or 2): what was known of the register that the refusal names, and the line
 * after which that was lost. Nothing is told that is not in the log.
 */
void xfn_refusal__story(const char *log, const char *source, struct xfn_refusal *out);
/* The number of the last instruction in the log; 0: none. */
uint32_t xfn_refusal__last_insn(const char *log);
void xfn_refusal__figures(const char *log, struct xfn_verifier_figures *out);

#endif
