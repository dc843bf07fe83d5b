// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A file of cases as authors write them: what is read, and which line is named where it is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../../tools/cases/cases.h"
#include "../../xdp/reason.h"

static char dir[] = "/tmp/xfn-test-cases-XXXXXX";
static char path[64];
static struct xfn_error err;

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/f.cases", dir);
	return 0;
}

static int tear_down(void **state)
{
	char file[96];

	(void)state;
	unlink(path);
	snprintf(file, sizeof(file), "%s/beside", dir);
	unlink(file);
	return rmdir(dir);
}

static void write_to(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static int read_text(const char *text, struct xfn_cases *cases)
{
	write_to(path, text, strlen(text));
	err.line[0] = 0;
	return xfn_cases__read(path, cases, &err);
}

static void right(const char *text, struct xfn_cases *cases)
{
	if (read_text(text, cases))
		fail_msg("%s", err.line);
}

/* `at` is "LINE: the beginning of the message". */
static void wrong(const char *text, const char *at)
{
	char want[256];
	struct xfn_cases cases;

	assert_int_not_equal(read_text(text, &cases), 0);
	xfn_cases__free(&cases);
	snprintf(want, sizeof(want), "%s:%s", path, at);
	if (strncmp(err.line, want, strlen(want)))
		fail_msg("said: %s\nwanted: %s", err.line, want);
}

static void bytes_are(const struct xfn_case_bytes *b, const void *want, size_t len)
{
	assert_int_equal(b->len, len);
	if (len)
		assert_memory_equal(b->data, want, len);
}

static void all_fields(void **state)
{
	struct xfn_cases cases;
	const struct xfn_case *c;

	(void)state;
	right("# a comment\n"
	      "random: 0x10\n"
	      "case: first # not of the name\n"
	      "request: \"a # b\" 00\n"
	      "\tff *2 # goes on\n"
	      "\n"
	      "  \"\\n\\x41\\\"\"\n"
	      "reply-prefix: u16:0x1234 ?? *3 \"z\"\n"
	      "reply-len: 6-9\n"
	      "peer: [2001:db8::7]:5000\n"
	      "real: 1970-01-02T00:00:01.25Z\n"
	      "mono: 2.000000001\n"
	      "mtu: 576\n"
	      "case: second\n"
	      "local: 192.0.2.53:53\n"
	      "request:\n"
	      "action: drop AMPLIFY\n",
	      &cases);
	assert_int_equal(cases.count, 2);
	c = &cases.list[0];
	assert_string_equal(c->name, "first");
	assert_int_equal(c->line, 3);
	bytes_are(&c->request, "a # b\0\xff\xff\nA\"", 11);
	bytes_are(&c->reply, "\x12\x34\0\0\0z", 6);
	assert_true(c->prefix && !c->exact && c->sized);
	assert_int_equal(c->len_min, 6);
	assert_int_equal(c->len_max, 9);
	assert_int_equal(c->action, XFN_REPLY);
	assert_int_equal(c->peer.port, 5000);
	assert_int_equal(c->peer.ip[15], 7);
	assert_int_equal(c->local.ip[0], 0x20); /* of the peer's version */
	assert_int_equal(c->local.port, 0);
	assert_true(c->real_ns == 86401250000000ull && c->mono_ns == 2000000001ull);
	assert_int_equal(c->random, 16);
	assert_int_equal(c->mtu, 576);
	c = &cases.list[1];
	assert_int_equal(c->random, 16); /* given before the first case: every one's */
	assert_int_equal(c->mtu, 1500);
	assert_int_equal(c->action, XFN_DROP);
	assert_int_equal(c->reason, XFN_REASON_AMPLIFY);
	assert_int_equal(c->local.port, 53);
	assert_int_equal(c->peer.port, 40000);
	assert_int_equal(c->peer.ip[12], 192);
	bytes_are(&c->request, "", 0);
	xfn_cases__free(&cases);
}

static void differences(void **state)
{
	struct xfn_cases cases;
	const struct xfn_case_bytes *b;

	(void)state;
	right("case: a\nrequest:\nreply: 01 ?? 03\n", &cases);
	b = &cases.list[0].reply;
	assert_int_equal(xfn_case_bytes__differ(b, false, (const uint8_t *)"\1\xee\3", 3), -1);
	assert_int_equal(xfn_case_bytes__differ(b, false, (const uint8_t *)"\1\xee\4", 3), 2);
	assert_int_equal(xfn_case_bytes__differ(b, false, (const uint8_t *)"\1\xee\3\4", 4), 3);
	assert_int_equal(xfn_case_bytes__differ(b, true, (const uint8_t *)"\1\xee\3\4", 4), -1);
	assert_int_equal(xfn_case_bytes__differ(b, true, (const uint8_t *)"\1\xee", 2), 2);
	xfn_cases__free(&cases);
}

static void files_beside(void **state)
{
	/* pcap 2.4, Ethernet; an ARP frame, then two UDP datagrams of "one" and "three" */
	static const uint8_t head[24] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, [17] = 4, [20] = 1 };
	static const char *const payloads[] = { NULL, "one", "three" };
	uint8_t capture[512], *p = capture;
	struct xfn_cases cases;
	char name[96];

	(void)state;
	memcpy(p, head, sizeof(head));
	p += sizeof(head);
	for (unsigned i = 0; i < 3; i++) {
		const char *payload = payloads[i] ?: "an ARP packet, or 28 bytes of";
		uint8_t len = (uint8_t)strlen(payload), headers = payloads[i] ? 42 : 14;

		memset(p, 0, 16 + headers);
		p[8] = p[12] = (uint8_t)(headers + len);
		p += 16;
		p[12] = 8;
		p[13] = payloads[i] ? 0 : 6;
		if (payloads[i]) {
			p[14] = 0x45;
			p[17] = (uint8_t)(28 + len);
			p[23] = 17;
			p[35] = p[37] = 9;
			p[39] = (uint8_t)(8 + len);
		}
		memcpy(p + headers, payload, len);
		p += headers + len;
	}
	snprintf(name, sizeof(name), "%s/beside", dir);
	write_to(name, capture, (size_t)(p - capture));
	right("case: a\nrequest: @beside \"!\"\nreply: @beside#2 00\n", &cases);
	bytes_are(&cases.list[0].request, "one!", 4);
	bytes_are(&cases.list[0].reply, "three", 6);
	xfn_cases__free(&cases);
	wrong("case: a\nrequest: @beside#3\n", "2: ");
	assert_non_null(strstr(err.line, "has 2 whole UDP datagrams"));
	wrong("case: a\nrequest: @beside#0\n", "2: ");
	/* damaged, not another kind of file */
	write_to(name, capture, 10);
	wrong("case: a\nrequest: @beside\n", "2: ");

	write_to(name, "\0plain#", 7);
	right("case: a\nrequest: @beside *2\naction: consume\n", &cases);
	bytes_are(&cases.list[0].request, "\0plain#\0plain#", 14);
	xfn_cases__free(&cases);
	wrong("case: a\nrequest: @beside#1\n", "2: ");
	wrong("case: a\nrequest: @nowhere\n", "2: ");
}

