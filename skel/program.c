// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Opening a function's kernel half. Must never know of interfaces or slots. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "array_size.h"
#include "error.h"
#include "program.h"

static char said[160];

/* Keep the warnings of libbpf that have the kernel's words, or that name a refused map. */
static void listen(const char *format, va_list args)
{
	static const char *const marks[] = { "Kernel error message: ",
					     "map '%s': failed to create" };
	static const char own[] = "libbpf: ";
	char line[256];

	for (unsigned i = 0; i < ARRAY_SIZE(marks); i++) {
		if (!strstr(format, marks[i]))
			continue;
		vsnprintf(line, sizeof(line), format, args);
		line[strcspn(line, "\n")] = 0;
		snprintf(said, sizeof(said), "%.150s",
			 line + (strncmp(line, own, strlen(own)) ? 0 : strlen(own)) +
				 (i ? 0 : strlen(marks[i])));
	}
}

static int show(enum libbpf_print_level level, const char *format, va_list args)
{
	va_list again;

	if (level == LIBBPF_WARN) {
		va_copy(again, args);
		listen(format, again);
		va_end(again);
	}
	if (!getenv("XFN_DEBUG"))
		return 0;
	fputs("  libbpf: ", stderr);
	return vfprintf(stderr, format, args);
}

void xfn_program__quiet_libbpf(void)
{
	libbpf_set_print(show);
}

const char *xfn_program__kernel_said(void)
{
	static char last[sizeof(said)];

	memcpy(last, said, sizeof(last));
	said[0] = 0;
	return last;
}

/* The offset of variable xfn_settings in .rodata, from the object's BTF; -1: it has none. */
static long settings_offset(const struct bpf_object *obj)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_var_secinfo *var;
	const struct btf_type *sec;
	int id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -1;

	if (id < 0)
		return -1;
	sec = btf__type_by_id(btf, id);
	var = btf_var_secinfos(sec);
	for (int i = 0; i < btf_vlen(sec); i++, var++) {
		const struct btf_type *type = btf__type_by_id(btf, var->type);

		if (!strcmp(btf__name_by_offset(btf, type->name_off), "xfn_settings"))
			return var->offset;
	}
	return -1;
}

static int put_settings(struct bpf_object *obj, const struct xfn_settings *settings)
{
	long off = settings_offset(obj);
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		const char *dot = strrchr(bpf_map__name(map), '.');
		const void *old;
		size_t size;
		char *bytes;
		int ret;

		if (off < 0 || !bpf_map__is_internal(map) || !dot || strcmp(dot, ".rodata"))
			continue;
		old = bpf_map__initial_value(map, &size);
		if (!old || off + sizeof(*settings) > size)
			return -EINVAL;
		bytes = malloc(size);
		if (!bytes)
			return -ENOMEM;
		memcpy(bytes, old, size);
		memcpy(bytes + off, settings, sizeof(*settings));
		ret = bpf_map__set_initial_value(map, bytes, size);
		free(bytes);
		return ret;
	}
	return -ENOENT;
}

struct bpf_object *xfn_program__open(const void *bytes, size_t len, const char *name,
				     const struct xfn_settings *settings, struct bpf_program **prog,
				     struct xfn_error *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name);
	struct bpf_object *obj = bpf_object__open_mem(bytes, len, &opts);

	if (!obj) {
		xfn_error__set(err, "%s: its kernel half is no BPF object (%s); build it again",
			       name, strerror(errno));
		return NULL;
	}
	*prog = bpf_object__next_program(obj, NULL);
	for (struct bpf_program *other = *prog; other;) {
		other = bpf_object__next_program(obj, other);
		if (other)
			bpf_program__set_autoload(other, false);
	}
	if (!*prog) {
		xfn_error__set(err, "%s: its kernel half has no program; build it again", name);
	} else if (settings && put_settings(obj, settings)) {
		xfn_error__set(err, "%s: its kernel half has no settings; build it again", name);
	} else {
		bpf_program__set_type(*prog, BPF_PROG_TYPE_XDP);
		/* a prog array takes either programs with frags or those without */
		if (settings && settings->flags & XFN_FRAGS)
			bpf_program__set_flags(*prog,
					       bpf_program__flags(*prog) | BPF_F_XDP_HAS_FRAGS);
		return obj;
	}
	bpf_object__close(obj);
	errno = EINVAL;
	return NULL;
}
