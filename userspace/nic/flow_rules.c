// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Flow rules of a NIC, by the ethtool ioctl. */
#include "../../skel/error.h"
#include "../../xdp/address.h"
#include "../host/ip.h"
#include "flow_rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/sockios.h>

struct xfn_steer {
	char ifname[IF_NAMESIZE];
	char driver[32];
	struct xfn_journal *journal;
	struct xfn_steer_rule *rules; /* that stand */
	unsigned count;
};

void xfn_steer__spec(const struct xfn_steer_rule *rule, struct ethtool_rx_flow_spec *spec)
{
	memset(spec, 0, sizeof(*spec));
	spec->ring_cookie = rule->queue;
	if (xfn_address__is_v4(rule->to.ip)) {
		spec->flow_type = UDP_V4_FLOW;
		memcpy(&spec->h_u.udp_ip4_spec.ip4dst, rule->to.ip + 12, 4);
		memset(&spec->m_u.udp_ip4_spec.ip4dst, 0xff, 4);
		spec->h_u.udp_ip4_spec.pdst = htons(rule->to.port);
		spec->m_u.udp_ip4_spec.pdst = 0xffff;
	} else {
		spec->flow_type = UDP_V6_FLOW;
		memcpy(spec->h_u.udp_ip6_spec.ip6dst, rule->to.ip, 16);
		memset(spec->m_u.udp_ip6_spec.ip6dst, 0xff, 16);
		spec->h_u.udp_ip6_spec.pdst = htons(rule->to.port);
		spec->m_u.udp_ip6_spec.pdst = 0xffff;
	}
}

bool xfn_steer__same(const struct ethtool_rx_flow_spec *a, const struct ethtool_rx_flow_spec *b)
{
	if (a->flow_type != b->flow_type || a->ring_cookie != b->ring_cookie)
		return false;
	/* what a driver puts into fields that do not matter is its own */
	if (a->flow_type == UDP_V4_FLOW)
		return a->h_u.udp_ip4_spec.ip4dst == b->h_u.udp_ip4_spec.ip4dst &&
		       a->m_u.udp_ip4_spec.ip4dst == b->m_u.udp_ip4_spec.ip4dst &&
		       a->h_u.udp_ip4_spec.pdst == b->h_u.udp_ip4_spec.pdst &&
		       a->m_u.udp_ip4_spec.pdst == b->m_u.udp_ip4_spec.pdst &&
		       a->m_u.udp_ip4_spec.ip4src == b->m_u.udp_ip4_spec.ip4src &&
		       a->m_u.udp_ip4_spec.psrc == b->m_u.udp_ip4_spec.psrc;
	return a->flow_type == UDP_V6_FLOW &&
	       !memcmp(a->h_u.udp_ip6_spec.ip6dst, b->h_u.udp_ip6_spec.ip6dst, 16) &&
	       !memcmp(a->m_u.udp_ip6_spec.ip6dst, b->m_u.udp_ip6_spec.ip6dst, 16) &&
	       !memcmp(a->m_u.udp_ip6_spec.ip6src, b->m_u.udp_ip6_spec.ip6src, 16) &&
	       a->h_u.udp_ip6_spec.pdst == b->h_u.udp_ip6_spec.pdst &&
	       a->m_u.udp_ip6_spec.pdst == b->m_u.udp_ip6_spec.pdst &&
	       a->m_u.udp_ip6_spec.psrc == b->m_u.udp_ip6_spec.psrc;
}

void xfn_steer__text(const struct xfn_steer_rule *rule, char *text)
{
	char ip[INET6_ADDRSTRLEN];

	snprintf(text, XFN_JOURNAL_TEXT, "%s %u %u", xfn_ip__text(rule->to.ip, ip), rule->to.port,
		 rule->queue);
}

bool xfn_steer__parse(const char *text, struct xfn_steer_rule *rule)
{
	char ip[INET6_ADDRSTRLEN];
	unsigned port, queue;

	memset(rule, 0, sizeof(*rule));
	if (sscanf(text, "%45s %u %u", ip, &port, &queue) != 3 || port > UINT16_MAX)
		return false;
	rule->to.port = (uint16_t)port;
	rule->queue = queue;
	return !xfn_ip__parse(ip, rule->to.ip);
}

int64_t xfn_steer__place(uint32_t size, const uint32_t *used, unsigned count)
{
	for (int64_t place = (int64_t)size - 1; place >= 0; place--) {
		bool taken = false;

		for (unsigned i = 0; i < count && !taken; i++)
			taken = used[i] == place;
		if (!taken)
			return place;
	}
	return -1;
}

