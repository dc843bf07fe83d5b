// expect: fail rule=jumped_over line=17 says=answer
/* A switch leads past a number that goes out by its address: the compiler says nothing of that. */
#include "xfn.h"

XFN_FUNCTION(leaps_number, .port = 4000)
{
	const uint8_t *p = xfn_at(req, 0, 8);

	if (!p)
		return XFN_DROP;
	switch (*p) {
		uint64_t answer;
	case 1:
		answer = 1;
		break;
	default:
		return xfn_write(req, 0, &(answer), 8, 8) ? XFN_DROP : XFN_REPLY;
	}
	return XFN_DROP;
}
