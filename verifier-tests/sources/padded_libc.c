// expect: fail rule=padded_literal line=13 says=tm
/* A struct of a system header has padding too. */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <time.h>
#endif

XFN_FUNCTION(padded_libc, .port = 4000, .tier = XFN_TIER_AFXDP, .grow = 56)
{
#ifdef XFN_NATIVE
	int n = (int)xfn_len(req);
	const struct tm *all =
		&(struct tm){ n, n, n, n, n, n, n, n, n, n, 0 };

	if (xfn_resize(req, sizeof(*all)) || xfn_write(req, 0, all, sizeof(*all), sizeof(*all)))
		return XFN_DROP;
#endif
	return XFN_REPLY;
}
