// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A child process that may compute, and nothing else. Must never know what it computes. */
#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "array_size.h"
#include "confined.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define ARCH AUDIT_ARCH_RISCV64
#else
#error "name this architecture's audit value here"
#endif

#define NOBODY	     65534
#define CPU_SECONDS  5
#define MEMORY_BYTES (4ull << 30) /* of address space: a damaged length may ask for any size */

/* System calls of an allocator, a lock, a message on standard error, and the end. */
static const unsigned allowed[] = {
	__NR_brk,   __NR_munmap, __NR_mremap, __NR_madvise, __NR_futex,	     __NR_getrandom,
	__NR_write, __NR_exit,	 __NR_getpid, __NR_gettid,  __NR_exit_group, __NR_rt_sigreturn,
};
#define ALLOWED ARRAY_SIZE(allowed)

#define LOAD(field)	      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what)	      BPF_STMT(BPF_RET | BPF_K, (what))
#define EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))

/* The filter is written by hand: libseccomp takes longer to make one than a module to be read. */
static int restrict_calls(void)
{
	struct sock_filter code[ALLOWED + 16];
	struct sock_fprog prog = { .filter = code };
	unsigned short n = 0;

	code[n++] = (struct sock_filter)LOAD(arch);
	code[n++] = (struct sock_filter)EQUAL(ARCH, 1, 0);
	code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)LOAD(nr);
	for (unsigned i = 0; i < ALLOWED; i++) /* to the last line */
		code[n++] = (struct sock_filter)EQUAL(allowed[i], ALLOWED - i + 5, 0);
	/* memory yes, new code no */
	code[n++] = (struct sock_filter)EQUAL(__NR_mmap, 2, 0);
	code[n++] = (struct sock_filter)EQUAL(__NR_mprotect, 1, 0);
	code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	code[n++] = (struct sock_filter)LOAD(args[2]);
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
	code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	prog.len = n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -errno : 0;
}

/* In the child. 0 or -errno. */
static int confine(void)
{
	const struct rlimit none = {}, cpu = { CPU_SECONDS, CPU_SECONDS };

	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_CPU, &cpu);
#ifndef __SANITIZE_ADDRESS__
	setrlimit(RLIMIT_AS, &(struct rlimit){ MEMORY_BYTES, MEMORY_BYTES });
#endif
	close_range(STDERR_FILENO + 1, ~0u, 0);
	/* where this is not permitted, the filter below lets no privilege be used */
	if (!geteuid() && !setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) &&
	    setresuid(NOBODY, NOBODY, NOBODY))
		errno = 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : restrict_calls();
}

#define NOT_CONFINED 2 /* exit status of a child that could not be confined */

int xfn_confined(void (*work)(void *ctx), void *ctx)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		/* the parent's crash handlers are not for the child */
		static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

		for (unsigned i = 0; i < ARRAY_SIZE(crashes); i++)
			signal(crashes[i], SIG_DFL);
		if (confine())
			_exit(NOT_CONFINED);
		work(ctx);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_CONFINED)
		return -EPERM;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EBADMSG;
}
