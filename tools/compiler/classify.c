// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The classifier's order of steps, and its verdict. Compiles and loads nothing itself. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <openssl/evp.h>
#include "../../skel/error.h"
#include "../../userspace/call/call.h"
#include "../../skel/regular_file.h"
#include "../../userspace/host/hex.h"
#include "../../xdp/abi.h"
#include "classify.h"
#include "compiler.h"
#include "module_write.h"
#include "../process/output_file.h"
#include "../process/paths.h"
#include "../process/private_folder.h"
#include "source_text.h"

void xfn_verdict__free(struct xfn_verdict *v)
{
	xfn_private_folder__remove(v->folder);
	free(v->log);
	free(v->bpf);
	v->folder[0] = 0;
	v->log = v->bpf = NULL;
}

/* The function's name as the file has it; false: it has no legal one. */
static bool file_name(const char *source, char name[XFN_NAME_MAX + 1])
{
	const char *base = strrchr(source, '/') ? strrchr(source, '/') + 1 : source;
	size_t len = strlen(base);

	if (len < 3 || strcmp(base + len - 2, ".c") || len - 2 > XFN_NAME_MAX || !islower(base[0]))
		return false;
	for (size_t i = 0; i < len - 2; i++)
		if (!islower(base[i]) && !isdigit(base[i]) && base[i] != '_')
			return false;
	snprintf(name, XFN_NAME_MAX + 1, "%.*s", (int)(len - 2), base);
	return true;
}

int xfn_classify__hash(const char *source, char hex[65], struct xfn_error *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE], chunk[4096];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	FILE *f = xfn_regular_file__stream(source, "name a function's C source", err);
	size_t n;

	if (!f || !ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)) {
		if (f)
			xfn_error__set(err, "%s: out of memory", source);
		EVP_MD_CTX_free(ctx);
		if (f)
			fclose(f);
		return -ENOENT;
	}
	while ((n = fread(chunk, 1, sizeof(chunk), f)))
		EVP_DigestUpdate(ctx, chunk, n);
	if (ferror(f)) {
		xfn_error__set(err, "%s: %s; name a function's C source", source, strerror(errno));
		EVP_MD_CTX_free(ctx);
		fclose(f);
		return -EIO;
	}
	EVP_DigestFinal_ex(ctx, digest, NULL);
	xfn_hex__write(digest, 32, hex);
	EVP_MD_CTX_free(ctx);
	fclose(f);
	return 0;
}

/* What no tier can meet, and the tier the author pins. */
static void check_attributes(const char *source, struct xfn_verdict *v)
{
	const struct xfn_attributes *attr = &v->attr;
	uint32_t line = xfn_source_text__find(source, "XFN_FUNCTION", false);
	char name[XFN_NAME_MAX + 1] = "", text[200] = "";

	if (!file_name(source, name))
		snprintf(text, sizeof(text),
			 "is in a file whose name no function can have: [a-z][a-z0-9_]{0,%d}.c",
			 XFN_NAME_MAX - 1);
	else if (strncmp(name, attr->name, sizeof(attr->name)))
		snprintf(text, sizeof(text), "has a name (%.*s) that is not its file's",
			 (int)sizeof(attr->name), attr->name);
	if (text[0]) {
		v->attr.name[XFN_NAME_MAX] = 0; /* a longer one has no end */
		xfn_refusal__set(&v->refusal, XFN_RULE_name_mismatch, text, source, line);
		return;
	}
	if (memchr(attr->licence, 0, sizeof(attr->licence)) == NULL ||
	    memchr(attr->summary, 0, sizeof(attr->summary)) == NULL)
		snprintf(text, sizeof(text),
			 "has a .licence or .summary that is too long (31, 95 bytes)");
	else if (attr->api != XFN_API)
		snprintf(text, sizeof(text), "has .api = %u, which XFN_FUNCTION sets (%u)",
			 attr->api, XFN_API);
	else if (attr->tier > XFN_TIER_SOCKET)
		snprintf(text, sizeof(text), "has .tier = %u, which is none", attr->tier);
	else if (attr->fallback > XFN_FALLBACK_HOST)
		snprintf(text, sizeof(text), "has .fallback = %u, which is none", attr->fallback);
	else if (attr->grow > XFN_PAYLOAD_MAX)
		snprintf(text, sizeof(text), "has .grow = %u, more than a datagram holds (%u)",
			 attr->grow, XFN_PAYLOAD_MAX);
	else if (attr->amplify > 1000)
		snprintf(text, sizeof(text),
			 "has .amplify = %u; unlimited amplification is refused", attr->amplify);
	else if (v->counters > XFN_PAGE_COUNTERS)
		snprintf(text, sizeof(text), "has %u counters; a worker has room for %u",
			 v->counters, XFN_PAGE_COUNTERS);
	if (text[0]) {
		xfn_refusal__set(&v->refusal, XFN_RULE_bad_attributes, text, source, line);
		return;
	}
	line = xfn_source_text__find(source, "XFN_PUNT", false);
	if (line) {
		xfn_refusal__set(&v->refusal, XFN_RULE_punt_without_slow, NULL, source, line);
		return;
	}
	line = xfn_source_text__find(source, "XFN_PASS", false);
	if (line && attr->fallback != XFN_FALLBACK_HOST)
		xfn_refusal__set(&v->refusal, XFN_RULE_pass_without_host, NULL, source, line);
}

