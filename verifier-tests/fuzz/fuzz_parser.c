// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The shared headers of xdp/ on frames in heap buffers of exactly their size: built with the
 * address sanitizer, any byte read beyond the end ends the run; so does every property below that
 * does not hold. With FUZZER it is a libFuzzer target. Usage: fuzz_parser COUNT SEED | FILE...
 */
#include <linux/types.h>
#include "../../skel/array_size.h"
#include "../../functions/xfn.h"
#include "../../xdp/checksum.h"
#include "../../xdp/guard.h"
#include "../../xdp/packet.h"
#include "../../xdp/reply.h"
#include "fuzz_target.h"

enum {
	WORK,
	PASS,
	DROP
};
static const uint8_t verdicts[XFN_REASON_COUNT] = {
#define XFN_REASON(code, name, verdict, sentence) [code] = verdict,
	XFN_REASONS(XFN_REASON)
#undef XFN_REASON
};

static unsigned long fine; /* frames without an obstacle */

/* assert() that no NDEBUG removes */
#define HOLDS(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static bool is_multicast4(const uint8_t *ip)
{
	return ip[0] >= 224;
}

static bool is_none_or_loop4(const uint8_t *ip)
{
	return ip[0] == 0 || ip[0] == 127;
}

/* ::, ::1, and an IPv4 address as an IPv6 one */
static bool is_odd6(const uint8_t *ip)
{
	static const uint8_t zero[15], mapped[12] = { [10] = 0xff, 0xff };

	return (!memcmp(ip, zero, 15) && ip[15] <= 1) || !memcmp(ip, mapped, 12);
}

/* What xfn_packet_parse says of a frame that it located. */
static void located(const uint8_t *f, size_t len, const struct xfn_packet *pkt)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	const uint8_t *l3 = f + pkt->l3_off;
	uint8_t ip[16];

	HOLDS(pkt->version == 4 || pkt->version == 6);
	HOLDS(pkt->tags <= XFN_TAGS && pkt->l3_off == 14 + 4u * pkt->tags);
	HOLDS(pkt->l4_off == pkt->l3_off + (pkt->version == 4 ? 20 : 40));
	HOLDS(pkt->payload_off == pkt->l4_off + 8 && pkt->payload_off <= len);
	HOLDS(!pkt->payload_len); /* nothing is known of it yet */
	for (int i = 0; i < XFN_TAGS; i++)
		HOLDS(pkt->tag[i] == (i < pkt->tags ? xfn_get_be16(f + 14 + 4 * i) & 0xfff : 0));
	HOLDS(xfn_get_be16(l3 - 2) == (pkt->version == 4 ? 0x0800 : 0x86dd));
	HOLDS(pkt->version == 4 ? l3[0] == 0x45 && l3[9] == 17 : l3[0] >> 4 == 6 && l3[6] == 17);
	HOLDS(pkt->sport == xfn_get_be16(f + pkt->l4_off));
	HOLDS(pkt->dport == xfn_get_be16(f + pkt->l4_off + 2));
	for (int which = 0; which < 2; which++) {
		HOLDS(xfn_packet_address(f, f + len, pkt, which, ip));
		if (pkt->version == 4)
			HOLDS(!memcmp(ip, mapped, 12) && !memcmp(ip + 12, l3 + 12 + 4 * which, 4));
		else
			HOLDS(!memcmp(ip, l3 + 8 + 16 * which, 16));
	}
}

/* What xfn_packet_check says of a frame that it lets through. */
static void checked(const uint8_t *f, size_t len, const struct xfn_packet *pkt)
{
	const uint8_t *l3 = f + pkt->l3_off, *udp = f + pkt->l4_off;
	uint32_t udp_len = xfn_get_be16(udp + 4);

	HOLDS(udp_len >= 8 && pkt->payload_len == udp_len - 8);
	HOLDS(pkt->payload_off + pkt->payload_len <= len);
	HOLDS(pkt->sport && !(f[0] & 1) && !(f[6] & 1));
	if (pkt->version == 4) {
		HOLDS(xfn_get_be16(l3 + 2) == 20 + udp_len);
		HOLDS(fuzz_sum(l3, 20, 0) == 0xffff);
		HOLDS(!is_multicast4(l3 + 12) && !is_none_or_loop4(l3 + 12));
		HOLDS(!is_multicast4(l3 + 16) && !is_none_or_loop4(l3 + 16));
		HOLDS(memcmp(l3 + 12, l3 + 16, 4));
	} else {
		HOLDS(xfn_get_be16(l3 + 4) == udp_len);
		HOLDS(xfn_get_be16(udp + 6));
		HOLDS(l3[8] != 0xff && !is_odd6(l3 + 8));
		HOLDS(l3[24] != 0xff && !is_odd6(l3 + 24));
		HOLDS(memcmp(l3 + 8, l3 + 24, 16));
	}
}

