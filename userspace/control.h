/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control socket: one unix stream socket per interface, mode 0600, the peer's uid checked
 * (SO_PEERCRED: root or the supervisor's own). One JSON object per line and direction.
 *
 *	-> {"xfn": 1, "verb": "ls", "args": {}}
 *	<- {"xfn": 1, "ok": true, "data": ...}
 *	<- {"xfn": 1, "ok": false, "error": {"message": "...", "next": "..."}}
 *
 * Folder: /run/xfn for root, else $XDG_RUNTIME_DIR/xfn. Name: IFACE.sock, "@sockets.sock" where no
 * interface is used. A request line is at most XFN_CONTROL_LINE bytes.
 */
#ifndef XFN_CONTROL_H
#define XFN_CONTROL_H

#include <jansson.h>
#include <stddef.h>

#define XFN_CONTROL_VERSION 1
#define XFN_CONTROL_LINE    65536
#define XFN_CONTROL_SOCKETS "@sockets"

/* Path of the control socket for `ifname` (NULL: none used). -ENOENT: no runtime folder; err says so. */
int xfn_control__path(const char *ifname, char *path, size_t len, char *err, size_t errlen);

/*
 * Ask the running supervisor of `ifname` (NULL: the only one running; several: an error that lists
 * them). On success *data is a new reference. 0 or -errno with one line in err.
 */
int xfn_control__ask(const char *ifname, const char *verb, json_t *args, json_t **data, char *err,
		     size_t errlen);

/* The server's end. `handle` returns a new reference, or NULL with err (and next) filled. */
struct xfn_control_server;
typedef json_t *(*xfn_control_handler)(void *ctx, const char *verb, json_t *args, char *err,
				       size_t errlen);
int xfn_control__listen(const char *ifname, xfn_control_handler handle, void *ctx,
			struct xfn_control_server **out, char *err, size_t errlen);
/* An fd that polls readable when xfn_control__serve has work. */
int xfn_control__fd(const struct xfn_control_server *srv);
void xfn_control__serve(struct xfn_control_server *srv);
void xfn_control__close(struct xfn_control_server *srv); /* unlinks the socket */

#endif
