// expect: tier=afxdp
/*
 * Hostile: looks for its worker's own io_uring among the open descriptors, and has it open a file,
 * do nothing, and receive from a descriptor that was not registered; then the same system call.
 * What was done and what was refused is counted. Replies where all was tried.
 */
#include "xfn.h"

XFN_COUNTER(rings);
XFN_COUNTER(refused);
XFN_COUNTER(done);
XFN_COUNTER(own_done); /* by an unrestricted ring of its own, made before the sandbox */
XFN_COUNTER(called);

#ifdef XFN_NATIVE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/io_uring.h>

#define SUBMISSIONS 256 /* as the engine's: the same offsets in its memory */
#define COMPLETIONS 4096
#define OURS	    0x6f757273u

static struct io_uring_params like;
static int own = -1;

XFN_INIT(ring)
{
	like.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
	like.cq_entries = COMPLETIONS;
	own = (int)syscall(__NR_io_uring_setup, SUBMISSIONS, &like);
	return 0; /* without one the test says so */
}

/* Have the ring do one thing. Its result, or -ENODATA where it tells none. */
static int have_done(int fd, const struct io_uring_sqe *what)
{
	size_t rings_len = like.sq_off.array + SUBMISSIONS * sizeof(uint32_t);
	uint8_t *rings = mmap(NULL, rings_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			      fd, IORING_OFF_SQ_RING);
	struct io_uring_sqe *sqes = mmap(NULL, SUBMISSIONS * sizeof(*sqes), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQES);
	uint32_t *tail, *array, index;
	struct io_uring_cqe *cqes;
	int result = -ENODATA;

	if (rings == MAP_FAILED || sqes == MAP_FAILED)
		return result;
	tail = (uint32_t *)(rings + like.sq_off.tail);
	array = (uint32_t *)(rings + like.sq_off.array);
	index = *tail & (SUBMISSIONS - 1);
	sqes[index] = *what;
	sqes[index].user_data = OURS;
	array[index] = index;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	cqes = (struct io_uring_cqe *)(rings + like.cq_off.cqes);
	/* a thread of the kernel takes its time */
	for (int tries = 0; result == -ENODATA && tries < 100; tries++) {
		syscall(__NR_io_uring_enter, fd, 1, 0,
			IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP, NULL, 0);
		usleep(tries ? 1000 : 0);
		for (unsigned i = 0; i < like.cq_entries; i++)
			if (cqes[i].user_data == OURS) {
				result = cqes[i].res;
				cqes[i].user_data = 0;
			}
	}
	munmap(rings, rings_len);
	munmap(sqes, SUBMISSIONS * sizeof(*sqes));
	return result;
}

/* No socket, memory or file: of these descriptors only a ring has what a ring shows. */
static bool is_ring(int fd)
{
	struct stat st;
	void *sqes;

	if (fd == own || fstat(fd, &st) || S_ISSOCK(st.st_mode) || st.st_size)
		return false;
	sqes = mmap(NULL, SUBMISSIONS * sizeof(struct io_uring_sqe), PROT_READ, MAP_SHARED, fd,
		    IORING_OFF_SQES);
	if (sqes == MAP_FAILED)
		return false;
	munmap(sqes, SUBMISSIONS * sizeof(struct io_uring_sqe));
	return true;
}

static void try(int fd, const struct io_uring_sqe *what)
{
	int result = have_done(fd, what);

	if (result == -EACCES)
		xfn_count(refused);
	else if (result != -ENODATA)
		xfn_count(done);
}
#endif

XFN_FUNCTION(ring, .port = 4004, .tier = XFN_TIER_AFXDP)
{
#ifdef XFN_NATIVE
	static struct msghdr msg;
	const struct io_uring_sqe open_file = { .opcode = IORING_OP_OPENAT,
						.fd = AT_FDCWD,
						.addr = (uintptr_t) "/dev/null" };
	const struct io_uring_sqe nothing = { .opcode = IORING_OP_NOP, .flags = IOSQE_FIXED_FILE };
	const struct io_uring_sqe unregistered = { .opcode = IORING_OP_RECVMSG,
						   .fd = 3,
						   .msg_flags = MSG_DONTWAIT,
						   .addr = (uintptr_t)&msg };
	const struct io_uring_sqe bare_nothing = { .opcode = IORING_OP_NOP };

	for (int fd = 4; fd < 64; fd++) {
		if (!is_ring(fd))
			continue;
		xfn_count(rings);
		try(fd, &open_file);
		try(fd, &nothing);
		try(fd, &unregistered);
	}
	if (own >= 0 && !have_done(own, &bare_nothing))
		xfn_count(own_done);
	if (open("/dev/null", O_RDONLY) < 0)
		xfn_count(called);
#endif
	return XFN_REPLY;
}
