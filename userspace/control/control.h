/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control socket: one unix stream socket per interface, mode 0600, the peer's uid checked
 * (SO_PEERCRED: root or the supervisor's own). One JSON object per line and direction.
 *
 *	-> {"xfn": 1, "verb": "ls", "args": {}}
 *	<- {"xfn": 1, "ok": true, "data": ...}
 *	<- {"xfn": 1, "ok": false, "error": {"message": "...", "next": "..."}}
 *
 * Its file is IFACE.sock in the runtime folder (host/runtime_dir.h), "@sockets.sock" where no
 * interface is used. A request line is at most XFN_CONTROL_LINE bytes with its newline, an answer
 * XFN_CONTROL_ANSWER.
 *
 * Error lines, here and in the handler, are "what is wrong; the next step": the last "; " separates
 * the two fields of the error object.
 */
#ifndef XFN_CONTROL_H
#define XFN_CONTROL_H

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../../skel/error.h"

#define XFN_CONTROL_VERSION 1
#define XFN_CONTROL_LINE    262144 /* holds XFN_PAYLOAD_MAX as hex text */
#define XFN_CONTROL_ANSWER  (8u << 20)
#define XFN_CONTROL_CLIENTS 16
#define XFN_CONTROL_SECONDS 5  /* for a request to arrive, for an answer to be taken or to come */
#define XFN_CONTROL_RUNNING 64 /* supervisors that are asked together */
#define XFN_CONTROL_NAME    (IF_NAMESIZE + 21) /* room for IFACE:NAMESPACE */

/* Any text as JSON: where it is no UTF-8, with ? for all that is not ASCII. A new reference. */
json_t *xfn_control__text(const char *text);
/* The error object {"message", "next"} of one error line. A new reference. */
json_t *xfn_control__error(const char *line);

/*
 * Path of the control socket for `ifname` (NULL: none used) in this network namespace, or for
 * IFACE:NAMESPACE in that one. -ENOENT: no runtime folder; err says so.
 */
int xfn_control__path(const char *ifname, char *path, size_t len, struct xfn_error *err);

/*
 * Ask the running supervisor of `ifname` (NULL: the only one running; several: an error that lists
 * them): of this network namespace, else the only one of that name in another; IFACE:NAMESPACE is
 * that one. Any name of the interface does. On success *data is a new reference. 0 or -errno with
 * one line in err: -ENOENT none runs, -ENOTUNIQ several, -E2BIG the request is too long,
 * -ETIMEDOUT, -EREMOTEIO the supervisor refused.
 */
int xfn_control__ask(const char *ifname, const char *verb, json_t *args, json_t **data,
		     struct xfn_error *err);

/*
 * The interfaces whose supervisors answer now, by a name to ask them by ("@sockets": one without);
 * IFACE:NAMESPACE where IFACE alone would be another one's. Returns how many there are, of which
 * the first `max` stand in names, or -errno with one line in err.
 */
int xfn_control__running(char (*names)[XFN_CONTROL_NAME], unsigned max, struct xfn_error *err);
/* Does a supervisor answer for `ifname` in this network namespace? */
bool xfn_control__is_served(const char *ifname);

/*
 * The server's end. `handle` returns a new reference, or NULL with one line in err; err left ""
 * says that it does not know the verb, or that it answers later. `args` is an object, valid during
 * the call.
 */
struct xfn_control_server;
struct xfn_events;
typedef json_t *(*xfn_control_handler)(void *ctx, const char *verb, json_t *args,
				       struct xfn_error *err);
/* Its clients are served by the loop `events`, and nobody waits for one. 0 or -errno with one line in
 * err: -EADDRINUSE where an xfn serves this interface already. */
int xfn_control__listen(struct xfn_events *events, const char *ifname, xfn_control_handler handle,
			void *ctx, struct xfn_control_server **out, struct xfn_error *err);
/*
 * Called by a handler: the request is answered later, and others meanwhile. Returns what to answer
 * it with, never 0. The client waits no longer than XFN_CONTROL_SECONDS.
 */
uint64_t xfn_control__later(struct xfn_control_server *srv);
/* The answer to such a request: takes the reference `data`, or (NULL) says the line err. A client
 * that is gone is no error. */
void xfn_control__answer(struct xfn_control_server *srv, uint64_t ticket, json_t *data,
			 const char *err);
void xfn_control__close(struct xfn_control_server *srv); /* unlinks the socket */

#endif
