// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `xfn invoke`: one request to a function, by datagram (HOST:PORT) or through the running xfn
 * (NAME). Must never know how a function is run.
 */
#include "../../skel/error.h"
#include "../arguments/target.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/types.h>
#include "../../skel/regular_file.h"
#include "../../userspace/control/control.h"
#include "../../userspace/host/hex.h"
#include "../../userspace/host/now.h"
#include "options.h"
#include "output.h"
#include "../../xdp/abi.h"
#include "../process/output_file.h"
#include "../arguments/payload.h"

#define WAIT_MS 1000 /* unless --timeout says */

struct options {
	const char *target, *text, *file, *hex, *ifname;
	const char *output; /* where the reply goes, "-": standard output; NULL: it is shown */
	unsigned repeat, wait_ms;
	int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
	bool json, dump;
	uint8_t payload[XFN_PAYLOAD_MAX + 1];
	size_t len;
};

struct round_trips {
	unsigned sent, received;
	uint64_t min, max, sum; /* ns */
};

static const struct xfn_option options[] = {
	XFN_OPTION("file", 'f', "FILE", XFN_TO_TEXT(struct options, file),
		   "The payload is what FILE holds (-: standard input)", .excludes = "hex",
		   .completes = "file"),
	XFN_OPTION("hex", 'x', "HEX", XFN_TO_TEXT(struct options, hex),
		   "The payload in hexadecimal; blanks and colons are skipped"),
	XFN_OPTION("count", 'n', "COUNT", XFN_TO_NUMBER(struct options, repeat, 1, 1000000),
		   "Ask COUNT times (default 1)"),
	XFN_OPTION("timeout", 't', "MS", XFN_TO_NUMBER(struct options, wait_ms, 1, 60000),
		   "HOST:PORT: wait that long for each reply (default: 1000)",
		   .unit = "milliseconds"),
	XFN_OPTION("output", 'o', "FILE", XFN_TO_TEXT(struct options, output),
		   "Write the reply to FILE as it is (-: standard output)", .completes = "file"),
	XFN_OPTION("dump", 'd', NULL, XFN_TO_FLAG(struct options, dump),
		   "Show the reply's bytes, also where it is text"),
	XFN_OPTION("ipv4", '4', NULL, XFN_TO_VALUE(struct options, family, AF_INET), "Over IPv4"),
	XFN_OPTION("ipv6", '6', NULL, XFN_TO_VALUE(struct options, family, AF_INET6), "Over IPv6"),
	XFN_OPTION_INTERFACE(struct options, ifname, "NAME: of the xfn that serves IFACE"),
	XFN_OPTION_JSON(struct options, json),
	{}
};

static int read_hex(struct options *opts)
{
	ssize_t len = xfn_hex__read(opts->hex, opts->payload, sizeof(opts->payload));

	if (len == -EINVAL)
		return xfn_options__bad("invoke", opts->json, "--hex", opts->hex,
					"not hexadecimal; give pairs of 0-9 and a-f");
	opts->len = len < 0 ? sizeof(opts->payload) : (size_t)len;
	return 0;
}

static int read_file(struct options *opts)
{
	static const char next[] = "give a file that can be read, or - for standard input";
	struct xfn_error err;
	FILE *f =
		strcmp(opts->file, "-") ? xfn_regular_file__stream(opts->file, next, &err) : stdin;
	int bad;

	if (!f)
		return xfn_output__fail("invoke", opts->json, XFN_EXIT_FAILED, "%s", err.line);
	opts->len = fread(opts->payload, 1, sizeof(opts->payload), f);
	bad = ferror(f) ? errno : 0;
	if (f != stdin)
		fclose(f);
	if (bad)
		return xfn_output__fail("invoke", opts->json, XFN_EXIT_FAILED,
					"%s: %s; give a file that can be read", opts->file,
					strerror(bad));
	return 0;
}

