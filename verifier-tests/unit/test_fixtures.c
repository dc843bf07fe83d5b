// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The fixtures, frame by frame, through every tier: the loaded dispatcher with the function behind
 * it, the worker's call path on the frame, and the same on the bare payload as a UDP socket brings
 * it. Replies are equal byte for byte (the payload path has no headers of its own: there the kernel
 * makes them), and what is not answered is counted under the reason that the fixture names.
 * Attaches nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../skel/error.h"
#include "../../skel/loader.h"
#include "../../skel/reason_text.h"
#include "../../functions/xfn.h"
#include "../../userspace/call/call.h"

#define FIXTURES "verifier-tests/fixtures"
#define NOW	 (1700000000ull * 1000000000ull)
#define TX	 3

static struct xfn_page page;
static struct xfn_call call;
static struct xfn_loader *loader; /* NULL: native only */
static bool choosy;		  /* the function may refuse a payload; then in every tier */

static size_t read_fixture(const char *name, char expect[32], uint8_t frame[4096])
{
	char path[300];
	unsigned byte;
	size_t len = 0;
	FILE *f;

	snprintf(path, sizeof(path), FIXTURES "/%s", name);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "# expect: %31s", expect), 1);
	while (len < 4096 && fscanf(f, "%2x", &byte) == 1)
		frame[len++] = (uint8_t)byte;
	fclose(f);
	return len;
}

static unsigned reason_of(const uint64_t was[XFN_REASON_SLOTS], const uint64_t is[XFN_REASON_SLOTS])
{
	for (unsigned i = 1; i < XFN_REASON_COUNT; i++)
		if (is[i] != was[i])
			return i;
	return 0;
}

/* The payload alone, from a peer of the same family: the same reply as the frame's, or none. */
static void answered_by_payload(const uint8_t *frame, const uint8_t *reply, size_t len,
				const char *name, bool answered)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff };
	uint8_t payload[4096];
	struct xfn_datagram p = { .data = payload, .capacity = sizeof(payload) };
	uint64_t was[XFN_REASON_SLOTS];
	size_t l3 = 14, head;

	memcpy(was, page.reasons, sizeof(was));
	while (xfn_get_be16(frame + l3 - 2) == 0x8100 || xfn_get_be16(frame + l3 - 2) == 0x88a8)
		l3 += 4;
	head = l3 + (frame[l3] >> 4 == 4 ? 28 : 48);
	p.len = xfn_get_be16(frame + head - 4) - 8;
	memcpy(payload, frame + head, p.len);
	p.peer.port = 40000;
	if (frame[l3] >> 4 == 4)
		memcpy(p.peer.ip, mapped, 16);
	else
		p.peer.ip[0] = 0xfd;
	xfn_call__batch(&call, XFN_PAYLOAD, &p, 1);
	assert_int_equal(p.send, answered);
	assert_int_equal(reason_of(was, page.reasons), answered ? 0 : XFN_REASON_FUNCTION);
	if (answered && (p.len != len - head || memcmp(payload, reply + head, p.len)))
		fail_msg("%s: the reply behind a socket differs", name);
}

static void one(const char *name)
{
	uint64_t was[XFN_REASON_SLOTS], is[XFN_REASON_SLOTS];
	uint8_t frame[4096], own[4096], out[8192];
	char expect[32];
	size_t len = read_fixture(name, expect, frame);
	struct xfn_datagram d = { .data = own, .len = len, .capacity = sizeof(own) };
	bool answered = !strcmp(expect, "reply");

	memcpy(own, frame, len);
	memcpy(was, page.reasons, sizeof(was));
	xfn_call__batch(&call, XFN_FRAME, &d, 1);
	if (choosy && answered && !d.send) {
		assert_int_equal(reason_of(was, page.reasons), XFN_REASON_FUNCTION);
		answered_by_payload(frame, own, d.len, name, false);
		return;
	}
	if (d.send != answered ||
	    (!answered && strcmp(xfn_reason_texts[reason_of(was, page.reasons)].name, expect)))
		fail_msg("%s: worker: %s, not %s", name,
			 d.send ? "reply" : xfn_reason_texts[reason_of(was, page.reasons)].name,
			 expect);
	if (loader) {
		size_t outlen = sizeof(out);
		unsigned action, ns;

		assert_int_equal(xfn_loader__reasons(loader, was), 0);
		assert_int_equal(
			xfn_loader__test_run(loader, frame, len, out, &outlen, 1, &action, &ns), 0);
		assert_int_equal(xfn_loader__reasons(loader, is), 0);
		if ((action == TX) != answered ||
		    (!answered && strcmp(xfn_reason_texts[reason_of(was, is)].name, expect)))
			fail_msg("%s: kernel: %s (action %u), not %s", name,
				 xfn_reason_texts[reason_of(was, is)].name, action, expect);
		if (answered && (outlen != d.len || memcmp(out, own, outlen)))
			fail_msg("%s: the replies of kernel and worker differ", name);
	}
	if (answered)
		answered_by_payload(frame, own, d.len, name, true);
}

