/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A file's bytes. */
#ifndef XFN_WHOLE_FILE_H
#define XFN_WHOLE_FILE_H

#include <stdio.h>
#include <stdlib.h>

#define WHOLE_FILE_MAX (1 << 20)

/* Up to WHOLE_FILE_MAX bytes of it, which the caller frees; NULL, and *len 0, where there is no such file. */
static inline void *whole_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *bytes = f ? malloc(WHOLE_FILE_MAX) : NULL;

	*len = bytes ? fread(bytes, 1, WHOLE_FILE_MAX, f) : 0;
	if (f)
		fclose(f);
	return bytes;
}

#endif
