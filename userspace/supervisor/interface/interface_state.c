// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The shape of the interface as it was last read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "interface_state.h"

static int find(const struct xfn_run_options *opts, struct xfn_interface *iface,
		struct xfn_error *err)
{
	int ret = xfn_interface__read(opts->ifname, iface, err);

	if (ret == -ENODEV && opts->wait) {
		snprintf(iface->name, sizeof(iface->name), "%s", opts->ifname);
		return 0;
	}
	if (ret || iface->up || opts->wait)
		return ret;
	return xfn_fail(err, -ENETDOWN, "%s: is down; `ip link set dev %s up`, or --wait for it",
			opts->ifname, opts->ifname);
}

int xfn_interface_state__open(const struct xfn_run_options *opts, struct xfn_interface_state **out,
			      struct xfn_error *err)
{
	struct xfn_interface_state *state = calloc(1, sizeof(*state));
	int ret;

	*out = NULL;
	if (!state)
		return xfn_fail(err, -ENOMEM, "out of memory");
	ret = opts->ifname ? find(opts, &state->iface, err) : 0;
	if (ret) {
		free(state);
		return ret;
	}
	*out = state;
	return 0;
}

void xfn_interface_state__close(struct xfn_interface_state *state)
{
	if (state)
		xfn_addresses__close(state->addresses);
	free(state);
}

void xfn_interface_state__set(struct xfn_interface_state *state, const struct xfn_interface *now)
{
	struct xfn_interface was = state->iface;

	state->iface = *now;
	if (now->up || !was.index)
		return;
	state->iface.mtu = was.mtu;
	state->iface.queues = was.queues;
	state->iface.tx_queues = was.tx_queues;
}

void xfn_interface_state__set_gone(struct xfn_interface_state *state)
{
	state->iface.index = 0;
	state->iface.up = false;
	xfn_interface_state__follow(state, 0);
}

void xfn_interface_state__set_unread(struct xfn_interface_state *state)
{
	state->unread = true;
}

void xfn_interface_state__clear_changes(struct xfn_interface_state *state)
{
	state->addresses_changed = state->devices_changed = state->host_changed = false;
}

unsigned xfn_interface_state__descriptors(const struct xfn_interface_state *state,
					  const struct xfn_run_options *opts)
{
	static const struct xfn_interface_state none;
	const struct xfn_interface_state *now = state ?: &none;
	unsigned devices = now->device_count ?: 1, addresses = now->local_count ?: 2;
	unsigned queues = now->iface.queues ?: 1;

	/* of a function: its module, its programs and maps, its sockets; of a queue: a worker's */
	return 64 + opts->module_count * (8 + devices * addresses) + queues * (8 + 2 * XFN_THREADS);
}
