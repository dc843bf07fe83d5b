// expect: fail rule=missing_library line=8 says=libnosuchthing
/* XFN_LINK over two lines, behind one that is there. */
#include "xfn.h"

/* clang-format off */
XFN_LINK("libcrypto"); XFN_LINK(
	/* of nobody */ "libcrypto");
	XFN_LINK (
	"libnosuchthing >= 9");

XFN_FUNCTION(spread_link, .port = 4000)
{
	return XFN_REPLY;
}
