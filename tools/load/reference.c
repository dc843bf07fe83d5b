// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A module's own replies, computed by its native code in a process that can do nothing else. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "../../skel/module.h"
#include "../../userspace/call/call.h"
#include "../../userspace/worker/sandbox.h"
#include "reference.h"

struct shared {
	struct xfn_error err;
	struct bench_payload reply[BENCH_POOL];
};

static int answer(struct shared *sh, const struct bench_set *set, const struct xfn_module *mod)
{
	static struct xfn_page page;
	static uint8_t bytes[65536];
	struct xfn_native native = {};
	struct xfn_call call;
	int code = xfn_native__copy(mod->fd), ret = code < 0 ? code : 0;

	ret = ret ?: xfn_sandbox__before_code(&code, 1, &sh->err);
	ret = ret ?: xfn_native__load(code, mod->attr.name, &native, &sh->err);
	ret = ret ?: xfn_call__init(&call, &page);
	ret = ret ?: xfn_call__put(&call, 0, native.module);
	if (ret)
		return ret;
	xfn_call__enter(&call);
	if (native.module->init && native.module->init())
		return xfn_fail(&sh->err, -ECANCELED, "%s: its XFN_INIT failed", mod->attr.name);
	ret = xfn_sandbox__whole(&sh->err);
	if (ret)
		return ret;
	for (unsigned i = 0; i < set->count; i++) {
		struct xfn_datagram d = { .data = bytes,
					  .len = set->request[i].len,
					  .capacity = sizeof(bytes),
					  .peer = { .ip = { [15] = 1 }, .port = 40000 },
					  .local = { .ip = { [15] = 1 } } };

		memcpy(bytes, set->request[i].words, d.len);
		xfn_call__batch(&call, XFN_PAYLOAD, &d, 1);
		if (!d.send || d.len > BENCH_PAYLOAD)
			return xfn_fail(
				&sh->err, -EINVAL,
				d.send ? "%s: answers request %u with %u bytes, more than a frame" :
					 "%s: leaves request %u of %u bytes unanswered; give other "
					 "requests",
				mod->attr.name, i, d.len);
		bench_payload__set(&sh->reply[i], bytes, d.len);
	}
	return 0;
}

int bench_reference__fill(struct bench_set *set, const char *module, struct xfn_error *err)
{
	struct xfn_module *mod = xfn_module__open(module, err);
	struct shared *sh = MAP_FAILED;
	int status = 0, ret = 0;
	pid_t pid;

	if (!mod)
		return -EINVAL;
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED) {
		ret = -errno;
		xfn_error__set(err, "no memory for replies: %s", strerror(-ret));
		xfn_module__close(mod);
		return ret;
	}
	pid = fork();
	if (!pid) {
		/* at once: no library's end is among what the sandbox allows */
		syscall(SYS_exit_group, answer(sh, set, mod) ? 1 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		ret = -errno;
	else if (WIFSIGNALED(status))
		ret = -EFAULT;
	else if (WEXITSTATUS(status))
		ret = -EINVAL;
	/* native code may have written there */
	sh->err.line[sizeof(sh->err.line) - 1] = 0;
	for (unsigned i = 0; i < set->count; i++)
		if (sh->reply[i].len > BENCH_PAYLOAD)
			ret = ret ?: -EFAULT;
	if (ret)
		xfn_error__set(err, "%s",
			       sh->err.line[0] ? sh->err.line :
			       ret == -EFAULT  ? "the module's native code crashed" :
						 "the module's native code does not run");
	else
		memcpy(set->reply, sh->reply, sizeof(sh->reply));
	munmap(sh, sizeof(*sh));
	xfn_module__close(mod);
	return ret;
}
