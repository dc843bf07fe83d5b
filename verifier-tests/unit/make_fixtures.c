// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes the fixtures: frames as text files, each with what must become of it. Deterministic; run
 * again after a change of this file: make fixtures. Usage: make_fixtures FOLDER
 */
#include <stdio.h>
#include <stdlib.h>
#include "../../skel/array_size.h"
#include "../fuzz/fuzz_input.h"

static const char *folder;
static uint8_t f[FUZZ_MAX];

static void write_fixture(const char *name, const char *expect, size_t len)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s.hex", folder, name);
	out = fopen(path, "we");
	if (!out) {
		perror(path);
		exit(1);
	}
	fprintf(out, "# expect: %s\n", expect);
	for (size_t i = 0; i < len; i++)
		fprintf(out, "%02x%s", f[i], i % 32 == 31 || i + 1 == len ? "\n" : " ");
	fclose(out);
}

/* A good request with a change; then, where `sums`, right checksums for what it has become. */
#define FIXTURE(name, expect, version, tags, payload, sums, change)                                \
	do {                                                                                       \
		size_t len = frame_build(f, version, tags, payload);                               \
		size_t l3 = 14 + 4 * (tags), l4 = l3 + ((version) == 4 ? 20 : 40);                 \
		change;                                                                            \
		if (sums)                                                                          \
			fuzz_repair(f, len, l3, version);                                          \
		(void)l4;                                                                          \
		write_fixture(name, expect, len);                                                  \
	} while (0)

