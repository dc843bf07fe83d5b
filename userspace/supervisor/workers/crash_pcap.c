// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The request on which a worker died, as a file for tcpdump: a frame as it is, a payload behind IP
 * and UDP headers made of its addresses. What the worker noted is not trusted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "../../call/datagram.h"
#include "../../call/request_frame.h"
#include "../../../xdp/address.h"
#include "../../host/runtime_dir.h"
#include "crash_pcap.h"

#define LINK_ETHERNET 1
#define LINK_RAW      101 /* begins with the IP header */
#define SNAP	      262144

struct pcap {
	struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snap, link;
	} file;
	struct {
		uint32_t sec, usec, kept, len;
	} packet;
	uint8_t headers[XFN_REQUEST_HEADERS_MAX];
};

/* The function's first free file name, or that of its oldest file. */
static int choose(const char *ifname, const char *function, char *path, size_t len)
{
	char stem[256], one[320];
	struct xfn_error err;
	struct timespec oldest = {};
	int ret =
		xfn_runtime_dir__path(ifname ?: XFN_RUNTIME_SOCKETS, "", stem, sizeof(stem), &err);

	if (ret)
		return ret;
	path[0] = 0;
	for (unsigned i = 0; i < XFN_CRASH_FILES; i++) {
		struct stat st;

		snprintf(one, sizeof(one), "%s.%s.%u.pcap", stem, function, i);
		ret = lstat(one, &st) ? -errno : 0;
		if (ret && ret != -ENOENT)
			return ret;
		if (!ret && path[0] &&
		    (st.st_mtim.tv_sec > oldest.tv_sec ||
		     (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec >= oldest.tv_nsec)))
			continue;
		if (!ret)
			oldest = st.st_mtim;
		snprintf(path, len, "%s", one);
		if (ret)
			return 0;
	}
	return 0;
}

int xfn_crash_pcap__keep(const char *ifname, const char *function, const struct xfn_crash *crash,
			 char *path, size_t len)
{
	struct pcap head = { .file = {
				     .magic = 0xa1b2c3d4, .major = 2, .minor = 4, .snap = SNAP } };
	struct iovec parts[2] = { { .iov_base = &head }, { .iov_base = (void *)crash->data } };
	bool frame = crash->kind == XFN_FRAME;
	size_t head_len = offsetof(struct pcap, headers), all;
	uint32_t bytes = crash->len;
	uint32_t most = frame				    ? XFN_CRASH_MAX :
			xfn_address__is_v4(crash->local.ip) ? XFN_PAYLOAD_MAX_V4 :
							      XFN_PAYLOAD_MAX;
	struct timespec now;
	int fd, ret;

	path[0] = 0;
	if (!crash->noted || bytes > most)
		return -ENODATA;
	clock_gettime(CLOCK_REALTIME, &now);
	head.file.link = frame ? LINK_ETHERNET : LINK_RAW;
	head.packet.sec = (uint32_t)now.tv_sec;
	head.packet.usec = (uint32_t)(now.tv_nsec / 1000);
	if (!frame)
		head_len += xfn_request_frame__headers(head.headers, &crash->peer, &crash->local,
						       crash->data, bytes);
	head.packet.kept = head.packet.len = bytes + head_len - offsetof(struct pcap, headers);
	ret = choose(ifname, function, path, len);
	if (ret)
		return ret;
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	parts[0].iov_len = head_len;
	parts[1].iov_len = bytes;
	all = head_len + bytes;
	ret = writev(fd, parts, 2) == (ssize_t)all ? 0 : -EIO;
	close(fd);
	if (ret)
		unlink(path);
	return ret;
}
