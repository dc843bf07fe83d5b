// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Bytes as an author writes them in a file of cases. Must never know what a case is. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../skel/error.h"
#include "../../skel/regular_file.h"
#include "../../userspace/host/hex.h"
#include "case_bytes.h"

/* `n` bytes more, of a fixed value each. NULL with err where that is too much. */
static uint8_t *grow(struct xfn_case_bytes *b, size_t n, struct xfn_error *err)
{
	size_t room = b->room ?: 64;

	if (n > XFN_CASE_BYTES_MAX - b->len) {
		xfn_error__set(err, "more than %d bytes, the most UDP carries; write fewer",
			       XFN_CASE_BYTES_MAX);
		return NULL;
	}
	while (room < b->len + n)
		room *= 2;
	if (room != b->room) {
		uint8_t *data = realloc(b->data, room);
		bool *any = data ? realloc(b->any, room * sizeof(*any)) : NULL;

		b->data = data ?: b->data;
		b->any = any ?: b->any;
		if (!any) {
			xfn_error__set(err, "out of memory");
			return NULL;
		}
		b->room = room;
	}
	memset(b->any + b->len, 0, n * sizeof(*b->any));
	b->len += n;
	return b->data + b->len - n;
}

static int put(struct xfn_case_bytes *b, uint8_t byte, struct xfn_error *err)
{
	uint8_t *p = grow(b, 1, err);

	if (!p)
		return -E2BIG;
	*p = byte;
	return 0;
}

/* "text" from behind its first quote. *end is behind its last one. */
static int add_text(struct xfn_case_bytes *b, const char *p, const char **end,
		    struct xfn_error *err)
{
	static const char letters[] = "nrt0\"\\", values[] = "\n\r\t\0\"\\";
	int ret = 0;

	for (; !ret && *p && *p != '"'; p++) {
		const char *letter;

		if (*p != '\\') {
			ret = put(b, (uint8_t)*p, err);
			continue;
		}
		p++;
		letter = *p ? strchr(letters, *p) : NULL;
		if (letter) {
			ret = put(b, (uint8_t)values[letter - letters], err);
		} else if (*p == 'x' && xfn_hex__digit(p[1]) >= 0 && xfn_hex__digit(p[2]) >= 0) {
			ret = put(b, (uint8_t)(xfn_hex__digit(p[1]) << 4 | xfn_hex__digit(p[2])),
				  err);
			p += 2;
		} else {
			return xfn_fail(err, -EINVAL,
					"'\\%.1s' is no escape; there are \\n \\r \\t \\0 "
					"\\\" \\\\ \\xHH",
					p);
		}
	}
	if (!ret && *p != '"')
		return xfn_fail(err, -EINVAL,
				"a text without its closing quote; end it on this line");
	*end = p + 1;
	return ret;
}

static int add_hex(struct xfn_case_bytes *b, const char *word, struct xfn_error *err)
{
	int ret = 0;

	for (const char *p = word; !ret && *p; p += 2) {
		if (xfn_hex__digit(p[0]) < 0 || xfn_hex__digit(p[1]) < 0)
			return xfn_fail(
				err, -EINVAL,
				"'%.40s' are no bytes; write \"text\", pairs of hexadecimal "
				"digits, u16:NUMBER, *TIMES or @FILE",
				word);
		ret = put(b, (uint8_t)(xfn_hex__digit(p[0]) << 4 | xfn_hex__digit(p[1])), err);
	}
	return ret;
}

/* u16:53. -ENOENT: not such a word. */
static int add_number(struct xfn_case_bytes *b, const char *word, struct xfn_error *err)
{
	unsigned long long value;
	unsigned bits, ret = 0;
	int at = 0;
	char *end;

	if (sscanf(word, "u%u:%n", &bits, &at) != 1 || !at ||
	    (bits != 8 && bits != 16 && bits != 32 && bits != 64))
		return -ENOENT;
	errno = 0;
	value = strtoull(word + at, &end, 0);
	if (!isdigit((unsigned char)word[at]) || *end || errno || (bits < 64 && value >> bits))
		return xfn_fail(err, -EINVAL, "'%.40s' is no number of %u bits; write one", word,
				bits);
	for (int shift = (int)bits - 8; !ret && shift >= 0; shift -= 8)
		ret = put(b, (uint8_t)(value >> shift), err);
	return ret;
}

