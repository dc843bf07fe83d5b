// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Adds verdict and BPF object to a shared object, by objcopy. Must never judge what it writes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "classify.h"
#include "module_write.h"

extern char **environ;

/* `bytes` in a new file of our own; its name replaces the template's XXXXXX. */
static int spill(char *name, const void *bytes, size_t len)
{
	int fd = mkstemp(name), err = 0;

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < len && !err;) {
		ssize_t n = write(fd, (const char *)bytes + done, len - done);

		if (n < 0 && errno != EINTR)
			err = -errno;
		else if (n > 0)
			done += n;
	}
	if (close(fd) && !err)
		err = -errno;
	return err;
}

static int run(const char *const *argv)
{
	int status;
	pid_t pid;
	int err = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);

	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

/* The hashes of all parts: what a reader checks before it reads any of them. */
static int fill_hashes(const char *so_path, struct xfn_module_meta *meta, const void *bpf,
		       size_t bpf_len)
{
	struct xfn_attributes attr;
	int fd = open(so_path, O_RDONLY | O_CLOEXEC), ret = fd < 0 ? -errno : 0;

	ret = ret ?: xfn_module__hash_native(fd, meta->native_hash);
	if (fd >= 0)
		close(fd);
	ret = ret ?: xfn_classify__attributes(so_path, &attr, NULL);
	ret = ret ?: xfn_module__hash(&attr, sizeof(attr), meta->attr_hash);
	memset(meta->kernel_hash, 0, sizeof(meta->kernel_hash));
	if (bpf)
		ret = ret ?: xfn_module__hash(bpf, bpf_len, meta->kernel_hash);
	return ret ?: xfn_module__hash_meta(meta);
}

int xfn_module__write(const char *so_path, const struct xfn_module_meta *verdict, const void *bpf,
		      size_t bpf_len, const char *out_path, char *err, size_t errlen)
{
	struct xfn_module_meta meta = *verdict;
	char part[PATH_MAX], meta_name[PATH_MAX], bpf_name[PATH_MAX];
	char add_meta[PATH_MAX + 32], add_bpf[PATH_MAX + 32];
	const char *argv[12];
	int argc = 0, ret, fd;

	/* beside the shared object: where that could be written */
	if (snprintf(part, sizeof(part), "%s.part", out_path) >= (int)sizeof(part) ||
	    snprintf(meta_name, sizeof(meta_name), "%s.meta-XXXXXX", so_path) >=
		    (int)sizeof(meta_name) ||
	    snprintf(bpf_name, sizeof(bpf_name), "%s.bpf-XXXXXX", so_path) >=
		    (int)sizeof(bpf_name)) {
		snprintf(err, errlen, "%s: path too long; choose a shorter one with -o", out_path);
		return -ENAMETOOLONG;
	}
	/* in words of our own, where it is the place that is wrong */
	fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0) {
		ret = -errno;
		snprintf(err, errlen, "%s: %s; choose another place with -o", out_path,
			 strerror(-ret));
		return ret;
	}
	close(fd);
	ret = fill_hashes(so_path, &meta, bpf, bpf_len);
	if (ret) {
		snprintf(err, errlen, "%s: cannot be hashed: %s; build it again", so_path,
			 strerror(-ret));
		unlink(part);
		return ret;
	}
	ret = spill(meta_name, &meta, sizeof(meta));
	if (!ret && bpf)
		ret = spill(bpf_name, bpf, bpf_len);
	if (ret) {
		snprintf(err, errlen, "%s: %s; is there room on the disk?", meta_name,
			 strerror(-ret));
		unlink(part);
		goto out;
	}
	snprintf(add_meta, sizeof(add_meta), XFN_SECTION_META "=%s", meta_name);
	snprintf(add_bpf, sizeof(add_bpf), XFN_SECTION_BPF "=%s", bpf_name);
	argv[argc++] = "llvm-objcopy";
	argv[argc++] = "--add-section";
	argv[argc++] = add_meta;
	if (bpf) {
		argv[argc++] = "--add-section";
		argv[argc++] = add_bpf;
	}
	argv[argc++] = so_path;
	argv[argc++] = part;
	argv[argc] = NULL;
	ret = run(argv);
	if (ret == -ENOENT) { /* binutils has it as well */
		argv[0] = "objcopy";
		ret = run(argv);
	}
	if (ret) {
		snprintf(err, errlen,
			 "%s: %s failed (%s); install llvm, and check that the folder is writable",
			 out_path, argv[0], strerror(-ret));
	} else if (rename(part, out_path)) {
		ret = -errno;
		snprintf(err, errlen, "%s: %s; choose another place with -o", out_path,
			 strerror(errno));
	}
	if (ret)
		unlink(part);
out:
	unlink(meta_name);
	if (bpf)
		unlink(bpf_name);
	return ret;
}
