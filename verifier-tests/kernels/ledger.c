// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the kernel programs cost this kernel's verifier: loads each with every setting that changes
 * it, prints the rows of the ledger, and holds them against those that the ledger has. Attaches
 * nothing.
 *
 *	ledger LEDGER.csv|- OBJECT.bpf.o|MODULE.xfn...
 *
 * A row is "program,load,kernel,instructions,verified,states,stack". A load that costs what the
 * plain one does has no row, and is held against the plain one's. Exit status: 0 held, or nothing
 * to hold it against; 1 not; 77 loading BPF programs is not permitted here.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <bpf/bpf.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../../skel/module.h"
#include "../../skel/program.h"
#include "../../skel/refusal.h"

#define GROWTH	   5 /* per cent that a figure may move before the row must */
#define OBJECT_MAX (1u << 20)
#define ROWS_MAX   1024

/* The plain one first. */
static const struct load {
	const char *name;
	__u32 flags, rate;
} loads[] = {
	{ "plain", 0, 0 },
	{ "trust", XFN_TRUST_CHECKSUM, 0 },
	{ "local", XFN_LOCAL_PEER, 0 },
	{ "fib", XFN_ROUTE_FIB, 0 },
	{ "generic", XFN_GENERIC, 0 },
	{ "frags", XFN_FRAGS, 0 },
	{ "any", XFN_ANY_ADDRESS, 0 },
	{ "rate", 0, 1000 },
	{ "most", XFN_LOCAL_PEER | XFN_ROUTE_FIB | XFN_GENERIC, 1000 },
};
#define LOADS ARRAY_SIZE(loads)

struct row {
	char program[32], load[16], kernel[16];
	unsigned insns, states;
	struct xfn_verifier_figures figures;
	bool measured; /* of the ledger's: its program was given */
};

static struct row ledger[ROWS_MAX];
static unsigned ledger_rows, own_rows; /* all; this kernel's */
static char kernel[16];		       /* "6.1" */
static char *log_text;

static bool read_ledger(const char *path)
{
	FILE *f = fopen(path, "re");
	char text[256];

	while (f && ledger_rows < ROWS_MAX && fgets(text, sizeof(text), f)) {
		struct row *r = &ledger[ledger_rows];

		if (sscanf(text, "%31[^,#],%15[^,],%15[^,],%u,%u,%u,%u", r->program, r->load,
			   r->kernel, &r->insns, &r->figures.processed, &r->states,
			   &r->figures.stack_bytes) != 7)
			continue;
		ledger_rows++;
		own_rows += !strcmp(r->kernel, kernel);
	}
	if (f)
		fclose(f);
	return f;
}

static struct row *find(const char *program, const char *load)
{
	for (unsigned i = 0; i < ledger_rows; i++)
		if (!strcmp(ledger[i].program, program) && !strcmp(ledger[i].load, load) &&
		    !strcmp(ledger[i].kernel, kernel))
			return &ledger[i];
	return NULL;
}

/* Load `bytes` as `how` says. 0, -EPERM: not permitted here; else the kernel's error, which was
 * said. */
static int load(const void *bytes, size_t len, const struct load *how, struct row *r)
{
	struct xfn_settings settings = { .flags = how->flags, .rate = how->rate };
	struct bpf_prog_info info = {};
	__u32 info_len = sizeof(info);
	enum bpf_attach_type attach;
	enum bpf_prog_type type;
	struct bpf_program *prog;
	struct bpf_object *obj;
	struct xfn_error err;
	const char *states;
	int ret;

	obj = xfn_program__open(bytes, len, r->program, &settings, &prog, &err);
	if (!obj) /* a program without settings has one load only */
		obj = how == loads ? xfn_program__open(bytes, len, r->program, NULL, &prog, &err) :
				     NULL;
	if (!obj)
		return -ENOENT;
	if (!libbpf_prog_type_by_name(bpf_program__section_name(prog), &type, &attach))
		bpf_program__set_type(prog, type);
	log_text[0] = 0;
	bpf_program__set_log_buf(prog, log_text, XFN_LOG_LEN);
	bpf_program__set_log_level(prog, 4); /* the figures only */
	ret = bpf_object__load(obj);
	if (!ret)
		ret = bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &info_len);
	bpf_object__close(obj);
	if (ret == -EPERM && !log_text[0])
		return ret;
	if (ret) {
		printf("%s", log_text);
		return ret == -ENOENT ? -EINVAL : ret;
	}
	xfn_refusal__figures(log_text, &r->figures);
	states = strstr(log_text, "total_states ");
	r->states = states ? strtoul(states + strlen("total_states "), NULL, 10) : 0;
	r->insns = info.xlated_prog_len / 8;
	snprintf(r->load, sizeof(r->load), "%s", how->name);
	snprintf(r->kernel, sizeof(r->kernel), "%s", kernel);
	return 0;
}

