// expect: fail rule=jumped_over line=22 says=answer
/* A goto leads past a struct that has a name by its typedef only. */
#include "xfn.h"

typedef struct {
	uint32_t word[8];
} answer_type;

XFN_FUNCTION(leaps_type, .port = 4000, .grow = 32)
{
	const uint8_t *p = xfn_at(req, 0, 1);

	if (!p)
		return XFN_DROP;
	if (*p == 1)
		goto out;
	answer_type answer;

	for (unsigned i = 0; i < 8; i++)
		answer.word[i] = i;
out:
	return xfn_resize(req, 32) || xfn_write(req, 0, &answer, 32, 32) ? XFN_DROP : XFN_REPLY;
}