/* checksum.h against the plain sum, byte by byte. */
static void sums(const uint8_t *f, const struct xfn_packet *pkt)
{
	const uint8_t *l3 = f + pkt->l3_off, *udp = f + pkt->l4_off;
	uint32_t udp_len = pkt->payload_len + 8, plain_pseudo, ports = XFN_LOAD(__u32, udp);
	uint64_t pseudo = xfn_sum_pseudo(l3, pkt->version, udp_len);
	uint64_t payload = xfn_sum_payload(f + pkt->payload_off, pkt->payload_len);
	uint16_t field = XFN_LOAD(__u16, udp + 6), made;
	bool right;

	plain_pseudo = fuzz_sum(l3 + (pkt->version == 4 ? 12 : 8), pkt->version == 4 ? 8 : 32,
				17 + udp_len);
	HOLDS(xfn_get_be16(&(uint16_t){ xfn_fold(pseudo) }) == plain_pseudo);
	HOLDS(xfn_get_be16(&(uint16_t){ xfn_fold(payload) }) ==
	      fuzz_sum(f + pkt->payload_off, pkt->payload_len, 0));
	right = fuzz_sum(udp, udp_len, plain_pseudo) == 0xffff;
	HOLDS(!!xfn_sum_right(field, pseudo, ports, udp_len, payload) == right);
	made = xfn_sum_field(pseudo, ports, udp_len, payload);
	HOLDS(made && xfn_sum_right(made, pseudo, ports, udp_len, payload));
	/* a field has one right value: 0 is never written, and 0xffff never stands for another */
	if (field && right)
		HOLDS(made == field);
	HOLDS(xfn_sum_kind(field, pseudo, 0) == (field ? XFN_SUM_FULL : XFN_SUM_NONE));
	HOLDS(xfn_sum_kind(xfn_fold(pseudo), pseudo, XFN_LOCAL_PEER) == XFN_SUM_PARTIAL);
}

/* guard.h: bounds taken from the frame's own bytes, so that the fuzzer chooses them. */
static void guards(const uint8_t *f, size_t len, const struct xfn_packet *pkt)
{
	static const uint16_t known[] = { XFN_RESPONDERS };
	uint32_t grow = len > 1514 ? 0xffffffff : xfn_get_be16(f), amplify = f[2] & 31;
	uint32_t mtu = xfn_get_be16(f + 6), head = pkt->version == 4 ? 28 : 48;
	uint32_t n = pkt->payload_len, room;
	uint16_t list[4] = { xfn_get_be16(f + 8), pkt->sport ^ f[9], 0, f[10] };
	uint64_t prefix[2], due = xfn_get_be32(f + 2), was = due;
	uint8_t ip[16];
	enum xfn_reason why;

	room = xfn_guard_room(n, grow, amplify, mtu, pkt->version);
	HOLDS(room >= n && room <= (uint64_t)n + grow);
	HOLDS(room == n || room + head <= mtu);
	HOLDS(room == n || room + head <= (uint64_t)(amplify ?: 3) * (n + head));
	why = xfn_guard_why(room + 1, n, grow, amplify, pkt->version);
	HOLDS(why == XFN_REASON_FUNCTION || why == XFN_REASON_AMPLIFY || why == XFN_REASON_MTU);
	/* the MTU is not blamed where it is none */
	if (room >= n && room + 1 + head <= mtu)
		HOLDS(why != XFN_REASON_MTU);
	if (list[0])
		HOLDS(!!xfn_guard_responder(list, 4, pkt->sport) ==
		      (list[0] == pkt->sport || list[1] == pkt->sport || list[3] == pkt->sport));
	list[0] = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		HOLDS(xfn_guard_responder(list, 4, known[i]));
	/* one prefix: any host of it, and no other's */
	xfn_packet_address(f, f + len, pkt, 0, ip);
	prefix[0] = xfn_guard_prefix(ip, pkt->version);
	ip[15] ^= 1;
	HOLDS(xfn_guard_prefix(ip, pkt->version) == prefix[0]);
	ip[pkt->version == 4 ? 14 : 5] ^= 1;
	HOLDS(xfn_guard_prefix(ip, pkt->version) != prefix[0]);
	prefix[1] = xfn_guard_prefix(ip, pkt->version == 4 ? 6 : 4);
	HOLDS(prefix[0] >> 63 != prefix[1] >> 63);
	if (xfn_guard_rate((__u64 *)&due, xfn_get_be32(f + 6), xfn_get_be16(f) + 1))
		HOLDS(due > was);
	else
		HOLDS(due == was);
}

