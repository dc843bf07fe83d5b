// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Objects for other loaders: each function is judged as for a module; one of tier xdp is compiled
 * again with ports, addresses and settings in it (xdp/standalone_bpf.h), linked with the others,
 * and tried in this kernel's verifier. Must never attach, nor write the object before it is right.
 */
#include "../../skel/error.h"
#include "standalone.h"

#include <errno.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../skel/trial.h"
#include "../../userspace/host/clock.h"
#include "../../userspace/host/ip.h"
#include "../../userspace/supervisor/options.h"
#include "../../userspace/sockets/udp_socket.h"
#include "classify.h"
#include "../process/output_file.h"
#include "../arguments/spec.h"
#include "standalone_link.h"
#include "../../xdp/address.h"
#include "../../xdp/packet.h"
#include "../../xdp/units.h"

#define FUNCTIONS_MAX XFN_OBJECT_LISTED

struct function {
	const char *source;
	struct xfn_verdict v;
};

/* A port, maybe of one address, and the function behind it. */
struct binding {
	unsigned slot;
	struct xfn_address at;
	bool any; /* address */
};

struct object {
	const struct xfn_object_options *how;
	struct xfn_object_made *made; /* what is told of it */
	FILE *log;
	struct xfn_error *err;
	struct function *functions;
	unsigned count;
	struct binding bound[FUNCTIONS_MAX];
	unsigned bounds;
	uint8_t served[XFN_OBJECT_LISTED][16];
	uint64_t tai, mac;
	struct xfn_trial trial;
};

/* Say what is wrong. */
#define say(obj, result, ...) xfn_fail((obj)->err, result, __VA_ARGS__)
#define usage(obj, ...)	      say(obj, XFN_OBJECT_ASKED_WRONG, __VA_ARGS__)
#define fail(obj, ...)	      say(obj, XFN_OBJECT_REFUSED, __VA_ARGS__)
#define fail_host(obj, ...)   say(obj, XFN_OBJECT_HOST_FAILED, __VA_ARGS__)

/* An interface's Ethernet address as xfn_packet_mac has it. False: it is none. */
static bool read_mac(const char *text, uint64_t *mac)
{
	uint8_t frame[8] = {};

	if (!ether_aton_r(text, (struct ether_addr *)frame) || frame[0] & 1)
		return false;
	*mac = xfn_packet_mac(frame);
	return *mac;
}

const char *xfn_object__not_mac(const char *text)
{
	uint64_t mac;

	return read_mac(text, &mac) ? NULL : "take an interface's, 02:00:00:00:00:01";
}

static int take_values(struct object *obj)
{
	const struct xfn_object_options *how = obj->how;

	for (unsigned i = 0; i < how->addresses; i++)
		if (xfn_ip__parse(how->address[i], obj->served[i]))
			return usage(obj, "--address '%.100s': no IPv4 or IPv6 address; give one",
				     how->address[i]);
	if (how->mac && !read_mac(how->mac, &obj->mac))
		return usage(obj, "--mac '%.100s': %s", how->mac, xfn_object__not_mac(how->mac));
	if (how->rate && how->flavour == XFN_FLAVOUR_OFFLOAD)
		return usage(obj, "--rate '%u': NICs have no map for it; leave it out", how->rate);
	obj->tai =
		how->tai < 0 ? xfn_clock__tai_offset_ns() : (uint64_t)how->tai * XFN_NSEC_PER_SEC;
	return 0;
}

/* The slot of `source`, a new one the first time it is named. */
static int take_source(struct object *obj, const char *source, unsigned *slot)
{
	size_t len = strlen(source);

	if (len < 3 || strcmp(source + len - 2, ".c"))
		return usage(obj, "%s: no C source (NAME.c); give one", source);
	for (*slot = 0; *slot < obj->count; (*slot)++)
		if (!strcmp(obj->functions[*slot].source, source))
			return 0;
	obj->functions[obj->count++].source = source;
	return 0;
}

