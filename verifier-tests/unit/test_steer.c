// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Flow rules as the kernel takes them, also where memory is short, and which drivers get zero copy.
 * Wants no privilege and no NIC.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <cmocka.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../../userspace/nic/journal.h"
#include "../../userspace/nic/flow_rules.h"
#include "../../userspace/host/events.h"
#include "../../userspace/host/now.h"
#include "../../userspace/supervisor/ingress/ingress.h"
#include "../../userspace/supervisor/ingress/nic_features.h"
#include "../../userspace/nic/zero_copy.h"

static struct xfn_steer_rule rule(const char *text)
{
	struct xfn_steer_rule r;

	assert_true(xfn_steer__parse(text, &r));
	return r;
}

static void test_spec_v4(void **state)
{
	struct xfn_steer_rule r = rule("192.0.2.7 53 3");
	struct ethtool_rx_flow_spec spec;

	(void)state;
	xfn_steer__spec(&r, &spec);
	assert_int_equal(spec.flow_type, UDP_V4_FLOW);
	assert_int_equal(spec.ring_cookie, 3);
	assert_int_equal(spec.h_u.udp_ip4_spec.ip4dst, inet_addr("192.0.2.7"));
	assert_int_equal(spec.m_u.udp_ip4_spec.ip4dst, 0xffffffff);
	assert_int_equal(spec.h_u.udp_ip4_spec.pdst, htons(53));
	assert_int_equal(spec.m_u.udp_ip4_spec.pdst, 0xffff);
	/* whoever asks, from whatever port */
	assert_int_equal(spec.m_u.udp_ip4_spec.ip4src, 0);
	assert_int_equal(spec.m_u.udp_ip4_spec.psrc, 0);
	assert_int_equal(spec.m_u.udp_ip4_spec.tos, 0);
	assert_int_equal(spec.m_ext.vlan_tci, 0);
}

static void test_spec_v6(void **state)
{
	struct xfn_steer_rule r = rule("fd00::7 65535 0");
	struct ethtool_rx_flow_spec spec;
	uint8_t ip[16], all[16];

	(void)state;
	inet_pton(AF_INET6, "fd00::7", ip);
	memset(all, 0xff, sizeof(all));
	xfn_steer__spec(&r, &spec);
	assert_int_equal(spec.flow_type, UDP_V6_FLOW);
	assert_memory_equal(spec.h_u.udp_ip6_spec.ip6dst, ip, 16);
	assert_memory_equal(spec.m_u.udp_ip6_spec.ip6dst, all, 16);
	assert_int_equal(spec.h_u.udp_ip6_spec.pdst, 0xffff);
	assert_int_equal(spec.m_u.udp_ip6_spec.pdst, 0xffff);
	memset(all, 0, sizeof(all));
	assert_memory_equal(spec.m_u.udp_ip6_spec.ip6src, all, 16);
	assert_int_equal(spec.m_u.udp_ip6_spec.psrc, 0);
}

/* What a driver tells of our rule is ours; a narrower one, or another queue's, is somebody's. */
static void test_same(void **state)
{
	struct xfn_steer_rule v4 = rule("192.0.2.7 53 3"), v6 = rule("fd00::7 53 3");
	struct ethtool_rx_flow_spec a, b;

	(void)state;
	xfn_steer__spec(&v4, &a);
	b = a;
	b.location = 17;
	b.h_u.udp_ip4_spec.psrc = 99; /* masked */
	assert_true(xfn_steer__same(&a, &b));
	b.m_u.udp_ip4_spec.psrc = 0xffff;
	assert_false(xfn_steer__same(&a, &b));
	b = a;
	b.ring_cookie = 2;
	assert_false(xfn_steer__same(&a, &b));
	b = a;
	b.flow_type = TCP_V4_FLOW;
	assert_false(xfn_steer__same(&a, &b));
	b = a;
	b.m_u.udp_ip4_spec.ip4src = 0xff;
	assert_false(xfn_steer__same(&a, &b));
	xfn_steer__spec(&v6, &b);
	assert_false(xfn_steer__same(&a, &b));
	xfn_steer__spec(&v6, &a);
	assert_true(xfn_steer__same(&a, &b));
	b.h_u.udp_ip6_spec.ip6dst[3] ^= 1;
	assert_false(xfn_steer__same(&a, &b));
}

