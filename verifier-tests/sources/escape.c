// expect: tier=afxdp
/*
 * Echoes. On the payload "exec" it starts another program, on "open" it opens a file, and says what
 * came of it; on "over" it writes past its payload. In a worker, for the kernel has no such things.
 */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <fcntl.h>
#include <unistd.h>
#endif

XFN_FUNCTION(escape, .port = 4005, .tier = XFN_TIER_AFXDP)
{
#ifdef XFN_NATIVE
	char *const argv[] = { (char *)"true", NULL };
	char *p = xfn_edit(req, 0, 4);
	volatile uintptr_t past = (uintptr_t)p; /* a number, of which the analyzer knows nothing */

	if (p && !memcmp(p, "exec", 4))
		memcpy(p,
		       execve("/bin/true", argv, argv + 1) < 0 && errno == EPERM ? "EPER" : "done",
		       4);
	else if (p && !memcmp(p, "open", 4))
		memcpy(p, open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM ? "EPER" : "done", 4);
	else if (p && !memcmp(p, "over", 4))
		*(volatile char *)(past + xfn_len(req)) = 'x';
#endif
	return XFN_REPLY;
}
