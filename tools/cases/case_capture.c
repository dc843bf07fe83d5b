// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A UDP payload out of a capture file (libpcap: pcap and pcapng). Must never capture anything. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <pcap/pcap.h>
#include <linux/if_ether.h>
#include <linux/ppp_defs.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../../functions/xfn.h"
#include "../../skel/regular_file.h"
#include "../../xdp/protocols.h"
#include "case_bytes.h"

#define IPPROTO_HIP   139 /* RFC 7401 */
#define IPPROTO_SHIM6 140 /* RFC 5533 */

/* A packet from its IP header on, as far as it was captured. */
struct packet {
	const uint8_t *at;
	size_t len;
};

static bool skip(struct packet *p, size_t n)
{
	if (p->len < n)
		return false;
	p->at += n;
	p->len -= n;
	return true;
}

/* Behind a link's header of `len` bytes, in which the Ethernet protocol stands at `protocol`. */
static bool skip_link(struct packet *p, unsigned protocol, unsigned len)
{
	uint16_t type;

	if (p->len < len)
		return false;
	type = xfn_get_be16(p->at + protocol);
	if (!skip(p, len))
		return false;
	while (type == ETH_P_8021Q || type == ETH_P_8021AD) {
		if (p->len < 4)
			return false;
		type = xfn_get_be16(p->at + 2);
		skip(p, 4);
	}
	if (type == ETH_P_PPP_SES && p->len >= 8) {
		type = xfn_get_be16(p->at + 6) == PPP_IP   ? ETH_P_IP :
		       xfn_get_be16(p->at + 6) == PPP_IPV6 ? ETH_P_IPV6 :
							     0;
		skip(p, 8);
	}
	return type == ETH_P_IP || type == ETH_P_IPV6;
}

/* Behind PPP's header, with or without the address and control bytes of HDLC (RFC 1662). */
static bool skip_ppp(struct packet *p)
{
	uint16_t protocol;

	if (p->len > 4 && p->at[0] == 0xff && p->at[1] == 3)
		skip(p, 2);
	if (p->len < 2)
		return false;
	protocol = xfn_get_be16(p->at);
	return skip(p, 2) && (protocol == PPP_IP || protocol == PPP_IPV6);
}

/* How each type of link is taken off; false: that packet is none of IP. */
static bool ethernet(struct packet *p)
{
	return skip_link(p, 2 * ETH_ALEN, ETH_HLEN);
}
static bool cooked(struct packet *p)
{
	return skip_link(p, 14, 16);
}
static bool cooked2(struct packet *p)
{
	return skip_link(p, 0, 20);
}
static bool loopback(struct packet *p)
{
	return skip(p, 4);
} /* a family, whose numbers differ */
static bool nothing(struct packet *p)
{
	return p->len > 0;
}

static const struct {
	int link;
	bool (*take_off)(struct packet *p);
} links[] = {
	{ DLT_EN10MB, ethernet },     { DLT_RAW, nothing },	 { DLT_IPV4, nothing },
	{ DLT_IPV6, nothing },	      { DLT_LINUX_SLL, cooked }, { DLT_LINUX_SLL2, cooked2 },
	{ DLT_NULL, loopback },	      { DLT_LOOP, loopback },	 { DLT_PPP, skip_ppp },
	{ DLT_PPP_SERIAL, skip_ppp },
};
#define LINKS ARRAY_SIZE(links)

/* From the IPv4 header (RFC 791) to UDP's, options skipped. False: not a whole datagram of UDP. */
static bool skip_ipv4(struct packet *p)
{
	size_t head, total;

	if (p->len < XFN_IPV4_LEN)
		return false;
	head = (p->at[0] & 15) * 4u;
	total = xfn_get_be16(p->at + 2);
	if (head < XFN_IPV4_LEN || p->at[9] != IPPROTO_UDP ||
	    xfn_get_be16(p->at + 6) & (IP_MF | IP_OFFMASK))
		return false;
	/* padding behind it is not its own; 0: the sender's card was to cut it */
	if (total && total < p->len)
		p->len = total;
	return skip(p, head);
}

