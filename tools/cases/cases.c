// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reading a file of cases. Must never know how a function is run. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../../skel/reason_text.h"
#include "../../skel/regular_file.h"
#include "../../userspace/host/ip.h"
#include "../../userspace/host/printable.h"
#include "../../xdp/address.h"
#include "../../xdp/units.h"
#include "cases.h"

struct reader {
	struct xfn_cases *cases;
	struct xfn_case *now; /* NULL before the first case */
	struct xfn_case defaults;
	unsigned given;		     /* fields of `now` */
	struct xfn_case_bytes *open; /* what a continuation line goes on with */
	bool wild;		     /* of it */
	unsigned line;		     /* that an error is about */
	char folder[PATH_MAX];
	struct xfn_error err;
};

static const char *const actions[] = { [XFN_DROP] = "drop",
				       [XFN_REPLY] = "reply",
				       [XFN_CONSUME] = "consume",
				       [XFN_PASS] = "pass" };
#define ACTIONS (int)ARRAY_SIZE(actions)

const char *xfn_cases__action(int action)
{
	return action >= 0 && action < ACTIONS ? actions[action] : "?";
}

static int wrong(struct reader *r, const char *value, const char *next)
{
	return xfn_fail(&r->err, -EINVAL, "'%.60s': %s", value, next);
}

static int parse_number(struct reader *r, const char *text, uint32_t min, uint32_t max,
			uint32_t *out)
{
	unsigned long n;
	char next[80], *end;

	errno = 0;
	n = strtoul(text, &end, 0);
	if (!isdigit((unsigned char)*text) || *end || errno || n < min || n > max) {
		snprintf(next, sizeof(next), "take %u to %u", min, max);
		return wrong(r, text, next);
	}
	*out = (uint32_t)n;
	return 0;
}

/* SECONDS[.FRACTION] from `text` on; *end is behind it. False: there is none. */
static bool parse_seconds(const char *text, uint64_t *ns, const char **end)
{
	uint64_t seconds = 0, unit = XFN_NSEC_PER_SEC / 10;
	const char *p = text;

	for (; isdigit((unsigned char)*p); p++) {
		seconds = seconds * 10 + (unsigned)(*p - '0');
		if (seconds > UINT64_MAX / XFN_NSEC_PER_SEC - 1)
			return false;
	}
	if (p == text)
		return false;
	*ns = seconds * XFN_NSEC_PER_SEC;
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p) && unit; p++, unit /= 10)
			*ns += (unsigned)(*p - '0') * unit;
	*end = p;
	return true;
}

/* 2024-01-01T00:00:00.5Z (RFC 3339). False: it is none. */
static bool parse_date(const char *text, uint64_t *ns)
{
	struct tm tm = {};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:", &tm);
	time_t minute = end ? timegm(&tm) : -1;

	if (minute < 0 || !parse_seconds(end, ns, &end) || *ns >= 61 * XFN_NSEC_PER_SEC ||
	    strcmp(end, "Z"))
		return false;
	*ns += (uint64_t)minute * XFN_NSEC_PER_SEC;
	return true;
}

static int parse_clock(struct reader *r, const char *text, bool dated, uint64_t *out)
{
	const char *end;
	uint64_t ns = 0;

	if ((dated && parse_date(text, &ns)) || (parse_seconds(text, &ns, &end) && !*end && ns)) {
		*out = ns;
		return 0;
	}
	return wrong(r, text,
		     dated ? "take 2024-01-01T00:00:00Z, or seconds since 1970 above 0" :
			     "take seconds above 0, with up to nine decimals");
}

