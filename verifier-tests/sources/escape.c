// expect: tier=afxdp
/*
 * Echoes. On the payload "exec" it starts another program, on "open" it opens a file, on "kill" it
 * sends its supervisor a signal that any process of a session may send another, and says what came
 * of it; on "over" it writes past its payload, on "undr" before it. On "junk" it sends nonsense to the
 * supervisor in its worker's way, and does not return. In a worker, for the kernel has no such
 * things.
 */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SUPERVISOR_FD 3 /* XFN_WORKER_PROTOCOL_FD, XFN_MESSAGE_SEND: */
#define ITS_FLAGS     (MSG_NOSIGNAL | MSG_CONFIRM)

static long supervisor;

XFN_INIT(escape)
{
	supervisor = getppid();
	return 0;
}

static ssize_t send_junk(void *bytes)
{
	struct iovec part = { bytes, 4 };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };

	return sendmsg(SUPERVISOR_FD, &msg, ITS_FLAGS);
}

static void stay(void)
{
	for (volatile int on = 1; on;)
		;
}
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
	else if (p && !memcmp(p, "kill", 4))
		memcpy(p,
		       syscall(SYS_tgkill, supervisor, supervisor, SIGCONT) < 0 && errno == EPERM ?
			       "EPER" :
			       "done",
		       4);
	else if (p && !memcmp(p, "junk", 4) && send_junk(p) == 4)
		stay();
	else if (p && !memcmp(p, "over", 4))
		*(volatile char *)(past + xfn_len(req)) = 'x';
	else if (p && !memcmp(p, "undr", 4))
		*(volatile char *)(past - 1) ^= 'x';
#endif
	return XFN_REPLY;
}
