// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The two targets of one source agree: a function's kernel program by BPF_PROG_TEST_RUN against its
 * native code, same payloads, equal replies, right checksums. Attaches nothing.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdbool.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>
#include "../../xdp/abi.h"
#include "../../userspace/call/request.h"
#include "frame.h"

static struct xfn_thread thread = { .fixed_real_ns = 1700000000ull * 1000000000ull,
				    .random_state = 1 };

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

/* Sum of the UDP datagram with its pseudo header: 0xffff where the checksum is right. */
static uint32_t udp_sum(const uint8_t *l3, int version)
{
	const uint8_t *udp = l3 + (version == 4 ? 20 : 40);
	const uint8_t *addr = l3 + (version == 4 ? 12 : 8);
	uint32_t len = xfn_get_be16(udp + 4), sum = 17 + len;

	for (const uint8_t *p = addr; p < udp; p += 2)
		sum += xfn_get_be16(p);
	for (uint32_t i = 0; i + 1 < len; i += 2)
		sum += xfn_get_be16(udp + i);
	if (len & 1)
		sum += udp[len - 1] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static void agree(const char *name)
{
	const char *dir = getenv("XFN_BUILD") ?: "build";
	const struct xfn_native_module *mod;
	struct bpf_object *obj;
	struct bpf_map *live;
	char path[256];
	void *handle;
	int fd;

	snprintf(path, sizeof(path), "%s/functions/%s.bpf.o", dir, name);
	obj = bpf_object__open_file(path, NULL);
	assert_non_null(obj);
	if (bpf_object__load(obj)) {
		bool may = errno != EPERM;

		bpf_object__close(obj);
		if (may)
			fail_msg("%s: the verifier refuses it", name);
		print_message("SKIP: loading BPF programs is not permitted here\n");
		skip();
	}
	fd = bpf_program__fd(bpf_object__next_program(obj, NULL));
	live = bpf_object__find_map_by_name(obj, "xfn_runtime");
	if (live) {
		struct xfn_runtime value = { .fixed_real_ns = thread.fixed_real_ns, .mtu = 1500 };

		assert_int_equal(bpf_map_update_elem(bpf_map__fd(live), &(__u32){ 0 }, &value, 0),
				 0);
	}
	snprintf(path, sizeof(path), "%s%s/functions/%s.so", dir[0] == '/' ? "" : "./", dir, name);
	handle = dlopen(path, RTLD_NOW);
	if (!handle)
		fail_msg("%s", dlerror());
	mod = dlsym(handle, "xfn_module");
	assert_non_null(mod);
	xfn_thread = &thread;

	for (int version = 4; version <= 6; version += 2) {
		for (int tags = 0; tags <= 2; tags++) {
			for (size_t payload = 0; payload <= 1400;
			     payload += payload < 40 ? 1 : 17) {
				uint8_t frame[2048], out[4096], expect[2048];
				size_t len = frame_build(frame, version, tags, payload);
				size_t l3 = 14 + 4 * tags, head = l3 + (version == 4 ? 28 : 48);
				struct xfn_req req = { .payload = expect,
						       .len = payload,
						       .room = payload + mod->attr->grow,
						       .capacity = sizeof(expect) };
				LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame,
					    .data_size_in = len, .data_out = out,
					    .data_size_out = sizeof(out), .repeat = 1);

				memcpy(expect, frame + head, payload);
				assert_int_equal(mod->body(&req), XFN_REPLY);
				assert_int_equal(bpf_prog_test_run_opts(fd, &run), 0);
				if (run.retval != 3)
					fail_msg("%s: IPv%d, %d tags, %zu bytes: XDP action %u",
						 name, version, tags, payload, run.retval);
				assert_true(run.data_size_out >= head + req.len);
				assert_int_equal(xfn_get_be16(out + head - 4), 8 + req.len);
				assert_memory_equal(out + head, expect, req.len);
				assert_memory_equal(out, frame + 6, 6);
				assert_memory_equal(out + 6, frame, 6);
				assert_int_equal(xfn_get_be16(out + head - 8),
						 xfn_get_be16(frame + head - 6));
				assert_int_equal(xfn_get_be16(out + head - 6),
						 xfn_get_be16(frame + head - 8));
				assert_int_equal(udp_sum(out + l3, version), 0xffff);
			}
		}
	}
	dlclose(handle);
	bpf_object__close(obj);
}

static void by_function(void **state)
{
	agree(*state);
}

int main(void)
{
	static char echo[] = "echo", reverse[] = "reverse", rfc868_time[] = "time";
	const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(by_function, echo),
					    cmocka_unit_test_prestate(by_function, reverse),
					    cmocka_unit_test_prestate(by_function, rfc868_time) };

	libbpf_set_print(quiet);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
