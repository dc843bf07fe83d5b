// expect: fail rule=out_of_bounds line=13
/* Two pointers, and the bounds of the one used with the other. */
#include "xfn.h"

XFN_FUNCTION(two_at_once, .port = 4000)
{
	const uint8_t *head = xfn_at(req, 0, 2);
	uint8_t *body = xfn_edit(req, 2, 16);

	if (!head || !body)
		return XFN_DROP;
	for (int i = 0; i < 2; i++)
		body[i] = head[i + 14];
	return XFN_REPLY;
}