static void test_text(void **state)
{
	static const char *const good[] = { "192.0.2.7 53 3", "fd00::7 65535 63", "0.0.0.0 1 0" };
	static const char *const bad[] = {
		"", "192.0.2.7", "192.0.2.7 53", "192.0.2 53 3", "fd00::g 1 1", "192.0.2.7 65536 1"
	};
	char text[XFN_JOURNAL_TEXT];
	struct xfn_steer_rule r;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		r = rule(good[i]);
		xfn_steer__text(&r, text);
		assert_string_equal(text, good[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(xfn_steer__parse(bad[i], &r));
}

static void test_place(void **state)
{
	static const uint32_t used[] = { 7, 0, 6, 3 };

	(void)state;
	assert_int_equal(xfn_steer__place(8, NULL, 0), 7);
	assert_int_equal(xfn_steer__place(8, used, 4), 5);
	assert_int_equal(xfn_steer__place(1, used, 4), -1);
	assert_int_equal(xfn_steer__place(0, NULL, 0), -1);
}

static void test_zero_copy(void **state)
{
	static const struct {
		const char *driver;
		bool alone, beside;
	} drivers[] = { { "mlx5_core", true, true },   { "i40e", true, true },
			{ "igc", true, true },	       { "ixgbe", true, false },
			{ "virtio_net", true, false }, { "ice", false, false },
			{ "ena", false, false },       { "veth", false, false },
			{ "", false, false } };
	char why[240];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(drivers); i++) {
		const char *driver = drivers[i].driver;

		assert_int_equal(xfn_zero_copy__wanted(XFN_ZERO_COPY_AUTO, driver, true, false, why,
						       sizeof(why)),
				 drivers[i].alone);
		assert_true(strstr(why, driver));
		assert_int_equal(xfn_zero_copy__wanted(XFN_ZERO_COPY_AUTO, driver, true, true, why,
						       sizeof(why)),
				 drivers[i].beside);
		assert_true(xfn_zero_copy__wanted(XFN_ZERO_COPY_ALWAYS, driver, true, true, why,
						  sizeof(why)));
		assert_false(xfn_zero_copy__wanted(XFN_ZERO_COPY_NEVER, driver, true, false, why,
						   sizeof(why)));
		assert_false(xfn_zero_copy__wanted(XFN_ZERO_COPY_ALWAYS, driver, false, false, why,
						   sizeof(why)));
	}
}

/*
 * A NIC with a table of flow rules, behind the ioctl: no card and no driver of this kernel has one.
 * `huge`: it tells of so many rules that there is no memory to list them.
 */
static struct {
	struct ethtool_rx_flow_spec rule[8];
	bool stands[8], huge;
} nic;

static unsigned standing(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 8; i++)
		n += nic.stands[i];
	return n;
}

static int nic_ioctl(struct ethtool_rxnfc *cmd)
{
	uint32_t at = cmd->fs.location;

	switch (cmd->cmd) {
	case ETHTOOL_GFLAGS:
		((struct ethtool_value *)cmd)->data = ETH_FLAG_NTUPLE;
		return 0;
	case ETHTOOL_GRXCLSRLCNT:
		cmd->rule_cnt = nic.huge ? 1u << 30 : standing();
		cmd->data = 8;
		return 0;
	case ETHTOOL_GRXCLSRLALL:
		cmd->rule_cnt = 0;
		for (unsigned i = 0; i < 8; i++)
			if (nic.stands[i])
				cmd->rule_locs[cmd->rule_cnt++] = i;
		return 0;
	case ETHTOOL_GRXCLSRULE:
		cmd->fs = nic.rule[at % 8];
		return 0;
	case ETHTOOL_SRXCLSRLINS:
		nic.rule[at % 8] = cmd->fs;
		nic.stands[at % 8] = true;
		return 0;
	case ETHTOOL_SRXCLSRLDEL:
		nic.stands[at % 8] = false;
		return 0;
	}
	errno = EOPNOTSUPP;
	return -1;
}

/* In place of the C library's, for eth9 alone. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == SIOCETHTOOL && !strcmp(((struct ifreq *)arg)->ifr_name, "eth9"))
		return nic_ioctl((void *)((struct ifreq *)arg)->ifr_data);
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

/* From now on nothing of a gigabyte can be allocated; or again as before. */
static void memory_is_short(bool on)
{
	static struct rlimit before;
	struct rlimit now = { .rlim_cur = 512ul << 20 };

	if (on)
		assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	now.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_AS, on ? &now : &before), 0);
}

static char folder[64]; /* of the journal */

static int set_up(void **state)
{
	(void)state;
	memset(&nic, 0, sizeof(nic));
	snprintf(folder, sizeof(folder), "/tmp/xfn-steer-XXXXXX");
	return !mkdtemp(folder) || setenv("XFN_RUNTIME_DIR", folder, 1);
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder); /* fails where a journal was left */
}

