// expect: tier=afxdp rule=host_header line=4
/* Includes the C library outside XFN_NATIVE. */
#include "xfn.h"
#include <stdio.h>

XFN_FUNCTION(libc, .port = 4000, .grow = 64)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%u bytes", xfn_len(req));

	if (xfn_resize(req, n) || xfn_write(req, 0, text, n, sizeof(text)))
		return XFN_DROP;
	return XFN_REPLY;
}
