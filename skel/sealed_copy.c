// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Copies of files in sealed memory. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include "sealed_copy.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* The copy is mapped, never executed by its path: it needs no exec bit, which vm.memfd_noexec may
 * refuse. */
static int make(void)
{
	int fd = memfd_create("xfn-module", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("xfn-module", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

int xfn_sealed_copy(int fd, size_t max)
{
	int copy = make(), ret = copy < 0 ? copy : 0;
	size_t len = 0;
	off_t at = 0;

	while (!ret) {
		/* one byte more than allowed shows that the file is too long */
		ssize_t n = sendfile(copy, fd, &at, max + 1 - len);

		if (!n)
			break;
		if (n < 0 && errno != EINTR)
			ret = -errno;
		else if (n > 0 && (len += (size_t)n) > max)
			ret = -EFBIG;
	}
	if (!ret && fcntl(copy, F_ADD_SEALS, SEALS))
		ret = -errno;
	if (!ret)
		return copy;
	if (copy >= 0)
		close(copy);
	return ret;
}
