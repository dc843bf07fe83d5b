// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Busy polling of sockets, and an interface's deferred interrupts. */
#include "../../skel/error.h"
#include "napi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69 /* since 5.11 */
#define SO_BUSY_POLL_BUDGET 70
#endif

#define DEFERRED 2 /* times that nothing was there, before interrupts come again */

int xfn_napi__busy_poll(int fd, unsigned usecs, unsigned packets)
{
	const int prefer = 1, budget = (int)packets, time = (int)usecs;

	/* ENOPROTOOPT where the kernel does not know an option */
	if (setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &prefer, sizeof(prefer)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &time, sizeof(time)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof(budget)))
		return -errno;
	return 0;
}

unsigned xfn_napi__id(int fd)
{
	unsigned id = 0;
	socklen_t len = sizeof(id);

	return getsockopt(fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, &id, &len) ? 0 : id;
}

int xfn_napi__set_at_bind(void)
{
	struct utsname host;
	unsigned major, minor;

	if (uname(&host) || sscanf(host.release, "%u.%u", &major, &minor) != 2)
		return 0;
	return major > 6 || (major == 6 && minor >= 13);
}

/*
 * /sys shows the interfaces of the network namespace it was mounted from, which need not be ours.
 * One of our own, mounted nowhere; kept, since privileges are given up before it is used last.
 */
static int own_sysfs(void)
{
	static int root = -1;
	int fs;

	if (root >= 0)
		return root;
	fs = fsopen("sysfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (!fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		root = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (root < 0)
		root = -errno;
	close(fs);
	return root;
}

void xfn_napi__open(void)
{
	own_sysfs();
}

static int open_setting(const char *ifname, const char *setting, int flags)
{
	int root = own_sysfs(), fd;
	char path[96];

	if (root < 0)
		return root;
	snprintf(path, sizeof(path), "class/net/%s/%s", ifname, setting);
	fd = openat(root, path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_setting(const char *ifname, const char *setting, unsigned long *value)
{
	int fd = open_setting(ifname, setting, O_RDONLY);
	char text[32] = "";
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	*value = strtoul(text, NULL, 10);
	return n > 0 ? 0 : -EIO;
}

static int write_setting(const char *ifname, const char *setting, unsigned long value)
{
	int fd = open_setting(ifname, setting, O_WRONLY), ret;

	if (fd < 0)
		return fd;
	ret = dprintf(fd, "%lu\n", value) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int change(const char *ifname, const char *setting, unsigned long value,
		  struct xfn_journal *journal)
{
	char text[XFN_JOURNAL_TEXT];
	unsigned long before;
	int ret = read_setting(ifname, setting, &before);

	if (ret || before == value)
		return ret;
	snprintf(text, sizeof(text), "%s %lu %lu", setting, before, value);
	ret = xfn_journal__note(journal, "napi", text);
	ret = ret ?: write_setting(ifname, setting, value);
	return ret;
}

int xfn_napi__defer(const char *ifname, unsigned usecs, struct xfn_journal *journal,
		    struct xfn_error *err)
{
	int ret = change(ifname, "gro_flush_timeout", usecs * 1000ul, journal);

	ret = ret ?: change(ifname, "napi_defer_hard_irqs", DEFERRED, journal);
	if (ret)
		xfn_error__set(err, "--defer-interrupts: cannot change those of %s: %s; %s", ifname,
			       strerror(-ret), ret == -EPERM ? "run as root" : "leave it out");
	return ret;
}

int xfn_napi__undo(const char *ifname, const char *text)
{
	unsigned long before, ours, now;
	char setting[32];
	int ret;

	if (sscanf(text, "%31s %lu %lu", setting, &before, &ours) != 3 || strchr(setting, '/'))
		return -EPROTO;
	ret = read_setting(ifname, setting, &now);
	if (ret == -ENOENT || (!ret && now != ours))
		return 0;
	return ret ?: write_setting(ifname, setting, before);
}
