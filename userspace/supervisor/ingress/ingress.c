// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The owner of what the files of this room hold. */
#include <stdlib.h>
#include "../../../skel/socket_filter.h"
#include "ingress_inside.h"

struct xfn_ingress *xfn_ingress__make(const struct xfn_run_options *opts, struct xfn_events *loop,
				      const struct xfn_interface_state *interface,
				      const struct xfn_attachment *attachment,
				      struct xfn_functions *functions)
{
	unsigned count = xfn_functions__count(functions);
	struct xfn_ingress *ing = calloc(1, sizeof(*ing));

	if (!ing)
		return NULL;
	ing->opts = opts;
	ing->loop = loop;
	ing->interface = interface;
	ing->attachment = attachment;
	ing->functions = functions;
	ing->listening = calloc(count ?: 1, sizeof(*ing->listening));
	if (ing->listening)
		return ing;
	free(ing);
	return NULL;
}

void xfn_ingress__close(struct xfn_ingress *ing)
{
	if (!ing)
		return;
	xfn_socket_filter__close(ing->socket_filter);
	free(ing->listening);
	free(ing);
}
