// expect: fail rule=native_error line=5
/* No such port. */
#include "xfn.h"

XFN_FUNCTION(far_port, .port = 70000)
{
	return XFN_REPLY;
}
