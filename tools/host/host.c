// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What this host can do for xfn. Changes nothing. Must never know how it is printed. */
#include "../../skel/array_size.h"
#include "host.h"

#include <bpf/bpf.h>
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "../../userspace/engine/engine.h"
#include "../process/command.h"

/* capability.h of a libc may be older than the kernel */
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

/* A UMEM of 16 MiB and its rings: what one queue's worker locks. */
#define MEMLOCK_MIN (32u << 20)
#define FILES_MIN   256		/* descriptors of a run with a dozen functions */
#define FILE_MIN    (64u << 20) /* bytes of the frames of a queue with some workers */

struct xfn_host_fact *xfn_host__add(struct xfn_host_facts *facts, const char *thing,
				    const char *format, ...)
{
	/* the last one is overwritten where there are too many: none is lost but that */
	unsigned i = facts->count < XFN_HOST_FACTS ? facts->count++ : XFN_HOST_FACTS - 1;
	struct xfn_host_fact *fact = &facts->fact[i];
	va_list args;

	*fact = (struct xfn_host_fact){ .ok = true };
	snprintf(fact->thing, sizeof(fact->thing), "%s", thing);
	va_start(args, format);
	vsnprintf(fact->value, sizeof(fact->value), format, args);
	va_end(args);
	return fact;
}

void xfn_host__missing(struct xfn_host_fact *fact, const char *format, ...)
{
	va_list args;

	fact->ok = false;
	va_start(args, format);
	vsnprintf(fact->fix, sizeof(fact->fix), format, args);
	va_end(args);
}

/* First line of a small file; false: it cannot be read. */
static bool read_line(const char *path, char *text, size_t len)
{
	FILE *f = fopen(path, "re");
	bool ok = f && fgets(text, (int)len, f);

	if (f)
		fclose(f);
	if (ok)
		text[strcspn(text, "\n")] = '\0';
	return ok;
}

static void kernel(struct xfn_host_facts *facts)
{
	struct xfn_host_fact *fact;
	unsigned major = 0, minor = 0;
	struct utsname name;

	uname(&name);
	fact = xfn_host__add(facts, "kernel", "%s", name.release);
	if (sscanf(name.release, "%u.%u", &major, &minor) == 2 && major * 1000 + minor < 6001)
		xfn_host__missing(fact,
				  "tier xdp is made for 6.1 and later; install a newer kernel");
}

static void btf(struct xfn_host_facts *facts)
{
	static const char path[] = "/sys/kernel/btf/vmlinux";
	bool there = !access(path, R_OK);
	struct xfn_host_fact *fact = xfn_host__add(facts, "BTF", "%s", there ? path : "none");

	if (!there)
		xfn_host__missing(fact,
				  access("/sys/kernel", F_OK) ?
					  "/sys shows nothing here; mount -t sysfs sysfs /sys" :
					  "tier xdp wants a kernel with CONFIG_DEBUG_INFO_BTF");
}

/* Where xfn's own files are is known by it. */
static void proc(struct xfn_host_facts *facts)
{
	bool there = !access("/proc/self/exe", F_OK);
	struct xfn_host_fact *fact =
		xfn_host__add(facts, "/proc", "%s", there ? "mounted" : "shows nothing");

	if (!there)
		xfn_host__missing(fact, "mount -t proc proc /proc");
}

/* Memory of workers and modules are files, too. */
static void limits(struct xfn_host_facts *facts)
{
	struct rlimit files = {}, size = {};
	struct xfn_host_fact *fact;
	char longest[40] = "unlimited";

	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_FSIZE, &size);
	fact = xfn_host__add(facts, "open files", "%llu", (unsigned long long)files.rlim_max);
	if (files.rlim_max < FILES_MIN)
		xfn_host__missing(fact, "raise `ulimit -n` (LimitNOFILE= of a unit): each function "
					"has some");
	if (size.rlim_cur != RLIM_INFINITY)
		snprintf(longest, sizeof(longest), "%llu bytes", (unsigned long long)size.rlim_cur);
	fact = xfn_host__add(facts, "file size", "%s", longest);
	if (size.rlim_cur < FILE_MIN)
		xfn_host__missing(fact,
				  "raise `ulimit -f` (LimitFSIZE= of a unit): a worker's memory "
				  "is a file");
}

static void jit(struct xfn_host_facts *facts)
{
	struct xfn_host_fact *fact;
	char value[16];

	if (!read_line("/proc/sys/net/core/bpf_jit_enable", value, sizeof(value))) {
		xfn_host__add(facts, "BPF JIT",
			      "not told here (net.core.bpf_jit_enable is absent)");
		return;
	}
	fact = xfn_host__add(facts, "BPF JIT", "%s", *value == '0' ? "off" : "on");
	if (*value == '0')
		xfn_host__missing(
			fact,
			"functions run several times slower; sysctl -w net.core.bpf_jit_enable=1");
}

static void capabilities(struct xfn_host_facts *facts)
{
	static const struct {
		unsigned cap;
		const char *name, *use;
	} wanted[] = {
		{ CAP_BPF, "CAP_BPF", "tier xdp" },
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN", "attaching" },
		{ CAP_NET_RAW, "CAP_NET_RAW", "tier afxdp" },
	};
	char has[80] = "", lacks[80] = "";
	struct xfn_host_fact *fact;

	capng_clear(CAPNG_SELECT_BOTH);
	capng_get_caps_process();
	for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
		bool have = capng_have_capability(CAPNG_EFFECTIVE, wanted[i].cap) ||
			    (wanted[i].cap == CAP_BPF &&
			     capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
		char *list = have ? has : lacks;
		size_t used = strlen(list);

		snprintf(list + used, sizeof(has) - used, "%s%s", used ? " " : "", wanted[i].name);
	}
	fact = xfn_host__add(facts, "capabilities", "%s", *has ? has : "none of those wanted");
	if (*lacks)
		xfn_host__missing(fact, "run as root, or with %s", lacks);
}

