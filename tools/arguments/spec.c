// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* MODULE@ADDR:PORT and addresses as the command line has them. Must never print. */
#include <string.h>
#include <sys/stat.h>
#include "../../userspace/sockets/udp_socket.h"
#include "../../userspace/host/ip.h"
#include "number.h"
#include "spec.h"

bool xfn_spec__is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

bool xfn_spec__address(const char **text, char *buf, size_t len)
{
	size_t n = strlen(*text);
	uint8_t ip[16];

	if (xfn_ip__parse(*text, ip))
		return false;
	if (**text == '[' && n - 2 < len) {
		memmove(buf, *text + 1, n - 2); /* buf may be *text */
		buf[n - 2] = '\0';
		*text = buf;
	}
	return true;
}

const char *xfn_spec__not_bound(const char *addr)
{
	uint8_t ip[16];

	if (xfn_ip__parse(addr, ip))
		return "no IPv4 or IPv6 address; give one";
	return xfn_udp_socket__unfit(ip) ? "a multicast or broadcast address, which is no host's "
					   "own; give one of this host" :
					   NULL;
}

const char *xfn_spec__not_served(const char *addr)
{
	uint8_t ip[16];

	if (xfn_ip__parse(addr, ip) || xfn_udp_socket__unfit(ip))
		return xfn_spec__not_bound(addr);
	if (xfn_ip__is_loopback(ip))
		return "a loopback address, whose packets cross no interface; give another, or leave "
		       "-i out";
	return xfn_udp_socket__is_every(ip) ? "no single address; leave it out to serve them all" :
					      NULL;
}

const char *xfn_spec__parse(char *spec, struct xfn_spec *out)
{
	char *at = xfn_spec__is_file(spec) ? NULL : strrchr(spec, '@'), *colon;
	const char *addr;
	unsigned port;

	*out = (struct xfn_spec){ .path = spec, .addr = "" };
	if (!at)
		return NULL;
	*at++ = '\0';
	colon = strrchr(at, ':');
	if (colon) {
		*colon = '\0';
		addr = at;
		/* [fd00::1]:53 only: without brackets the last group could be the port */
		if ((strchr(at, ':') && *at != '[') ||
		    !xfn_spec__address(&addr, at, strlen(at) + 1))
			return "no address before the port; give F.xfn@192.0.2.1:53 or F.xfn@[fd00::1]:53";
		out->addr = addr;
		at = colon + 1;
	}
	if (!xfn_number__whole(at, 1, 65535, &port))
		return "no port after the '@'; take 1 to 65535";
	out->port = (uint16_t)port;
	return NULL;
}
