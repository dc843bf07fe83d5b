/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One queue's AF_XDP set, made by the supervisor, used by a worker: the memory of the frames
 * (UMEM), with its fill and completion ring, and a socket for each thread, with an RX and a TX
 * ring. Must never touch a ring.
 * Documentation/networking/af_xdp.rst.
 */
#ifndef XFN_UMEM_H
#define XFN_UMEM_H

#include <stdbool.h>
#include <stdint.h>
#include "../../skel/error.h"
#include "../../xdp/abi.h"

#define XFN_UMEM_FRAMES	     4096 /* for one thread; 2048 for each further one */
#define XFN_UMEM_FRAME_SIZE  4096
#define XFN_UMEM_FRAME_SMALL 2048 /* for MTUs that fit, so for Ethernet's own */
#define XFN_UMEM_HEADROOM    256  /* the kernel's, before each packet (XDP_PACKET_HEADROOM) */
#define XFN_UMEM_RING	     2048 /* entries of a ring: half of the frames, so both directions fill */

struct xfn_umem {
	int memfd;    /* the frames; close-on-exec */
	uint64_t len; /* bytes */
	uint32_t frame_size, headroom;
	uint32_t fill_size, comp_size; /* ring entries */
	int xsk[XFN_THREADS];	       /* a socket for each thread; close-on-exec */
	/* -1, or where the queue has no TX queue: an AF_PACKET socket for each thread's replies */
	int send[XFN_THREADS];
	unsigned threads;
	uint32_t rx_size, tx_size; /* of each socket */
	uint32_t queue;
	bool zero_copy;	  /* told by the kernel, once bound */
	bool huge;	  /* in huge pages, of 2 MB */
	uint32_t longest; /* frame that may come in several buffers, bytes; 0: none does */
};

/* What a set is made for. */
struct xfn_umem_config {
	const char *ifname;
	unsigned queue;	  /* of the interface */
	unsigned threads; /* 1 to XFN_THREADS */
	uint32_t mtu;	  /* of the interface, IP bytes */
	int node;	  /* NUMA node that its memory is near; -1: anywhere */
};

/*
 * Make the set, in huge pages where there are enough. Wants CAP_NET_RAW. Where frames of the
 * interface's MTU exceed one buffer and the kernel hands such frames out (6.6 and later),
 * out->longest tells so. 0 or -errno with one line in err. The caller closes.
 */
int xfn_umem__open(const struct xfn_umem_config *config, struct xfn_umem *out,
		   struct xfn_error *err);

/*
 * Bind its sockets to their queue, with zero copy or in copy mode; only then do frames come.
 * umem->zero_copy is what the kernel says of it then. Kernels before 6.4 refuse to map the rings of
 * a bound socket (EBUSY): whoever works them must have mapped them before. 0, -EBUSY while an
 * earlier owner of the queue is torn down, which the kernel does in its own time (try again), or
 * another -errno, with one line in err; after zero copy was refused, copy mode may be asked for.
 */
int xfn_umem__bind(struct xfn_umem *umem, const char *ifname, unsigned ifindex, bool zero_copy,
		   struct xfn_error *err);
/* What the kernel dropped of frames for a thread's socket, since it is there. */
struct xfn_umem_losses {
	uint64_t ring_full; /* no room on its RX ring */
	uint64_t no_frame;  /* none on the fill ring, or one too short (with zero copy the NIC has
			       dropped those unseen) */
};
struct xfn_umem_losses xfn_umem__losses(const struct xfn_umem *umem, unsigned thread);
/*
 * For a queue without a TX queue of its number, whose sockets receive, while the kernel leaves what
 * stands on their TX rings there for ever and calls that a success: make umem->send. 0 or -errno
 * with one line in err.
 */
int xfn_umem__send_apart(struct xfn_umem *umem, const char *ifname, unsigned ifindex,
			 struct xfn_error *err);
void xfn_umem__close(struct xfn_umem *umem);

#endif
