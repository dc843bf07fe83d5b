// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Parser, call path and one function's native code on generated frames, each in a heap buffer of
 * exactly its size: built with the address sanitizer, any byte read or written beyond it ends the
 * run. With FUZZER it is a libFuzzer target (XFN_FUZZ_MODULE names the native code). Usage:
 * fuzz_native NATIVE.so COUNT SEED | NATIVE.so FILE... | --corpus FIXTURE FILE
 */
#include <fcntl.h>
#include "../../skel/error.h"
#include "../../userspace/call/call.h"
#include "fuzz_target.h"

static struct xfn_page page;
static struct xfn_call call;
static struct xfn_native native;

static int open_module(const char *path)
{
	struct xfn_error err = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (xfn_native__load(fd, path, &native, &err) || xfn_call__init(&call, &page) ||
	    xfn_call__put(&call, 0, native.module) || xfn_call__bind(&call, NULL, 1232, 0)) {
		fprintf(stderr, "%s: %s\n", path, err.line);
		return 1;
	}
	xfn_call__enter(&call);
	return native.module->init ? native.module->init() : 0;
}

/* As a frame, and the same bytes as a payload. */
static void one(const uint8_t *data, size_t len)
{
	uint32_t room = native.module->attr->grow;

	for (int kind = XFN_FRAME; kind <= XFN_PAYLOAD; kind++) {
		uint8_t *exact = malloc(len + room ?: 1);
		struct xfn_datagram d = { .data = exact,
					  .len = (uint32_t)len,
					  .capacity = (uint32_t)len + room,
					  .peer = { .port = 40000 } };

		memcpy(exact, data, len);
		xfn_call__batch(&call, kind, &d, 1);
		if (d.send && d.len > d.capacity)
			abort();
		free(exact);
	}
}

#ifdef FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!native.module && open_module(getenv("XFN_FUZZ_MODULE") ?: "build/functions/echo.so"))
		exit(1);
	one(data, len);
	return 0;
}
#else
/* A fixture's frame as libFuzzer takes it: bytes, without the line of what is expected. */
static int write_corpus(const char *from, const char *to)
{
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	unsigned byte;
	int ret;

	if (!in || !out || fscanf(in, "#%*[^\n]") < 0) {
		perror(in ? to : from);
		return 1;
	}
	while (fscanf(in, "%2x", &byte) == 1)
		putc((int)byte, out);
	fclose(in);
	ret = fclose(out);
	if (ret)
		perror(to);
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	unsigned long replies;
	long count;

	if (argc == 4 && !strcmp(argv[1], "--corpus"))
		return write_corpus(argv[2], argv[3]);
	if (argc < 3) {
		fprintf(stderr,
			"usage: %s NATIVE.so COUNT SEED | NATIVE.so FILE... | --corpus FIXTURE FILE\n",
			argv[0]);
		return 2;
	}
	if (open_module(argv[1]))
		return 1;
	count = fuzz_replay(argc - 2, argv + 2, one);
	if (count < 0)
		return 1;
	replies = page.slots[0].replies;
	printf("%s: %ld inputs, %lu answered\n", native.module->attr->name, count, replies);
	/* inputs that never reach the function prove little; files are as they are */
	return !fuzz_generated(argc - 2, argv + 2) || replies > (unsigned long)count / 10 ? 0 : 1;
}
#endif
