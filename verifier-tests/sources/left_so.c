// expect: fail rule=left_unset line=7
/* Asks that its answer's bytes be left as the stack held them. */
#include "xfn.h"

XFN_FUNCTION(left_so, .port = 4000)
{
	uint8_t first = 0, answer[16] __attribute__((uninitialized));

	answer[0] = first;
	return xfn_write(req, 0, answer, sizeof(answer), sizeof(answer)) ? XFN_DROP : XFN_REPLY;
}
