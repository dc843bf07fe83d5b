// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What one interface's NIC and driver do for AF_XDP workers. Changes nothing. */
#include "host.h"

#include <string.h>
#include "../../userspace/nic/journal.h"
#include "../../userspace/nic/flow_rules.h"
#include "../../userspace/nic/zero_copy.h"

#define NETDEV_XDP_ACT_XSK_ZEROCOPY (1 << 3) /* of linux/netdev.h, since 6.3 */

static void zero_copy(struct xfn_host_facts *facts, const struct xfn_interface *ifc,
		      const uint64_t *features)
{
	bool wanted, alone, can = !features || *features & NETDEV_XDP_ACT_XSK_ZEROCOPY;
	const char *driver = *ifc->driver ? ifc->driver : "an interface without a driver";
	char why[240];

	alone = xfn_zero_copy__wanted(XFN_ZERO_COPY_AUTO, ifc->driver, true, false, why,
				      sizeof(why));
	wanted = alone && xfn_zero_copy__wanted(XFN_ZERO_COPY_AUTO, ifc->driver, true, true, why,
						sizeof(why));
	if (!can)
		xfn_host__add(facts, "zero copy", "none: %s has it not, or not in this kernel",
			      driver);
	else if (wanted)
		xfn_host__add(facts, "zero copy", "tried by `xfn run`; %s", why);
	else if (alone)
		xfn_host__add(facts, "zero copy",
			      "tried by `xfn run` unless functions run in the kernel; %s", why);
	else
		xfn_host__add(facts, "zero copy", "%s with --zero-copy always; %s",
			      features ? "only" : "this kernel does not tell; tried only", why);
}

static void flow_rules(struct xfn_host_facts *facts, const struct xfn_interface *ifc)
{
	int rules = xfn_steer__rules(ifc->name);

	if (rules < 0)
		xfn_host__add(facts, "flow rules", "none: %s takes none, so there is no --steer",
			      *ifc->driver ? ifc->driver : "an interface without a driver");
	else
		xfn_host__add(facts, "flow rules", "--steer can be tried; %d stand now", rules);
}

void xfn_host__nic_features(struct xfn_host_facts *facts, const struct xfn_interface *ifc,
			    const uint64_t *features)
{
	int left = xfn_journal__count(ifc->name);

	zero_copy(facts, ifc, features);
	flow_rules(facts, ifc);
	if (left > 0)
		xfn_host__missing(xfn_host__add(facts, "changed by xfn run",
						"%d settings or flow rules of this interface",
						left),
				  "it changes them back when it ends; if it was killed, the next "
				  "one does, or xfn check -i %s --undo",
				  ifc->name);
}
