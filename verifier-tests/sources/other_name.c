// expect: fail rule=name_mismatch line=5
/* The file has another name. */
#include "xfn.h"

XFN_FUNCTION(another, .port = 4000)
{
	return XFN_REPLY;
}
