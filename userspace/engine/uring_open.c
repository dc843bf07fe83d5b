// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Set-up of the engine over io_uring. The ring starts disabled and is restricted to receiving and
 * sending on the sockets registered with it: seccomp does not see what a ring does.
 * Must never move a datagram. io_uring_setup(2), io_uring_register(2).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "uring.h"

/* Buffers: a batch for each socket while they are few; what waits beyond them waits in the sockets.
 */
#define BUFFERS		2048
#define SHARE_MIN	16
#define SHARE_MAX	XFN_BATCH
#define COMPLETIONS_MIN 4096
#define COMPLETIONS_MAX 65536 /* the kernel's */
#define THREAD_IDLE_MS	100   /* until the kernel's thread sleeps */

/* What the kernel's thread has not seen yet would be lost with the ring. */
static void let_submit(struct xfn_engine *e)
{
	for (int ms = 0; io_uring_sq_ready(&e->ring) && ms < THREAD_IDLE_MS; ms++) {
		io_uring_submit(&e->ring);
		usleep(1000);
	}
}

void xfn_uring__close(struct xfn_engine *e)
{
	if (e->have_ring && e->thread)
		let_submit(e);
	if (e->have_ring)
		io_uring_queue_exit(&e->ring);
	if (e->groups)
		munmap(e->groups, e->count * e->group_size);
	if (e->data)
		munmap(e->data, (size_t)e->count * e->share * e->stride);
	free(e->replies);
	free(e->held);
	free(e->sockets);
	free(e->unarmed);
	free(e);
}

/* Newer kernels run completions only where we ask for them; older ones refuse the flags. */
static int make_ring(struct xfn_engine *e)
{
	static const unsigned own[] = {
		IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			IORING_SETUP_TASKRUN_FLAG,
		IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		0,
	};
	static const unsigned with_thread[] = {
		IORING_SETUP_SQPOLL | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER,
		IORING_SETUP_SQPOLL | IORING_SETUP_SUBMIT_ALL,
		IORING_SETUP_SQPOLL,
	};
	const unsigned *flags = e->thread ? with_thread : own;
	unsigned completions = COMPLETIONS_MIN;
	int ret = -EINVAL;

	while (completions < COMPLETIONS_MAX && completions < 2 * e->count * e->share)
		completions *= 2;
	for (unsigned i = 0; ret == -EINVAL && i < 3; i++) {
		struct io_uring_params params = {
			.flags = flags[i] | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE,
			.cq_entries = completions,
			.sq_thread_idle = THREAD_IDLE_MS,
		};

		ret = io_uring_queue_init_params(XFN_URING_SUBMISSIONS, &e->ring, &params);
	}
	e->have_ring = !ret;
	return ret ?: io_uring_ring_dontfork(&e->ring);
}

/* So many of `size` bytes, zero until they are touched; NULL: errno. */
static void *map(size_t n, size_t size)
{
	void *memory = mmap(NULL, n * size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int make_buffers(struct xfn_engine *e)
{
	struct io_uring_buf_reg reg = { .ring_entries = e->share };
	int ret = 0;

	e->groups = map(e->count, e->group_size);
	e->data = map((size_t)e->count * e->share, e->stride);
	if (!e->groups || !e->data)
		return -errno;
	for (unsigned i = 0; i < e->count; i++)
		io_uring_buf_ring_init((void *)(e->groups + i * e->group_size));
	for (unsigned b = 0; b < e->count * e->share; b++)
		xfn_uring__recycle(e, b);
	for (unsigned i = 0; !ret && i < e->count; i++) {
		reg.ring_addr = (uintptr_t)(e->groups + i * e->group_size);
		reg.bgid = (uint16_t)i;
		ret = io_uring_register_buf_ring(&e->ring, &reg, 0);
	}
	return ret;
}

static int register_sockets(struct xfn_engine *e)
{
	int *fds = calloc(e->count, sizeof(*fds));
	int ret = -ENOMEM;

	for (unsigned i = 0; fds && i < e->count; i++)
		fds[i] = e->sockets[i].fd;
	if (fds)
		ret = io_uring_register_files(&e->ring, fds, e->count);
	free(fds);
	return ret;
}

/* liburing 2.3 does not export the calls for these two. */
static int ring_register(const struct xfn_engine *e, unsigned opcode, const void *arg, unsigned n)
{
	return syscall(__NR_io_uring_register, e->ring.ring_fd, opcode, arg, n) < 0 ? -errno : 0;
}

/* Nothing can be registered after this, either. */
static int restrict_ring(struct xfn_engine *e)
{
	const struct io_uring_restriction only[] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_RECVMSG },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_SENDMSG },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_SEND },
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED,
		  .sqe_flags = XFN_URING_REQUIRED },
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
		  .sqe_flags = XFN_URING_REQUIRED | IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS },
	};
	int ret = ring_register(e, IORING_REGISTER_RESTRICTIONS, only,
				sizeof(only) / sizeof(only[0]));

	return ret ?: ring_register(e, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

/* kernel.io_uring_disabled, or 0 where the kernel has no such switch. */
static int disabled_by_sysctl(void)
{
	FILE *f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int value = 0;

	if (f && fscanf(f, "%d", &value) != 1)
		value = 0;
	if (f)
		fclose(f);
	return value;
}

static void lay_out(struct xfn_engine *e, const struct xfn_engine_config *cfg)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	e->count = cfg->socket_count;
	e->spin = cfg->spin;
	e->thread = cfg->sqpoll;
	e->payload_max = cfg->payload_max;
	e->layout.msg_namelen = sizeof(union xfn_udp_name);
	e->layout.msg_controllen = XFN_UDP_CONTROL + XFN_GUARD; /* which no message reaches */
	e->buffer_len = sizeof(struct io_uring_recvmsg_out) + e->layout.msg_namelen +
			e->layout.msg_controllen + cfg->payload_max;
	e->stride = (e->buffer_len + XFN_GUARD + 63) & ~(size_t)63;
	for (e->share = SHARE_MAX; e->share > SHARE_MIN && e->share * e->count > BUFFERS;)
		e->share /= 2;
	e->share_log2 = (unsigned)__builtin_ctz(e->share);
	e->group_size = (e->share * sizeof(struct io_uring_buf) + page - 1) & ~(page - 1);
}

