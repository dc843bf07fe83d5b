// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The server's end of the control socket: who may ask, how much, for how long. Must never know of
 * verbs: a handler answers them.
 *
 * Each client has a watch and a timer in the loop. It asks one request at a time: while its answer is
 * made or on the way nothing more is read from it.
 */
#include "../../skel/error.h"
#include "control.h"
#include "control_socket.h"
#include "../host/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	struct xfn_control_server *srv;
	int fd;			/* -1: free */
	bool last;		/* close once the answer is out */
	struct xfn_watch watch; /* what it sends, or that it takes its answer */
	struct xfn_timer late;	/* then it is dropped */
	uint64_t ticket;	/* of the request that is answered later, 0: none is */
	char *in;
	size_t in_len;
	char *out; /* NULL: no answer on the way */
	size_t out_len, out_sent;
};

struct xfn_control_server {
	xfn_control_handler handle;
	void *ctx;
	struct xfn_control_socket sock;
	struct xfn_events *events;
	struct xfn_watch listening;
	int reserve; /* a descriptor to answer by when there are no more */
	struct client clients[XFN_CONTROL_CLIENTS];
	struct client *asking; /* whose request the handler has */
	uint64_t tickets;      /* given so far */
};

/* A line that was cut within a character, or is in another code, must not cost the answer. */
static json_t *text_of(const char *text, size_t len)
{
	json_t *json = json_stringn(text, len);
	char *ascii = json ? NULL : strndup(text, len);

	for (char *p = ascii; p && *p; p++)
		if (*p & 0x80)
			*p = '?';
	json = json ?: json_string(ascii);
	free(ascii);
	return json;
}

json_t *xfn_control__text(const char *text)
{
	return text_of(text, strlen(text));
}

json_t *xfn_control__error(const char *line)
{
	const char *semicolon = NULL;

	for (const char *p = line; (p = strstr(p, "; ")); p++)
		semicolon = p;
	if (!semicolon)
		return json_pack("{s:o, s:s}", "message", xfn_control__text(line), "next", "");
	return json_pack("{s:o, s:o}", "message", text_of(line, (size_t)(semicolon - line)), "next",
			 xfn_control__text(semicolon + 2));
}

static void client_close(void *ctx)
{
	struct client *c = ctx;

	xfn_events__unwatch(&c->watch);
	xfn_events__stop(&c->late);
	close(c->fd);
	free(c->in);
	free(c->out);
	*c = (struct client){ .srv = c->srv, .fd = -1 };
}

/* Its time begins anew. */
static void client_time(struct client *c)
{
	xfn_events__after(c->srv->events, &c->late, XFN_CONTROL_SECONDS * 1000, client_close, c);
}

/* A new answer; takes the reference. No memory: the client is closed by the caller. */
static int client_answer(struct client *c, json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;

	json_decref(answer);
	if (!text)
		return -ENOMEM;
	text[len++] = '\n'; /* in place of the 0: the length is known */
	c->out = text;
	c->out_len = len;
	c->out_sent = 0;
	client_time(c);
	return 0;
}

static json_t *refusal(const char *line)
{
	return json_pack("{s:i, s:b, s:o}", "xfn", XFN_CONTROL_VERSION, "ok", 0, "error",
			 xfn_control__error(line));
}

static json_t *success(json_t *data)
{
	return json_pack("{s:i, s:b, s:o}", "xfn", XFN_CONTROL_VERSION, "ok", 1, "data", data);
}

