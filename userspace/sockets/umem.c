// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One queue's AF_XDP set: memory, socket, rings. Must never touch a ring. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/if_xdp.h>
#include <linux/memfd.h>
#include <linux/mempolicy.h>
#include "../../skel/error.h"
#include "../../xdp/abi.h"
#include "packet_ring.h"
#include "umem.h"

#define L2_LEN (14 + 2 * 4) /* Ethernet header and two tags */

#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4) /* since 6.6 */
#endif

static int set(int fd, int option, uint32_t value)
{
	return setsockopt(fd, SOL_XDP, option, &value, sizeof(value));
}

/* Does this kernel know frames in several buffers? It looks at flags before the interface, and 0 is
 * none. */
static bool takes_several(int xsk)
{
	const struct sockaddr_xdp addr = { .sxdp_family = AF_XDP,
					   .sxdp_flags = XDP_COPY | XDP_USE_SG };

	return bind(xsk, (const struct sockaddr *)&addr, sizeof(addr)) && errno == ENODEV;
}

static void failed(const char *what, unsigned queue, const char *ifname, int ret,
		   struct xfn_error *err)
{
	xfn_error__set(err, "cannot %s queue %u of %s: %s%s", what, queue, ifname, strerror(-ret),
		       ret == -EPERM	    ? "; it wants CAP_NET_RAW" :
		       ret == -EBUSY	    ? "; another AF_XDP socket holds the queue" :
		       ret == -ENOBUFS	    ? "; raise `ulimit -l`" :
		       ret == -EAFNOSUPPORT ? "; this kernel is built without AF_XDP" :
					      "");
}

/* Pages that are first touched from now on come from that node while it has any. */
static void prefer_node(void *memory, uint64_t len, int node)
{
	unsigned long nodes = 0;

	if (node < 0 || node >= (int)(8 * sizeof(nodes)))
		return;
	nodes = 1ul << node;
	/* a kernel without NUMA has but one node: nothing is lost */
	syscall(SYS_mbind, memory, len, MPOL_PREFERRED, &nodes, 8 * sizeof(nodes) + 1, 0);
}

/* A socket with rings of its own; frames and shared rings are the first one's. */
static int open_socket(struct xfn_umem *umem, unsigned thread)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	umem->xsk[thread] = fd;
	if (fd < 0 || set(fd, XDP_RX_RING, umem->rx_size) || set(fd, XDP_TX_RING, umem->tx_size))
		return -errno;
	return 0;
}

/* Sizes only: nothing is open yet. */
static struct xfn_umem sized(const struct xfn_umem_config *config, bool huge)
{
	/* small ones where they hold a packet: half the pages, and fewer that share a cache set */
	uint32_t frame_size = config->mtu + L2_LEN + XFN_UMEM_HEADROOM > XFN_UMEM_FRAME_SMALL ?
				      XFN_UMEM_FRAME_SIZE :
				      XFN_UMEM_FRAME_SMALL;
	uint32_t count = XFN_UMEM_FRAMES + (config->threads - 1) * XFN_UMEM_RING;
	struct xfn_umem umem = {
		.memfd = -1,
		.threads = config->threads,
		/* whatever fills one thread's ring, the others have theirs */
		.len = (uint64_t)count * frame_size,
		.frame_size = frame_size,
		.fill_size = XFN_UMEM_RING,
		.comp_size = XFN_UMEM_RING,
		.rx_size = XFN_UMEM_RING,
		.tx_size = XFN_UMEM_RING,
		.queue = config->queue,
		.huge = huge,
	};

	/* full RX rings of some threads leave frames to be filled for the others */
	while (umem.fill_size < umem.threads * umem.rx_size)
		umem.fill_size *= 2;
	for (unsigned i = 0; i < umem.threads; i++)
		umem.xsk[i] = umem.send[i] = -1;
	return umem;
}

static int register_frames(const struct xfn_umem *umem, void *memory)
{
	const struct xdp_umem_reg reg = { .addr = (uintptr_t)memory,
					  .len = umem->len,
					  .chunk_size = umem->frame_size,
					  .headroom = umem->headroom };

	return setsockopt(umem->xsk[0], SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg));
}

static int open_set(const struct xfn_umem_config *config, bool huge, struct xfn_umem *out,
		    struct xfn_error *err)
{
	const char *what = "allocate frames for";
	void *memory = MAP_FAILED;
	int ret = 0;

