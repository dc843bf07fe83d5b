// expect: tier=afxdp rule=pointer_table line=5
/* A constant table of pointers to strings. */
#include "xfn.h"

static const char *const words[4] = { "zero", "one", "two", "three" };

XFN_FUNCTION(words, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 2);
	const char *word;

	if (!p)
		return XFN_DROP;
	word = words[p[0] & 3];
	p[0] = word[0];
	p[1] = word[1];
	return XFN_REPLY;
}