static void skip_under_sanitizer(void)
{
#if defined(__SANITIZE_ADDRESS__)
	skip();
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	skip();
#endif
#endif
}

/* Neither is a rule given up that cannot be removed, nor is one forgotten that cannot be set. */
static void test_follow_without_memory(void **state)
{
	struct xfn_steer_rule was[] = { rule("192.0.2.7 53 3"), rule("fd00::7 53 2") },
			      now[] = { rule("192.0.2.7 53 3"), rule("192.0.2.8 53 3") };
	static const struct xfn_journal_kind nic_kinds[] = { { "rule", xfn_steer__undo }, {} };
	struct xfn_steer_left left;
	struct xfn_journal *j;
	struct xfn_steer *s;
	struct xfn_error err = { 0 };

	(void)state;
	skip_under_sanitizer();
	assert_int_equal(xfn_journal__open("eth9", nic_kinds, &j, &err), 0);
	assert_int_equal(xfn_steer__open("eth9", "gem", j, &s, &err), 0);
	left = xfn_steer__follow(s, was, 2, &err);
	assert_int_equal(left.missing + left.stale, 0);
	assert_int_equal(standing(), 2);
	memory_is_short(true);
	nic.huge = true;
	left = xfn_steer__follow(s, now, 2, &err);
	memory_is_short(false);
	nic.huge = false;
	assert_int_equal(left.missing, 1);
	assert_int_equal(left.stale, 1);
	assert_true(left.again);
	assert_non_null(
		strstr(err.line, "cannot set the flow rule '192.0.2.8 53 3' of driver gem"));
	assert_int_equal(standing(), 2);
	assert_int_equal(xfn_journal__count("eth9"), 2);
	left = xfn_steer__follow(s, now, 2, &err);
	assert_int_equal(left.missing + left.stale, 0);
	assert_int_equal(standing(), 2);
	assert_int_equal(xfn_steer__count(s), 2);
	assert_int_equal(xfn_journal__count("eth9"), 2);
	xfn_steer__close(s);
	xfn_journal__close(j);
	assert_int_equal(standing(), 0);
}

/* Where the rules of now cannot be made, those of before stand, and it is tried again. */
static void test_rules_stay_without_memory(void **state)
{
	struct xfn_local_address served[1] = { { .ip = { [10] = 0xff, 0xff, 192, 0, 2, 7 } } };
	struct xfn_interface_state interface = {
		.iface = { .name = "eth9", .driver = "gem", .queues = 4 },
		.local = served,
		.local_count = 1,
	};
	/* there is a loader: no more is looked at */
	struct xfn_attachment attachment = { .loader = (struct xfn_loader *)served };
	struct xfn_functions *functions;
	struct xfn_events loop = {};
	struct xfn_ingress *ing;
	struct xfn_module mod = { .attr = { .name = "one", .port = 53 } };
	const struct xfn_run_module one = { .path = "one.xfn", .mod = &mod };
	struct xfn_run_options opts = { .links.zero_copy = XFN_ZERO_COPY_NEVER,
					.links.steer_count = 1,
					.modules = &one,
					.module_count = 1 };
	struct xfn_error err = { 0 };

	(void)state;
	skip_under_sanitizer();
	assert_int_equal(xfn_functions__open(&opts, &functions, &err), 0);
	xfn_functions__set_tier(functions, 0, XFN_TIER_AFXDP, NULL, "");
	ing = xfn_ingress__make(&opts, &loop, &interface, &attachment, functions);
	assert_non_null(ing);
	if (xfn_nic_features__begin(ing, &err))
		fail_msg("%s", err.line);
	assert_int_equal(standing(), 1);
	assert_null(loop.timers);
	memory_is_short(true);
	interface.local_count = 1u << 28; /* none of which is looked at */
	xfn_nic_features__follow(ing);
	interface.local_count = 1;
	memory_is_short(false);
	assert_int_equal(standing(), 1);
	assert_non_null(loop.timers);
	assert_in_range(loop.timers->at_ns, xfn_now_ns() + 1, xfn_now_ns() + 2000000000);
	xfn_nic_features__follow(ing);
	assert_int_equal(standing(), 1);
	assert_null(loop.timers);
	xfn_nic_features__end(ing);
	assert_int_equal(standing(), 0);
	xfn_ingress__close(ing);
	xfn_functions__close(functions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec_v4),
		cmocka_unit_test(test_spec_v6),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_zero_copy),
		cmocka_unit_test_setup_teardown(test_follow_without_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_stay_without_memory, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