	*out = sized(config, huge);
	out->memfd =
		memfd_create("xfn-umem", MFD_CLOEXEC | (huge ? MFD_HUGETLB | MFD_HUGE_2MB : 0));
	if (out->memfd < 0 || ftruncate(out->memfd, out->len))
		goto fail;
	memory = mmap(NULL, out->len, PROT_READ | PROT_WRITE, MAP_SHARED, out->memfd, 0);
	if (memory == MAP_FAILED)
		goto fail;
	prefer_node(memory, out->len, config->node);
	what = "open an AF_XDP socket for";
	for (unsigned i = 0; i < out->threads; i++)
		if (open_socket(out, i))
			goto fail;
	what = "register frames for";
	if (register_frames(out, memory))
		goto fail;
	what = "make rings for";
	if (set(out->xsk[0], XDP_UMEM_FILL_RING, out->fill_size) ||
	    set(out->xsk[0], XDP_UMEM_COMPLETION_RING, out->comp_size))
		goto fail;
	if (config->mtu > XFN_MTU_LINEAR && takes_several(out->xsk[0]))
		out->longest = config->mtu + L2_LEN;
	munmap(memory, out->len); /* the registration keeps the pages */
	return 0;
fail:
	ret = -errno;
	failed(what, config->queue, config->ifname, ret, err);
	if (memory != MAP_FAILED)
		munmap(memory, out->len);
	xfn_umem__close(out);
	return ret;
}

int xfn_umem__open(const struct xfn_umem_config *config, struct xfn_umem *out,
		   struct xfn_error *err)
{
	/* mapping fails where too few huge pages are left: nothing is promised that is not there */
	if (!open_set(config, true, out, err))
		return 0;
	return open_set(config, false, out, err);
}

/* The kernel takes the first one's flags for all that share its frames. */
static int bind_shared(const struct xfn_umem *umem, unsigned thread, unsigned ifindex)
{
	const struct sockaddr_xdp addr = { .sxdp_family = AF_XDP,
					   .sxdp_ifindex = ifindex,
					   .sxdp_queue_id = umem->queue,
					   .sxdp_shared_umem_fd = umem->xsk[0],
					   .sxdp_flags = XDP_SHARED_UMEM };

	return bind(umem->xsk[thread], (const struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
}

/* What the first socket has, all have. */
static bool has_zero_copy(const struct xfn_umem *umem)
{
	struct xdp_options options = {};
	socklen_t len = sizeof(options);

	return !getsockopt(umem->xsk[0], SOL_XDP, XDP_OPTIONS, &options, &len) &&
	       options.flags & XDP_OPTIONS_ZEROCOPY;
}

int xfn_umem__bind(struct xfn_umem *umem, const char *ifname, unsigned ifindex, bool zero_copy,
		   struct xfn_error *err)
{
	const struct sockaddr_xdp addr = { .sxdp_family = AF_XDP,
					   .sxdp_ifindex = ifindex,
					   .sxdp_queue_id = umem->queue,
					   .sxdp_flags = (zero_copy ? XDP_ZEROCOPY : XDP_COPY) |
							 XDP_USE_NEED_WAKEUP |
							 (umem->longest ? XDP_USE_SG : 0) };
	int ret = bind(umem->xsk[0], (const struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;

	for (unsigned i = 1; !ret && i < umem->threads; i++)
		ret = bind_shared(umem, i, ifindex);
	if (ret)
		failed("bind AF_XDP to", umem->queue, ifname, ret, err);
	umem->zero_copy = !ret && has_zero_copy(umem);
	return ret;
}

struct xfn_umem_losses xfn_umem__losses(const struct xfn_umem *umem, unsigned thread)
{
	struct xdp_statistics kernel = {};
	socklen_t len = sizeof(kernel);

	if (getsockopt(umem->xsk[thread], SOL_XDP, XDP_STATISTICS, &kernel, &len))
		return (struct xfn_umem_losses){};
	return (struct xfn_umem_losses){ .ring_full = kernel.rx_ring_full,
					 .no_frame = kernel.rx_dropped };
}

int xfn_umem__send_apart(struct xfn_umem *umem, const char *ifname, unsigned ifindex,
			 struct xfn_error *err)
{
	for (unsigned i = 0; i < umem->threads; i++) {
		umem->send[i] = xfn_packet_ring__sender(ifindex);
		if (umem->send[i] >= 0)
			continue;
		failed("open an AF_PACKET socket for replies of", umem->queue, ifname,
		       umem->send[i], err);
		return umem->send[i];
	}
	return 0;
}

void xfn_umem__close(struct xfn_umem *umem)
{
	for (unsigned i = 0; i < umem->threads; i++) {
		if (umem->xsk[i] >= 0)
			close(umem->xsk[i]);
		if (umem->send[i] >= 0)
			close(umem->send[i]);
	}
	if (umem->memfd >= 0)
		close(umem->memfd);
	umem->threads = 0;
	umem->memfd = -1;
}
