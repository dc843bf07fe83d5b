// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Loading a function into the running kernel's verifier to hear its verdict; nothing stays loaded.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "line_info.h"
#include "program.h"

/* Load once. 1: the path to a refusal; 4: the figures, also of an accepted program. */
static int load(const void *bytes, size_t len, unsigned level, struct xfn_trial *out, char *err,
		size_t errlen)
{
	struct bpf_prog_info info = {};
	__u32 info_len = sizeof(info);
	struct bpf_program *prog;
	struct bpf_object *obj;
	int ret;

	obj = xfn_program__open(bytes, len, "function", NULL, &prog, err, errlen);
	if (!obj)
		return -EINVAL;
	bpf_program__set_log_buf(prog, out->log, XFN_LOG_LEN);
	bpf_program__set_log_level(prog, level);
	ret = bpf_object__load(obj);
	out->accepted = !ret;
	out->permitted = !ret || out->log[0] || (ret != -EPERM && ret != -EACCES);
	if (!ret && !bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &info_len))
		out->insns = info.xlated_prog_len / 8;
	bpf_object__close(obj);
	return ret;
}

static bool too_long(const char *rule)
{
	return !strcmp(rule, "too_many_insns") || !strcmp(rule, "unbounded_loop");
}

static int try(const void *bytes, size_t len, const char *source, bool brief, struct xfn_trial *out,
	       char *err, size_t errlen)
{
	int ret;

	memset(out, 0, sizeof(*out));
	xfn_program__quiet_libbpf();
	out->log = calloc(1, XFN_LOG_LEN);
	if (!out->log) {
		snprintf(err, errlen, "%s: out of memory for the verifier's log", source);
		return -ENOMEM;
	}
	err[0] = 0;
	/* the whole log takes longer to write than the program to verify: only where it is wanted
	 */
	ret = load(bytes, len, 4, out, err, errlen);
	if (ret && !err[0] && out->permitted && brief) {
		xfn_refusal__from_log(out->log, source, -ret, &out->refusal);
		brief = too_long(out->refusal.rule);
	}
	if (ret && !err[0] && out->permitted && !brief) {
		out->log[0] = 0;
		ret = load(bytes, len, 1 | 4, out, err, errlen);
		/* before 6.4 a long path leaves no room for the verdict; since, its end is there */
		if (ret == -ENOSPC && !strstr(out->log, "\nprocessed ")) {
			out->log[0] = 0;
			ret = load(bytes, len, 4, out, err, errlen);
		}
	}
	if (ret && err[0]) {
		free(out->log);
		out->log = NULL;
		return ret;
	}
	if (ret && out->permitted) {
		xfn_refusal__from_log(out->log, source, -ret, &out->refusal);
		out->refusal.column = xfn_line_info__column(bytes, len, source, out->refusal.line,
							    xfn_refusal__last_insn(out->log));
	}
	xfn_refusal__figures(out->log, &out->figures);
	return 0;
}

int xfn_loader__try(const void *bytes, size_t len, const char *source, struct xfn_trial *out,
		    char *err, size_t errlen)
{
	return try(bytes, len, source, false, out, err, errlen);
}

int xfn_loader__try_briefly(const void *bytes, size_t len, const char *source,
			    struct xfn_trial *out, char *err, size_t errlen)
{
	return try(bytes, len, source, true, out, err, errlen);
}
