// expect: fail rule=jumped_over line=20 says=answer
/* A goto leads past a vector. */
#include "xfn.h"

typedef uint8_t vector __attribute__((vector_size(16)));

XFN_FUNCTION(leaps_vector, .port = 4000)
{
	const uint8_t *p = xfn_at(req, 0, 16);

	if (!p)
		return XFN_DROP;
	if (*p == 1)
		goto out;
	vector answer;

	answer = (vector){ 1 };
	if (p[1])
out:
		return xfn_write(req, 0, &answer, 16, 16) ? XFN_DROP : XFN_REPLY;
	return XFN_DROP;
}
