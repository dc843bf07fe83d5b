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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cap-ng.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <seccomp.h>
#include "../../skel/error.h"
#include "../host/limits.h"
#include "../protocol/worker_protocol.h"
#include "sandbox.h"

/* Of close(2), which takes one argument, a second one: by it the filter knows the worker's own. */
#define OWN_CLOSE 0x78666e636c6f7365ull

/* What running code, its allocator and a clean end need. */
static const int always[] = {
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
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
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_yield),
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(sigaltstack), /* it looks at the stack before each call that does not return */
#endif
};

/* What moves bytes by a descriptor, and by the one that joins a worker to its supervisor only so. */
static const int moving[] = {
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(write),
};

/*
 * What the dynamic linker, constructors and XFN_INIT need besides: to read files and look around,
 * to make threads, and to go on to the steps behind. No socket, no program, no write to the file
 * system, no process but this one.
 */
static const int loading[] = {
	SCMP_SYS(access),
	SCMP_SYS(arch_prctl),
	SCMP_SYS(capget),
	SCMP_SYS(capset),
	SCMP_SYS(clock_getres),
	SCMP_SYS(close),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(eventfd2),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstatfs),
	SCMP_SYS(getcwd),
	SCMP_SYS(getdents64),
	SCMP_SYS(getegid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getppid),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(getuid),
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_restrict_self),
	SCMP_SYS(lseek),
	SCMP_SYS(lstat),
	SCMP_SYS(mprotect),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(pipe2),
	SCMP_SYS(pread64),
	SCMP_SYS(read),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(readv),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(seccomp),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(setrlimit),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(stat),
	SCMP_SYS(statfs),
	SCMP_SYS(statx),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(writev),
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

#define HANDLED ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* The file, or all below the folder, may be read. What is not there needs no leave. */
static void allow_reading(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE };
	struct stat st;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	if (!fstat(rule.parent_fd, &st)) {
		if (S_ISDIR(st.st_mode))
			rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
		syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}
	close(rule.parent_fd);
}

/* Libraries, what they are set up by, and where the caller says that more of them lie. */
static void allow_system(int ruleset)
{
	static const char *const places[] = {
		"/usr",		"/lib",		 "/lib32",	  "/lib64",
		"/libx32",	"/opt",		 "/etc",	  "/nix/store",
		"/gnu/store",	"/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system",
		"/dev/urandom", "/dev/random",	 "/dev/null",	  "/dev/zero"
	};
	char *more = strdup(getenv("LD_LIBRARY_PATH") ?: ""), *save = NULL;

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		allow_reading(ruleset, places[i]);
	for (char *one = more ? strtok_r(more, ":;", &save) : NULL; one;
	     one = strtok_r(NULL, ":;", &save))
		allow_reading(ruleset, one);
	free(more);
}

/* No file at all; with `system`, those may be read that code is loaded from. */
static int restrict_files(bool system)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = HANDLED };
	int fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int ret;

	if (fd < 0) /* a kernel without it: seccomp has no open(2) either */
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	if (system)
		allow_system(fd);
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

/* A call whose first argument is a descriptor: on any but the supervisor's end of the pair. */
static int allow_elsewhere(scmp_filter_ctx ctx, int call)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
				SCMP_A0(SCMP_CMP_NE, XFN_WORKER_PROTOCOL_FD));
}

/*
 * Messages as worker_protocol.c sends and receives them, and by other flags none: what a function
 * writes to a descriptor that it takes for its own must not end its worker, nor what it reads be
 * missing there.
 */
static int allow_messages(scmp_filter_ctx ctx)
{
	static const struct {
		int call, argument, flags;
	} own[] = {
		{ SCMP_SYS(sendmsg), 2, XFN_MESSAGE_SEND },
		{ SCMP_SYS(recvmsg), 2, XFN_MESSAGE_RECEIVE },
		{ SCMP_SYS(recvfrom), 3, XFN_MESSAGE_PEEK },
	};
	int ret = 0;

	for (unsigned i = 0; !ret && i < sizeof(own) / sizeof(own[0]); i++)
		ret = seccomp_rule_add(
			ctx, SCMP_ACT_ALLOW, own[i].call, 2,
			SCMP_A0(SCMP_CMP_EQ, XFN_WORKER_PROTOCOL_FD),
			SCMP_CMP(own[i].argument, SCMP_CMP_EQ, (scmp_datum_t)own[i].flags));
	return ret;
}

/*
 * `calls`: of an engine, 0 ends them; NULL: there is none. What the process serves by cannot be
 * closed: whose fault it was that it is gone nobody could tell.
 */
static int allow_serving(scmp_filter_ctx ctx, const int *calls)
{
	int ret = allow_memory(ctx);

	ret = ret   ?:
		      seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(close), 1,
				       SCMP_A1(SCMP_CMP_EQ, OWN_CLOSE));
	for (unsigned i = 0; !ret && i < sizeof(moving) / sizeof(moving[0]); i++)
		ret = calls ? allow_elsewhere(ctx, moving[i]) :
			      seccomp_rule_add(ctx, SCMP_ACT_ALLOW, moving[i], 0);
	if (!ret && calls)
		ret = allow_messages(ctx);
	for (; !ret && calls && *calls; calls++)
		ret = allow_elsewhere(ctx, *calls);
	return ret;
}