static int parse_address(struct reader *r, const char *text, struct xfn_address *out)
{
	static const char next[] = "take 192.0.2.7, 192.0.2.7:5000 or [2001:db8::7]:5000";
	const char *port = NULL, *close = strchr(text, ']');
	uint8_t ip[16];
	char host[64];
	uint32_t n;
	size_t len;

	if (*text == '[' && close) {
		snprintf(host, sizeof(host), "%.*s", (int)(close - text - 1), text + 1);
		if (close[1] && close[1] != ':')
			return wrong(r, text, next);
		port = close[1] ? close + 2 : NULL;
	} else {
		const char *colon = strchr(text, ':');

		if (colon && !strchr(colon + 1, ':'))
			port = colon + 1;
		len = port ? (size_t)(colon - text) : strlen(text);
		snprintf(host, sizeof(host), "%.*s", (int)len, text);
	}
	if (xfn_ip__parse(host, ip))
		return wrong(r, text, next);
	if (port && parse_number(r, port, 1, 65535, &n))
		return -EINVAL;
	memcpy(out->ip, ip, sizeof(ip));
	if (port)
		out->port = (uint16_t)n;
	return 0;
}

static int parse_action(struct reader *r, char *text)
{
	size_t len = strcspn(text, " \t");
	char *reason = text + len + strspn(text + len, " \t");
	struct xfn_case *c = r->now;

	for (int i = 0; i < ACTIONS; i++)
		if (strlen(actions[i]) == len && !strncmp(text, actions[i], len))
			c->action = i;
	if (c->action < 0)
		return wrong(r, text, "take reply, drop, consume or pass");
	if (*reason && c->action != XFN_DROP)
		return wrong(r, reason, "only a drop has a reason; leave it out");
	for (unsigned i = 1; *reason && i < XFN_REASON_COUNT; i++)
		if (!strcmp(xfn_reason_texts[i].name, reason))
			c->reason = i;
	if (*reason && !c->reason)
		return wrong(r, reason,
			     "no reason; take FUNCTION, AMPLIFY or another of `xfn stat`");
	return 0;
}

static int parse_length(struct reader *r, char *text)
{
	struct xfn_case *c = r->now;
	char *dash = strchr(text, '-');
	int ret;

	if (dash)
		*dash = 0;
	ret = parse_number(r, text, 0, XFN_CASE_BYTES_MAX, &c->len_min);
	c->len_max = c->len_min;
	if (!ret && dash)
		ret = parse_number(r, dash + 1, c->len_min, XFN_CASE_BYTES_MAX, &c->len_max);
	c->sized = true;
	return ret;
}

static int parse_bytes(struct reader *r, struct xfn_case_bytes *b, bool wild, char *text)
{
	r->open = b;
	r->wild = wild;
	return xfn_case_bytes__add(b, text, r->folder, wild, &r->err);
}

static int parse_reply(struct reader *r, bool prefix, char *text)
{
	struct xfn_case *c = r->now;

	if (c->exact || c->prefix)
		return xfn_fail(&r->err, -EINVAL,
				"reply and reply-prefix in one case; leave one out");
	*(prefix ? &c->prefix : &c->exact) = true;
	return parse_bytes(r, &c->reply, true, text);
}

enum field {
	REQUEST,
	REPLY,
	PREFIX,
	LENGTH,
	ACTION,
	PEER,
	LOCAL,
	REAL,
	MONO,
	RANDOM,
	MTU,
	CASE,
	FIELDS
};
static const char *const names[FIELDS] = { "request", "reply",	"reply-prefix", "reply-len",
					   "action",  "peer",	"local",	"real",
					   "mono",    "random", "mtu",		"case" };

static int parse_field(struct reader *r, enum field field, char *text)
{
	struct xfn_case *c = r->now ?: &r->defaults;

	r->open = NULL;
	switch (field) {
	case REQUEST:
		c->requested = true;
		return parse_bytes(r, &c->request, false, text);
	case REPLY:
		return parse_reply(r, false, text);
	case PREFIX:
		return parse_reply(r, true, text);
	case LENGTH:
		return parse_length(r, text);
	case ACTION:
		return parse_action(r, text);
	case PEER:
		return parse_address(r, text, &c->peer);
	case LOCAL:
		return parse_address(r, text, &c->local);
	case REAL:
		return parse_clock(r, text, true, &c->real_ns);
	case MONO:
		return parse_clock(r, text, false, &c->mono_ns);
	case RANDOM:
		return parse_number(r, text, 1, UINT32_MAX, &c->random);
	case MTU:
		return parse_number(r, text, 576, 1500, &c->mtu);
	default:
		return -EINVAL;
	}
}