/* From the IPv6 header (RFC 8200) to UDP's, over extension headers. */
static bool skip_ipv6(struct packet *p)
{
	size_t total, head;
	uint8_t next;

	if (p->len < XFN_IPV6_LEN)
		return false;
	next = p->at[6];
	total = xfn_get_be16(p->at + 4);
	skip(p, XFN_IPV6_LEN);
	if (total && total < p->len)
		p->len = total;
	while (next != IPPROTO_UDP) {
		if (p->len < 8)
			return false;
		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_MH:
		case IPPROTO_HIP:
		case IPPROTO_SHIM6:
			head = 8 + p->at[1] * 8u;
			break;
		case IPPROTO_AH: /* RFC 4302 */
			head = 8 + p->at[1] * 4u;
			break;
		case IPPROTO_FRAGMENT: /* a fragment that is all */
			if (xfn_get_be16(p->at + 2) & 0xfff9)
				return false;
			head = 8;
			break;
		default:
			return false;
		}
		next = p->at[0];
		if (!skip(p, head))
			return false;
	}
	return true;
}

/* The UDP payload of a packet that holds all of it, or -1. Checksums are not looked at: a sender's
 * own capture has those that were not yet made. */
static long payload_of(struct packet p, const uint8_t **payload)
{
	uint32_t udp_len;

	if (!p.len || !(p.at[0] >> 4 == 4 ? skip_ipv4(&p) : p.at[0] >> 4 == 6 && skip_ipv6(&p)) ||
	    p.len < XFN_UDP_LEN)
		return -1;
	udp_len = xfn_get_be16(p.at + 4);
	if (udp_len < XFN_UDP_LEN || udp_len > p.len)
		return -1;
	*payload = p.at + XFN_UDP_LEN;
	return udp_len - XFN_UDP_LEN;
}

/* A type of link that is not taken off, by name. */
static int refuse_link(const char *path, int link, struct xfn_error *err)
{
	return xfn_fail(
		err, -EINVAL,
		"%.200s: is a capture of %s (%s), which is not read; take one of Ethernet, IP, "
		"Linux cooked, BSD loopback or PPP",
		path, pcap_datalink_val_to_name(link) ?: "a link without a name",
		pcap_datalink_val_to_description(link) ?: "unknown to libpcap");
}

/* The nth datagram of the capture into out[room]. Its length, or -errno with err. */
static long find_datagram(pcap_t *p, const char *path, unsigned nth, uint8_t *out, size_t room,
			  struct xfn_error *err)
{
	int link = pcap_datalink(p), got = 1;
	const uint8_t *bytes, *payload = NULL;
	struct pcap_pkthdr *head;
	unsigned seen = 0, type = 0;
	bool found = false;
	long len = -1;

	while (type < LINKS && links[type].link != link)
		type++;
	if (type == LINKS)
		return refuse_link(path, link, err);
	while (seen < nth && (got = pcap_next_ex(p, &head, &bytes)) == 1) {
		struct packet packet = { bytes, head->caplen };
		long one = links[type].take_off(&packet) ? payload_of(packet, &payload) : -1;

		if (one < 0)
			continue;
		seen++;
		len = one;
	}
	if (seen < nth && got == PCAP_ERROR)
		xfn_error__set(err, "%.200s: %.200s, behind %u UDP datagrams; write it anew", path,
			       pcap_geterr(p), seen);
	else if (!nth || seen < nth || len > (long)room)
		xfn_error__set(err, "%s: has %u whole UDP datagrams; take one of them", path, seen);
	else
		found = true;
	if (found)
		memcpy(out, payload, (size_t)len);
	return found ? len : -EINVAL;
}

long xfn_case_capture__payload(const char *path, unsigned nth, uint8_t *out, size_t room,
			       struct xfn_error *err)
{
	char why[PCAP_ERRBUF_SIZE];
	uint8_t magic[4] = {};
	long len;
	pcap_t *p;
	/* it may be read twice, so no pipe */
	int fd = xfn_regular_file__open(path, "name a file that can be read", err);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f)
		return -ENOENT;
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
		return xfn_fail(err, -EINVAL, "%s: %.200s; write it anew with tcpdump -w", path,
				why);
	}
	len = find_datagram(p, path, nth, out, room, err);
	pcap_close(p);
	return len;
}
