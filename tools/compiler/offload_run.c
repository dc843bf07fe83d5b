// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `xfn run --mode offload`: which of the functions the card takes together. A card has one program,
 * so they are built into one object, and its driver is asked each time one is added. Attaches
 * nothing.
 */
#include "../../skel/error.h"
#include "offload.h"

#include <netinet/ether.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "../../skel/offload.h"
#include "../../skel/regular_file.h"
#include "../../skel/sealed_copy.h"
#include "../../userspace/host/addresses.h"
#include "../../userspace/host/interface.h"
#include "../../userspace/host/ip.h"
#include "../../userspace/supervisor/options.h"
#include "classify.h"

#define ADDRESSES_MAX 64 /* that an object can have compiled in; of --allow-amplify too */
#define SPEC_MAX      400

struct choice {
	struct xfn_run_options *opts;
	struct xfn_run_module *modules;
	struct xfn_interface iface;
	const char *option[4 * ADDRESSES_MAX + 10]; /* of xfn build, NULL behind the last */
	unsigned options;
	char address[ADDRESSES_MAX][INET6_ADDRSTRLEN];
	unsigned addresses;
	char mtu[16];
	char mac[18];		/* "": it has none */
	char (*spec)[SPEC_MAX]; /* of each module, "" where it is out of the question */
	bool *in;		/* the modules that go into the object */
	unsigned chosen;
	struct xfn_error *err;	 /* what is wrong, in the end */
	const char *host_failed; /* why nothing could be built here; NULL: it could */
};

#define fail(c, ...) xfn_fail((c)->err, -EIO, __VA_ARGS__)

static const char *keep(const char *text)
{
	return strdup(text) ?: "out of memory";
}

static void on_device(void *ctx, const struct xfn_addresses_device *device, bool added)
{
	(void)ctx;
	(void)device;
	(void)added;
}

static void on_address(void *ctx, const struct xfn_local_address *served, bool added)
{
	struct choice *c = ctx;

	if (added && c->addresses < ADDRESSES_MAX)
		xfn_ip__text(served->ip, c->address[c->addresses++]);
}

/* The addresses to be compiled in: those given, else the interface's of now. */
static int read_addresses(struct choice *c)
{
	const struct xfn_addresses_listener listener = { c, on_device, on_address, NULL };
	const uint8_t(*macs)[6];
	struct xfn_addresses *addrs;
	struct xfn_error err = { 0 };

	if (xfn_addresses__open(c->iface.index, NULL, 0, &listener, &addrs, &err))
		return fail(c, "%s", err.line);
	if (xfn_addresses__macs(addrs, &macs))
		ether_ntoa_r((const struct ether_addr *)macs[0], c->mac);
	xfn_addresses__close(addrs);
	if (c->opts->address_count) {
		c->addresses = 0;
		for (unsigned i = 0; i < c->opts->address_count && i < ADDRESSES_MAX; i++)
			snprintf(c->address[c->addresses++], INET6_ADDRSTRLEN, "%s",
				 c->opts->address[i]);
	}
	return c->addresses ? 0 :
			      fail(c, "%s: has no address; `ip addr add ... dev %s`", c->iface.name,
				   c->iface.name);
}

static void take_options(struct choice *c)
{
	for (unsigned i = 0; i < c->addresses; i++) {
		c->option[c->options++] = "--address";
		c->option[c->options++] = c->address[i];
	}
	snprintf(c->mtu, sizeof(c->mtu), "%u", c->iface.mtu);
	c->option[c->options++] = "--mtu";
	c->option[c->options++] = c->mtu;
	if (c->mac[0]) {
		c->option[c->options++] = "--mac";
		c->option[c->options++] = c->mac;
	}
	if (c->opts->trust_checksum)
		c->option[c->options++] = "--trust-checksum";
	if (c->iface.local_peer)
		c->option[c->options++] = "--local-peer";
	for (unsigned i = 0; i < c->opts->allow_amplify_count && i < ADDRESSES_MAX; i++) {
		c->option[c->options++] = "--allow-amplify";
		c->option[c->options++] = c->opts->allow_amplify[i];
	}
}