/* Whether the kernel takes an XDP program from this process: a load, never an attach. */
static void bpf_load(struct xfn_host_facts *facts)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	char sysctl[16] = "?";
	struct xfn_host_fact *fact;
	int fd;

	read_line("/proc/sys/kernel/unprivileged_bpf_disabled", sysctl, sizeof(sysctl));
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "xfn_check", "GPL", pass, 2, NULL);
	fact = xfn_host__add(facts, "loading XDP programs",
			     "%s (kernel.unprivileged_bpf_disabled = %s)",
			     fd >= 0 ? "allowed" : strerror(-fd), sysctl);
	if (fd >= 0)
		close(fd);
	else if (fd == -EPERM)
		xfn_host__missing(
			fact,
			"run as root, or with CAP_BPF and CAP_NET_ADMIN; in a container its seccomp filter must allow bpf()");
	else
		xfn_host__missing(fact, "tier xdp wants a kernel with CONFIG_BPF_SYSCALL");
}

static void clang(struct xfn_host_facts *facts)
{
	char *const argv[] = { (char *)xfn_command__clang(), (char *)"--version", NULL };
	char *said;
	bool runs = !xfn_command__run(argv, &said) && *said;
	struct xfn_host_fact *fact =
		runs ? xfn_host__add(facts, "clang", "%.*s", (int)strcspn(said, "\n"), said) :
		       xfn_host__add(facts, "clang", "%.60s does not run", argv[0]);

	if (!runs)
		xfn_host__missing(
			fact,
			"wanted where a source is built; apt-get install clang, or name another by XFN_CLANG");
	free(said);
}

static void engine(struct xfn_host_facts *facts, const struct xfn_engine_ops *ops)
{
	char thing[32];
	struct xfn_error why;
	int ret = xfn_engine_probe(ops, &why);
	struct xfn_host_fact *fact;

	snprintf(thing, sizeof(thing), "engine %s", ops->name);
	fact = xfn_host__add(facts, thing, "%s",
			     !ret      ? "works" :
			     *why.line ? why.line :
					 strerror(-ret));
	if (ret)
		xfn_host__missing(fact, "%s", ops->advice);
}

static void memlock(struct xfn_host_facts *facts)
{
	struct xfn_host_fact *fact;
	struct rlimit limit = {};

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur == RLIM_INFINITY)
		fact = xfn_host__add(facts, "locked memory", "unlimited");
	else
		fact = xfn_host__add(facts, "locked memory", "%llu KiB%s",
				     (unsigned long long)limit.rlim_cur / 1024,
				     capng_have_capability(CAPNG_EFFECTIVE, CAP_IPC_LOCK) ?
					     ", CAP_IPC_LOCK lifts it" :
					     "");
	if (limit.rlim_cur < MEMLOCK_MIN && !capng_have_capability(CAPNG_EFFECTIVE, CAP_IPC_LOCK))
		xfn_host__missing(fact, "tier afxdp locks packet buffers; ulimit -l unlimited");
}

static void bpffs(struct xfn_host_facts *facts)
{
	struct statfs fs;
	bool there = !statfs("/sys/fs/bpf", &fs) && fs.f_type == BPF_FS_MAGIC;
	struct xfn_host_fact *fact =
		xfn_host__add(facts, "bpffs", "%s", there ? "/sys/fs/bpf" : "not mounted");

	if (!there)
		xfn_host__missing(fact,
				  "`xfn run` does without; to pin: mount -t bpf bpf /sys/fs/bpf");
}

static void low_ports(struct xfn_host_facts *facts)
{
	bool may = capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_BIND_SERVICE);
	struct xfn_host_fact *fact;
	char first[16] = "1024";

	read_line("/proc/sys/net/ipv4/ip_unprivileged_port_start", first, sizeof(first));
	if (may || atoi(first) <= 1) {
		xfn_host__add(facts, "ports below 1024", "allowed");
		return;
	}
	fact = xfn_host__add(facts, "ports below 1024", "from %s on", first);
	xfn_host__missing(fact, "run as root, or with --port-offset 10000");
}

static void udp(struct xfn_host_facts *facts)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;
	struct xfn_host_fact *fact;

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)))
		error = errno;
	if (fd >= 0)
		close(fd);
	fact = xfn_host__add(facts, "UDP sockets", "%s", error ? strerror(error) : "works");
	fact->needed = true;
	if (error)
		xfn_host__missing(fact, "bring the loopback interface up: ip link set lo up");
}

void xfn_host__read(struct xfn_host_facts *facts)
{
	kernel(facts);
	proc(facts);
	btf(facts);
	jit(facts);
	capabilities(facts);
	bpf_load(facts);
	for (unsigned i = 0; xfn_engines[i]; i++)
		engine(facts, xfn_engines[i]);
	udp(facts);
	low_ports(facts);
	limits(facts);
	memlock(facts);
	bpffs(facts);
	clang(facts);
}