static int take_sockets(struct xfn_engine *e, const struct xfn_engine_config *cfg,
			struct xfn_error *err)
{
	int ret = 0;

	for (unsigned i = 0; !ret && i < e->count; i++) {
		int fd = cfg->sockets[i].fd;

		e->sockets[i] = cfg->sockets[i];
		e->unarmed[i] = true;
		e->unarmed_count++;
		ret = xfn_udp_prepare(fd, err);
		/* io_uring gives EAGAIN at once on a non-blocking socket, where it should wait. */
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	}
	return ret;
}

static int start_receiving(struct xfn_engine *e)
{
	struct io_uring_cqe *cqe;
	int ret;

	xfn_uring__arm(e);
	ret = io_uring_submit(&e->ring);
	if (ret < 0)
		return ret;
	/* A kernel that does not know multishot says so at once. */
	return !io_uring_peek_cqe(&e->ring, &cqe) && cqe->res == -EINVAL ? -EINVAL : 0;
}

int xfn_uring__open(struct xfn_engine **out, const struct xfn_engine_config *cfg,
		    struct xfn_error *err)
{
	static const struct {
		int (*run)(struct xfn_engine *e);
		const char *name;
	} steps[] = {
		{ make_ring, "io_uring_setup" },
		{ make_buffers, "register its buffers (wants Linux 5.19)" },
		{ register_sockets, "register its sockets" },
		{ restrict_ring, "restrict its operations" },
		{ start_receiving, "start to receive (wants Linux 6.1)" },
	};
	struct xfn_engine *e = calloc(1, sizeof(*e));
	const char *step = "allocate memory for it";
	int ret = -ENOMEM;

	if (!e)
		goto fail;
	lay_out(e, cfg);
	e->sockets = calloc(e->count, sizeof(*e->sockets));
	e->unarmed = calloc(e->count, sizeof(*e->unarmed));
	e->replies = calloc((size_t)e->count * e->share, sizeof(*e->replies));
	e->held = calloc((size_t)e->count * e->share, sizeof(*e->held));
	if (!e->sockets || !e->unarmed || !e->replies || !e->held)
		goto fail;
	ret = take_sockets(e, cfg, err);
	if (ret) {
		xfn_uring__close(e);
		return ret;
	}
	for (unsigned i = 0; !ret && i < sizeof(steps) / sizeof(steps[0]); i++) {
		step = e->thread && !i ? "io_uring_setup with SQPOLL" : steps[i].name;
		ret = steps[i].run(e);
	}
	if (!ret) {
		*out = e;
		return 0;
	}
fail:
	if (ret == -EPERM && disabled_by_sysctl())
		xfn_error__set(err, "kernel.io_uring_disabled is %d", disabled_by_sysctl());
	else
		xfn_error__set(
			err, "%s: %s%s%s", step, strerrorname_np(-ret),
			ret == -EPERM || ret == -ENOSYS ? " (a container's seccomp filter?)" : "",
			e && e->thread ? "; leave --sqpoll out" : "");
	if (e)
		xfn_uring__close(e);
	return ret;
}
