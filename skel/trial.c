// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Loading a function into the running kernel's verifier for its verdict; nothing stays loaded. This
 * is done in a process of its own: a verifier that fails on a program takes the process with it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "error.h"
#include "line_info.h"
#include "program.h"
#include "trial.h"

/* The object to try, and the results of the process that tries it. */
struct attempt {
	const void *bytes;
	size_t len;
	const char *source;
	bool brief;
	int ret;
	struct xfn_trial trial;
	struct xfn_error err;
	char log[XFN_LOG_LEN];
};

/*
 * Load once. Bits of `level`: 1 logs the path to a refusal, 4 the figures, also of an accepted
 * program. 0 or -errno, which is a verdict where .err stays empty.
 */
static int load(struct attempt *t, unsigned level)
{
	struct bpf_prog_info info = {};
	__u32 info_len = sizeof(info);
	struct bpf_program *prog;
	struct bpf_object *obj;
	int ret;

	t->log[0] = 0;
	obj = xfn_program__open(t->bytes, t->len, "function", NULL, &prog, &t->err);
	if (!obj)
		return -EINVAL;
	bpf_program__set_log_buf(prog, t->log, sizeof(t->log));
	bpf_program__set_log_level(prog, level);
	ret = bpf_object__load(obj);
	t->trial.accepted = !ret;
	/* the verifier logs why it refuses; without a log it was not even asked */
	t->trial.permitted = !ret || (ret != -EPERM && (ret != -EACCES || t->log[0]));
	/* libbpf takes a failed attempt for a missing feature of the kernel */
	if (xfn_refusal__host_failed(ret) || (ret == -EOPNOTSUPP && !t->log[0]))
		xfn_error__set(
			&t->err,
			"this kernel cannot try its kernel half: %s; free memory and descriptors, "
			"and try again",
			strerror(-ret));
	if (!ret && !bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &info_len))
		t->trial.insns = info.xlated_prog_len / 8;
	bpf_object__close(obj);
	return ret;
}

static bool too_long(const char *rule)
{
	return !strcmp(rule, "too_many_insns") || !strcmp(rule, "unbounded_loop");
}

static void try_here(struct attempt *t)
{
	struct xfn_trial *out = &t->trial;
	bool brief = t->brief;

	/* the whole log takes longer to write than the program to verify: ask only where needed */
	t->ret = load(t, 4);
	if (t->ret && !t->err.line[0] && out->permitted && brief) {
		xfn_refusal__from_log(t->log, t->source, -t->ret, &out->refusal);
		brief = too_long(out->refusal.rule);
	}
	if (t->ret && !t->err.line[0] && out->permitted && !brief) {
		t->ret = load(t, 1 | 4);
		/* before 6.4 a full log lacks its end, where the verdict is; later ones keep it */
		if (t->ret == -ENOSPC && !strstr(t->log, "\nprocessed "))
			t->ret = load(t, 4);
	}
	if (t->ret && t->err.line[0])
		return;
	if (t->ret && out->permitted) {
		xfn_refusal__from_log(t->log, t->source, -t->ret, &out->refusal);
		out->refusal.column =
			xfn_line_info__column(t->bytes, t->len, t->source, out->refusal.line,
					      xfn_refusal__last_insn(t->log));
	}
	xfn_refusal__figures(t->log, &out->figures);
	t->ret = 0;
}

/* In a process of its own. 0, or -errno with a line in .err. */
static int try_apart(struct attempt *t)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return xfn_fail(&t->err, -errno, "cannot start a process: %s; see `ulimit -u`",
				strerror(errno));
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		try_here(t);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFSIGNALED(status))
		return t->ret;
	return xfn_fail(
		&t->err, -EIO,
		"this kernel's verifier ended by signal %d (%s) over its kernel half, so nothing is "
		"judged; look for a lack of memory, and for a fault of the kernel in `dmesg`",
		WTERMSIG(status), strsignal(WTERMSIG(status)));
}

static int try(const void *bytes, size_t len, const char *source, bool brief, struct xfn_trial *out,
	       struct xfn_error *err)
{
	struct attempt *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ret;

	memset(out, 0, sizeof(*out));
	if (t == MAP_FAILED)
		return xfn_fail(err, -ENOMEM, "%s: out of memory for the verifier's log", source);
	xfn_program__quiet_libbpf();
	t->bytes = bytes;
	t->len = len;
	t->source = source;
	t->brief = brief;
	ret = try_apart(t);
	if (ret) {
		xfn_error__set(err, "%s: %s", source, t->err.line);
	} else {
		*out = t->trial;
		out->log = strdup(t->log);
		if (!out->log) {
			xfn_error__set(err, "%s: out of memory for the verifier's log", source);
			ret = -ENOMEM;
		}
	}
	munmap(t, sizeof(*t));
	return ret;
}

int xfn_trial__run(const void *bytes, size_t len, const char *source, struct xfn_trial *out,
		   struct xfn_error *err)
{
	return try(bytes, len, source, false, out, err);
}

int xfn_trial__run_briefly(const void *bytes, size_t len, const char *source, struct xfn_trial *out,
			   struct xfn_error *err)
{
	return try(bytes, len, source, true, out, err);
}
