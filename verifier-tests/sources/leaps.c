// expect: fail rule=jumped_over line=21 says=answer
/* A goto leads past an array, and behind it that goes out. */
#include "xfn.h"

XFN_FUNCTION(leaps, .port = 4000)
{
	const uint8_t *p = xfn_at(req, 0, 16);

	if (!p)
		return XFN_DROP;
	if (p[0] == 1)
		goto out;
	uint8_t answer[16];

	for (unsigned i = 0; i < sizeof(answer); i++)
		answer[i] = p[i] ^ 1;
	if (p[1] == 1)
		goto out;
	answer[0] = 2;
out:
	return xfn_write(req, 0, answer, sizeof(answer), 16) ? XFN_DROP : XFN_REPLY;
}
