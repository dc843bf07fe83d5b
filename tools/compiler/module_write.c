// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Adds verdict and BPF object to a shared object, by objcopy. Must never judge what it writes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "classify.h"
#include "../process/command.h"
#include "module_write.h"
#include "../process/output_file.h"

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

/* The whole file; the caller frees it. NULL: errno tells why not. */
static void *read_whole(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *bytes = NULL;
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && (bytes = malloc((size_t)st.st_size + 1))) {
		*len = 0;
		for (ssize_t n = 1; n > 0 && *len < (size_t)st.st_size; *len += (size_t)n)
			n = read(fd, bytes + *len, (size_t)st.st_size - *len);
		if (*len != (size_t)st.st_size) {
			free(bytes);
			bytes = NULL;
			errno = EIO;
		}
	}
	if (fd >= 0)
		close(fd);
	return bytes;
}

/* Run objcopy as LLVM or binutils has it. 0, or -errno with one line in err. */
static int copy_sections(char **argv, const char *out_path, struct xfn_error *err)
{
	char *said;
	int ret = xfn_command__run(argv, &said), fault;

	if (ret == -ENOENT) {
		argv[0] = (char *)"objcopy";
		ret = xfn_command__run(argv, &said);
	}
	if (ret == -ENOENT)
		return xfn_fail(err, ret, "%s: needs llvm-objcopy or objcopy; install llvm",
				out_path);
	fault = xfn_command__fault(argv[0], ret, said, err);
	if (ret && !fault)
		xfn_error__set(err, "%s: %s failed: %.*s", out_path, argv[0],
			       (int)strcspn(said, "\n"), said);
	free(said);
	return fault ?: ret ? -EIO : 0;
}

/*
 * Add the sections held by two files (bpf NULL: one) to `so`, giving `whole`. As copy_sections.
 */
static int add_sections(const char *so, const char *whole, const char *meta, const char *bpf,
			const char *out_path, struct xfn_error *err)
{
	char add_meta[PATH_MAX + 32], add_bpf[PATH_MAX + 32];
	char *argv[] = { (char *)"llvm-objcopy", add_meta, (char *)so, (char *)whole, NULL, NULL };

	snprintf(add_meta, sizeof(add_meta), "--add-section=" XFN_SECTION_META "=%s", meta);
	snprintf(add_bpf, sizeof(add_bpf), "--add-section=" XFN_SECTION_BPF "=%s", bpf ?: "");
	if (bpf) {
		argv[2] = add_bpf;
		argv[3] = (char *)so;
		argv[4] = (char *)whole;
	}
	return copy_sections(argv, out_path, err);
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
		      size_t bpf_len, const char *out_path, struct xfn_error *err)
{
	struct xfn_module_meta meta = *verdict;
	char whole[PATH_MAX], meta_name[PATH_MAX], bpf_name[PATH_MAX];
	void *bytes;
	size_t len;
	int ret;

	/* beside the shared object: where that could be written */
	if (snprintf(whole, sizeof(whole), "%s.whole", so_path) >= (int)sizeof(whole) ||
	    snprintf(meta_name, sizeof(meta_name), "%s.meta-XXXXXX", so_path) >=
		    (int)sizeof(meta_name) ||
	    snprintf(bpf_name, sizeof(bpf_name), "%s.bpf-XXXXXX", so_path) >= (int)sizeof(bpf_name))
		return xfn_fail(err, -ENAMETOOLONG,
				"%s: path too long; set TMPDIR to a shorter one", so_path);
	ret = fill_hashes(so_path, &meta, bpf, bpf_len);
	if (ret)
		return xfn_fail(err, ret, "%s: cannot be hashed: %s; build it again", so_path,
				strerror(-ret));
	ret = spill(meta_name, &meta, sizeof(meta));
	if (!ret && bpf)
		ret = spill(bpf_name, bpf, bpf_len);
	if (ret) {
		xfn_error__set(err, "%s: %s; is there room on the disk?", meta_name,
			       strerror(-ret));
		goto out;
	}
	ret = add_sections(so_path, whole, meta_name, bpf ? bpf_name : NULL, out_path, err);
	bytes = ret ? NULL : read_whole(whole, &len);
	if (bytes) {
		ret = xfn_output_file__put(out_path, bytes, len, err);
	} else if (!ret) {
		ret = -errno;
		xfn_error__set(err, "%s: %s; is there room on the disk?", whole, strerror(-ret));
	}
	free(bytes);
out:
	unlink(whole);
	unlink(meta_name);
	if (bpf)
		unlink(bpf_name);
	return ret;
}
