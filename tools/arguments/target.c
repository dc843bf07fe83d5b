// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* HOST:PORT as people write it. Must never send anything. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <errno.h>
#include "../../skel/error.h"
#include "number.h"
#include "target.h"

int xfn_target__resolve(const char *text, int family, struct addrinfo **out, struct xfn_error *err)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_DGRAM };
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	char host[256];
	unsigned port;
	int ret;

	if (len >= 2 && *text == '[' && colon[-1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)len - 2, text + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)len, text);
	if (!*host || !colon[1] || (strchr(host, ':') && *text != '['))
		return xfn_fail(err, -EINVAL,
				"target '%.60s': give HOST:PORT, 192.0.2.1:7 or [2001:db8::1]:7",
				text);
	if (isdigit((unsigned char)colon[1]) && !xfn_number__whole(colon + 1, 1, 65535, &port))
		return xfn_fail(err, -EINVAL, "port '%.60s': take 1 to 65535", colon + 1);
	ret = getaddrinfo(host, colon + 1, &hints, out);
	if (ret)
		return xfn_fail(err, -EHOSTUNREACH,
				"%.200s: %s; give an address, or a name that resolves", text,
				gai_strerror(ret));
	return 0;
}
