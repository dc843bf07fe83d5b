// expect: tier=afxdp rule=host_header line=4
/* Prints what comes. */
#include "xfn.h"
#include <stdio.h>

XFN_FUNCTION(prints, .port = 4000)
{
	fprintf(stderr, "%u bytes\n", xfn_len(req));
	return XFN_REPLY;
}
