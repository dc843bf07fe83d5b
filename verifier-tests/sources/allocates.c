// expect: tier=afxdp rule=calls_unknown line=10 says=malloc
/* Asks the heap for memory, with the header where it belongs. */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <stdlib.h>
#endif

XFN_FUNCTION(allocates, .port = 4000)
{
	uint8_t *copy = malloc(64);
	int bad = !copy || xfn_read(req, 0, copy, 64, 64) || xfn_write(req, 0, copy, 64, 64);

	free(copy);
	return bad ? XFN_DROP : XFN_REPLY;
}
