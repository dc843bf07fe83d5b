// expect: fail rule=missing_library|native_error line=4
/* A header of a library that XFN_LINK does not name. */
#include "xfn.h"
#include <nosuch/library.h>

XFN_FUNCTION(library_in, .port = 4000)
{
	return XFN_REPLY;
}
