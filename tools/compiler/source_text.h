/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An author's source as text: where a word stands in its code. Must never judge. */
#ifndef XFN_SOURCE_TEXT_H
#define XFN_SOURCE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include "../../skel/error.h"

/*
 * The file's text with comments blanked, line breaks left; unless `literals`, what stands between
 * quotes is blanked too. The caller frees. NULL: it cannot be read.
 */
char *xfn_source_text(const char *path, bool literals);

/* The next place of `word` as a whole word in `text`, from `at` on; NULL: none. */
const char *xfn_source_text__word(const char *text, const char *at, const char *word);

/* The number of the line in which `at` stands, in a text that begins at `text`. */
uint32_t xfn_source_text__line(const char *text, const char *at);

/* The first, or last, line of code in the file that has `word` as a whole word; 0: none. */
uint32_t xfn_source_text__find(const char *path, const char *word, bool last);

/*
 * Are the files that a source includes, and these in turn, regular ones, as far as they lie beside
 * it? And is `out` (NULL: none) none of them? 0, or -EINVAL with one line in err.
 */
int xfn_source__includes(const char *source, const char *out, struct xfn_error *err);

/* Line `number` of a file, without its end; the caller frees. NULL: there is none. */
char *xfn_source_text__row(const char *path, uint32_t number);

#endif