/* The address that was not given is of the other one's version. */
static int settle_addresses(struct reader *r, struct xfn_case *c)
{
	/* for documentation: RFC 5737, RFC 3849 */
	static const uint8_t peers[2][16] = { { [10] = 0xff, 0xff, 192, 0, 2, 2 },
					      { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } };
	static const uint8_t locals[2][16] = { { [10] = 0xff, 0xff, 192, 0, 2, 1 },
					       { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
	static const uint8_t none[16];
	bool peer = memcmp(c->peer.ip, none, 16), local = memcmp(c->local.ip, none, 16);
	unsigned six =
		peer ? !xfn_address__is_v4(c->peer.ip) : local && !xfn_address__is_v4(c->local.ip);

	if (peer && local && xfn_address__is_v4(c->peer.ip) != xfn_address__is_v4(c->local.ip))
		return xfn_fail(&r->err, -EINVAL,
				"peer and local are of two IP versions; give both of one");
	if (!peer)
		memcpy(c->peer.ip, peers[six], 16);
	if (!local)
		memcpy(c->local.ip, locals[six], 16);
	return 0;
}

/* More than the IP version of the case carries is no case. */
static int check_lengths(struct reader *r, const struct xfn_case *c)
{
	size_t len = c->request.len > c->reply.len ? c->request.len : c->reply.len;

	if (!xfn_address__is_v4(c->peer.ip) || len <= XFN_PAYLOAD_MAX_V4)
		return 0;
	return xfn_fail(
		&r->err, -EINVAL,
		"case '%s' has more than the %d bytes that IPv4 carries; give it a peer of IPv6",
		c->name, XFN_PAYLOAD_MAX_V4);
}

/* All of a case is read: is it one? */
static int end_case(struct reader *r)
{
	struct xfn_case *c = r->now;
	bool replies = c && (c->exact || c->prefix || c->sized);

	if (!c)
		return 0;
	r->now = NULL;
	r->open = NULL;
	r->line = c->line;
	if (!c->requested)
		xfn_error__set(&r->err,
			       "case '%s' has no request; give one (\"request:\" is an empty one)",
			       c->name);
	else if (!replies && c->action < 0)
		xfn_error__set(&r->err, "case '%s' expects nothing; give a reply or an action",
			       c->name);
	else if (replies && c->action >= 0 && c->action != XFN_REPLY)
		xfn_error__set(&r->err, "case '%s' expects a reply and action %s; leave one out",
			       c->name, xfn_cases__action(c->action));
	else if (!settle_addresses(r, c) && !check_lengths(r, c))
		c->action = c->action < 0 ? XFN_REPLY : c->action;
	return r->err.line[0] ? -EINVAL : 0;
}

static int begin_case(struct reader *r, const char *name)
{
	char shown[XFN_CASE_NAME_MAX + 1];
	struct xfn_cases *cases = r->cases;
	struct xfn_case *c;

	if (!*name || strlen(name) > XFN_CASE_NAME_MAX)
		return xfn_fail(&r->err, -EINVAL, "a case has a name of 1 to %d bytes; give one",
				XFN_CASE_NAME_MAX);
	/* it is shown on a terminal, whoever wrote it */
	xfn_printable(name, strlen(name), shown, sizeof(shown));
	name = shown;
	for (unsigned i = 0; i < cases->count; i++)
		if (!strcmp(cases->list[i].name, name))
			return xfn_fail(&r->err, -EINVAL,
					"case '%s' is in line %u already; give it another name",
					name, cases->list[i].line);
	if (!cases->list)
		cases->list = calloc(XFN_CASES_MAX, sizeof(*cases->list));
	if (!cases->list || cases->count == XFN_CASES_MAX)
		return xfn_fail(&r->err, -E2BIG, "more than %d cases; use another file",
				XFN_CASES_MAX);
	c = &cases->list[cases->count++];
	*c = r->defaults;
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->line = r->line;
	r->now = c;
	r->given = 0;
	return 0;
}

/* Cut the comment and the blanks at the end off. */
static void trim(char *line)
{
	bool quoted = false;
	char *p = line;

	for (; *p && (quoted || *p != '#' || (p > line && !isspace((unsigned char)p[-1]))); p++) {
		if (*p == '"')
			quoted = !quoted;
		if (quoted && *p == '\\' && p[1])
			p++;
	}
	while (p > line && isspace((unsigned char)p[-1]))
		p--;
	*p = 0;
}

static int parse_line(struct reader *r, char *line)
{
	char *colon, *value;
	unsigned number = r->line, field = 0;
	int ret;

	trim(line);
	if (!*line)
		return 0;
	if (isspace((unsigned char)*line)) {
		if (r->open)
			return parse_bytes(r, r->open, r->wild, line);
		return xfn_fail(
			&r->err, -EINVAL,
			"a line that begins with a blank, but no bytes before it to go on with; "
			"begin with FIELD:");
	}
	colon = strchr(line, ':');
	if (colon)
		*colon = 0;
	while (field < FIELDS && strcmp(line, names[field]))
		field++;
	if (!colon || field == FIELDS)
		return wrong(r, line,
			     "no field; there are case, request, reply, reply-prefix, reply-len, "
			     "action, peer, local, real, mono, random and mtu");
	value = colon + 1 + strspn(colon + 1, " \t");
	if (field == CASE) {
		ret = end_case(r);
		if (ret)
			return ret;
		r->line = number;
		return begin_case(r, value);
	}
	if (!r->now && field < PEER)
		return xfn_fail(&r->err, -EINVAL,
				"%s before the first case; begin one with case:", names[field]);
	if (r->now && r->given & 1u << field)
		return xfn_fail(&r->err, -EINVAL, "%s is given twice; leave one out", names[field]);
	r->given |= 1u << field;
	return parse_field(r, field, value);
}

/* The byte order mark that some editors begin a file with: of UTF-8 it says nothing. */
static int skip_mark(struct reader *r, char **text)
{
	if (!strncmp(*text, "\xef\xbb\xbf", 3))
		*text += 3;
	if (strncmp(*text, "\xff\xfe", 2) && strncmp(*text, "\xfe\xff", 2))
		return 0;
	return xfn_fail(&r->err, -EINVAL, "is text in UTF-16; save it as UTF-8");
}

int xfn_cases__read(const char *path, struct xfn_cases *out, struct xfn_error *err)
{
	struct reader r = { .cases = out,
			    .defaults = { .action = -1,
					  .peer.port = 40000,
					  .real_ns =
						  1704067200 * XFN_NSEC_PER_SEC, /* 2024 begins */
					  .mono_ns = 1000 * XFN_NSEC_PER_SEC,
					  .random = 7,
					  .mtu = 1500 } };
	const char *slash = strrchr(path, '/');
	FILE *f = xfn_regular_file__stream(path, "write cases there, `xfn new` shows some", err);
	size_t room = 0;
	char *line = NULL;
	int ret = 0;

	memset(out, 0, sizeof(*out));
	if (!f)
		return -errno;
	snprintf(r.folder, sizeof(r.folder), "%.*s", slash ? (int)(slash - path) : 1,
		 slash ? path : ".");
	for (unsigned number = 1; !ret && getline(&line, &room, f) >= 0; number++) {
		char *text = line;

		r.line = number;
		ret = number > 1 ? 0 : skip_mark(&r, &text);
		ret = ret ?: parse_line(&r, text);
	}
	if (!ret && ferror(f)) {
		ret = -EIO;
		xfn_error__set(&r.err, "%s; name a file that can be read", strerror(errno));
	}
	ret = ret ?: end_case(&r);
	if (!ret && !out->count) {
		ret = -ENODATA;
		xfn_error__set(&r.err, "has no case; begin one with case:");
	}
	if (ret)
		xfn_error__set(err, "%.200s:%u: %s", path, r.line, r.err.line);
	free(line);
	fclose(f);
	return ret;
}

void xfn_cases__free(struct xfn_cases *cases)
{
	for (unsigned i = 0; i < cases->count; i++) {
		xfn_case_bytes__free(&cases->list[i].request);
		xfn_case_bytes__free(&cases->list[i].reply);
	}
	free(cases->list);
	memset(cases, 0, sizeof(*cases));
}
