// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The bare AF_XDP server that tier afxdp is compared with: libxdp's rings, batches of 64, addresses
 * and ports swapped, nothing looked at twice. Must never grow a feature.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <xdp/xsk.h>
#include "../load/afxdp_config.h"
#include "servers.h"

#define BATCH  64
#define FRAMES 4096
#define RING   2048
#define SIZE   4096

struct bare {
	uint8_t *area;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons comp, rx;
	struct pollfd wait;
	uint32_t sending; /* replies whose frames are not back */
};

static void swap(uint8_t *a, uint8_t *b, unsigned n)
{
	uint8_t t[8];

	memcpy(t, a, n);
	memcpy(a, b, n);
	memcpy(b, t, n);
}

/* Answer what was received, as long as there is room to send. */
static void answer(struct bare *b)
{
	uint32_t first, out, n = xsk_ring_cons__peek(&b->rx, BATCH, &first);

	if (!n) {
		poll(&b->wait, 1, 1000);
		return;
	}
	if (xsk_ring_prod__reserve(&b->tx, n, &out) == n) {
		for (uint32_t i = 0; i < n; i++) {
			const struct xdp_desc *d = xsk_ring_cons__rx_desc(&b->rx, first + i);
			uint8_t *f = b->area + d->addr;

			swap(f, f + 6, 6);
			swap(f + 26, f + 30, 4);
			swap(f + 34, f + 36, 2);
			*xsk_ring_prod__tx_desc(&b->tx, out + i) = *d;
		}
		xsk_ring_prod__submit(&b->tx, n);
		b->sending += n;
	}
	xsk_ring_cons__release(&b->rx, n);
}

/* Have replies sent, and give their frames back to be received into. */
static void complete(struct bare *b)
{
	for (int kicks = 0; kicks < 4 && b->sending; kicks++) {
		uint32_t first, at, back;

		if (xsk_ring_prod__needs_wakeup(&b->tx))
			sendto(b->wait.fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
		back = xsk_ring_cons__peek(&b->comp, b->sending, &first);
		if (back && xsk_ring_prod__reserve(&b->fill, back, &at) == back) {
			for (uint32_t i = 0; i < back; i++)
				*xsk_ring_prod__fill_addr(&b->fill, at + i) =
					*xsk_ring_cons__comp_addr(&b->comp, first + i) &
					~(uint64_t)(SIZE - 1);
			xsk_ring_prod__submit(&b->fill, back);
		}
		xsk_ring_cons__release(&b->comp, back);
		b->sending -= back;
	}
}

int bench_bare__serve(const char *ifname, int sockets_fd)
{
	const struct xsk_umem_config umem_config = BENCH_UMEM_CONFIG(RING, SIZE);
	const struct xsk_socket_config config = BENCH_SOCKET_CONFIG(RING);
	static struct bare b; /* rings must begin as zeros */
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	uint32_t at;
	int ret;

	b.area = mmap(NULL, FRAMES * SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (b.area == MAP_FAILED ||
	    xsk_umem__create(&umem, b.area, FRAMES * SIZE, &b.fill, &b.comp, &umem_config) ||
	    xsk_socket__create(&xsk, ifname, 0, umem, &b.rx, &b.tx, &config)) {
		fprintf(stderr, "bare AF_XDP: %s\n", strerror(errno));
		return 1;
	}
	b.wait = (struct pollfd){ .fd = xsk_socket__fd(xsk), .events = POLLIN };
	ret = xsk_socket__update_xskmap(xsk, sockets_fd);
	if (ret || xsk_ring_prod__reserve(&b.fill, RING, &at) != RING) {
		fprintf(stderr, "bare AF_XDP: %s\n", strerror(-ret));
		return 1;
	}
	for (uint32_t i = 0; i < RING; i++)
		*xsk_ring_prod__fill_addr(&b.fill, at + i) = (uint64_t)i * SIZE;
	xsk_ring_prod__submit(&b.fill, RING);
	puts("ready");
	fflush(stdout);
	for (;;) {
		answer(&b);
		complete(&b);
	}
}
