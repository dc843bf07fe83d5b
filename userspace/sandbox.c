// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a worker gives up before it touches its first packet. Must never know of modules or rings.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cap-ng.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include "sandbox.h"

/* What running code, its allocator, a clean end and the supervisor's messages need. */
static const int always[] = {
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(close),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getcpu),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(nanosleep),
	SCMP_SYS(newfstatat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sendmsg),
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(sigaltstack), /* it looks at the stack before each call that does not return */
#endif
	SCMP_SYS(write),
};

static const struct {
	const char *engine;
	int calls[4];
	unsigned count;
} per_engine[] = {
	{ "afxdp", { SCMP_SYS(sendto), SCMP_SYS(getsockopt), SCMP_SYS(sendmmsg) }, 3 },
	/* what the ring may do is restricted when it is made: seccomp does not see it */
	{ "uring", { SCMP_SYS(io_uring_enter) }, 1 },
	{ "mmsg",
	  { SCMP_SYS(recvmmsg), SCMP_SYS(sendmmsg), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait) },
	  4 },
	{ "packet", { SCMP_SYS(sendmmsg), SCMP_SYS(getsockopt) }, 2 },
	{ "simple", {}, 0 }, /* recvmsg and sendmsg are in the list above */
};

#define OOM_MORE 100
#define OOM_MAX	 1000

static int statm = -1; /* /proc/self/statm, from the first step to the last */

/* Of faults, and with which a worker ends that was asked to by such a one. */
static const int own_signals[] = { SIGSEGV, SIGBUS, SIGFPE,  SIGILL, SIGTRAP,
				   SIGABRT, SIGINT, SIGTERM, SIGHUP };

void xfn_sandbox__die_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void xfn_sandbox__end_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC), more;
	char text[16] = "";

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0) {
		more = atoi(text) + OOM_MORE;
		snprintf(text, sizeof(text), "%d", more < OOM_MAX ? more : OOM_MAX);
		/* to raise it needs no privilege; where it is refused all are equal */
		if (pwrite(fd, text, strlen(text), 0) < 0)
			text[0] = '\0';
	}
	close(fd);
}

/* Pages that RLIMIT_DATA bounds, and those of the stack: 0 where /proc does not tell. */
static uint64_t data_pages(void)
{
	unsigned long data = 0;
	char text[128] = "";

	if (statm < 0)
		return 0;
	if (pread(statm, text, sizeof(text) - 1, 0) <= 0 ||
	    sscanf(text, "%*u %*u %*u %*u %*u %lu", &data) != 1)
		data = 0;
	close(statm);
	statm = -1;
	return data;
}

/*
 * Not RLIMIT_AS: shared memory, of which frames are, and address space that is only reserved do not
 * count here, and so neither UMEM nor a library's arenas do.
 */
static int restrict_memory(uint64_t more)
{
	uint64_t now = data_pages() * (uint64_t)sysconf(_SC_PAGESIZE);
	const struct rlimit bound = { now + more, now + more };

	return more && setrlimit(RLIMIT_DATA, &bound) ? -errno : 0;
}

static int restrict_files(void)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs =
						      (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	int fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int ret;

	if (fd < 0) /* a kernel without it: seccomp has no open(2) either */
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	ret = syscall(SYS_landlock_restrict_self, fd, 0) ? -errno : 0;
	close(fd);
	return ret;
}

/* Memory yes, new code no, nor what is shared with nobody and so bounded by nothing. */
static int allow_memory(scmp_filter_ctx ctx)
{
	int ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				   SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));

	ret = ret   ?:
		      seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				       SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
	return ret   ?:
		       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

static int restrict_calls(const char *engine)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = ctx ? 0 : -ENOMEM;

	/* by default it ends the thread only, and the others would serve on without it */
	if (!ret)
		ret = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	for (unsigned i = 0; !ret && i < sizeof(always) / sizeof(always[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, always[i], 0);
	for (unsigned e = 0; e < sizeof(per_engine) / sizeof(per_engine[0]); e++)
		for (unsigned i = 0; !ret && i < per_engine[e].count; i++)
			if (!strcmp(per_engine[e].engine, engine))
				ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, per_engine[e].calls[i],
						       0);
	/* To end itself by a signal, but by none that only a hand outside sends: these blame
	 * nobody. */
	for (unsigned i = 0; !ret && i < sizeof(own_signals) / sizeof(own_signals[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()),
				       SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)own_signals[i]));
	/* in all threads, one that the kernel made for the engine among them */
	if (!ret)
		ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	ret = ret ?: allow_memory(ctx);
	ret = ret ?: seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return ret;
}

static int told(int ret, const char *step, char *err, size_t errlen)
{
	if (ret)
		snprintf(err, errlen, "cannot %s: %s", step, strerror(-ret));
	return ret;
}

int xfn_sandbox__bound(char *err, size_t errlen)
{
	statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	/* while CAP_SETPCAP is there; a user's own process has none */
	if (geteuid())
		return 0;
	capng_clear(CAPNG_SELECT_BOUNDS);
	return told(capng_apply(CAPNG_SELECT_BOUNDS) ? -EPERM : 0, "drop the bounding set", err,
		    errlen);
}

int xfn_sandbox__user(uint32_t uid, uint32_t gid, char *err, size_t errlen)
{
	int ret = 0;

	if (!geteuid() && uid &&
	    (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)))
		ret = -errno;
	xfn_sandbox__die_with_parent();
	return told(ret, "become an unprivileged user", err, errlen);
}

int xfn_sandbox__drop(char *err, size_t errlen)
{
	const char *step = "drop capabilities";
	int ret;

	capng_clear(CAPNG_SELECT_CAPS);
	ret = capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
	if (!ret) {
		step = "refuse new privileges";
		ret = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
	}
	if (!ret) {
		step = "restrict the file system (Landlock)";
		ret = restrict_files();
	}
	return told(ret, step, err, errlen);
}

int xfn_sandbox__enter(const char *engine, uint64_t memory, char *err, size_t errlen)
{
	const struct rlimit none = {};
	int ret = restrict_memory(memory);

	setrlimit(RLIMIT_CORE, &none);
	if (ret)
		return told(ret, "bound its memory (RLIMIT_DATA)", err, errlen);
	return told(restrict_calls(engine), "restrict system calls (seccomp)", err, errlen);
}

int xfn_sandbox__whole(char *err, size_t errlen)
{
	int ret = xfn_sandbox__bound(err, errlen);

	ret = ret ?: xfn_sandbox__user(XFN_NOBODY, XFN_NOBODY, err, errlen);
	ret = ret ?: xfn_sandbox__drop(err, errlen);
	return ret ?: xfn_sandbox__enter("simple", XFN_MEMORY_MB * 1048576ull, err, errlen);
}