/* The reply of a good request passes the same checks, and its own reply is the request again. */
static void replied(uint8_t *f, size_t len, const struct xfn_packet *pkt)
{
	uint32_t was[2], is[2];
	struct xfn_packet back;
	enum xfn_reason reason;
	uint8_t ip[2][16], back_ip[2][16];
	uint16_t field = XFN_LOAD(__u16, f + pkt->l4_off + 6);

	for (int which = 0; which < 2; which++)
		xfn_packet_address(f, f + len, pkt, which, ip[which]);
	was[0] = fuzz_sum(f + pkt->payload_off, len - pkt->payload_off, 0);
	was[1] = fuzz_sum(f + 12, pkt->l3_off - 12, 0);
	HOLDS(xfn_reply_headers(f, f + len, pkt->l3_off, pkt->version, pkt->payload_len, field));
	HOLDS(!xfn_packet_parse(f, f + len, &back));
	f[0] &= 0xfe; /* a sender's address is no group's; this one's may have been */
	reason = xfn_packet_check(f, f + len, &back);
	HOLDS(!reason || (reason == XFN_REASON_PORT_ZERO && !pkt->dport));
	if (!reason)
		HOLDS(back.payload_len == pkt->payload_len);
	HOLDS(back.sport == pkt->dport && back.dport == pkt->sport);
	HOLDS(back.payload_off == pkt->payload_off);
	for (int which = 0; which < 2; which++) {
		xfn_packet_address(f, f + len, &back, which, back_ip[which]);
		HOLDS(!memcmp(back_ip[which], ip[!which], 16));
	}
	is[0] = fuzz_sum(f + pkt->payload_off, len - pkt->payload_off, 0);
	is[1] = fuzz_sum(f + 12, pkt->l3_off - 12, 0);
	HOLDS(!memcmp(was, is, sizeof(was))); /* payload and tags are nobody's business here */
}

/* Its last byte cut off, a good datagram is none. */
static void cut(const uint8_t *data, const struct xfn_packet *pkt)
{
	size_t len = pkt->payload_off + pkt->payload_len - 1;
	uint8_t *exact = malloc(len);
	struct xfn_packet again;
	enum xfn_reason reason;

	memcpy(exact, data, len);
	reason = xfn_packet_parse(exact, exact + len, &again);
	if (!reason)
		HOLDS(xfn_packet_check(exact, exact + len, &again) == XFN_REASON_TRUNCATED);
	else
		HOLDS(reason == XFN_REASON_NOT_UDP && !pkt->payload_len);
	free(exact);
}

static void one(const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len ?: 1);
	struct xfn_packet pkt;
	enum xfn_reason reason;

	memset(&pkt, 0xa5, sizeof(pkt));
	memcpy(exact, data, len);
	reason = xfn_packet_parse(exact, exact + len, &pkt);
	HOLDS(reason < XFN_REASON_COUNT);
	if (reason) {
		/* what cannot be located is no function's to drop */
		HOLDS(verdicts[reason] == PASS);
	} else {
		located(exact, len, &pkt);
		reason = xfn_packet_check(exact, exact + len, &pkt);
		HOLDS(reason < XFN_REASON_COUNT && (!reason || verdicts[reason] != WORK));
		HOLDS(!memcmp(exact, data, len));
		if (!reason) {
			fine++;
			checked(exact, len, &pkt);
			sums(exact, &pkt);
			guards(exact, len, &pkt);
			cut(exact, &pkt);
			replied(exact, len, &pkt);
		}
	}
	free(exact);
}

#ifdef FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	one(data, len);
	return 0;
}
#else
int main(int argc, char **argv)
{
	long count;

	if (argc < 2) {
		fprintf(stderr, "usage: %s COUNT SEED | FILE...\n", argv[0]);
		return 2;
	}
	count = fuzz_replay(argc - 1, argv + 1, one);
	if (count < 0)
		return 1;
	printf("parser: %ld inputs, %lu fine\n", count, fine);
	/* inputs that never pass prove little; files are as they are */
	return !fuzz_generated(argc - 1, argv + 1) || fine > (unsigned long)count / 10 ? 0 : 1;
}
#endif
