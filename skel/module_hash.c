// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Hashes of a module's parts. The bytes may be damaged, and the caller's own process reads them:
 * every offset is checked before it is used.
 */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <openssl/evp.h>
#include "module_inside.h"

int xfn_module__hash(const void *bytes, size_t len, uint8_t hash[XFN_HASH_LEN])
{
	return EVP_Digest(bytes, len, hash, NULL, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

int xfn_module__hash_meta(struct xfn_module_meta *meta)
{
	return xfn_module__hash(meta, offsetof(struct xfn_module_meta, meta_hash), meta->meta_hash);
}

static bool within(uint64_t off, uint64_t size, size_t len)
{
	return size <= len && off <= len - size;
}

/* Hash the bytes of a segment. Fields of the ELF header that depend on sections which are not
 * loaded are left out. */
static int add_segment(EVP_MD_CTX *ctx, const uint8_t *bytes, uint64_t off, uint64_t size)
{
	uint64_t skip = off < sizeof(Elf64_Ehdr) ? sizeof(Elf64_Ehdr) - off : 0;

	skip = skip < size ? skip : size;
	return EVP_DigestUpdate(ctx, bytes + off + skip, size - skip);
}

/* The ELF header without its section table, the program headers, and each loaded segment. */
static int add_all(EVP_MD_CTX *ctx, const uint8_t *bytes, size_t len)
{
	uint64_t total = 0;
	Elf64_Ehdr head;

	if (len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, bytes, sizeof(head));
	if (memcmp(head.e_ident, ELFMAG, SELFMAG) || head.e_phentsize != sizeof(Elf64_Phdr) ||
	    !within(head.e_phoff, (uint64_t)head.e_phnum * sizeof(Elf64_Phdr), len))
		return -EBADMSG;
	for (unsigned i = 0; i < head.e_phnum; i++) {
		Elf64_Phdr segment;

		memcpy(&segment, bytes + head.e_phoff + i * sizeof(segment), sizeof(segment));
		if (EVP_DigestUpdate(ctx, &segment, sizeof(segment)) != 1)
			return -ENOMEM;
		if (segment.p_type != PT_LOAD)
			continue;
		/* segments must not overlap: else a damaged table of many takes hours to hash */
		if (!within(segment.p_offset, segment.p_filesz, len) ||
		    (total += segment.p_filesz) > len)
			return -EBADMSG;
		if (add_segment(ctx, bytes, segment.p_offset, segment.p_filesz) != 1)
			return -ENOMEM;
	}
	head.e_shoff = 0;
	head.e_shnum = head.e_shentsize = head.e_shstrndx = 0;
	return EVP_DigestUpdate(ctx, &head, sizeof(head)) == 1 ? 0 : -ENOMEM;
}

int xfn_module__hash_image(const uint8_t *bytes, size_t len, uint8_t hash[XFN_HASH_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ret = -ENOMEM;

	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1)
		ret = add_all(ctx, bytes, len);
	if (!ret && EVP_DigestFinal_ex(ctx, hash, NULL) != 1)
		ret = -ENOMEM;
	EVP_MD_CTX_free(ctx);
	return ret;
}

int xfn_module__hash_native(int fd, uint8_t hash[XFN_HASH_LEN])
{
	struct stat st;
	void *bytes;
	int ret;

	if (fstat(fd, &st))
		return -errno;
	bytes = mmap(NULL, st.st_size ?: 1, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	ret = xfn_module__hash_image(bytes, (size_t)st.st_size, hash);
	munmap(bytes, st.st_size ?: 1);
	return ret;
}