/* Good requests, as they are. */
static const struct {
	const char *name;
	int version, tags;
	size_t payload;
} good[] = { { "v4_empty", 4, 0, 0 },	{ "v4_1", 4, 0, 1 },	     { "v4_17_odd", 4, 0, 17 },
	     { "v4_64", 4, 0, 64 },	{ "v4_1472", 4, 0, 1472 },   { "v6_empty", 6, 0, 0 },
	     { "v6_33", 6, 0, 33 },	{ "v6_1452", 6, 0, 1452 },   { "v4_tagged", 4, 1, 20 },
	     { "v6_tagged", 6, 1, 20 }, { "v4_two_tags", 4, 2, 20 }, { "v6_two_tags", 6, 2, 20 } };

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	folder = argv[1];
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++)
		FIXTURE(good[i].name, "reply", good[i].version, good[i].tags, good[i].payload, 0, );
	FIXTURE("v4_padded", "reply", 4, 0, 3, 0, len = 60);
	FIXTURE("v6_padded", "reply", 6, 0, 3, 0, (memset(f + len, 0xee, 9), len += 9));
	FIXTURE("v4_no_udp_sum", "reply", 4, 0, 9, 0, (f[l4 + 6] = f[l4 + 7] = 0));
	FIXTURE("v4_ecn_dscp", "reply", 4, 0, 9, 1, f[l3 + 1] = 0xbb);
	FIXTURE("v4_dont_fragment", "reply", 4, 0, 9, 1, f[l3 + 6] = 0x40);
	FIXTURE("v4_ttl_1", "reply", 4, 0, 9, 1, f[l3 + 8] = 1);
	FIXTURE("v4_no_sum_wrong", "BAD_UDP_SUM", 4, 0, 9, 0, f[l4 + 6] ^= 1);
	FIXTURE("v4_payload_flipped", "BAD_UDP_SUM", 4, 0, 700, 0, f[l4 + 300] ^= 4);
	FIXTURE("v6_payload_flipped", "BAD_UDP_SUM", 6, 1, 701, 0, f[l4 + 300] ^= 4);
	FIXTURE("v6_no_udp_sum", "NO_UDP_SUM", 6, 0, 9, 0, (f[l4 + 6] = f[l4 + 7] = 0));
	FIXTURE("v4_bad_ip_sum", "BAD_IP_SUM", 4, 0, 9, 0, f[l3 + 10] ^= 1);
	FIXTURE("v4_ip_too_long", "TRUNCATED", 4, 0, 9, 1, xfn_put_be16(f + l3 + 2, 200));
	FIXTURE("v4_ip_too_short", "BAD_IP", 4, 0, 9, 1, xfn_put_be16(f + l3 + 2, 27));
	FIXTURE("v6_too_long", "TRUNCATED", 6, 0, 9, 0, xfn_put_be16(f + l3 + 4, 200));
	FIXTURE("v6_too_short", "BAD_IP", 6, 0, 9, 0, xfn_put_be16(f + l3 + 4, 7));
	FIXTURE("v4_udp_shorter", "BAD_UDP_LEN", 4, 0, 9, 1, xfn_put_be16(f + l4 + 4, 12));
	FIXTURE("v4_udp_longer", "BAD_UDP_LEN", 4, 0, 9, 0, xfn_put_be16(f + l4 + 4, 90));
	FIXTURE("v6_udp_zero", "BAD_UDP_LEN", 6, 0, 9, 0, xfn_put_be16(f + l4 + 4, 0));
	FIXTURE("v4_port_zero", "PORT_ZERO", 4, 0, 9, 1, xfn_put_be16(f + l4, 0));
	FIXTURE("v4_responder", "RESPONDER", 4, 0, 9, 1, xfn_put_be16(f + l4, 1900));
	FIXTURE("v6_responder", "RESPONDER", 6, 0, 9, 1, xfn_put_be16(f + l4, 5353));
	FIXTURE("v4_own_source", "BAD_SOURCE", 4, 0, 9, 1, memcpy(f + l3 + 12, f + l3 + 16, 4));
	FIXTURE("v6_own_source", "BAD_SOURCE", 6, 0, 9, 1, memcpy(f + l3 + 8, f + l3 + 24, 16));
	FIXTURE("v4_loopback_source", "BAD_SOURCE", 4, 0, 9, 1, f[l3 + 12] = 127);
	FIXTURE("v4_multicast_source", "BAD_SOURCE", 4, 0, 9, 1, f[l3 + 12] = 239);
	FIXTURE("v6_multicast_source", "BAD_SOURCE", 6, 0, 9, 1, f[l3 + 8] = 0xff);
	FIXTURE("v6_mapped_source", "BAD_SOURCE", 6, 0, 9, 1,
		(memset(f + l3 + 8, 0, 16), memset(f + l3 + 18, 255, 2), f[l3 + 20] = 10));
	FIXTURE("v6_mapped_destination", "NOT_LOCAL", 6, 0, 9, 1,
		(memset(f + l3 + 24, 0, 10), memset(f + l3 + 34, 255, 2), f[l3 + 36] = 10));
	FIXTURE("v6_loopback_destination", "NOT_LOCAL", 6, 0, 9, 1, f[l3 + 24] = 0);
	FIXTURE("v4_loopback_destination", "NOT_LOCAL", 4, 0, 9, 1, f[l3 + 16] = 127);
	FIXTURE("v4_broadcast_frame", "MULTICAST", 4, 0, 9, 0, memset(f, 255, 6));
	FIXTURE("v4_multicast_frame", "MULTICAST", 4, 0, 9, 0, memcpy(f, "\x01\0\x5e\0\0\1", 6));
	FIXTURE("v6_multicast_frame", "MULTICAST", 6, 0, 9, 0, memcpy(f, "\x33\x33\0\0\0\1", 6));
	FIXTURE("v4_from_broadcast_frame", "BAD_SOURCE", 4, 0, 9, 0, memset(f + 6, 255, 6));
	FIXTURE("v6_from_multicast_frame", "BAD_SOURCE", 6, 1, 9, 0, f[6] |= 1);
	FIXTURE("v4_to_broadcast", "MULTICAST", 4, 0, 9, 1, memset(f + l3 + 16, 255, 4));
	FIXTURE("v4_to_multicast", "MULTICAST", 4, 0, 9, 1, f[l3 + 16] = 224);
	FIXTURE("v6_to_multicast", "MULTICAST", 6, 0, 9, 1, f[l3 + 24] = 0xff);
	FIXTURE("v4_fragment", "FRAGMENT", 4, 0, 64, 1, f[l3 + 6] = 0x20);
	FIXTURE("v4_last_fragment", "FRAGMENT", 4, 0, 64, 1, f[l3 + 7] = 0x40);
	FIXTURE("v6_fragment_header", "FRAGMENT", 6, 0, 64, 0, f[l3 + 6] = 44);
	FIXTURE("v6_hop_by_hop", "EXT_HEADER", 6, 0, 64, 0, f[l3 + 6] = 0);
	FIXTURE("v4_options", "IP_OPTIONS", 4, 0, 64, 1, f[l3] = 0x46);
	FIXTURE("v4_tcp", "NOT_UDP", 4, 0, 64, 1, f[l3 + 9] = 6);
	FIXTURE("arp", "NOT_IP", 4, 0, 20, 0, xfn_put_be16(f + 12, 0x0806));
	FIXTURE("v4_version_6", "NOT_IP", 4, 0, 20, 0, f[l3] = 0x65);
	FIXTURE("v4_cut_in_ip", "NOT_IP", 4, 0, 20, 0, len = 30);
	FIXTURE("v4_cut_in_payload", "TRUNCATED", 4, 0, 20, 0, len -= 1);
	FIXTURE("v4_another_port", "NOT_OURS", 4, 0, 20, 1, xfn_put_be16(f + l4 + 2, 4321));
	/* a local sender's: the pseudo-header's sum, which is right where the peer may be this host
	 */
	FIXTURE("v4_partial_sum", "reply", 4, 0, 20, 0,
		xfn_put_be16(f + l4 + 6, (uint16_t)fuzz_sum(f + l3 + 12, 8, 17 + 28)));
	FIXTURE("v6_partial_sum", "reply", 6, 0, 20, 0,
		xfn_put_be16(f + l4 + 6, (uint16_t)fuzz_sum(f + l3 + 8, 32, 17 + 28)));
	return 0;
}