struct function {
	const char *name;
	bool kernel; /* runs there too */
	bool choosy; /* answers some payloads only */
};

static void all(const char *function, bool kernel)
{
	const char *build = getenv("XFN_BUILD") ?: "build";
	const struct xfn_loader_options opts = { .flags = XFN_ANY_ADDRESS | XFN_LOCAL_PEER };
	const struct xfn_runtime live = { .fixed_real_ns = NOW, .mtu = 1500 };
	struct xfn_native native = {};
	struct xfn_module *mod = NULL;
	struct xfn_refusal refusal;
	char path[256];
	struct xfn_error err = { 0 };
	struct dirent *entry;
	unsigned count = 0;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%s/functions/%s.xfn", build, function);
	mod = xfn_module__open(path, &err);
	if (!mod)
		fail_msg("%s", err.line);
	loader = NULL;
	if (kernel) {
		int ret = xfn_loader__open(&opts, &loader, &err);

		if (ret == -EPERM) {
			print_message("SKIP: loading BPF programs is not permitted here\n");
			xfn_module__close(mod);
			skip();
		}
		if (ret || xfn_loader__put(loader, 5, mod, &refusal, &err) ||
		    xfn_loader__bind(loader, NULL, 1232, 5, XFN_TIER_XDP, &err))
			fail_msg("%s", err.line);
		assert_int_equal(xfn_loader__set_runtime(loader, &live), 0);
	}
	fd = dup(mod->fd);
	if (xfn_native__load(fd, function, &native, &err))
		fail_msg("%s", err.line);
	memset(&page, 0, sizeof(page));
	assert_int_equal(xfn_call__init(&call, &page), 0);
	call.flags = XFN_LOCAL_PEER;
	call.thread.fixed_real_ns = NOW;
	assert_int_equal(xfn_call__put(&call, 0, native.module), 0);
	assert_int_equal(xfn_call__bind(&call, NULL, 1232, 0), 0);
	xfn_call__enter(&call);
	assert_string_equal(native.module->attr->name, function);
	if (native.module->init)
		assert_int_equal(native.module->init(), 0);
	dir = opendir(FIXTURES);
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (strstr(entry->d_name, ".hex")) {
			one(entry->d_name);
			count++;
		}
	closedir(dir);
	assert_true(count >= 30);
	xfn_call__free(&call);
	/* What XFN_INIT made is the module's own until the process ends; so its descriptor stays
	 * open. */
	if (!native.module->init) {
		xfn_native__unload(&native);
		close(fd);
	}
	xfn_loader__close(loader);
	xfn_module__close(mod);
}

static void by_function(void **state)
{
	const struct function *fn = *state;

	choosy = fn->choosy;
	all(fn->name, fn->kernel);
	choosy = false;
}

int main(void)
{
	static struct function functions[] = { { "echo", true, false },
					       { "reverse", true, false },
					       { "time", true, false },
					       { "sha256", false, false },
					       { "regex", false, true } };
	struct CMUnitTest tests[5];

	for (unsigned i = 0; i < 5; i++)
		tests[i] = (struct CMUnitTest){ .name = functions[i].name,
						.test_func = by_function,
						.initial_state = &functions[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