static int take_specs(struct object *obj, char **specs, int count)
{
	unsigned port = obj->how->port;

	if (port && count > 1)
		return usage(obj,
			     "--port names one port, but there are %d functions; give F.c@PORT",
			     count);
	if (count > FUNCTIONS_MAX)
		return usage(obj, "%d functions: at most %d in one object", count, FUNCTIONS_MAX);
	for (int i = 0; i < count; i++) {
		struct binding *to = &obj->bound[obj->bounds++];
		struct xfn_spec spec;
		const char *wrong;
		char whole[128];
		int status;

		snprintf(whole, sizeof(whole), "%s", specs[i]);
		wrong = xfn_spec__parse(specs[i], &spec);
		if (wrong)
			return usage(obj, "source '%s': %s", whole, wrong);
		if (spec.port && port)
			return usage(obj, "'%s' has a port; leave out --port", whole);
		status = take_source(obj, spec.path, &to->slot);
		if (status)
			return status;
		to->at.port = spec.port ?: port;
		to->any = !spec.addr[0];
		if (!to->any && xfn_ip__parse(spec.addr, to->at.ip))
			return usage(obj, "source '%s': no address before the port", whole);
		if (!to->any && xfn_udp_socket__unfit(to->at.ip))
			return usage(obj, "source '%s': %s %s, and no host's own", whole, spec.addr,
				     xfn_udp_socket__unfit(to->at.ip));
	}
	return 0;
}

static int judge(struct object *obj, struct function *fn)
{
	char text[1024];
	struct xfn_error err = { 0 };
	const struct xfn_attributes *attr = &fn->v.attr;
	bool allowed;

	if (xfn_classify__within(fn->source, obj->how->budget_ns, &fn->v, &err))
		return fail_host(obj, "%s", err.line);
	if (fn->v.log)
		fputs(fn->v.log, obj->log);
	xfn_verdict__sentence(&fn->v, text, sizeof(text));
	if (fn->v.refusal.fatal)
		return fail(obj, "%s: %s", fn->source, text);
	if (fn->v.meta.tier != XFN_TIER_XDP)
		return fail(obj, "%s: runs in tier %s only, and no other loader has workers: %s",
			    fn->source, xfn_tier_name(fn->v.meta.tier), text);
	allowed = attr->amplify <= XFN_AMPLIFY_FREE;
	for (unsigned i = 0; i < obj->how->alloweds; i++)
		allowed |= !strcmp(obj->how->allowed[i], attr->name);
	if (!allowed)
		return fail(obj,
			    "%s: may answer with %u times its request, of use to attackers; "
			    "`--allow-amplify %s` builds it",
			    fn->source, attr->amplify, attr->name);
	return 0;
}

static const char *licence(const struct function *fn)
{
	return fn->v.attr.licence[0] ? fn->v.attr.licence : "Dual BSD/GPL";
}

static const char *name_of(const struct object *obj, const struct binding *to)
{
	return obj->functions[to->slot].v.attr.name;
}

/* Names and licences that go together, every binding with a port of its own. */
static int check(struct object *obj)
{
	for (unsigned i = 0; i < obj->count; i++) {
		const struct function *fn = &obj->functions[i], *first = obj->functions;

		if (strcmp(licence(fn), licence(first)))
			return fail(obj,
				    "%s is licensed \"%s\", %s \"%s\"; one object has one licence: "
				    "build two",
				    first->source, licence(first), fn->source, licence(fn));
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(obj->functions[j].v.attr.name, fn->v.attr.name))
				return fail(obj, "%s and %s are both named %s; rename one",
					    obj->functions[j].source, fn->source, fn->v.attr.name);
	}
	for (unsigned i = 0; i < obj->bounds; i++) {
		struct binding *to = &obj->bound[i];
		bool served = to->any || !obj->how->addresses,
		     every = xfn_udp_socket__is_every(to->at.ip);

		to->at.port = to->at.port ?: obj->functions[to->slot].v.attr.port;
		if (!to->at.port)
			return fail(obj, "%s: has no default port; give one: %s@PORT",
				    name_of(obj, to), obj->functions[to->slot].source);
		for (unsigned j = 0; !served && j < obj->how->addresses; j++)
			served = every ? xfn_udp_socket__version(to->at.ip) ==
						 xfn_udp_socket__version(obj->served[j]) :
					 !memcmp(to->at.ip, obj->served[j], sizeof(to->at.ip));
		if (!served)
			return fail(obj,
				    "%s: no --address is the one of its port %u; give that one too",
				    name_of(obj, to), to->at.port);
		for (unsigned j = 0; j < i; j++)
			if (obj->bound[j].at.port == to->at.port && obj->bound[j].any == to->any &&
			    !memcmp(obj->bound[j].at.ip, to->at.ip, sizeof(to->at.ip)))
				return fail(obj,
					    "port %u: both %s and %s are to have it; give "
					    "another: F.c@PORT",
					    to->at.port, name_of(obj, &obj->bound[j]),
					    name_of(obj, to));
	}
	return 0;
}

