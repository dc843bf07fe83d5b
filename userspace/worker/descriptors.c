// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Descriptors of this process, as /proc lists them, and the files behind them. */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "descriptors.h"

static struct kept {
	int fd;
	dev_t dev;
	ino_t ino;
} * kept;
static unsigned kept_count;

static void keep(int fd)
{
	struct kept *more;
	struct stat st;

	if (fstat(fd, &st))
		return;
	more = reallocarray(kept, kept_count + 1, sizeof(*kept));
	if (!more)
		return;
	kept = more;
	kept[kept_count++] = (struct kept){ .fd = fd, .dev = st.st_dev, .ino = st.st_ino };
}

void xfn_descriptors__note(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	kept_count = 0;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir))
			keep(atoi(entry->d_name));
	if (dir)
		closedir(dir);
}

int xfn_descriptors__lost(void)
{
	struct stat st;

	for (unsigned i = 0; i < kept_count; i++)
		if (fstat(kept[i].fd, &st) || st.st_dev != kept[i].dev || st.st_ino != kept[i].ino)
			return kept[i].fd;
	return -1;
}
