// expect: tier=afxdp
/*
 * Echoes, and starts as the files beside $XFN_STARTS tell: "slow" sleeps, "fail" refuses, "helps"
 * leaves another process running, which has all that this one has, "daemon" one that has left its
 * process group too, "group" joins the supervisor's group, "short" leaves no address space, "prints"
 * writes much, and what a terminal would act on, "floods" does so without end. On "tell" it tells its supervisor without end that
 * it has failed, on "more" it answers what it was not asked; on "term" it ends itself by SIGTERM, on
 * "die!" by a crash. In a worker, for the kernel has no such things.
 */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../../userspace/protocol/worker_protocol.h"

static int told(const char *what)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", getenv("XFN_STARTS") ?: "/nonexistent", what);
	return !access(path, F_OK);
}

/* As daemons do: of another session, and its parent has ended. */
static void leave_a_daemon(void)
{
	if (fork())
		return;
	setsid();
	if (!fork())
		sleep(60);
	_exit(0);
}

static void tell(uint32_t type, unsigned times)
{
	struct xfn_message msg = { .type = type,
				   .version = XFN_WORKER_PROTOCOL_VERSION,
				   .failed = { .text = "told in vain" } };

	struct iovec part = { .iov_base = &msg, .iov_len = sizeof(msg) };
	struct msghdr whole = { .msg_iov = &part, .msg_iovlen = 1 };

	while (times--) /* as the worker's own code does: another way is barred */
		if (sendmsg(XFN_WORKER_PROTOCOL_FD, &whole, XFN_MESSAGE_SEND) < 0)
			sched_yield();
}

static void obey(const char *p)
{
	if (!memcmp(p, "tell", 4))
		tell(XFN_MESSAGE_FAILED, ~0u);
	else if (!memcmp(p, "more", 4))
		tell(XFN_MESSAGE_INVOKED, 3);
	else if (!memcmp(p, "term", 4))
		raise(SIGTERM);
	else if (!memcmp(p, "die!", 4))
		abort();
}

static void *write_for_ever(void *nothing)
{
	static char lines[4096];

	memset(lines, '\n', sizeof(lines));
	for (;;)
		if (write(STDOUT_FILENO, lines, sizeof(lines)) < 0)
			sched_yield();
	return nothing;
}

XFN_INIT(starts)
{
	pthread_t thread;

	if (told("floods"))
		pthread_create(&thread, NULL, write_for_ever, NULL);
	if (told("short"))
		setrlimit(RLIMIT_AS, &(struct rlimit){});
	if (told("group"))
		setpgid(0, getpgid(getppid()));
	if (told("daemon"))
		leave_a_daemon();
	if (told("slow"))
		sleep(60);
	if (told("prints")) {
		printf("\033[31mred\xff\n%01000d\n", 7);
		for (int i = 0; i < 5000; i++)
			fprintf(stderr, "{\"line\": %d}\n", i);
	}
	if (told("helps") && !fork()) {
		sleep(60);
		_exit(0);
	}
	return told("fail") ? -EIO : 0;
}
#endif

XFN_FUNCTION(starts, .port = 4012, .tier = XFN_TIER_AFXDP)
{
#ifdef XFN_NATIVE
	const char *p = xfn_at(req, 0, 4);

	if (p)
		obey(p);
#endif
	return XFN_REPLY;
}
