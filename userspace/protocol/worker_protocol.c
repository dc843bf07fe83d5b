// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One message over the pair between supervisor and worker. Knows nothing of what it means. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "worker_protocol.h"

/* A message, with room for a descriptor where one is to go with it. */
struct envelope {
	struct iovec iov;
	/* its padding has room for a second descriptor, which the kernel then hands over too */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr hdr;
};

static struct msghdr *wrap(struct envelope *e, const struct xfn_message *msg, bool descriptor)
{
	*e = (struct envelope){ .iov = { .iov_base = (void *)msg, .iov_len = sizeof(*msg) } };
	e->hdr.msg_iov = &e->iov;
	e->hdr.msg_iovlen = 1;
	if (descriptor) {
		e->hdr.msg_control = e->control.bytes;
		e->hdr.msg_controllen = sizeof(e->control.bytes);
	}
	return &e->hdr;
}

int xfn_message__send(int sock, const struct xfn_message *msg, int fd)
{
	struct envelope envelope;
	struct msghdr *hdr = wrap(&envelope, msg, fd >= 0);
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(hdr);

		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	do
		n = sendmsg(sock, hdr, XFN_MESSAGE_SEND);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* The first descriptor of a message, -1: none; the others are closed. */
static int only_descriptor(struct msghdr *hdr)
{
	int kept = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		size_t bytes = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < bytes / sizeof(int); i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (kept < 0)
				kept = fd;
			else
				close(fd);
		}
	}
	return kept;
}

int xfn_message__recv(int sock, struct xfn_message *msg, int *fd)
{
	struct envelope envelope;
	struct msghdr *hdr = wrap(&envelope, msg, fd);
	ssize_t n;

	if (fd)
		*fd = -1;
	do
		n = recvmsg(sock, hdr, XFN_MESSAGE_RECEIVE);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	if (fd)
		*fd = only_descriptor(hdr);
	/* without a buffer the kernel has discarded descriptors, and says MSG_CTRUNC */
	if ((size_t)n == sizeof(*msg) && msg->version == XFN_WORKER_PROTOCOL_VERSION &&
	    !(hdr->msg_flags & (MSG_TRUNC | (fd ? MSG_CTRUNC : 0))))
		return 1;
	if (fd && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return -EPROTO;
}
