// expect: fail rule=native_error line=7
/* A semicolon is missing. */
#include "xfn.h"

XFN_FUNCTION(syntax, .port = 4000)
{
	return XFN_REPLY
}