static int ethtool(const char *ifname, void *command)
{
	struct ifreq req = { .ifr_data = command };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	if (sock < 0)
		return -errno;
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", ifname);
	ret = ioctl(sock, SIOCETHTOOL, &req) ? -errno : 0;
	close(sock);
	return ret;
}

/* The rules there are. *all is to be freed; its rule_locs has rule_cnt, its data the table's size,
 * RX_CLS_LOC_SPECIAL among its bits where the driver finds places itself. 0 or -errno. */
static int read_table(const char *ifname, struct ethtool_rxnfc **all)
{
	struct ethtool_rxnfc count = { .cmd = ETHTOOL_GRXCLSRLCNT };
	struct ethtool_rxnfc *table;
	int ret = ethtool(ifname, &count);

	*all = NULL;
	if (ret)
		return ret;
	table = calloc(1, sizeof(*table) + count.rule_cnt * sizeof(table->rule_locs[0]));
	if (!table)
		return -ENOMEM;
	table->cmd = ETHTOOL_GRXCLSRLALL;
	table->rule_cnt = count.rule_cnt;
	ret = ethtool(ifname, table);
	if (ret) {
		free(table);
		return ret;
	}
	/* either tells the size, and some drivers but in one of them */
	table->data |= count.data;
	*all = table;
	return 0;
}

/* Where our rule stands. Location, -ENOENT or -errno. */
static int64_t find(const char *ifname, const struct ethtool_rxnfc *table,
		    const struct ethtool_rx_flow_spec *spec)
{
	for (unsigned i = 0; i < table->rule_cnt; i++) {
		struct ethtool_rxnfc one = { .cmd = ETHTOOL_GRXCLSRULE,
					     .fs.location = table->rule_locs[i] };

		if (!ethtool(ifname, &one) && xfn_steer__same(&one.fs, spec))
			return table->rule_locs[i];
	}
	return -ENOENT;
}

/* 0: it stands; 1: it stood already; -errno. */
static int add(const char *ifname, const struct xfn_steer_rule *rule, struct xfn_journal *journal)
{
	struct ethtool_rxnfc insert = { .cmd = ETHTOOL_SRXCLSRLINS }, *table;
	char text[XFN_JOURNAL_TEXT];
	int64_t place = RX_CLS_LOC_ANY;
	int ret = read_table(ifname, &table);

	if (ret)
		return ret;
	xfn_steer__spec(rule, &insert.fs);
	/* somebody's own, and not ours to take away */
	if (find(ifname, table, &insert.fs) >= 0) {
		ret = 1;
		goto out;
	}
	if (!(table->data & RX_CLS_LOC_SPECIAL))
		place = xfn_steer__place((uint32_t)table->data, table->rule_locs, table->rule_cnt);
	ret = place < 0 ? -ENOSPC : 0;
	if (ret)
		goto out;
	insert.fs.location = (uint32_t)place;
	xfn_steer__text(rule, text);
	ret = xfn_journal__note(journal, "rule", text);
	if (ret)
		goto out;
	ret = ethtool(ifname, &insert);
	if (ret)
		xfn_journal__forget(journal, "rule", text);
out:
	free(table);
	return ret;
}

static int take_away(const char *ifname, const struct xfn_steer_rule *rule)
{
	struct ethtool_rxnfc remove = { .cmd = ETHTOOL_SRXCLSRLDEL }, *table;
	struct ethtool_rx_flow_spec spec;
	int64_t place;
	int ret = read_table(ifname, &table);

	if (ret)
		return ret == -ENODEV || ret == -EOPNOTSUPP ? 0 : ret;
	xfn_steer__spec(rule, &spec);
	place = find(ifname, table, &spec);
	free(table);
	if (place < 0)
		return 0;
	remove.fs.location = (uint32_t)place;
	return ethtool(ifname, &remove);
}

int xfn_steer__undo(const char *ifname, const char *text)
{
	struct xfn_steer_rule rule;

	return xfn_steer__parse(text, &rule) ? take_away(ifname, &rule) : -EPROTO;
}

static int switch_ntuple(const char *ifname, bool on, bool *was)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	int ret = ethtool(ifname, &flags);

	if (ret)
		return ret;
	*was = flags.data & ETH_FLAG_NTUPLE;
	if (*was == on)
		return 0;
	flags.cmd = ETHTOOL_SFLAGS;
	flags.data ^= ETH_FLAG_NTUPLE;
	return ethtool(ifname, &flags);
}

int xfn_steer__undo_ntuple(const char *ifname, const char *text)
{
	bool was;
	int ret = strcmp(text, "on") ? -EPROTO : switch_ntuple(ifname, false, &was);

	return ret == -ENODEV ? 0 : ret;
}