static int repeat(struct xfn_case_bytes *b, const char *times, struct xfn_error *err)
{
	size_t n = b->len - b->last, start = b->last;
	unsigned long count;
	char *end;

	count = strtoul(times, &end, 10);
	if (!isdigit((unsigned char)*times) || *end || count > XFN_CASE_BYTES_MAX)
		return xfn_fail(err, -EINVAL, "'*%.20s' is no number of times; take 0 to %d", times,
				XFN_CASE_BYTES_MAX);
	if (!b->data || b->repeated)
		return xfn_fail(err, -EINVAL, "'*%.20s' has no word before it to repeat; write one",
				times);
	b->repeated = true;
	if (!count)
		b->len = start;
	for (unsigned long i = 1; i < count; i++) {
		size_t at = b->len;

		if (!grow(b, n, err))
			return -E2BIG;
		memcpy(b->data + at, b->data + start, n);
		memcpy(b->any + at, b->any + start, n * sizeof(*b->any));
	}
	return 0;
}

static int add_file(struct xfn_case_bytes *b, char *name, const char *folder, struct xfn_error *err)
{
	char path[PATH_MAX], *number = strrchr(name, '#'), *end;
	static uint8_t chunk[XFN_CASE_BYTES_MAX + 1];
	unsigned long nth = 1;
	uint8_t *p;
	long len;
	FILE *f;

	if (number && isdigit((unsigned char)number[1])) {
		nth = strtoul(number + 1, &end, 10);
		if (!*end)
			*number = 0;
		else
			number = NULL;
	} else {
		number = NULL;
	}
	snprintf(path, sizeof(path), "%s%s%s", *name == '/' ? "" : folder, *name == '/' ? "" : "/",
		 name);
	len = xfn_case_capture__payload(path, nth, chunk, sizeof(chunk), err);
	if (len == -ENOEXEC && number)
		return xfn_fail(err, -EINVAL,
				"%s: is no capture, and so has no datagram %lu; leave #%lu out",
				path, nth, nth);
	if (len == -ENOEXEC) {
		f = xfn_regular_file__stream(path, "name a file that can be read", err);
		len = f ? (long)fread(chunk, 1, sizeof(chunk), f) : -errno;
		if (f && ferror(f)) {
			xfn_error__set(err, "%s: %s; name a file that can be read", path,
				       strerror(errno));
			len = -EIO;
		}
		if (f)
			fclose(f);
	}
	if (len < 0)
		return (int)len;
	p = grow(b, (size_t)len, err);
	if (!p)
		return -E2BIG;
	memcpy(p, chunk, (size_t)len);
	return 0;
}

static int add_word(struct xfn_case_bytes *b, char *word, const char *folder, bool wild,
		    struct xfn_error *err)
{
	int ret;

	if (*word == '@')
		return add_file(b, word + 1, folder, err);
	if (!strcmp(word, "??") && !wild)
		return xfn_fail(err, -EINVAL, "'\?\?' stands in a reply only; write the byte");
	if (!strcmp(word, "??")) {
		ret = put(b, 0, err);
		if (!ret)
			b->any[b->len - 1] = true;
		return ret;
	}
	ret = add_number(b, word, err);
	return ret == -ENOENT ? add_hex(b, word, err) : ret;
}

int xfn_case_bytes__add(struct xfn_case_bytes *b, char *text, const char *folder, bool wild,
			struct xfn_error *err)
{
	char *p = text + strspn(text, " \t");
	int ret = 0;

	while (!ret && *p) {
		size_t start = b->len;
		const char *end = p;

		if (*p == '"') {
			ret = add_text(b, p + 1, &end, err);
			if (!ret && *end && !isspace((unsigned char)*end)) {
				xfn_error__set(err, "no blank behind a text; put one there");
				ret = -EINVAL;
			}
			if (ret)
				break;
			p += end - p;
		} else {
			char *word = p;

			p += strcspn(p, " \t");
			if (*p)
				*p++ = 0;
			if (*word == '*') {
				ret = repeat(b, word + 1, err);
				p += strspn(p, " \t");
				continue;
			}
			ret = add_word(b, word, folder, wild, err);
		}
		b->last = start;
		b->repeated = false;
		p += strspn(p, " \t");
	}
	return ret;
}

void xfn_case_bytes__free(struct xfn_case_bytes *b)
{
	free(b->data);
	free(b->any);
	memset(b, 0, sizeof(*b));
}

long xfn_case_bytes__differ(const struct xfn_case_bytes *want, bool prefix, const uint8_t *got,
			    size_t len)
{
	size_t i;

	for (i = 0; i < want->len && i < len; i++)
		if (!want->any[i] && want->data[i] != got[i])
			return (long)i;
	if (i < want->len || (i < len && !prefix))
		return (long)i;
	return -1;
}
