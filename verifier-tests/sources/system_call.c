// expect: tier=afxdp rule=host_header line=4
/* A system call of its own. */
#include "xfn.h"
#include <unistd.h>

XFN_FUNCTION(system_call, .port = 4000)
{
	return getpid() ? XFN_REPLY : XFN_DROP;
}