static void settle(const char *source, struct xfn_verdict *v)
{
	struct xfn_module_meta *meta = &v->meta;
	uint32_t line = xfn_source_text__find(source, "XFN_FUNCTION", false);

	if (!v->refusal.fatal && v->refusal.rule[0] && v->attr.tier == XFN_TIER_XDP) {
		char text[384];

		snprintf(text, sizeof(text), "is pinned to tier xdp, but it %.300s",
			 v->refusal.reason);
		line = v->refusal.line ?: line;
		xfn_refusal__set(&v->refusal, XFN_RULE_tier_pinned, text, source, line);
	}
	/* A worker has nobody to leave a request to. */
	if (!v->refusal.fatal && v->attr.fallback == XFN_FALLBACK_HOST &&
	    (v->refusal.rule[0] || v->attr.tier > XFN_TIER_XDP)) {
		char text[384];

		snprintf(
			text, sizeof(text),
			"leaves requests to the host's server, as only tier xdp can, but it %.280s",
			v->refusal.rule[0] ? v->refusal.reason : "is pinned to a worker");
		line = v->refusal.line ?: line;
		xfn_refusal__set(&v->refusal, XFN_RULE_tier_pinned, text, source, line);
	}
	meta->tier = v->refusal.rule[0] ? XFN_TIER_AFXDP : XFN_TIER_XDP;
	if (v->attr.tier && !v->refusal.fatal)
		meta->tier = v->attr.tier;
	snprintf(meta->rule, sizeof(meta->rule), "%s", v->refusal.rule);
	snprintf(meta->remedy, sizeof(meta->remedy), "%s", v->refusal.remedy);
	meta->line = v->refusal.line;
	if (v->refusal.rule[0])
		snprintf(meta->reason, sizeof(meta->reason), "%s", v->refusal.reason);
	else if (v->attr.tier && v->attr.tier != XFN_TIER_XDP)
		snprintf(meta->reason, sizeof(meta->reason), "its .tier asks for it");
	else if (meta->verified)
		snprintf(meta->reason, sizeof(meta->reason), "accepted by the verifier");
	else
		snprintf(meta->reason, sizeof(meta->reason),
			 "not verified here: loading BPF programs wants CAP_BPF");
}

/* Of several sources, which one could not be judged? */
static void name_source(const char *source, struct xfn_error *err)
{
	struct xfn_error what = *err;

	if (!strncmp(err->line, source, strlen(source)))
		return;
	xfn_error__set(err, "%s: %s", source, what.line);
}

int xfn_classify(const char *source, struct xfn_verdict *v, struct xfn_error *err)
{
	return xfn_classify__within(source, XFN_BUDGET_NS, v, err);
}

int xfn_classify__within(const char *source, uint32_t budget_ns, struct xfn_verdict *v,
			 struct xfn_error *err)
{
	struct xfn_module_meta *meta = &v->meta;
	struct utsname uts;
	int ret;

