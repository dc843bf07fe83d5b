// expect: fail rule=native_error line=6 says=xfn.meta
/* Something where a module has its verdict. */
#include "xfn.h"

#ifdef XFN_NATIVE
__attribute__((section("xfn.meta"), used)) static const char verdict[64] = "x";
#endif

XFN_FUNCTION(module_section, .port = 4000)
{
	return XFN_REPLY;
}