static int read_file(const char *path, void **bytes, size_t *len)
{
	FILE *f = fopen(path, "re");
	long size = f && !fseek(f, 0, SEEK_END) ? ftell(f) : -1;
	int ret = size > 0 ? 0 : -EIO;

	*bytes = ret ? NULL : malloc(size);
	if (!ret && (!*bytes || fseek(f, 0, SEEK_SET) || fread(*bytes, size, 1, f) != 1))
		ret = -EIO;
	*len = ret ? 0 : size;
	if (f)
		fclose(f);
	return ret;
}

/* Does the card take the object in `path`? Nothing stays on it. */
static int try_on_device(const struct choice *c, const char *path, const char *source,
			 struct xfn_error *why)
{
	struct xfn_offload *off;
	void *bytes;
	size_t len;
	int ret = read_file(path, &bytes, &len);

	if (ret)
		xfn_error__set(why, "%s cannot be read", path);
	else
		ret = xfn_offload__load(bytes, len, source, c->iface.index, &off, why);
	if (!ret)
		xfn_offload__close(off);
	free(bytes);
	return ret;
}

/* The object that the card is to take, as it is now. 0 or -errno, said. */
static int keep_object(struct choice *c, const char *path)
{
	static const char next[] = "`xfn build --offload -o FILE.o F.c` makes one";
	struct xfn_error err = { 0 };
	int fd = xfn_regular_file__open(path, next, &err);

	if (fd < 0)
		return fail(c, "%s", err.line);
	c->opts->card = xfn_sealed_copy(fd, XFN_MODULE_MAX);
	close(fd);
	return c->opts->card >= 0 ? 0 :
				    fail(c, "%s: cannot be read into memory: %s; free some", path,
					 strerror(-c->opts->card));
}

/* "F.c@[ADDR]:PORT" of a module whose source is here as it was built; else why not. */
static const char *spec_of(const struct xfn_run_module *want, const struct xfn_module *mod,
			   char spec[SPEC_MAX])
{
	bool v6 = want->addr && strchr(want->addr, ':');
	char hex[65];
	struct xfn_error why;

	if (mod->meta.tier != XFN_TIER_XDP || !mod->bpf) {
		xfn_error__set(&why, "runs in tier %s only: %.300s", xfn_tier_name(mod->meta.tier),
			       mod->meta.reason);
		return keep(why.line);
	}
	if (xfn_classify__hash(mod->meta.file, hex, &why) || strcmp(hex, mod->meta.source_hash)) {
		xfn_error__set(
			&why,
			"its source %.200s is not here as it was built; name the source, or an "
			"object by --object",
			mod->meta.file);
		return keep(why.line);
	}
	snprintf(spec, SPEC_MAX, "%s@%s%s%s%s%u", mod->meta.file, v6 ? "[" : "", want->addr ?: "",
		 v6 ? "]" : "", want->addr && *want->addr ? ":" : "", want->port ?: mod->attr.port);
	return NULL;
}

/* Build the modules that are `in` into one object, and ask the card. NULL, or why not. */
static const char *attempt(struct choice *c, const char *made)
{
	const char *specs[c->opts->module_count];
	char source[SPEC_MAX] = ""; /* for line numbers, where there is but one */
	struct xfn_error why = { 0 };
	struct xfn_obstacle no;
	unsigned n = 0;
	int ret;

	for (unsigned i = 0; i < c->opts->module_count; i++)
		if (c->in[i])
			specs[n++] = c->spec[i];
	if (n == 1)
		snprintf(source, sizeof(source), "%.*s", (int)(strrchr(specs[0], '@') - specs[0]),
			 specs[0]);
	ret = xfn_offload__build(c->option, specs, n, made, &no);
	if (ret == -EIO)
		c->host_failed = keep(no.what);
	if (ret)
		return keep(no.what);
	return try_on_device(c, made, source, &why) ? keep(why.line) : NULL;
}

/* Is module i in the running at all: has it a source, and does the card take it alone? */
static const char *try_alone(struct choice *c, unsigned i, const char *made)
{
	const char *why_not = spec_of(&c->modules[i], c->modules[i].mod, c->spec[i]);

	if (!why_not) {
		c->in[i] = true;
		why_not = attempt(c, made);
		c->in[i] = false;
	}
	if (why_not)
		c->spec[i][0] = '\0';
	return why_not;
}

/*
 * Each alone first, so that what cannot go is left out before all are built together. Where the
 * card has no room for all of those, one after the other for as long as it has.
 */
