// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Loads objects and prints what the running kernel's verifier says of each, the end of its log, for
 * logs.sh to keep. Judges nothing; attaches nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "../../skel/error.h"
#include "../../skel/program.h"
#include "../whole_file.h"

#define ROWS 60 /* kept of a log, and all messages are among them */

static void print_end(const char *log)
{
	const char *at = log + strlen(log);
	unsigned rows = 0;

	while (at > log && rows <= ROWS)
		rows += *--at == '\n';
	fputs(at + (at > log), stdout);
}

/* As the loader tries: once for the path, once more for the verdict where the path fills the log.
 */
static void show(const char *path, const char *name)
{
	static const unsigned levels[] = { 1 | 4, 4 };
	char *log = calloc(1, XFN_LOG_LEN), *licence;
	struct xfn_error err = { 0 };
	size_t len;
	void *bytes = whole_file(path, &len);
	int ret = -1;

	/* a licence that the kernel's routes are not open to, and the option that asks for them */
	licence = strcmp(name, "closed") ? NULL : memmem(bytes, len, "Dual BSD/GPL", 12);
	if (licence)
		strcpy(licence, "Proprietary");
	printf("LOG-BEGIN %s\n", name);
	for (unsigned i = 0; log && i < 2; i++) {
		struct xfn_settings settings = { .flags = licence ? XFN_ROUTE_FIB : 0 };
		struct bpf_program *prog;
		struct bpf_object *obj =
			xfn_program__open(bytes, len, "function", &settings, &prog, &err);

		if (!obj)
			break;
		log[0] = 0;
		bpf_program__set_log_buf(prog, log, XFN_LOG_LEN);
		bpf_program__set_log_level(prog, levels[i]);
		ret = bpf_object__load(obj);
		bpf_object__close(obj);
		if (ret != -ENOSPC)
			break;
	}
	if (ret)
		print_end(log ?: err.line);
	else
		puts("accepted");
	printf("LOG-END %s\n", name);
	free(bytes);
	free(log);
}

int main(int argc, char **argv)
{
	xfn_program__quiet_libbpf();
	for (int i = 1; i < argc; i++) {
		char *base = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
		show(argv[i], name);
	}
	return 0;
}
