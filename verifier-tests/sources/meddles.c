// expect: tier=afxdp
/*
 * Echoes, and meddles with what its worker serves by. On "clos", "rang" and "dupl" it closes every
 * descriptor from 3 on or puts standard output in its place, on "shut", "opti", "flag" and "ioct"
 * it changes each; it says what came of it. On "word" it writes to what joins its worker to the
 * supervisor, on "hear" it reads there. On "heap" it gives the heap back, on "ring" what its worker
 * shares with the kernel, but the pages of counters; on "engn" it makes the engine's own memory
 * unreadable; on "term" it sends its worker SIGTERM, as a hand outside would. Where XFN_MEDDLES is
 * in the environment, its XFN_INIT closes as many descriptors from 3 on. In a worker, for the
 * kernel has no such things.
 */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../../userspace/worker/worker_inside.h"

#define SUPERVISOR_FD 3
#define DESCRIPTORS   1024
#define MAPPINGS      64

static struct {
	uintptr_t from, to;
} shared[MAPPINGS];
static unsigned shared_count;
static uintptr_t heap;

XFN_INIT(meddles)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], flags[8];
	uintptr_t from, to;

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &from, &to, flags) != 3)
			continue;
		if (strstr(line, "[heap]"))
			heap = from;
		if (flags[3] == 's' && !strstr(line, "page") && shared_count < MAPPINGS) {
			shared[shared_count].from = from;
			shared[shared_count++].to = to;
		}
	}
	if (maps)
		fclose(maps);
	for (int n = atoi(getenv("XFN_MEDDLES") ?: "0"), fd = SUPERVISOR_FD; n > 0; n--, fd++)
		close(fd);
	return heap ? 0 : -ENOENT;
}

/* Of one descriptor. */
static long change(const char *p, int fd)
{
	const int on = 1;

	if (!memcmp(p, "clos", 4))
		return close(fd);
	if (!memcmp(p, "rang", 4))
		return syscall(SYS_close_range, fd, ~0u, 0);
	if (!memcmp(p, "dupl", 4))
		return dup2(STDOUT_FILENO, fd);
	if (!memcmp(p, "shut", 4))
		return shutdown(fd, SHUT_RDWR);
	if (!memcmp(p, "opti", 4))
		return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &on, sizeof(on));
	if (!memcmp(p, "flag", 4))
		return fcntl(fd, F_SETFL, O_NONBLOCK);
	return ioctl(fd, FIONBIO, &on);
}

/* EPER where each was refused, else done. */
static const char *change_all(const char *p)
{
	bool refused = true;

	for (int fd = SUPERVISOR_FD; fd < DESCRIPTORS; fd++)
		refused &= change(p, fd) < 0 && errno == EPERM;
	return refused ? "EPER" : "done";
}

static long speak(const char *p)
{
	char word[4096];

	return *p == 'w' ? write(SUPERVISOR_FD, p, 4) :
			   recv(SUPERVISOR_FD, word, sizeof(word), MSG_DONTWAIT);
}

static void meddle(char *p)
{
	static const char each[] = "clos rang dupl shut opti flag ioct ", pair[] = "word hear ";
	char word[6];

	snprintf(word, sizeof(word), "%.4s ", p);
	if (strstr(each, word)) {
		memcpy(p, change_all(p), 4);
	} else if (strstr(pair, word)) {
		memcpy(p, speak(p) < 0 && errno == EPERM ? "EPER" : "done", 4);
	} else if (!memcmp(p, "heap", 4)) {
		syscall(SYS_brk, heap);
	} else if (!memcmp(p, "engn", 4)) {
		struct xfn_worker_thread *t =
			(void *)((char *)xfn_thread -
				 offsetof(struct xfn_worker_thread, call.thread));

		mprotect((void *)((uintptr_t)t->engine & ~(uintptr_t)4095), 4096, PROT_NONE);
	} else if (!memcmp(p, "ring", 4)) {
		for (unsigned i = 0; i < shared_count; i++)
			munmap((void *)shared[i].from, shared[i].to - shared[i].from);
	} else if (!memcmp(p, "term", 4)) {
		raise(SIGTERM);
	}
}
#endif

XFN_FUNCTION(meddles, .port = 4007, .tier = XFN_TIER_AFXDP)
{
#ifdef XFN_NATIVE
	char *p = xfn_edit(req, 0, 4);

	if (p)
		meddle(p);
#endif
	return XFN_REPLY;
}