/* Exit status; one byte more than may be sent tells "too long". */
static int read_payload(struct options *opts)
{
	int status = 0;

	if (opts->text && (opts->file || opts->hex))
		return xfn_output__fail("invoke", opts->json, XFN_EXIT_USAGE,
					"more than one payload; give one of PAYLOAD, -f and -x");
	if (opts->hex) {
		status = read_hex(opts);
	} else if (opts->file && opts->output && xfn_output_file__same(opts->file, opts->output)) {
		return xfn_output__fail("invoke", opts->json, XFN_EXIT_FAILED,
					"%s: is the request; name another file for the reply",
					opts->output);
	} else if (opts->file) {
		status = read_file(opts);
	} else if (opts->text) {
		opts->len = strnlen(opts->text, sizeof(opts->payload));
		memcpy(opts->payload, opts->text, opts->len);
	}
	if (!status && opts->len > XFN_PAYLOAD_MAX)
		return xfn_output__fail("invoke", opts->json, XFN_EXIT_FAILED,
					"payload above %d bytes, the most UDP carries; send less",
					XFN_PAYLOAD_MAX);
	return status;
}

/* To where -o says, if it does. Exit status. */
static int write_reply(const struct options *opts, const uint8_t *data, size_t len)
{
	bool out = opts->output && !strcmp(opts->output, "-");
	FILE *f = out ? stdout : opts->output ? fopen(opts->output, "we") : NULL;
	bool bad = !f;

	if (!opts->output)
		return 0;
	if (f)
		bad = fwrite(data, 1, len, f) != len;
	if (f && !out)
		bad |= fclose(f) != 0;
	if (bad)
		return xfn_output__fail("invoke", opts->json, XFN_EXIT_FAILED,
					"%s: %s; name a file that can be written", opts->output,
					strerror(errno));
	return 0;
}

/* What is told besides the reply: where that is all there is on standard output, on the other. */
static FILE *remarks(const struct options *opts)
{
	return opts->output && !strcmp(opts->output, "-") ? stderr : stdout;
}

/* Is it an address of this host, other than a loopback one? */
static bool own_address(const struct sockaddr *addr)
{
	const struct sockaddr_in *v4 = (const void *)addr;
	const struct sockaddr_in6 *v6 = (const void *)addr;
	struct ifaddrs *list;
	bool own = false;

	if (addr->sa_family == AF_INET ? (ntohl(v4->sin_addr.s_addr) >> 24) == 127 :
					 IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr))
		return false;
	if (getifaddrs(&list))
		return false;
	for (struct ifaddrs *p = list; p && !own; p = p->ifa_next) {
		if (!p->ifa_addr || p->ifa_addr->sa_family != addr->sa_family)
			continue;
		own = addr->sa_family == AF_INET ?
			      ((const struct sockaddr_in *)(const void *)p->ifa_addr)
					      ->sin_addr.s_addr == v4->sin_addr.s_addr :
			      !memcmp(&((const struct sockaddr_in6 *)(const void *)p->ifa_addr)
					       ->sin6_addr,
				      &v6->sin6_addr, 16);
	}
	freeifaddrs(list);
	return own;
}

/* One request and its reply. The reply's length, or -errno: -ETIMEDOUT none came. */
static ssize_t round_trip(int fd, const struct options *opts, uint8_t *reply, size_t room,
			  struct round_trips *trips)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t start, ns, limit;
	ssize_t n;

	/* a second reply to the request before is none to this one */
	while (recv(fd, reply, room, MSG_DONTWAIT) >= 0)
		;
	start = xfn_now_ns();
	limit = start + (uint64_t)opts->wait_ms * 1000000;
	if (send(fd, opts->payload, opts->len, 0) < 0)
		return -errno;
	trips->sent++;
	do {
		ns = xfn_now_ns();
		if (ns >= limit || !poll(&p, 1, (int)((limit - ns + 999999) / 1000000)))
			return -ETIMEDOUT;
		n = recv(fd, reply, room, MSG_DONTWAIT);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (n < 0)
		return -errno;
	ns = xfn_now_ns() - start;
	trips->sum += ns;
	trips->max = ns > trips->max ? ns : trips->max;
	trips->min = !trips->received++ || ns < trips->min ? ns : trips->min;
	return n;
}

