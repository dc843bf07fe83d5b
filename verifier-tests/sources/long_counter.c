// expect: fail rule=native_error line=5 says=XFN_COUNTER
/* Two counters that begin alike would be one to a worker, which keeps 23 letters of a name. */
#include "xfn.h"

XFN_COUNTER(requests_with_a_question_a);
XFN_COUNTER(requests_with_a_question_b);

XFN_FUNCTION(long_counter, .port = 4000)
{
	if (xfn_len(req))
		xfn_count(requests_with_a_question_a);
	else
		xfn_count(requests_with_a_question_b);
	return XFN_REPLY;
}
