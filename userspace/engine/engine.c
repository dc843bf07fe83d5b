// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Engines by name, and whether this host can run one. Must never move a datagram. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "../../skel/error.h"
#include "engine.h"

const struct xfn_engine_ops *const xfn_engines[] = {
#define XFN_ENGINE(name) &xfn_engine_##name,
#include "engines.h"
#undef XFN_ENGINE
	NULL
};

const struct xfn_engine_ops *xfn_engine_find(const char *name)
{
	for (unsigned i = 0; xfn_engines[i]; i++)
		if (!strcmp(xfn_engines[i]->name, name))
			return xfn_engines[i];
	return NULL;
}

const struct xfn_engine_ops *xfn_engine_of_rank(unsigned rank)
{
	for (unsigned i = 0; rank && xfn_engines[i]; i++)
		if (xfn_engines[i]->rank == rank)
			return xfn_engines[i];
	return NULL;
}

int xfn_engine_probe(const struct xfn_engine_ops *ops, struct xfn_error *why)
{
	why->line[0] = 0;
	return ops->probe ? ops->probe(why) : 0;
}

int xfn_engine_probe_raw(int family, const char *name, const char *option, int *fd,
			 struct xfn_error *why)
{
	int ret;

	*fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (*fd >= 0)
		return 0;
	ret = errno;
	return xfn_fail(why, -ret, "socket(%s): %s (%s%s)", name, strerrorname_np(ret),
			ret == EPERM	    ? "needs CAP_NET_RAW" :
			ret == EAFNOSUPPORT ? "kernel without " :
					      strerror(ret),
			ret == EAFNOSUPPORT ? option : "");
}