/* A capture of one packet: link header and IP header in hex, UDP and "abc" behind. */
static void write_capture(const char *name, unsigned link, const char *hex)
{
	static const uint8_t udp[] = { 0, 9, 0, 9, 0, 11, 0, 0, 'a', 'b', 'c' };
	uint8_t file[256] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, [17] = 4 };
	size_t at = 40, len;

	for (; *hex; hex += 2 + (hex[2] == ' ')) {
		unsigned byte;

		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		file[at++] = (uint8_t)byte;
	}
	memcpy(file + at, udp, sizeof(udp));
	len = at + sizeof(udp) - 40;
	file[20] = (uint8_t)link;
	file[21] = (uint8_t)(link >> 8);
	file[32] = file[36] = (uint8_t)len;
	write_to(name, file, 40 + len);
}

#define MACS   "020000000001 020000000002 "
#define V4     "4500001f 0000 0000 40110000 c0000201 c0000202"
#define V4_OPT "46000023 0000 0000 40110000 c0000201 c0000202 94040000"
#define V6(next, len)                                                                              \
	"60000000 00" len " " next "40 20010db8000000000000000000000001 "                          \
	"20010db8000000000000000000000002"

static void captures_of_all_links(void **state)
{
	static const struct {
		unsigned link; /* as files have it: the list of LINKTYPE_ values */
		const char *head;
		const char *says; /* NULL: it is read */
	} all[] = {
		{ 1, MACS "0800 " V4, NULL },
		{ 1, MACS "0800 " V4_OPT, NULL },
		{ 1, MACS "8100 0005 88a8 0006 0800 " V4, NULL },
		{ 1, MACS "8864 1100 0001 0021 0021 " V4, NULL },
		{ 1, MACS "86dd " V6("11", "0b"), NULL },
		/* hop by hop; then destination options, an atomic fragment, authentication */
		{ 1, MACS "86dd " V6("00", "13") " 1100010400000000", NULL },
		{ 1,
		  MACS "86dd " V6("00", "3b") " 3c00010400000000 2c00010400000000 3300000000000000 "
					      "1104000000000000 0000000000000000 0000000000000000",
		  NULL },
		/* a real fragment is no whole datagram; nor is TCP one, or what was cut */
		{ 1, MACS "86dd " V6("2c", "13") " 1100000100000000", "has 0 whole" },
		{ 1, MACS "0800 4500001f 0000 2000 40110000 c0000201 c0000202", "has 0 whole" },
		{ 1, MACS "0800 4500001f 0000 0000 40060000 c0000201 c0000202", "has 0 whole" },
		{ 1, MACS "0800 4500001e 0000 0000 40110000 c0000201 c0000202", "has 0 whole" },
		{ 1, MACS "0806 " V4, "has 0 whole" },
		{ 101, V4_OPT, NULL },
		{ 101, V6("11", "0b"), NULL },
		{ 228, V4, NULL },
		{ 229, V6("11", "0b"), NULL },
		{ 113, "0000 0001 0006 0200000000010000 0800 " V4, NULL },
		{ 276, "86dd 0000 00000002 0001 00 06 0200000000010000 " V6("11", "0b"), NULL },
		{ 0, "02000000 " V4, NULL },
		{ 108, "00000018 " V6("11", "0b"), NULL },
		{ 9, "0021 " V4, NULL },
		{ 9, "ff03 0057 " V6("11", "0b"), NULL },
		{ 50, "ff03 0021 " V4, NULL },
		{ 9, "c021 " V4, "has 0 whole" },
		{ 105, V4, "is a capture of IEEE802_11 (802.11), which is not read" },
	};
	struct xfn_cases cases;
	char name[96];

	(void)state;
	snprintf(name, sizeof(name), "%s/beside", dir);
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		write_capture(name, all[i].link, all[i].head);
		if (all[i].says) {
			wrong("case: a\nrequest: @beside\nreply:\n", "2: ");
			if (!strstr(err.line, all[i].says))
				fail_msg("%u: %s", i, err.line);
			continue;
		}
		if (read_text("case: a\nrequest: @beside\nreply:\n", &cases))
			fail_msg("%u: %s", i, err.line);
		bytes_are(&cases.list[0].request, "abc", 3);
		xfn_cases__free(&cases);
	}
}