/* False: `now` has grown beyond `was`. What shrank is said only. */
static bool held(const struct row *r, const char *figure, unsigned was, unsigned now)
{
	bool grown = now * 100ull > was * (100ull + GROWTH);

	if (grown || now * (100ull + GROWTH) < was * 100ull)
		printf("%s, %s, %s: %s: %u in the ledger, now %u%s\n", r->program, r->load, kernel,
		       figure, was, now, grown ? "" : ": less; `make ledger` writes it down");
	return !grown;
}

static bool holds(const struct row *r, const struct row *was)
{
	bool ok = held(r, "instructions", was->insns, r->insns);

	ok &= held(r, "verified instructions", was->figures.processed, r->figures.processed);
	return held(r, "bytes of stack", was->figures.stack_bytes, r->figures.stack_bytes) && ok;
}

static bool same_figures(const struct row *a, const struct row *b)
{
	return a->insns == b->insns && a->states == b->states &&
	       !memcmp(&a->figures, &b->figures, sizeof(a->figures));
}

/* All loads of one program. 0, 1: refused or grown, 77. */
static int measure(const char *program, const void *bytes, size_t len)
{
	struct row plain = {}, r = {};
	int status = 0;

	for (unsigned i = 0; i < LOADS; i++) {
		struct row *was;
		int ret;

		snprintf(r.program, sizeof(r.program), "%s", program);
		ret = load(bytes, len, &loads[i], &r);
		if (ret == -EPERM)
			return 77;
		if (ret == -ENOENT && i)
			break;
		if (ret) {
			printf("%s, %s, %s: not loaded: %s\n", program, loads[i].name, kernel,
			       strerror(-ret));
			status = 1;
			continue;
		}
		if (!i)
			plain = r;
		if (!i || !same_figures(&r, &plain))
			printf("%s,%s,%s,%u,%u,%u,%u\n", r.program, r.load, r.kernel, r.insns,
			       r.figures.processed, r.states, r.figures.stack_bytes);
		was = find(program, loads[i].name);
		if (was)
			was->measured = true;
		else if (i && same_figures(&r, &plain))
			continue; /* held by now */
		was = was ?: find(program, loads->name);
		if (was && !holds(&r, was))
			status = 1;
		if (!i && !was && own_rows) {
			printf("%s is not in the ledger\n", program);
			status = 1;
		}
	}
	printf("[  %s ] ledger_%s\n", status ? "FAILED " : "     OK", program);
	return status;
}

/* The kernel half of the file at `path` and its name; NULL: it has none, or *err says what is
 * wrong. The caller frees. */
static void *read_program(const char *path, char name[32], size_t *len, struct xfn_error *err)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	void *bytes = NULL;
	FILE *f;

	snprintf(name, 32, "%.*s", (int)strcspn(base, "."), base);
	if (strstr(base, ".xfn")) {
		struct xfn_module *mod = xfn_module__open(path, err);

		if (mod) { /* its bytes outlive it */
			bytes = mod->bpf;
			*len = mod->bpf_len;
			mod->bpf = NULL;
		}
		xfn_module__close(mod);
		return bytes;
	}
	f = fopen(path, "re");
	bytes = f ? malloc(OBJECT_MAX) : NULL;
	if (bytes)
		*len = fread(bytes, 1, OBJECT_MAX, f);
	else
		xfn_error__set(err, "%s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	return bytes;
}

int main(int argc, char **argv)
{
	struct utsname uts;
	int status = 0;

	uname(&uts);
	snprintf(
		kernel, sizeof(kernel), "%.*s",
		(int)(strcspn(uts.release, ".") + 1 + strcspn(strchr(uts.release, '.') + 1, ".-+")),
		uts.release);
	xfn_program__quiet_libbpf();
	log_text = malloc(XFN_LOG_LEN);
	if (argc < 3 || !log_text) {
		fputs("usage: ledger LEDGER.csv|- OBJECT.bpf.o|MODULE.xfn...\n", stderr);
		return 2;
	}
	if (strcmp(argv[1], "-") && !read_ledger(argv[1])) {
		printf("%s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	for (int i = 2; i < argc && status != 77; i++) {
		char name[32];
		struct xfn_error err = { 0 };
		size_t len = 0;
		void *bytes = read_program(argv[i], name, &len, &err);
		int ret = bytes ? measure(name, bytes, len) : *err.line != 0;

		if (*err.line)
			printf("%s\n", err.line);
		status = ret > status ? ret : status;
		free(bytes);
	}
	for (unsigned i = 0; i < ledger_rows && status != 77; i++)
		if (!strcmp(ledger[i].kernel, kernel) && !ledger[i].measured) {
			printf("%s, %s, %s: in the ledger, but there is no such program or load\n",
			       ledger[i].program, ledger[i].load, kernel);
			status = 1;
		}
	if (status == 1)
		printf("[  FAILED  ] ledger: `make ledger` writes it anew, for the same commit\n");
	else if (!status && !own_rows && strcmp(argv[1], "-"))
		printf("[  SKIPPED ] ledger: it has no rows for a kernel %s; `make ledger` adds them\n",
		       kernel);
	free(log_text);
	return status;
}