/* "version, hi, lo" of standalone_bpf.h: words as a program loads them from a frame. */
static void print_address(FILE *f, const uint8_t ip[16])
{
	uint64_t word[2];
	uint32_t v4;

	memcpy(word, ip, sizeof(word));
	memcpy(&v4, ip + 12, sizeof(v4));
	if (xfn_address__is_v4(ip))
		fprintf(f, "4, 0, 0x%xu", v4);
	else
		fprintf(f, "6, 0x%llxull, 0x%llxull", (unsigned long long)word[0],
			(unsigned long long)word[1]);
}

/* Those bound to an address, to an IP version, to neither: the first that fits is the right one. */
static void print_bindings(FILE *f, const struct object *obj, int exactness)
{
	for (unsigned i = 0; i < obj->bounds; i++) {
		const struct binding *to = &obj->bound[i];

		if (exactness != (to->any ? 0 : xfn_udp_socket__is_every(to->at.ip) ? 1 : 2))
			continue;
		fprintf(f, " X(%u, %u, ", to->slot, to->at.port);
		if (to->any)
			fputs("0, 0, 0", f);
		else
			print_address(f, to->at.ip);
		fputs(")", f);
	}
}

/* The header of settings that standalone_bpf.h wants. False: it cannot be written. */
static bool write_settings(const struct object *obj, const char *path)
{
	const struct xfn_object_options *how = obj->how;
	bool offload = how->flavour == XFN_FLAVOUR_OFFLOAD, grows = false;
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	for (unsigned i = 0; i < obj->count; i++)
		grows |= obj->functions[i].v.attr.grow > 0;
	fprintf(f, "#define XFN_ALONE 1\n%s", offload ? "#define XFN_OFFLOAD 1\n" : "");
	fprintf(f, "#define XFN_OBJECT_FLAGS 0x%xu\n",
		(how->trust_checksum ? XFN_TRUST_CHECKSUM : 0) |
			(how->local_peer ? XFN_LOCAL_PEER : 0));
	fprintf(f, "#define XFN_OBJECT_MTU %u\n#define XFN_OBJECT_RATE %u\n", how->mtu, how->rate);
	fprintf(f, "#define XFN_OBJECT_MAC 0x%llxull\n", (unsigned long long)obj->mac);
	fprintf(f, "#define XFN_OBJECT_TAI %lluull\n", (unsigned long long)obj->tai);
	fprintf(f, "#define XFN_MOVES %d\n#define XFN_LICENCE \"", grows && !offload);
	for (const char *p = licence(obj->functions); *p; p++)
		fprintf(f, "\\%03o", (unsigned char)*p);
	fputs("\"\n#define XFN_BOUND_TO(X)", f);
	for (int exactness = 2; exactness >= 0; exactness--)
		print_bindings(f, obj, exactness);
	if (how->addresses)
		fputs("\n#define XFN_SERVED(X)", f);
	for (unsigned i = 0; i < how->addresses; i++) {
		fputs(" X(", f);
		print_address(f, obj->served[i]);
		fputs(")", f);
	}
	fputs("\n#define XFN_MEMBERS(X)", f);
	for (unsigned i = 0; i < obj->count; i++)
		fprintf(f, " X(%u)", i);
	fputs("\n", f);
	return !fclose(f);
}

/* What the verifier says; *again where another way to compile may do. */
static int try(struct object *obj, const void *bytes, size_t len, bool *again)
{
	const struct xfn_refusal *no = &obj->trial.refusal;
	const char *source = obj->functions[0].source;
	struct xfn_error err = { 0 };

	if (xfn_trial__run(bytes, len, source, &obj->trial, &err)) {
		*again = false;
		return fail_host(obj, "%s", err.line);
	}
	if (obj->trial.log)
		fputs(obj->trial.log, obj->log);
	free(obj->trial.log);
	if (!obj->trial.permitted || obj->trial.accepted) {
		*again = false;
		return 0;
	}
	*again = *again &&
		 (!strcmp(no->rule, "too_many_insns") || !strcmp(no->rule, "unbounded_loop"));
	if (*again)
		return XFN_OBJECT_REFUSED;
	return fail(obj, "%s: the verifier takes %s, but not this object: it %s (line %u); %s",
		    obj->made->out, obj->count > 1 ? "each function" : "the function", no->reason,
		    no->line, no->remedy);
}

