// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* HOST:PORT as people write it. Must never send anything. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "../cli/output.h"
#include "target.h"

int xfn_target__resolve(const char *verb, bool json, const char *text, int family,
			struct addrinfo **out)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_DGRAM };
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	char host[256];
	int err;

	if (len >= 2 && *text == '[' && colon[-1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)len - 2, text + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)len, text);
	if (!*host || !colon[1] || (strchr(host, ':') && *text != '['))
		return xfn_output__fail(
			verb, json, XFN_EXIT_USAGE,
			"target '%.60s': give HOST:PORT, 192.0.2.1:7 or [2001:db8::1]:7", text);
	if (isdigit((unsigned char)colon[1])) {
		char *end;
		unsigned long port = strtoul(colon + 1, &end, 10);

		if (*end || !port || port > 65535)
			return xfn_output__fail(verb, json, XFN_EXIT_USAGE,
						"port '%.60s': take 1 to 65535", colon + 1);
	}
	err = getaddrinfo(host, colon + 1, &hints, out);
	if (err)
		return xfn_output__fail(verb, json, XFN_EXIT_FAILED,
					"%.200s: %s; give an address, or a name that resolves",
					text, gai_strerror(err));
	return 0;
}
