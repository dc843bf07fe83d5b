// expect: fail rule=missing_library line=5
/* Wants a library that no one has. */
#include "xfn.h"

XFN_LINK("libnosuchthing >= 9");

XFN_FUNCTION(nolib, .port = 4000)
{
	return XFN_REPLY;
}