/* The answer to one request line; a new reference. NULL: later. */
static json_t *answer_line(struct client *c, const char *line, size_t len)
{
	struct xfn_control_server *srv = c->srv;
	json_t *request, *args, *empty = NULL, *data, *answer = NULL;
	struct xfn_error err = { 0 };
	json_error_t jerr;
	const char *verb;

	request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &jerr);
	if (!request) {
		xfn_error__set(&err, "request is not JSON: %s at byte %d; send one object per line",
			       jerr.text, jerr.position);
		return refusal(err.line);
	}
	verb = json_string_value(json_object_get(request, "verb"));
	args = json_object_get(request, "args");
	if (!args || json_is_null(args))
		args = empty = json_object();
	if (json_integer_value(json_object_get(request, "xfn")) != XFN_CONTROL_VERSION) {
		xfn_error__set(
			&err,
			"request is not of version %d; ask with the xfn program that runs here, or restart that",
			XFN_CONTROL_VERSION);
	} else if (!verb || !*verb) {
		xfn_error__set(&err, "request names no verb; send {\"xfn\": %d, \"verb\": \"ls\"}",
			       XFN_CONTROL_VERSION);
	} else if (!json_is_object(args)) {
		xfn_error__set(&err, "%.32s: args is not an object; send {} for none", verb);
	} else {
		srv->asking = c;
		data = srv->handle(srv->ctx, verb, args, &err);
		srv->asking = NULL;
		if (data)
			answer = success(data);
		else if (!err.line[0] && !c->ticket)
			xfn_error__set(
				&err,
				"verb '%.32s' is unknown to the running xfn; see `xfn --help`",
				verb);
	}
	if (!answer && !c->ticket)
		answer = refusal(err.line);
	json_decref(empty);
	json_decref(request);
	return answer;
}

static void client_watch(struct client *c)
{
	c->watch.wants = c->ticket ? 0 : c->out ? POLLOUT : POLLIN;
}

/* Send what is left of the answer. True: all out, and the client stays. */
static bool client_flush(struct client *c)
{
	while (c->out_sent < c->out_len) {
		ssize_t n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			client_close(c);
			return false;
		}
		c->out_sent += (size_t)n;
	}
	if (c->last) {
		client_close(c);
		return false;
	}
	free(c->out);
	c->out = NULL;
	client_time(c);
	return true;
}

/* Answer the requests that are complete, as far as the client takes the answers. */
static void client_requests(struct client *c)
{
	while (!c->out && !c->ticket) {
		char *nl = memchr(c->in, '\n', c->in_len);
		size_t len = nl ? (size_t)(nl - c->in) : 0;
		json_t *answer;

		if (!nl && c->in_len < XFN_CONTROL_LINE)
			break;
		if (nl) {
			answer = answer_line(c, c->in, len);
			c->in_len -= len + 1;
			memmove(c->in, nl + 1, c->in_len);
		} else {
			struct xfn_error err;

			xfn_error__set(&err, "request line above %d bytes; send less",
				       XFN_CONTROL_LINE);
			answer = refusal(err.line);
			c->last = true;
		}
		if (c->ticket) {
			client_time(c);
			break;
		}
		if (client_answer(c, answer)) {
			client_close(c);
			return;
		}
		if (!client_flush(c))
			break;
	}
	if (c->fd >= 0)
		client_watch(c);
}

static void on_client(void *ctx)
{
	struct client *c = ctx;
	ssize_t n;

	if (c->ticket) { /* it hangs up: nothing else is waited for */
		client_close(c);
		return;
	}
	if (c->out) {
		if (client_flush(c))
			client_requests(c);
		return;
	}
	n = recv(c->fd, c->in + c->in_len, XFN_CONTROL_LINE - c->in_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_close(c);
		return;
	}
	c->in_len += (size_t)n;
	client_requests(c);
}

uint64_t xfn_control__later(struct xfn_control_server *srv)
{
	srv->asking->ticket = ++srv->tickets;
	return srv->tickets;
}

void xfn_control__answer(struct xfn_control_server *srv, uint64_t ticket, json_t *data,
			 const char *err)
{
	struct client *c = NULL;

	for (unsigned i = 0; i < XFN_CONTROL_CLIENTS && !c; i++)
		if (ticket && srv->clients[i].ticket == ticket)
			c = &srv->clients[i];
	if (!c) {
		json_decref(data);
		return;
	}
	c->ticket = 0;
	/* sent by the next look: it may ask again, and a handler runs now */
	if (client_answer(c, data ? success(data) : refusal(err)))
		client_close(c);
	else
		client_watch(c);
}

