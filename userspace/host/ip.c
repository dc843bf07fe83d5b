// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* IP addresses and their text. */
#include <arpa/inet.h>
#include <errno.h>
#include "ip.h"

int xfn_ip__parse(const char *text, uint8_t ip[16])
{
	char bare[INET6_ADDRSTRLEN];
	size_t len = strlen(text);

	if (len > 2 && text[0] == '[' && text[len - 1] == ']' && len - 2 < sizeof(bare)) {
		memcpy(bare, text + 1, len - 2);
		bare[len - 2] = 0;
		return inet_pton(AF_INET6, bare, ip) == 1 ? 0 : -EINVAL;
	}
	memset(ip, 0, 16);
	ip[10] = ip[11] = 0xff;
	if (inet_pton(AF_INET, text, ip + 12) == 1)
		return 0;
	return inet_pton(AF_INET6, text, ip) == 1 ? 0 : -EINVAL;
}

const char *xfn_ip__text(const uint8_t ip[16], char text[INET6_ADDRSTRLEN])
{
	int v4 = xfn_address__is_v4(ip);

	return inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip + 12 : ip, text, INET6_ADDRSTRLEN);
}