/* Compile, link, try and put in place. */
static int attempt(struct object *obj, bool unroll, bool *again)
{
	const struct xfn_verdict *v = &obj->functions[0].v;
	char settings[sizeof(v->folder) + 16], made[sizeof(v->folder) + 16];
	struct xfn_object_unit units[FUNCTIONS_MAX];
	struct xfn_object_plan plan = {
		.folder = v->folder,
		.support = v->support,
		.settings = settings,
		.units = units,
		.count = obj->count,
		.unroll = unroll,
		.nic = obj->how->flavour == XFN_FLAVOUR_OFFLOAD,
	};
	struct xfn_error err = { 0 };
	struct xfn_object_file file = { 0 };
	int status, ret;

	snprintf(settings, sizeof(settings), "%s/settings.h", v->folder);
	snprintf(made, sizeof(made), "%s/object.o", v->folder);
	if (!write_settings(obj, settings))
		return fail_host(obj, "%s: %s; is there room on the disk?", settings,
				 strerror(errno));
	for (unsigned i = 0; i < obj->count; i++)
		units[i] = (struct xfn_object_unit){ .source = obj->functions[i].source,
						     .name = obj->functions[i].v.attr.name };
	*again = false;
	ret = xfn_object__compile(&plan, made, &err);
	if (ret && ret != -EINVAL)
		return fail_host(obj, "%s", err.line);
	if (ret || xfn_object__read(made, obj->made->out, plan.nic, &file, &err))
		return fail(obj, "%s", err.line);
	obj->made->resizes = file.resizes;
	*again = unroll;
	status = try(obj, file.bytes, file.len, again);
	for (unsigned i = 0; !status && i < obj->count; i++)
		if (xfn_verdict__output(&obj->functions[i].v, obj->made->out, &err))
			status = fail(obj, "%s", err.line);
	if (!status && xfn_output_file__put(obj->made->out, file.bytes, file.len, &err))
		status = fail(obj, "%s", err.line);
	free(file.bytes);
	return status;
}

/* What there is to tell of an object that is made. */
static void tell(struct object *obj)
{
	struct xfn_object_made *made = obj->made;

	snprintf(made->program, sizeof(made->program), "xfn_%s",
		 obj->count == 1 ? obj->functions[0].v.attr.name : "standalone");
	made->ports = obj->bounds;
	for (unsigned i = 0; i < obj->bounds; i++) {
		const struct binding *from = &obj->bound[i];
		struct xfn_object_port *to = &made->port[i];

		snprintf(to->name, sizeof(to->name), "%s", name_of(obj, from));
		to->port = from->at.port;
		if (!from->any)
			xfn_udp_socket__text(&from->at, to->bound, sizeof(to->bound));
	}
	made->insns = obj->trial.insns;
	made->verified_insns = obj->trial.figures.processed;
	made->verified = obj->trial.permitted;
}

static int build(struct object *obj, char **specs, int count, const char *out)
{
	bool again = false;
	int status = take_values(obj);

	status = status ?: take_specs(obj, specs, count);
	if (status)
		return status;
	if (!out && obj->count > 1)
		return usage(obj, "%u functions: name their object with -o", obj->count);
	for (unsigned i = 0; !status && i < obj->count; i++)
		status = judge(obj, &obj->functions[i]);
	status = status ?: check(obj);
	if (status)
		return status;
	if (out)
		snprintf(obj->made->out, sizeof(obj->made->out), "%s", out);
	else
		snprintf(obj->made->out, sizeof(obj->made->out), "%s.o",
			 obj->functions[0].v.attr.name);
	status = attempt(obj, true, &again);
	if (again)
		status = attempt(obj, false, &again);
	if (!status)
		tell(obj);
	return status;
}

enum xfn_object_result xfn_object__build(const struct xfn_object_options *how, char **specs,
					 int count, const char *out, struct xfn_object_made *made,
					 struct xfn_error *err)
{
	struct object *obj = calloc(1, sizeof(*obj));
	size_t len;
	int status;

	*made = (struct xfn_object_made){};
	if (obj) {
		obj->functions = calloc((size_t)count, sizeof(*obj->functions));
		obj->log = open_memstream(&made->log, &len);
	}
	if (!obj || !obj->functions || !obj->log) {
		xfn_error__set(err, "out of memory");
		status = XFN_OBJECT_HOST_FAILED;
		goto out;
	}
	obj->how = how;
	obj->made = made;
	obj->err = err;
	status = build(obj, specs, count, out);
	for (unsigned i = 0; i < obj->count; i++)
		xfn_verdict__free(&obj->functions[i].v);
out:
	if (obj && obj->log)
		fclose(obj->log);
	if (obj)
		free(obj->functions);
	free(obj);
	return status;
}
