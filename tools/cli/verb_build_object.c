// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn build --standalone` and `--offload`: say what was made. Must never judge of its own. */
#include <stdio.h>
#include <stdlib.h>
#include "../../skel/error.h"
#include "../../userspace/control/control.h"
#include "output.h"
#include "verb_build_object.h"

static const char *flavour(const struct xfn_object_options *how)
{
	return how->flavour == XFN_FLAVOUR_OFFLOAD ? "offload" : "standalone";
}

static int print_json(const struct xfn_object_options *how, const struct xfn_object_made *made)
{
	json_t *functions = json_array();

	for (unsigned i = 0; i < made->ports; i++) {
		const struct xfn_object_port *port = &made->port[i];

		json_array_append_new(functions, json_pack("{s:s, s:i, s:s?}", "name", port->name,
							   "port", (int)port->port, "bound",
							   *port->bound ? port->bound : NULL));
	}
	return xfn_output__json(json_pack(
		"{s:o, s:s, s:s, s:o, s:i, s:i, s:b, s:b}", "object", xfn_control__text(made->out),
		"flavour", flavour(how), "program", made->program, "functions", functions, "insns",
		(int)made->insns, "verified_insns", (int)made->verified_insns, "verified",
		(int)made->verified, "resizes", (int)made->resizes));
}

static int print(const struct xfn_object_options *how, const struct xfn_object_made *made)
{
	printf("%s: program %s", made->out, made->program);
	for (unsigned i = 0; i < made->ports; i++)
		printf("%s %s on port %u", i ? "," : ":", made->port[i].name, made->port[i].port);
	if (made->verified)
		printf("; %u instructions, %u verified\n", made->insns, made->verified_insns);
	else
		puts("; not verified here: loading BPF programs wants CAP_BPF");
	if (made->resizes && how->flavour == XFN_FLAVOUR_STANDALONE)
		printf("%s: resizes packets, which libxdp's dispatcher may not call under newer kernels "
		       "(6.13, and 6.12 as distributed); alone it attaches: LIBXDP_SKIP_DISPATCHER=1 "
		       "xdp-loader load IFACE %s\n",
		       made->out, made->out);
	return 0;
}

int xfn_build__object(const struct xfn_object_options *how, struct xfn_words files, const char *out,
		      bool json, bool verbose)
{
	struct xfn_object_made *made = malloc(sizeof(*made));
	enum xfn_object_result result;
	struct xfn_error err = { 0 };
	int status;

	if (!made)
		return xfn_output__fail_host("build", json, "out of memory; free some");
	result = xfn_object__build(how, files.word, (int)files.count, out, made, &err);
	if (verbose && made->log)
		fputs(made->log, stderr);
	if (result == XFN_OBJECT_MADE)
		status = json ? print_json(how, made) : print(how, made);
	else if (result == XFN_OBJECT_HOST_FAILED)
		status = xfn_output__fail_host("build", json, "%s", err.line);
	else
		status = xfn_output__fail("build", json,
					  result == XFN_OBJECT_ASKED_WRONG ? XFN_EXIT_USAGE :
									     XFN_EXIT_FAILED,
					  "%s", err.line);
	free(made->log);
	free(made);
	return status;
}
