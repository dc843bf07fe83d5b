// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What of an object keeps it from a network card: a program with one of each obstacle, compiled
 * here, and the line that each is said to be at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../skel/error.h"
#include "../../tools/process/command.h"
#include "../../tools/compiler/compiler_flags.h"
#include "../../tools/compiler/offload.h"

#define HEAD                                                                                       \
	"#include \"vmlinux.h\"\n"                                                                 \
	"#include <bpf/bpf_helpers.h>\n"                                                           \
	"#define MAP(name, kind, entries, flags, type_t) struct { __uint(type, kind); "            \
	"__uint(max_entries, entries); __uint(map_flags, flags); __type(key, __u32); "             \
	"__type(value, type_t); } name SEC(\".maps\")\n"                                           \
	"char licensed[] SEC(\"license\") = \"GPL\";\n"
#define HEAD_LINES 4

static char folder[] = "/tmp/xfn-scan-XXXXXX";
static char source[64], object[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(source, sizeof(source), "%s/card.c", folder);
	snprintf(object, sizeof(object), "%s/card.o", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(source);
	unlink(object);
	return rmdir(folder);
}

static void scan(const char *text, struct xfn_obstacles *out)
{
	char *const argv[] = { "clang", XFN_FLAGS_BPF, XFN_FLAGS_BOTH, "-Ixdp", "-c",
			       source,	"-o",	       object,	       NULL };
	FILE *f = fopen(source, "we");
	char *said;
	struct xfn_error err = { 0 };

	assert_non_null(f);
	fputs(HEAD, f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	if (xfn_command__run(argv, &said))
		fail_msg("%s", said);
	free(said);
	if (xfn_offload__scan(object, source, out, &err))
		fail_msg("%s", err.line);
}

/* Is it there, of this kind, at this line behind the head (0: at none)? */
static void assert_obstacle(const struct xfn_obstacles *found, const char *kind, const char *words,
			    uint32_t line, bool nfp)
{
	for (unsigned i = 0; i < found->count; i++) {
		const struct xfn_obstacle *o = &found->list[i];

		if (strcmp(o->kind, kind) || !strstr(o->what, words))
			continue;
		assert_int_equal(o->line, line ? line + HEAD_LINES : 0);
		assert_int_equal(o->nfp, nfp);
		assert_true(o->remedy[0]);
		return;
	}
	for (unsigned i = 0; i < found->count; i++)
		print_error("%s, line %u: %s\n", found->list[i].kind, found->list[i].line,
			    found->list[i].what);
	fail_msg("no obstacle of kind %s that says \"%s\"", kind, words);
}

static void test_fits(void **state)
{
	struct xfn_obstacles found;

	(void)state;
	scan("MAP(seen, BPF_MAP_TYPE_ARRAY, 2, 0, __u64);\n"
	     "SEC(\"xdp\") int card(struct xdp_md *ctx)\n"
	     "{\n"
	     "	__u32 zero = 0;\n"
	     "	return bpf_map_lookup_elem(&seen, &zero) ? XDP_TX : XDP_PASS;\n"
	     "}\n",
	     &found);
	assert_int_equal(found.count, 0);
	assert_null(xfn_obstacles__first(&found));
}

static void test_maps(void **state)
{
	struct xfn_obstacles found;

	(void)state;
	scan("MAP(flows, BPF_MAP_TYPE_LRU_HASH, 2, 0, __u64);\n"
	     "MAP(many, BPF_MAP_TYPE_HASH, 1000, 0, __u64);\n"
	     "MAP(flagged, BPF_MAP_TYPE_HASH, 2, 1, __u64);\n"
	     "struct wide { char bytes[72]; };\n"
	     "MAP(broad, BPF_MAP_TYPE_ARRAY, 2, 0, struct wide);\n"
	     "SEC(\"xdp\") int card(struct xdp_md *ctx)\n"
	     "{\n"
	     "	__u32 zero = 0;\n"
	     "	return bpf_map_lookup_elem(&flows, &zero) && bpf_map_lookup_elem(&many, &zero) &&\n"
	     "	       bpf_map_lookup_elem(&flagged, &zero) && bpf_map_lookup_elem(&broad, &zero);\n"
	     "}\n",
	     &found);
	assert_obstacle(&found, "map", "flows of kind lru_hash, which no card has", 1, false);
	assert_obstacle(&found, "map", "many of 1000 entries", 2, false);
	assert_obstacle(&found, "map", "flagged with flags (0x1)", 3, false);
	assert_obstacle(&found, "map", "broad with entries of 72 bytes", 5, true);
	assert_int_equal(found.count, 4);
	assert_ptr_equal(xfn_obstacles__first(&found), &found.list[0]);
}

static void test_calls(void **state)
{
	struct xfn_obstacles found;

	(void)state;
	scan("extern int bpf_some_kfunc(int) __attribute__((section(\".ksyms\")));\n"
	     "static long each(__u32 i, void *ctx) { return 0; }\n"
	     "SEC(\"xdp.frags\") int card(struct xdp_md *ctx)\n"
	     "{\n"
	     "	bpf_loop(10, each, 0, 0);\n"
	     "	if (bpf_ktime_get_ns() & 1)\n"
	     "		return bpf_some_kfunc(1);\n"
	     "	return XDP_PASS;\n"
	     "}\n",
	     &found);
	assert_obstacle(&found, "frags", "in several buffers", 0, false);
	assert_obstacle(&found, "helper", "bpf_loop, which no card has", 5, false);
	assert_obstacle(&found, "helper", "bpf_ktime_get_ns, which nfp's", 6, true);
	assert_obstacle(&found, "kfunc", "bpf_some_kfunc", 7, false);
	assert_int_equal(found.count, 4);
}

static void test_globals(void **state)
{
	struct xfn_obstacles found;

	(void)state;
	scan("int counted;\n"
	     "static const char table[8] = \"abcdefg\";\n"
	     "SEC(\"xdp\") int card(struct xdp_md *ctx)\n"
	     "{\n"
	     "	counted++;\n"
	     "	return table[ctx->rx_queue_index & 7] & 1;\n"
	     "}\n",
	     &found);
	assert_obstacle(&found, "global", "the global counted", 1, false);
	assert_obstacle(&found, "global", "constants that the compiler keeps in memory (.rodata", 6,
			false);
	assert_int_equal(found.count, 2);
}

static void test_programs(void **state)
{
	struct xfn_obstacles found;

	(void)state;
	scan("SEC(\"xdp\") int one(struct xdp_md *ctx) { return XDP_PASS; }\n"
	     "SEC(\"xdp\") int two(struct xdp_md *ctx) { return XDP_DROP; }\n",
	     &found);
	assert_obstacle(&found, "program", "several programs", 0, false);
}

static void test_no_object(void **state)
{
	struct xfn_obstacles found;
	struct xfn_error err = { 0 };

	(void)state;
	assert_int_not_equal(xfn_offload__scan("Makefile", "x.c", &found, &err), 0);
	assert_non_null(strstr(err.line, "Makefile: no BPF object"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits),	 cmocka_unit_test(test_maps),
		cmocka_unit_test(test_calls),	 cmocka_unit_test(test_globals),
		cmocka_unit_test(test_programs), cmocka_unit_test(test_no_object),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
