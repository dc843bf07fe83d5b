// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Addresses and devices of the interface as they are now. Must never know who acts on them. */
#include <errno.h>
#include <string.h>
#include <syslog.h>
#include "../../host/ip.h"
#include "../../host/log.h"
#include "../../sockets/udp_socket.h"
#include "interface_state.h"

static void on_address(void *ctx, const struct xfn_local_address *local, bool added)
{
	struct xfn_interface_state *state = ctx;

	state->addresses_changed = true;
	state->events.address(state->events.ctx, local, added);
}

static void on_device(void *ctx, const struct xfn_addresses_device *device, bool added)
{
	struct xfn_interface_state *state = ctx;

	state->devices_changed = true;
	if (added && device->tag[0] && state->iface.vlan_offload)
		xfn_log__line(
			LOG_NOTICE,
			"%s takes VLAN tags off before XDP sees them, so requests to %s go the "
			"slow path; `ethtool -K %s rxvlan off` mends that",
			state->iface.name, device->name, state->iface.name);
}

static void on_host(void *ctx)
{
	struct xfn_interface_state *state = ctx;

	state->host_changed = true;
	state->events.host(state->events.ctx);
}

/* The lists stay where they were read: a second copy might not fit into memory. */
static int keep(struct xfn_interface_state *state, int ret)
{
	struct xfn_addresses_now now = xfn_addresses__now(state->addresses);

	state->local = now.served;
	state->local_count = now.served_count;
	state->devices = now.devices;
	state->device_count = now.device_count;
	if (ret < 0 && !state->unread)
		xfn_log__line(LOG_WARNING,
			      "cannot read addresses again: %s; it is tried again, and those of "
			      "before are served meanwhile",
			      strerror(-ret));
	state->unread = ret < 0;
	return ret;
}

int xfn_interface_state__read_addresses(struct xfn_interface_state *state)
{
	return keep(state, xfn_addresses__serve(state->addresses));
}

void xfn_interface_state__follow(struct xfn_interface_state *state, unsigned ifindex)
{
	keep(state, xfn_addresses__follow(state->addresses, ifindex));
}

int xfn_interface_state__watch(struct xfn_interface_state *state,
			       const struct xfn_run_options *opts,
			       const struct xfn_interface_events *events, struct xfn_error *err)
{
	const struct xfn_addresses_listener listener = { state, on_device, on_address, on_host };
	unsigned count = opts->address_count;
	uint8_t only[count ?: 1][16];
	int ret;

	for (unsigned i = 0; i < count; i++)
		if (xfn_ip__parse(opts->address[i], only[i]))
			return xfn_fail(err, -EINVAL, "--address %s: no IP address",
					opts->address[i]);
	state->events = *events;
	ret = xfn_addresses__open(state->iface.index, only, count, &listener, &state->addresses,
				  err);
	return ret ?: keep(state, 0);
}
