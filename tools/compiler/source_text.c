// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* An author's source as text: where a word stands in its code. Must never judge. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../skel/regular_file.h"
#include "source_text.h"

static char *read_whole(const char *path)
{
	struct xfn_error err;
	FILE *f = xfn_regular_file__stream(path, "", &err);
	char *text = NULL;
	size_t room = 0;
	ssize_t n = f ? getdelim(&text, &room, '\0', f) : -1;

	if (f)
		fclose(f);
	if (n < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static void blank(char *from, const char *to)
{
	for (; from < to; from++)
		if (*from != '\n')
			*from = ' ';
}

/* Behind a literal that begins with the quote at `p`; one that is not closed ends with its line. */
static char *literal_end(char *p)
{
	char quote = *p++;

	for (; *p && *p != quote && *p != '\n'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p == quote ? p + 1 : p;
}

char *xfn_source_text(const char *path, bool literals)
{
	char *text = read_whole(path), *end;

	for (char *p = text; p && *p; p = end) {
		end = p + 1;
		if (*p == '"' || *p == '\'') {
			end = literal_end(p);
			if (!literals && end > p + 2)
				blank(p + 1, end - 1);
		} else if (!strncmp(p, "//", 2)) {
			end = p + strcspn(p, "\n");
			blank(p, end);
		} else if (!strncmp(p, "/*", 2)) {
			end = strstr(p + 2, "*/");
			end = end ? end + 2 : p + strlen(p);
			blank(p, end);
		}
	}
	return text;
}

static bool word_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

const char *xfn_source_text__word(const char *text, const char *at, const char *word)
{
	size_t len = strlen(word);

	for (; len && (at = strstr(at, word)); at += len)
		if ((at == text || !word_byte(at[-1])) && !word_byte(at[len]))
			return at;
	return NULL;
}

uint32_t xfn_source_text__line(const char *text, const char *at)
{
	uint32_t line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

uint32_t xfn_source_text__find(const char *path, const char *word, bool last)
{
	char *text = xfn_source_text(path, false);
	const char *found = NULL, *at = text;
	uint32_t line;

	while (at && (last || !found) && (at = xfn_source_text__word(text, at, word))) {
		found = at;
		at += strlen(word);
	}
	line = found ? xfn_source_text__line(text, found) : 0;
	free(text);
	return line;
}

char *xfn_source_text__row(const char *path, uint32_t number)
{
	struct xfn_error err;
	FILE *f = xfn_regular_file__stream(path, "", &err);
	char *row = NULL;
	size_t room = 0;
	ssize_t n = -1;

	for (uint32_t line = 0; f && line < number && (n = getline(&row, &room, f)) >= 0; line++)
		;
	if (f)
		fclose(f);
	if (n < 0) {
		free(row);
		return NULL;
	}
	row[strcspn(row, "\r\n")] = 0;
	return row;
}
