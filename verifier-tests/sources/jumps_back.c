// expect: tier=afxdp rule=host_header line=4
/* Leaves by longjmp. */
#include "xfn.h"
#include <setjmp.h>

XFN_FUNCTION(jumps_back, .port = 4000)
{
	jmp_buf back;

	if (setjmp(back))
		return XFN_REPLY;
	longjmp(back, 1);
}