/* Threads, but no processes: clone3 hides its flags, and the C library does without it. */
static int allow_loading(scmp_filter_ctx ctx)
{
	static const int processes[] = { PR_CAPBSET_READ,     PR_CAP_AMBIENT, PR_GET_DUMPABLE,
					 PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_SET_NAME,
					 PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_GET_SECUREBITS,
					 PR_GET_NAME };
	int ret = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	ret = ret   ?:
		      seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				       SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	/* its own limits only */
	ret = ret   ?:
		      seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				       SCMP_A0(SCMP_CMP_EQ, 0));
	ret = ret   ?:
		      seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));
	ret = ret   ?:
		      seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
	for (unsigned i = 0; !ret && i < sizeof(processes) / sizeof(processes[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)processes[i]));
	for (unsigned i = 0; !ret && i < sizeof(loading) / sizeof(loading[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, loading[i], 0);
	for (unsigned i = 0; !ret && i < sizeof(moving) / sizeof(moving[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, moving[i], 0);
	return ret;
}

/* `loads`: to load code, else to serve with. `more`: further ones, 0 ends them; or NULL. */
static int restrict_calls(bool loads, const int *more)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = ctx ? 0 : -ENOMEM;

	/* by default it ends the thread only, and the others would serve on without it */
	if (!ret)
		ret = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	for (unsigned i = 0; !ret && i < sizeof(always) / sizeof(always[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, always[i], 0);
	if (!ret)
		ret = loads ? allow_loading(ctx) : allow_serving(ctx, more);
	/* To end itself by a signal, but by none that only a hand outside sends: these blame
	 * nobody. */
	for (unsigned i = 0; !ret && i < sizeof(own_signals) / sizeof(own_signals[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()),
				       SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)own_signals[i]));
	/* in all threads, one that the kernel made for the engine among them */
	if (!ret)
		ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	ret = ret ?: seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return ret;
}

static int told(int ret, const char *step, struct xfn_error *err)
{
	if (ret)
		xfn_error__set(err, "cannot %s: %s", step, strerror(-ret));
	return ret;
}

int xfn_sandbox__bound(struct xfn_error *err)
{
	statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	/* while CAP_SETPCAP is there; a user's own process has none */
	if (geteuid())
		return 0;
	capng_clear(CAPNG_SELECT_BOUNDS);
	return told(capng_apply(CAPNG_SELECT_BOUNDS) ? -EPERM : 0, "drop the bounding set", err);
}

int xfn_sandbox__user(uint32_t uid, uint32_t gid, struct xfn_error *err)
{
	int ret = 0;

	if (!geteuid() && uid &&
	    (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)))
		ret = -errno;
	xfn_sandbox__die_with_parent();
	return told(ret, "become an unprivileged user", err);
}

static int drop(bool system, struct xfn_error *err)
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
		ret = restrict_files(system);
	}
	return told(ret, step, err);
}

int xfn_sandbox__drop(struct xfn_error *err)
{
	return drop(false, err);
}

/* Only the standard three and `keep` stay open: a copy of what the parent holds is as good as its
 * own. */
static int close_others(const int *keep, unsigned count)
{
	unsigned from = 3;

	for (;;) {
		unsigned next = ~0u;

		for (unsigned i = 0; i < count; i++)
			if (keep[i] >= (int)from && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next > from && syscall(SYS_close_range, from, next == ~0u ? next : next - 1, 0))
			return -errno;
		if (next == ~0u)
			return 0;
		from = next + 1;
	}
}

int xfn_sandbox__before_code(const int *keep, unsigned count, struct xfn_error *err)
{
	const struct rlimit none = {};
	int ret;

	xfn_sandbox__die_with_parent();
	xfn_sandbox__end_first();
	ret = told(close_others(keep, count), "close its files", err);
	ret = ret ?: xfn_sandbox__bound(err);
	ret = ret ?: xfn_sandbox__user(XFN_NOBODY, XFN_NOBODY, err);
	ret = ret ?: drop(true, err);
	ret = ret   ?:
		      told(restrict_memory(XFN_MEMORY_MB * 1048576ull),
			   "bound its memory (RLIMIT_DATA)", err);
	setrlimit(RLIMIT_CORE, &none);
	return ret ?: told(restrict_calls(true, NULL), "restrict system calls (seccomp)", err);
}

void xfn_sandbox__close(int fd)
{
	syscall(SYS_close, fd, OWN_CLOSE);
}

int xfn_sandbox__enter(const int *calls, uint64_t memory, struct xfn_error *err)
{
	const struct rlimit none = {};
	int ret = restrict_memory(memory);

	setrlimit(RLIMIT_CORE, &none);
	if (ret)
		return told(ret, "bound its memory (RLIMIT_DATA)", err);
	return told(restrict_calls(false, calls), "restrict system calls (seccomp)", err);
}

int xfn_sandbox__whole(struct xfn_error *err)
{
	int ret = xfn_sandbox__bound(err);

	ret = ret ?: xfn_sandbox__user(XFN_NOBODY, XFN_NOBODY, err);
	ret = ret ?: xfn_sandbox__drop(err);
	return ret ?: xfn_sandbox__enter(NULL, XFN_MEMORY_MB * 1048576ull, err);
}
