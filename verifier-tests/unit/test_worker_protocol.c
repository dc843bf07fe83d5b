// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What comes from a worker: messages with more than they may have, and text of any kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../skel/array_size.h"
#include "../../userspace/protocol/worker_protocol.h"
#include "../../userspace/supervisor/workers/outbox.h"
#include "../../userspace/host/printable.h"
#include "../../userspace/host/output_lines.h"

#define SENT 4 /* descriptors of one message */

static int pair[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
}

static int tear_down(void **state)
{
	(void)state;
	return close(pair[0]) || close(pair[1]);
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* `len` bytes of a message with `count` descriptors. */
static void send_with(const struct xfn_message *msg, size_t len, unsigned count)
{
	struct iovec part = { (void *)msg, len };
	int fds[SENT] = { 0 };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(fds))];
	} control = { .align = { .cmsg_len = CMSG_LEN(count * sizeof(int)),
				 .cmsg_level = SOL_SOCKET,
				 .cmsg_type = SCM_RIGHTS } };
	struct msghdr hdr = { .msg_iov = &part,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = CMSG_SPACE(count * sizeof(int)) };

	memcpy(CMSG_DATA(&control.align), fds, count * sizeof(int));
	assert_int_equal(sendmsg(pair[1], &hdr, 0), len);
}

/* The supervisor takes none, and the message all the same. */
static void none_is_taken(void **state)
{
	const struct xfn_message ready = { .type = XFN_MESSAGE_READY,
					   .version = XFN_WORKER_PROTOCOL_VERSION };
	unsigned before = open_descriptors();
	struct xfn_message msg;

	(void)state;
	for (unsigned count = 1; count <= SENT; count++) {
		send_with(&ready, sizeof(ready), count);
		assert_int_equal(xfn_message__recv(pair[0], &msg, NULL), 1);
		assert_int_equal(msg.type, XFN_MESSAGE_READY);
		send_with(&ready, 4, count);
		assert_int_equal(xfn_message__recv(pair[0], &msg, NULL), -EPROTO);
	}
	assert_int_equal(open_descriptors(), before);
}

/* A worker takes one; of more it has none. */
static void one_is_taken(void **state)
{
	const struct xfn_message umem = { .type = XFN_MESSAGE_UMEM,
					  .version = XFN_WORKER_PROTOCOL_VERSION };
	unsigned before = open_descriptors();
	struct xfn_message msg;
	int fd;

	(void)state;
	for (unsigned count = 1; count <= SENT; count++) {
		send_with(&umem, sizeof(umem), count);
		/* room for two is there, and no more is said of a second one */
		if (xfn_message__recv(pair[0], &msg, &fd) == 1) {
			assert_in_range(count, 1, 2);
			assert_true(fd >= 0);
			assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
			assert_int_equal(open_descriptors(), before + 1);
			close(fd);
		}
		assert_int_equal(open_descriptors(), before);
		send_with(&umem, 4, count);
		assert_int_equal(xfn_message__recv(pair[0], &msg, &fd), -EPROTO);
		assert_int_equal(fd, -1);
	}
	assert_int_equal(open_descriptors(), before);
}

/* What the socket does not take is sent later, in its order. */
static void more_than_the_socket_takes(void **state)
{
	struct xfn_message msg = { .type = XFN_MESSAGE_BIND,
				   .version = XFN_WORKER_PROTOCOL_VERSION };
	struct xfn_outbox box = {};
	unsigned got = 0, rounds = 0;

	(void)state;
	for (msg.bind.slot = 0; msg.bind.slot < 3000; msg.bind.slot++)
		assert_int_equal(xfn_outbox__put(&box, &msg, msg.bind.slot % 2 ? 0 : -1), 0);
	while (xfn_outbox__waits(&box)) {
		int ret = xfn_outbox__send(&box, pair[1]), fd;

		assert_true(ret == 0 || ret == -EAGAIN);
		rounds++;
		while (xfn_message__recv(pair[0], &msg, &fd) == 1) {
			assert_int_equal(msg.bind.slot, got);
			assert_int_equal(fd >= 0, got % 2);
			if (fd >= 0)
				close(fd);
			got++;
		}
	}
	assert_int_equal(got, 3000);
	assert_in_range(rounds, 2, 3000);
}

static void text(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "plain, \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		  "plain, \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "a\tb\rc\x1b[0m\x7f\x08", "a b?c?[0m??" },
		{ "\xc2\x9b"
		  "31m",
		  "?31m" }, /* CSI of one character */
		{ "\xe2\x80\xae"
		  "abc\xe2\x81\xa6",
		  "?abc?" }, /* from right to left */
		{ "\xff\xfe", "??" },
		{ "\xc0\xaf\xe0\x80\xaf", "?????" }, /* longer than need be */
		{ "\xed\xa0\x80", "???" },	     /* a surrogate */
		{ "\xf4\x90\x80\x80", "????" },	     /* beyond the last one */
		{ "cut \xe2\x82", "cut ??" },
	};
	char out[64], small[6];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			xfn_printable(cases[i].from, strlen(cases[i].from), out, sizeof(out)),
			strlen(cases[i].to));
		assert_string_equal(out, cases[i].to);
	}
	/* never within a character */
	xfn_printable("abc\xe2\x82\xac", 6, small, sizeof(small));
	assert_string_equal(small, "abc");
}

/* Nobody waits: not who writes, for a pipe that is full, nor who reads, for one that is empty. */
static void nobody_waits(void **state)
{
	struct xfn_output_lines output;
	char bytes[4096];
	ssize_t all = 0, n;
	int worker;

	(void)state;
	assert_int_equal(xfn_output_lines__open(&output, &worker), 0);
	xfn_output_lines__read(&output, "test");
	assert_int_equal(xfn_output_lines__watch(&output, "test"), -1);
	memset(bytes, '\n', sizeof(bytes));
	while ((n = write(worker, bytes, sizeof(bytes))) > 0)
		all += n;
	assert_int_equal(errno, EAGAIN);
	for (ssize_t left = all; left > 0; left -= XFN_OUTPUT_BYTES)
		xfn_output_lines__read(&output, "test");
	assert_int_equal(output.shown, XFN_OUTPUT_RATE);
	assert_int_equal(output.left_out, all - XFN_OUTPUT_RATE);
	assert_in_range(xfn_output_lines__watch(&output, "test"), 1, 1001);
	close(worker);
	xfn_output_lines__close(&output, "test");
	assert_int_equal(output.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(none_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_than_the_socket_takes, set_up, tear_down),
		cmocka_unit_test(text),
		cmocka_unit_test(nobody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