	memset(v, 0, sizeof(*v));
	uname(&uts);
	meta->magic = XFN_MODULE_MAGIC;
	meta->version = XFN_MODULE_VERSION;
	meta->api = XFN_API;
	meta->abi = XFN_ABI;
	snprintf(meta->file, sizeof(meta->file), "%s", source);
	snprintf(meta->kernel, sizeof(meta->kernel), "%s", uts.release);
	snprintf(meta->arch, sizeof(meta->arch), "%.15s", uts.machine);
	ret = xfn_classify__hash(source, meta->source_hash, err);
	ret = ret ?: xfn_source__includes(source, NULL, err);
	ret = ret ?: xfn_paths__support(v->support, sizeof(v->support), err);
	ret = ret ?: xfn_compiler__probe(meta->compiler, sizeof(meta->compiler), err);
	ret = ret ?: xfn_private_folder__make(v->folder, sizeof(v->folder), err);
	if (ret)
		return ret;
	ret = xfn_classify__native(source, v, err);
	if (!ret && !v->refusal.fatal)
		check_attributes(source, v);
	if (!ret && !v->refusal.fatal)
		ret = xfn_classify__bpf(source, v, err);
	if (!ret && !v->refusal.fatal)
		ret = xfn_classify__cost(source, budget_ns, v, err);
	if (ret)
		name_source(source, err);
	else
		settle(source, v);
	return ret;
}

void xfn_verdict__sentence(const struct xfn_verdict *v, char *text, size_t len)
{
	const struct xfn_refusal *r = &v->refusal;

	if (!r->rule[0])
		snprintf(text, len, "%s", v->meta.reason);
	else if (r->line)
		snprintf(text, len, "%s (%s:%u); %s", r->reason, r->file, r->line, r->remedy);
	else
		snprintf(text, len, "%s; %s", r->reason, r->remedy);
}

/* The cases that go with a source: NAME.cases beside NAME.c. */
static void cases_of(const char *source, char *cases, size_t len)
{
	snprintf(cases, len, "%.*s.cases", (int)strlen(source) - 2, source);
}

int xfn_verdict__output(const struct xfn_verdict *v, const char *out, struct xfn_error *err)
{
	char path[PATH_MAX];
	int ret = xfn_output_file__free(out, err);

	cases_of(v->meta.file, path, sizeof(path));
	if (!ret && xfn_output_file__same(path, out)) {
		xfn_error__set(err, "%s: holds the function's cases; choose another name with -o",
			       out);
		ret = -EEXIST;
	}
	ret = ret ?: xfn_source__includes(v->meta.file, out, err);
	snprintf(path, sizeof(path), "%s/native.d", v->folder);
	ret = ret ?: xfn_output_file__not_listed(out, path, err);
	snprintf(path, sizeof(path), "%s/kernel.d", v->folder);
	return ret ?: xfn_output_file__not_listed(out, path, err);
}

int xfn_verdict__write(const struct xfn_verdict *v, const char *out, struct xfn_error *err)
{
	char so[sizeof(v->folder) + 16];
	/* A kernel half that was refused is of no use to anyone. */
	bool keep = v->bpf && !v->refusal.rule[0];
	int ret = xfn_verdict__output(v, out, err);

	if (ret)
		return ret;
	snprintf(so, sizeof(so), "%s/native.so", v->folder);
	return xfn_module__write(so, &v->meta, keep ? v->bpf : NULL, keep ? v->bpf_len : 0, out,
				 err);
}

int xfn_build_module(const struct xfn_build_options *how, struct xfn_error *err)
{
	struct xfn_verdict *v = calloc(1, sizeof(*v));
	char text[1024];
	int ret;

	if (!v)
		return xfn_fail(err, -ENOMEM, "out of memory");
	ret = xfn_classify(how->source, v, err);
	if (!ret && v->refusal.fatal) {
		xfn_verdict__sentence(v, text, sizeof(text));
		xfn_error__set(err, "%s: %s", how->source, text);
		ret = -EINVAL;
	}
	ret = ret ?: xfn_verdict__write(v, how->out, err);
	xfn_verdict__free(v);
	free(v);
	return ret;
}