int xfn_steer__rules(const char *ifname)
{
	struct ethtool_rxnfc count = { .cmd = ETHTOOL_GRXCLSRLCNT };
	int ret = ethtool(ifname, &count);

	return ret ?: (int)count.rule_cnt;
}

/* Many drivers take rules only once they are turned on; those without such a switch refuse it. */
static int turn_on(struct xfn_steer *s)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	bool was;
	int ret = ethtool(s->ifname, &flags);

	if (ret || flags.data & ETH_FLAG_NTUPLE)
		return 0;
	ret = xfn_journal__note(s->journal, "ntuple", "on");
	if (ret)
		return ret;
	ret = switch_ntuple(s->ifname, true, &was);
	if (ret)
		xfn_journal__forget(s->journal, "ntuple", "on");
	return ret == -EPERM ? ret : 0;
}

int xfn_steer__open(const char *ifname, const char *driver, struct xfn_journal *journal,
		    struct xfn_steer **out, struct xfn_error *err)
{
	struct xfn_steer *s = calloc(1, sizeof(*s));
	const char *what = "does not tell of its flow rules", *next = "";
	int ret = s ? xfn_steer__rules(ifname) : -ENOMEM;

	*out = NULL;
	if (!s)
		return xfn_fail(err, ret, "--steer: out of memory");
	if (ret == -EOPNOTSUPP) {
		what = "takes no flow rules";
		next = ", `ethtool -X` may narrow the queues all traffic comes to";
	}
	if (ret >= 0) {
		snprintf(s->ifname, sizeof(s->ifname), "%s", ifname);
		snprintf(s->driver, sizeof(s->driver), "%s", driver);
		s->journal = journal;
		what = "cannot be made to take flow rules";
		ret = turn_on(s);
	}
	if (ret >= 0) {
		*out = s;
		return 0;
	}
	free(s);
	return xfn_fail(err, ret, "--steer: %s: its driver %s %s (%s); leave --steer out%s", ifname,
			*driver ? driver : "(none)", what, strerror(-ret), next);
}

static bool equal(const struct xfn_steer_rule *a, const struct xfn_steer_rule *b)
{
	return a->queue == b->queue && a->to.port == b->to.port &&
	       !memcmp(a->to.ip, b->to.ip, sizeof(a->to.ip));
}

static bool among(const struct xfn_steer_rule *rule, const struct xfn_steer_rule *all,
		  unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (equal(rule, &all[i]))
			return true;
	return false;
}

static int add_one(struct xfn_steer *s, const struct xfn_steer_rule *rule)
{
	struct xfn_steer_rule *all = reallocarray(s->rules, s->count + 1, sizeof(*all));
	int ret;

	if (!all)
		return -ENOMEM;
	s->rules = all;
	ret = add(s->ifname, rule, s->journal);
	if (!ret)
		all[s->count++] = *rule;
	return ret;
}

static void tell(const struct xfn_steer *s, const struct xfn_steer_rule *rule, const char *what,
		 int ret, struct xfn_steer_left *left, struct xfn_error *err)
{
	char text[XFN_JOURNAL_TEXT];

	left->again |= ret == -ENOMEM || ret == -ENOBUFS || ret == -EAGAIN;
	xfn_steer__text(rule, text);
	xfn_error__set(err, "cannot %s the flow rule '%s' of driver %s (%s)", what, text, s->driver,
		       strerror(-ret));
}

struct xfn_steer_left xfn_steer__follow(struct xfn_steer *s, const struct xfn_steer_rule *rules,
					unsigned count, struct xfn_error *err)
{
	struct xfn_steer_left left = {};
	char text[XFN_JOURNAL_TEXT];

	for (unsigned i = 0; i < s->count; i++) {
		int ret =
			among(&s->rules[i], rules, count) ? 1 : take_away(s->ifname, &s->rules[i]);

		if (ret < 0) {
			left.stale++;
			tell(s, &s->rules[i], "remove", ret, &left, err);
		}
		if (ret)
			continue;
		xfn_steer__text(&s->rules[i], text);
		xfn_journal__forget(s->journal, "rule", text);
		s->rules[i--] = s->rules[--s->count];
	}
	for (unsigned i = 0; i < count; i++) {
		int ret = among(&rules[i], s->rules, s->count) ? 0 : add_one(s, &rules[i]);

		if (ret >= 0)
			continue;
		left.missing++;
		tell(s, &rules[i], "set", ret, &left, err);
	}
	return left;
}

unsigned xfn_steer__count(const struct xfn_steer *s)
{
	return s->count;
}

void xfn_steer__close(struct xfn_steer *s)
{
	if (s)
		free(s->rules);
	free(s);
}