static int choose(struct choice *c, const char *made)
{
	unsigned count = c->opts->module_count;
	int status = read_addresses(c);

	if (status)
		return status;
	take_options(c);
	c->spec = calloc(count, sizeof(*c->spec));
	c->in = calloc(count, sizeof(*c->in));
	if (!c->spec || !c->in)
		return fail(c, "out of memory");
	for (unsigned i = 0; i < count; i++)
		c->modules[i].not_on_device = try_alone(c, i, made);
	for (unsigned i = 0; i < count; i++)
		c->chosen += c->in[i] = c->spec[i][0];
	if (c->chosen && attempt(c, made)) {
		memset(c->in, 0, count * sizeof(*c->in));
		c->chosen = 0;
		for (unsigned i = 0; i < count; i++) {
			if (!c->spec[i][0])
				continue;
			c->in[i] = true;
			c->modules[i].not_on_device = attempt(c, made);
			c->in[i] = !c->modules[i].not_on_device;
			c->chosen += c->in[i];
		}
		if (c->chosen && attempt(c, made)) /* the last one tried may have been refused */
			c->chosen = 0;
	}
	free(c->spec);
	free(c->in);
	if (c->host_failed)
		return fail(c, "cannot build for the card: %s", c->host_failed);
	return c->chosen ? keep_object(c, made) : 0;
}

/* Of an object that was built by hand, the functions are those it counts for. */
static int take_object(struct choice *c, const char *object)
{
	struct bpf_object *obj = NULL;
	struct xfn_error why = { 0 };
	struct stat st = {};
	void *bytes;
	int status = keep_object(c, object);

	if (status)
		return status;
	bytes = fstat(c->opts->card, &st) ?
			MAP_FAILED :
			mmap(NULL, st.st_size ?: 1, PROT_READ, MAP_PRIVATE, c->opts->card, 0);
	if (bytes == MAP_FAILED)
		return fail(c, "--object %s: %s", object, strerror(errno));
	if (!xfn_offload__check(bytes, st.st_size, &why))
		obj = bpf_object__open_mem(bytes, st.st_size, NULL);
	munmap(bytes, st.st_size ?: 1);
	if (!obj)
		return fail(c, "--object %s: %s; `xfn build --offload` makes one", object,
			    why.line);
	for (unsigned i = 0; i < c->opts->module_count; i++) {
		struct xfn_run_module *to = &c->modules[i];
		char map[XFN_NAME_MAX + 6];

		snprintf(map, sizeof(map), "%s_stat", to->mod->attr.name);
		if (bpf_object__find_map_by_name(obj, map))
			c->chosen++;
		else
			to->not_on_device = "the object given by --object does not have it";
	}
	bpf_object__close(obj);
	return 0;
}

/* What a card's program cannot do for the whole run. */
static int check_options(struct choice *c)
{
	const struct xfn_run_options *opts = c->opts;
	const char *what = opts->rate		     ? "--rate: a card keeps no rates" :
			   opts->route_fib	     ? "--reply-route fib: a card has no routes" :
			   opts->tier > XFN_TIER_XDP ? "--tier: what a card takes is of tier xdp" :
						       NULL;

	if (!what)
		return 0;
	return xfn_fail(c->err, -EINVAL, "%s; leave it or --mode offload out", what);
}

int xfn_offload__choose(struct xfn_run_options *opts, struct xfn_run_module *modules,
			const char *object, const char *made, struct xfn_error *err)
{
	static struct choice c;
	int status, ret;

	c = (struct choice){ .opts = opts, .modules = modules, .err = err };
	status = check_options(&c);
	if (status)
		return status;
	if (xfn_interface__read(opts->ifname, &c.iface, err))
		return -EIO;
	ret = xfn_offload__possible(c.iface.index);
	if (ret)
		return fail(&c,
			    ret == -EPERM ? "%s: no privilege to load BPF programs; run as root" :
					    "%s: its driver takes no programs for a card; leave "
					    "--mode out, or see `xfn check -i %s`",
			    c.iface.name, c.iface.name);
	status = object ? take_object(&c, object) : choose(&c, made);
	if (status || c.chosen)
		return status;
	return fail(&c, "%s: nothing can be offloaded: %s; leave --mode out", c.iface.name,
		    opts->module_count ? modules[0].not_on_device : "no function is given");
}
