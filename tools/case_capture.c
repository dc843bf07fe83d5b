// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A UDP payload out of a capture file (libpcap: pcap and pcapng). Must never capture anything. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pcap/pcap.h>
#include <linux/types.h>
#include "../functions/xfn.h"
#include "../xdp/packet.h"
#include "case_bytes.h"

/* Where the link's header has the Ethernet protocol, and how long it is. -1: none, it begins with
 * IP. */
static const struct {
	int link;
	int protocol;
	unsigned len;
} links[] = {
	{ DLT_EN10MB, 12, 14 }, { DLT_RAW, -1, 0 },	   { DLT_IPV4, -1, 0 },
	{ DLT_IPV6, -1, 0 },	{ DLT_LINUX_SLL, 14, 16 }, { DLT_LINUX_SLL2, 0, 20 },
};

/* The packet as an Ethernet frame. Its length, 0: it has no such form. */
static size_t as_frame(int link, const uint8_t *packet, size_t len, uint8_t *frame, size_t room)
{
	for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		unsigned head = links[i].len;

		if (links[i].link != link || len < head + 1 || len - head + XFN_ETH_LEN > room)
			continue;
		memset(frame, 0, XFN_ETH_LEN);
		if (links[i].protocol < 0)
			xfn_put_be16(frame + 12, packet[0] >> 4 == 4 ? 0x0800 : 0x86dd);
		else
			memcpy(frame + 12, packet + links[i].protocol, 2);
		memcpy(frame + XFN_ETH_LEN, packet + head, len - head);
		return len - head + XFN_ETH_LEN;
	}
	return 0;
}

/* The UDP payload of a frame that holds all of it, or -1. */
static long payload_of(const uint8_t *frame, size_t len, const uint8_t **payload)
{
	uint32_t udp_len, held;
	struct xfn_packet pkt;

	if (xfn_packet_parse(frame, frame + len, &pkt))
		return -1;
	/* not xfn_packet_check: a sender's own capture has checksums that were not yet made */
	udp_len = xfn_get_be16(frame + pkt.l4_off + 4);
	held = (uint32_t)len - pkt.payload_off;
	if (udp_len < XFN_UDP_LEN || udp_len - XFN_UDP_LEN > held)
		return -1;
	*payload = frame + pkt.payload_off;
	return udp_len - XFN_UDP_LEN;
}

long xfn_case_capture__payload(const char *path, unsigned nth, uint8_t *out, size_t room, char *err,
			       size_t errlen)
{
	char why[PCAP_ERRBUF_SIZE];
	uint8_t frame[65536 + 64], magic[4] = {};
	struct pcap_pkthdr *head;
	const uint8_t *packet, *payload = NULL;
	unsigned seen = 0;
	long len = -1;
	pcap_t *p;
	FILE *f = fopen(path, "re");

	if (!f) {
		snprintf(err, errlen, "%s: %s; name a file that can be read", path,
			 strerror(errno));
		return -ENOENT;
	}
	/* What is no capture is bytes; what is a damaged one is an error. */
	if (fread(magic, 1, 4, f) != 4 ||
	    (memcmp(magic, "\xa1\xb2\xc3\xd4", 4) && memcmp(magic, "\xd4\xc3\xb2\xa1", 4) &&
	     memcmp(magic, "\xa1\xb2\x3c\x4d", 4) && memcmp(magic, "\x4d\x3c\xb2\xa1", 4) &&
	     memcmp(magic, "\x0a\x0d\x0d\x0a", 4))) {
		fclose(f);
		return -ENOEXEC;
	}
	rewind(f);
	p = pcap_fopen_offline(f, why); /* owns f from now on */
	if (!p) {
		fclose(f);
		snprintf(err, errlen, "%s: %.200s; write it anew with tcpdump -w", path, why);
		return -EINVAL;
	}
	while (seen < nth && pcap_next_ex(p, &head, &packet) == 1) {
		size_t n = as_frame(pcap_datalink(p), packet, head->caplen, frame, sizeof(frame));
		long one = n ? payload_of(frame, n, &payload) : -1;

		if (one < 0)
			continue;
		seen++;
		len = one;
	}
	if (!nth || seen < nth || len > (long)room) {
		snprintf(err, errlen, "%s: has %u whole UDP datagrams; take one of them", path,
			 seen);
		len = -EINVAL;
	} else {
		memcpy(out, payload, (size_t)len);
	}
	pcap_close(p);
	return len;
}
