// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ports and (address, port) pairs, each with its function and tier. Must never know of workers. */
#include <string.h>
#include <bpf/bpf.h>
#include "error.h"
#include "loader_inside.h"
#include "dispatcher.skel.h"

/* The dispatcher looks these up where the address itself has no binding. */
static const uint8_t every[2][16] = { { [10] = 0xff, 0xff }, {} };

static struct xfn_binding_key binding_key(const uint8_t ip[16], uint16_t port)
{
	struct xfn_binding_key key = { .port = port };

	memcpy(key.ip, ip, sizeof(key.ip));
	return key;
}

/* Bind the port at every address of both versions. */
static int bind_every(const struct xfn_loader *ld, uint16_t port, const __u32 *value)
{
	int ret = 0;

	for (unsigned i = 0; !ret && i < 2; i++) {
		struct xfn_binding_key key = binding_key(every[i], port);

		ret = bpf_map_update_elem(bpf_map__fd(ld->skel->maps.xfn_bindings), &key, value,
					  BPF_ANY);
	}
	return ret;
}

int xfn_loader__bind(struct xfn_loader *ld, const uint8_t *ip, uint16_t port, unsigned slot,
		     int tier, struct xfn_error *err)
{
	__u32 key = port, value = XFN_PORT_VALUE(tier, slot), now = 0, shared = XFN_PORT_SHARED;
	int ports = bpf_map__fd(ld->skel->maps.xfn_ports), ret;

	if (tier == XFN_TIER_SOCKET)
		value = 0;
	ret = bpf_map_lookup_elem(ports, &key, &now);
	if (!ret && !ip) {
		ret = now == XFN_PORT_SHARED ? bind_every(ld, port, &value) :
					       bpf_map_update_elem(ports, &key, &value, BPF_ANY);
	} else if (!ret) {
		struct xfn_binding_key one = binding_key(ip, port);

		/* the bindings first: no request may meet a shared port without them */
		if (now && now != XFN_PORT_SHARED)
			ret = bind_every(ld, port, &now);
		if (!ret)
			ret = bpf_map_update_elem(bpf_map__fd(ld->skel->maps.xfn_bindings), &one,
						  &value, BPF_ANY);
		if (!ret)
			ret = bpf_map_update_elem(ports, &key, &shared, BPF_ANY);
	}
	if (ret)
		xfn_error__set(err, "port %u: the dispatcher does not take it: %s", port,
			       strerror(-ret));
	return ret;
}