/* One line to a client that does not become one; what does not fit its socket's buffer is lost. */
static void turn_away(int fd, const char *line)
{
	json_t *answer = refusal(line);
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	json_decref(answer);
	if (text) {
		size_t len = strlen(text);

		text[len++] = '\n';
		(void)!send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	free(text);
	close(fd);
}

/* Who waits for ever would wake us for ever. */
static void accept_without_descriptor(struct xfn_control_server *srv)
{
	int fd;

	close(srv->reserve);
	fd = accept4(srv->sock.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		turn_away(fd, "this xfn has no descriptor left; raise `ulimit -n` for it, or let "
			      "it serve fewer functions");
	srv->reserve = fcntl(srv->sock.fd, F_DUPFD_CLOEXEC, 0);
}

static void on_connection(void *ctx)
{
	struct xfn_control_server *srv = ctx;
	int fd = accept4(srv->sock.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);
	struct client *c = NULL;
	char line[128];

	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		accept_without_descriptor(srv);
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ||
	    (peer.uid && peer.uid != geteuid())) {
		snprintf(line, sizeof(line), "uid %u may not control this xfn; use sudo", peer.uid);
		turn_away(fd, line);
		return;
	}
	for (unsigned i = 0; i < XFN_CONTROL_CLIENTS && !c; i++)
		if (srv->clients[i].fd < 0)
			c = &srv->clients[i];
	if (!c) {
		snprintf(line, sizeof(line), "%d clients are connected already; try again",
			 XFN_CONTROL_CLIENTS);
		turn_away(fd, line);
		return;
	}
	c->in = malloc(XFN_CONTROL_LINE);
	if (!c->in) {
		turn_away(fd, "no memory for another client; try again");
		return;
	}
	c->fd = fd;
	xfn_events__watch(srv->events, &c->watch, XFN_TURN_LAST, fd, on_client, c);
	client_time(c);
}

int xfn_control__listen(struct xfn_events *events, const char *ifname, xfn_control_handler handle,
			void *ctx, struct xfn_control_server **out, struct xfn_error *err)
{
	struct xfn_control_server *srv = calloc(1, sizeof(*srv));
	int ret;

	*out = NULL;
	err->line[0] = '\0';
	if (!srv)
		return xfn_fail(err, -ENOMEM, "control socket: no memory; free some");
	srv->handle = handle;
	srv->ctx = ctx;
	srv->events = events;
	srv->sock.fd = srv->reserve = -1;
	for (unsigned i = 0; i < XFN_CONTROL_CLIENTS; i++)
		srv->clients[i] = (struct client){ .srv = srv, .fd = -1 };
	ret = xfn_control__path(ifname, srv->sock.path, sizeof(srv->sock.path), err);
	if (!ret)
		ret = xfn_control_socket__open(&srv->sock, ifname ?: "UDP sockets only", err);
	if (ret)
		goto fail;
	srv->reserve = fcntl(srv->sock.fd, F_DUPFD_CLOEXEC, 0);
	if (srv->reserve < 0) {
		ret = -errno;
		goto fail;
	}
	xfn_events__watch(events, &srv->listening, XFN_TURN_LAST, srv->sock.fd, on_connection, srv);
	*out = srv;
	return 0;
fail:
	if (!err->line[0])
		xfn_error__set(err, "control socket %s: %s; see whether the folder can be written",
			       srv->sock.path, strerror(-ret));
	xfn_control__close(srv);
	return ret;
}

void xfn_control__close(struct xfn_control_server *srv)
{
	if (!srv)
		return;
	for (unsigned i = 0; i < XFN_CONTROL_CLIENTS; i++)
		if (srv->clients[i].fd >= 0)
			client_close(&srv->clients[i]);
	xfn_events__unwatch(&srv->listening);
	xfn_control_socket__close(&srv->sock);
	if (srv->reserve >= 0)
		close(srv->reserve);
	free(srv);
}
