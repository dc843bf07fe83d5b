// expect: fail rule=bad_attributes line=5 says=.api
/* What XFN_FUNCTION sets is not the author's: no run would take the module. */
#include "xfn.h"

XFN_FUNCTION(set_api, .port = 4000, .api = 9)
{
	return XFN_REPLY;
}
