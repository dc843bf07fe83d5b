// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Loading a module's native code into this process. Workers and tests only: the supervisor never
 * does. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "call.h"

int xfn_native__load(int fd, const char *name, struct xfn_native *out, struct xfn_error *err)
{
	const struct xfn_native_module *mod;
	char path[32];

	/* The linker knows libraries by path: the caller keeps `fd` open while it loads others. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	out->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!out->handle) {
		const char *why = dlerror();

		/* "/proc/self/fd/5: ": the path says nothing to a reader */
		if (!strncmp(why, path, strlen(path)))
			why += strlen(path) + strspn(why + strlen(path), ": ");
		return xfn_fail(err, -ENOEXEC, "%s: cannot load its native code: %s", name, why);
	}
	mod = dlsym(out->handle, "xfn_module");
	if (!mod || mod->api != XFN_API || mod->abi != XFN_ABI || !mod->body || !mod->attr) {
		xfn_error__set(err, "%s: %s; build it again with this xfn", name,
			       mod ? "made for another version of xfn.h" :
				     "no packet function in it");
		xfn_native__unload(out);
		return -EPROTO;
	}
	out->module = mod;
	return 0;
}

int xfn_native__copy(int fd)
{
	int copy = memfd_create("xfn-native", MFD_CLOEXEC), ret = 0;
	off_t at = 0;
	ssize_t n = 1;

	while (copy >= 0 && n > 0)
		n = sendfile(copy, fd, &at, 1 << 24);
	if (copy < 0 || n < 0)
		ret = -errno;
	if (ret && copy >= 0)
		close(copy);
	return ret ?: copy;
}

void xfn_native__unload(struct xfn_native *nat)
{
	if (nat->handle)
		dlclose(nat->handle);
	nat->handle = NULL;
	nat->module = NULL;
}