/* What an editor puts before the text, and files that nobody writes to. */
static void marks_and_fifos(void **state)
{
	struct xfn_cases cases;
	char name[96];

	(void)state;
	right("\xef\xbb\xbf"
	      "case: a\nrequest:\nreply:\n",
	      &cases);
	assert_string_equal(cases.list[0].name, "a");
	xfn_cases__free(&cases);
	wrong("\xff\xfe"
	      "c",
	      "1: is text in UTF-16; save it as UTF-8");
	snprintf(name, sizeof(name), "%s/beside", dir);
	unlink(name);
	assert_int_equal(mkfifo(name, 0600), 0);
	alarm(20); /* what waits here would wait for ever */
	wrong("case: a\nrequest: @beside\n", "2: ");
	assert_non_null(strstr(err.line, "beside: is a FIFO, not a regular file"));
	wrong("case: a\nrequest: @beside#2\n", "2: ");
	wrong("case: a\nrequest: @/dev/zero\n", "2: /dev/zero: is a device, not a regular file");
	assert_int_not_equal(xfn_cases__read(name, &cases, &err), 0);
	assert_non_null(strstr(err.line, "beside: is a FIFO, not a regular file"));
	alarm(0);
	unlink(name);
}

static void wrong_lines(void **state)
{
	static const struct {
		const char *text, *at;
	} lines[] = {
		{ "", "0: has no case" },
		{ "request: 00\n", "1: request before the first case" },
		{ "case:\n", "1: a case has a name" },
		{ "case: a\ncase: b\n", "1: case 'a' has no request" },
		{ "case: a\nrequest:\n", "1: case 'a' expects nothing" },
		{ "case: a\nrequest:\nreply:\naction: drop\n", "1: case 'a' expects a reply and" },
		{ "case: a\nrequest:\nreply:\ncase: a\n", "4: case 'a' is in line 1 already" },
		{ "case: a\nrequest: 00\nrequest: 01\n", "3: request is given twice" },
		{ "case: a\nreply: 00\nreply-prefix: 01\n", "3: reply and reply-prefix" },
		{ "case: a\nreqest: 00\n", "2: 'reqest': no field" },
		{ "case: a\nrequest\n", "2: 'request': no field" },
		{ " 00\n", "1: a line that begins with a blank" },
		{ "case: a\nmtu: 576\n 00\n", "3: a line that begins with a blank" },
		{ "case: a\nrequest: 0\n", "2: '0' are no bytes" },
		{ "case: a\nrequest: 00\n 11 zz\n", "3: 'zz' are no bytes" },
		{ "case: a\nrequest: ??\n", "2: '\?\?' stands in a reply only" },
		{ "case: a\nrequest: *3\n", "2: '*3' has no word before it" },
		{ "case: a\nrequest: 00 *3 *3\n", "2: '*3' has no word before it" },
		{ "case: a\nrequest: 00 *65528\n", "2: '*65528' is no number of times" },
		{ "case: a\nrequest: 0000 *65507\n", "2: more than 65527 bytes" },
		{ "case: a\nrequest: 00 *65508\naction: drop\n",
		  "1: case 'a' has more than the 65507 bytes that IPv4 carries" },
		{ "case: a\nrequest: \"a\n", "2: a text without its closing quote" },
		{ "case: a\nrequest: \"a\\q\"\n", "2: '\\q' is no escape" },
		{ "case: a\nrequest: \"a\"00\n", "2: no blank behind a text" },
		{ "case: a\nrequest: u8:256\n", "2: 'u8:256' is no number of 8 bits" },
		{ "case: a\nreply-len: 9-6\n", "2: '6': take 9 to" },
		{ "case: a\naction: answer\n", "2: 'answer': take reply, drop" },
		{ "case: a\naction: drop NOTHING\n", "2: 'NOTHING': no reason" },
		{ "case: a\naction: pass HOST\n", "2: 'HOST': only a drop has a reason" },
		{ "peer: 192.0.2\n", "1: '192.0.2': take" },
		{ "peer: [::7\n", "1: '[::7': take" },
		{ "peer: 192.0.2.1:0\n", "1: '0': take 1 to 65535" },
		{ "peer: ::7\nlocal: 192.0.2.1\ncase: a\nrequest:\nreply:\n", "3: peer and local" },
		{ "real: yesterday\n", "1: 'yesterday': take" },
		{ "real: 2024-01-01T00:00:00\n", "1: '2024" },
		{ "real: 0\n", "1: '0': take" },
		{ "mono: -1\n", "1: '-1': take" },
		{ "mono: 99999999999\n", "1: '99999999999': take" },
		{ "random: 0\n", "1: '0': take 1 to 4294967295" },
		{ "mtu: 9000\n", "1: '9000': take 576 to 1500" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++)
		wrong(lines[i].text, lines[i].at);
}

/* A name is shown on a terminal: it does nothing else there. */
static void names_are_shown(void **state)
{
	struct xfn_cases cases;

	(void)state;
	right("case: \x1b[2Jred\nrequest: 01\nreply: 01\n", &cases);
	assert_string_equal(cases.list[0].name, "?[2Jred");
	xfn_cases__free(&cases);
}

static void no_file(void **state)
{
	struct xfn_cases cases;

	(void)state;
	assert_int_not_equal(xfn_cases__read("/nowhere/f.cases", &cases, &err), 0);
	assert_non_null(strstr(err.line, "/nowhere/f.cases: No such file"));
	xfn_cases__free(&cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_fields),
		cmocka_unit_test(differences),
		cmocka_unit_test(files_beside),
		cmocka_unit_test(wrong_lines),
		cmocka_unit_test(captures_of_all_links),
		cmocka_unit_test(marks_and_fifos),
		cmocka_unit_test(names_are_shown),
		cmocka_unit_test(no_file),
	};

	return cmocka_run_group_tests_name("cases", tests, set_up, tear_down);
}
