// expect: tier=afxdp
/*
 * Echoes, "z" after 0.1 s of a CPU, and starts as the files beside $XFN_STARTS tell: "slow" sleeps,
 * "waits" does while it is there, "fail" refuses, "helps" leaves another process running, which has
 * all that this one has, "prints" writes much, and what a terminal would act on. In a worker, for
 * the kernel has no such things.
 */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int told(const char *what)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", getenv("XFN_STARTS") ?: "/nonexistent", what);
	return !access(path, F_OK);
}

XFN_INIT(starts)
{
	if (told("slow"))
		sleep(60);
	while (told("waits"))
		usleep(10000);
	if (told("prints")) {
		printf("\033[31mred\xff\n%01000d\n", 7);
		for (int i = 0; i < 5000; i++)
			fprintf(stderr, "{\"line\": %d}\n", i);
	}
	if (told("helps") && !fork()) {
		sleep(60);
		_exit(0);
	}
	return told("fail") ? -EIO : 0;
}
#endif

XFN_FUNCTION(starts, .port = 4012, .tier = XFN_TIER_AFXDP)
{
#ifdef XFN_NATIVE
	const uint8_t *first = xfn_at(req, 0, 1);
	uint64_t until = xfn_mono_ns() + 100000000;

	while (first && *first == 'z' && xfn_mono_ns() < until)
		;
#endif
	return XFN_REPLY;
}
