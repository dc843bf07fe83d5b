// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Requests to the shipped functions, and the replies to expect, computed without any of xfn's code.
 */
#include "../../skel/array_size.h"
#include "demo_reference.h"

#include <nettle/sha2.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_1900_TO_1970 2208988800u

/* 17 and 18 stand on both sides of Ethernet's padding to 60 bytes (IPv4). */
static const size_t sizes[] = { 0,   1,	  2,   17,  18,	 19,   63,   64,
				100, 200, 511, 512, 777, 1000, 1399, 1400 };
/* They mean the same in PCRE2 and in POSIX extended expressions. */
static const char *const patterns[] = { "a+b", "^x", "[0-9]{3}$", "(foo|bar)z?", "^$", "q" };
static const char *const lines[] = { "aab",    "xyzzy", "id 007", "foobar", "",
				     "no hit", "12 34", "bazaar", "q",	    "x1x" };

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	return x;
}

static size_t text_request(unsigned i, size_t size, uint8_t *out)
{
	const char *pattern = patterns[i % ARRAY_SIZE(patterns)];
	size_t len = (size_t)sprintf((char *)out, "%s\n", pattern);

	for (uint64_t n = i;; n++) {
		const char *line = lines[mix(n) % ARRAY_SIZE(lines)];

		if (len + strlen(line) + 1 > size)
			return len;
		memcpy(out + len, line, strlen(line));
		len += strlen(line);
		out[len++] = '\n';
	}
}

size_t demo_request(const char *name, unsigned i, uint8_t out[DEMO_PAYLOAD_MAX])
{
	size_t size = sizes[i % ARRAY_SIZE(sizes)];

	if (!strcmp(name, "regex"))
		return text_request(i, size, out);
	for (size_t at = 0; at < size; at++)
		out[at] = (uint8_t)mix((uint64_t)i << 16 | at);
	return size;
}

static size_t matching_lines(const uint8_t *request, size_t len, uint8_t *out)
{
	char text[DEMO_PAYLOAD_MAX + 1], *line, *end;
	size_t got = 0;
	regex_t re;

	memcpy(text, request, len);
	text[len] = 0;
	end = strchr(text, '\n');
	*end = 0;
	if (regcomp(&re, text, REG_EXTENDED | REG_NOSUB))
		abort(); /* the patterns are ours */
	for (line = end + 1; *line || line < text + len; line = end + 1) {
		end = strchr(line, '\n');
		*end = 0;
		if (!regexec(&re, line, 0, NULL, 0))
			got += (size_t)sprintf((char *)out + got, "%s\n", line);
	}
	regfree(&re);
	return got;
}

bool demo_right(const char *name, const uint8_t *request, size_t len, const uint8_t *reply,
		size_t reply_len)
{
	uint8_t expect[2 * DEMO_PAYLOAD_MAX];
	size_t expect_len = len;

	if (!strcmp(name, "time")) {
		uint32_t now = (uint32_t)time(NULL) + SECONDS_1900_TO_1970, got;

		if (reply_len != 4)
			return false;
		got = (uint32_t)reply[0] << 24 | reply[1] << 16 | reply[2] << 8 | reply[3];
		return got - now + 2 <= 4;
	}
	if (!strcmp(name, "echo")) {
		memcpy(expect, request, len);
	} else if (!strcmp(name, "reverse")) {
		for (size_t i = 0; i < len; i++)
			expect[i] = request[len - 1 - i];
	} else if (!strcmp(name, "sha256")) {
		uint8_t digest[SHA256_DIGEST_SIZE];
		struct sha256_ctx ctx;

		sha256_init(&ctx);
		sha256_update(&ctx, len, request);
		sha256_digest(&ctx, sizeof(digest), digest);
		for (size_t i = 0; i < sizeof(digest); i++)
			sprintf((char *)expect + 2 * i, "%02x", digest[i]);
		expect_len = 2 * sizeof(digest);
	} else if (!strcmp(name, "regex")) {
		expect_len = matching_lines(request, len, expect);
	} else {
		return false;
	}
	return reply_len == expect_len && !memcmp(reply, expect, reply_len);
}
