/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The file of the control socket. Must never know of clients. */
#ifndef XFN_CONTROL_SOCKET_H
#define XFN_CONTROL_SOCKET_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>
#include "../../skel/error.h"

struct xfn_control_socket {
	int fd;	   /* listens; -1: not open */
	dev_t dev; /* of the file: what is removed is ours */
	ino_t ino;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/*
 * Listen at .path, in a folder that is made if need be. `who` names it in messages. 0, -EADDRINUSE
 * where a server lives there, or another -errno; err may have one line then. To be closed in any
 * case.
 */
int xfn_control_socket__open(struct xfn_control_socket *sock, const char *who,
			     struct xfn_error *err);
void xfn_control_socket__close(struct xfn_control_socket *sock);

#endif
