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
#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <xdp/xsk.h>
#include "servers.h"

#define BATCH  64
#define FRAMES 4096
#define RING   2048
#define SIZE   4096

static void swap(uint8_t *a, uint8_t *b, unsigned n)
{
	uint8_t t[8];

	memcpy(t, a, n);
	memcpy(a, b, n);
	memcpy(b, t, n);
}

int bench_bare__serve(const char *ifname, int sockets_fd)
{
	const struct xsk_umem_config umem_config = { .fill_size = RING,
						     .comp_size = RING,
						     .frame_size = SIZE };
	const struct xsk_socket_config config = { .rx_size = RING,
						  .tx_size = RING,
						  .libxdp_flags =
							  XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
						  .bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP };
	static struct xsk_ring_prod fill, tx; /* must begin as zeros */
	static struct xsk_ring_cons comp, rx;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	uint8_t *area = mmap(NULL, FRAMES * SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	struct pollfd wait = { .events = POLLIN };
	uint32_t at, sending = 0;
	int ret;

	if (area == MAP_FAILED ||
	    xsk_umem__create(&umem, area, FRAMES * SIZE, &fill, &comp, &umem_config) ||
	    xsk_socket__create(&xsk, ifname, 0, umem, &rx, &tx, &config)) {
		fprintf(stderr, "bare AF_XDP: %s\n", strerror(errno));
		return 1;
	}
	wait.fd = xsk_socket__fd(xsk);
	ret = xsk_socket__update_xskmap(xsk, sockets_fd);
	if (ret || xsk_ring_prod__reserve(&fill, RING, &at) != RING) {
		fprintf(stderr, "bare AF_XDP: %s\n", strerror(-ret));
		return 1;
	}
	for (uint32_t i = 0; i < RING; i++)
		*xsk_ring_prod__fill_addr(&fill, at + i) = (uint64_t)i * SIZE;
	xsk_ring_prod__submit(&fill, RING);
	puts("ready");
	fflush(stdout);
	for (;;) {
		uint32_t first, out, back, n = xsk_ring_cons__peek(&rx, BATCH, &first);

		if (!n)
			poll(&wait, 1, 1000);
		if (n && xsk_ring_prod__reserve(&tx, n, &out) == n) {
			for (uint32_t i = 0; i < n; i++) {
				const struct xdp_desc *d = xsk_ring_cons__rx_desc(&rx, first + i);
				uint8_t *f = area + d->addr;

				swap(f, f + 6, 6);
				swap(f + 26, f + 30, 4);
				swap(f + 34, f + 36, 2);
				*xsk_ring_prod__tx_desc(&tx, out + i) = *d;
			}
			xsk_ring_prod__submit(&tx, n);
			sending += n;
		}
		if (n)
			xsk_ring_cons__release(&rx, n);
		for (int kicks = 0; kicks < 4 && sending; kicks++) {
			if (xsk_ring_prod__needs_wakeup(&tx))
				sendto(wait.fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
			back = xsk_ring_cons__peek(&comp, sending, &first);
			if (back && xsk_ring_prod__reserve(&fill, back, &at) == back) {
				for (uint32_t i = 0; i < back; i++)
					*xsk_ring_prod__fill_addr(&fill, at + i) =
						*xsk_ring_cons__comp_addr(&comp, first + i) &
						~(uint64_t)(SIZE - 1);
				xsk_ring_prod__submit(&fill, back);
			}
			xsk_ring_cons__release(&comp, back);
			sending -= back;
		}
	}
}