static int report(const struct options *opts, const char *addr, const uint8_t *reply, size_t len,
		  const struct round_trips *trips, const char *warning)
{
	double mean = (double)trips->sum / trips->received;
	int status = write_reply(opts, reply, len);

	if (status)
		return status;
	if (opts->json) {
		char *hex = xfn_output__hex(reply, len);
		json_t *data = json_pack("{s:o, s:s, s:i, s:i, s:s, s:{s:I, s:I, s:I}}", "target",
					 xfn_control__text(opts->target), "address", addr, "sent",
					 (int)trips->sent, "received", (int)trips->received,
					 "reply", hex, "ns", "min", (json_int_t)trips->min, "mean",
					 (json_int_t)mean, "max", (json_int_t)trips->max);

		if (xfn_payload__printable(reply, len))
			json_object_set_new(data, "text", json_stringn((const char *)reply, len));
		if (*warning)
			json_object_set_new(data, "warning", json_string(warning));
		free(hex);
		return xfn_output__json(data);
	}
	if (!opts->output)
		xfn_output__payload(reply, len, opts->dump);
	if (trips->received == 1)
		fprintf(remarks(opts), "%zu bytes from %s in %.3f ms\n", len, addr, mean / 1e6);
	else
		fprintf(remarks(opts),
			"%zu bytes from %s, %u replies, %.3f ms (min %.3f, max %.3f)\n", len, addr,
			trips->received, mean / 1e6, (double)trips->min / 1e6,
			(double)trips->max / 1e6);
	return 0;
}

static int log_failed(const struct options *opts, const char *addr, int error,
		      const struct round_trips *trips)
{
	char which[48] = "";

	if (opts->repeat > 1)
		snprintf(which, sizeof(which), " to request %u of %u",
			 trips->sent ? trips->sent : 1, opts->repeat);
	if (error == -ETIMEDOUT)
		return xfn_output__fail(
			"invoke", opts->json, XFN_EXIT_FAILED,
			"%s: no reply%s within %u ms; see `xfn stat` there for the reason", addr,
			which, opts->wait_ms);
	if (error == -ECONNREFUSED)
		return xfn_output__fail("invoke", opts->json, XFN_EXIT_FAILED,
					"%s: nobody serves this port; see `xfn ls` there", addr);
	if (error == -EMSGSIZE && opts->len > XFN_PAYLOAD_MAX_V4)
		return xfn_output__fail("invoke", opts->json, XFN_EXIT_FAILED,
					"%s: a payload above %d bytes, the most IPv4 carries; send "
					"less, or to an IPv6 address",
					addr, XFN_PAYLOAD_MAX_V4);
	return xfn_output__fail("invoke", opts->json, XFN_EXIT_FAILED,
				"%s: cannot be asked: %s; see `ip route get` for the way there",
				addr, strerror(-error));
}

/* Ask one address. Exit status; -1: nobody there, another address may be better. */
static int ask_address(const struct options *opts, const struct addrinfo *ai, bool more)
{
	static uint8_t reply[65536];
	char host[NI_MAXHOST], port[NI_MAXSERV], addr[NI_MAXHOST + NI_MAXSERV + 4];
	struct round_trips trips = {};
	const char *warning = "";
	ssize_t n = 0;
	int fd;

	getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(addr, sizeof(addr), ai->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ai->ai_family == AF_INET && opts->len > XFN_PAYLOAD_MAX_V4)
		n = -EMSGSIZE;
	else if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen))
		n = -errno;
	else if (own_address(ai->ai_addr))
		warning =
			"this host's own address: local traffic never passes the NIC's XDP program; "
			"ask from another host, or `xfn invoke NAME`";
	for (unsigned i = 0; n >= 0 && i < opts->repeat; i++)
		n = round_trip(fd, opts, reply, sizeof(reply), &trips);
	if (fd >= 0)
		close(fd);
	if (n < 0 && n != -ETIMEDOUT && more && !trips.received)
		return -1;
	if (*warning && !opts->json)
		fprintf(stderr, "xfn invoke: warning: %s: %s\n", addr, warning);
	return n < 0 ? log_failed(opts, addr, (int)n, &trips) :
		       report(opts, addr, reply, (size_t)n, &trips, warning);
}

static int invoke_host(const struct options *opts)
{
	struct xfn_error err;
	struct addrinfo *list;
	int status = -1, ret;

	ret = xfn_target__resolve(opts->target, opts->family, &list, &err);
	if (ret)
		return xfn_output__fail("invoke", opts->json,
					ret == -EINVAL ? XFN_EXIT_USAGE : XFN_EXIT_FAILED, "%s",
					err.line);
	for (const struct addrinfo *ai = list; ai && status < 0; ai = ai->ai_next)
		status = ask_address(opts, ai, ai->ai_next);
	freeaddrinfo(list);
	return status;
}

static int invoke_name(const struct options *opts)
{
	static uint8_t reply[65536];
	char *hex = xfn_output__hex(opts->payload, opts->len);
	struct xfn_error err = { 0 };
	const char *tier = "?", *action = "?", *reason = "", *text = "";
	json_int_t ns = 0;
	json_t *data,
		*args = json_pack("{s:o, s:s, s:i, s:i}", "name", xfn_control__text(opts->target),
				  "payload", hex, "version", opts->family == AF_INET6 ? 6 : 4,
				  "repeat", (int)opts->repeat);
	bool replied;
	ssize_t len;
	int ret = xfn_control__ask(opts->ifname, "invoke", args, &data, &err);

	free(hex);
	json_decref(args);
	if (ret == -E2BIG)
		return xfn_output__fail(
			"invoke", opts->json, XFN_EXIT_FAILED,
			"payload of %zu bytes is too long for NAME; send it to HOST:PORT",
			opts->len);
	if (ret)
		return xfn_output__fail("invoke", opts->json, XFN_EXIT_FAILED, "%s", err.line);
	json_unpack(data, "{s?s, s?s, s?s, s?s, s?I}", "tier", &tier, "action", &action, "reason",
		    &reason, "reply", &text, "ns", &ns);
	len = xfn_hex__read(text, reply, sizeof(reply));
	replied = !strcmp(action, "reply") && len >= 0;
	ret = replied ? write_reply(opts, reply, (size_t)len) : 0;
	if (!ret && opts->json)
		return xfn_output__json(data);
	if (!ret && replied && !opts->output)
		xfn_output__payload(reply, (size_t)len, opts->dump);
	if (!ret)
		fprintf(remarks(opts), "tier %s, action %s%s%s%s, %lld ns\n", tier, action,
			*reason ? " (" : "", reason, *reason ? ")" : "", (long long)ns);
	json_decref(data);
	return ret;
}

static int invoke(void *input, struct xfn_words words)
{
	struct options *opts = input;
	int status;

	opts->target = words.word[0];
	opts->text = words.count > 1 ? words.word[1] : NULL;
	if (opts->output && opts->json && !strcmp(opts->output, "-"))
		return xfn_output__fail("invoke", opts->json, XFN_EXIT_USAGE,
					"-o - and -j would both write to standard output");
	status = read_payload(opts);
	if (status)
		return status;
	return strchr(opts->target, ':') ? invoke_host(opts) : invoke_name(opts);
}

XFN_VERB(invoke, struct options, options, invoke, .summary = "ask a function once",
	 XFN_WORDS("NAME|HOST:PORT [PAYLOAD]", 1, 2, "served",
		   "names no function; give NAME or HOST:PORT"),
	 .doc = "Ask a function once: HOST:PORT by a datagram, NAME through the running xfn, which "
		"tells tier, action, reason and nanoseconds.",
	 .example = "xfn invoke 127.0.0.1:7 hello\n  xfn invoke -f request.bin -o reply.bin echo",
	 .defaults = &(const struct options){ .repeat = 1, .wait_ms = WAIT_MS });
