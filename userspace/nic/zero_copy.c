// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which drivers have zero copy that is known to work. */
#include "../../skel/array_size.h"
#include "zero_copy.h"

#include <stdio.h>
#include <string.h>

enum known {
	KNOWN_BAD,   /* not without being told */
	KNOWN_ALONE, /* where nothing sends by XDP_TX on that interface */
	KNOWN_GOOD,
};

/*
 * Which ring XDP_TX and a socket's replies go to, and who works it, is what the drivers' sources
 * say, as of Linux 6.12; none but virtio_net was run. A driver that is not here is one that nobody
 * has looked at.
 */
static const struct {
	const char *driver;
	enum known known;
	const char *reason;
} drivers[] = {
	{ "mlx5_core", KNOWN_GOOD,
	  "XDP_TX has a send queue of its own (sockets have the queues' own numbers since 6.2; before "
	  "that the kernel refuses)" },
	{ "i40e", KNOWN_GOOD,
	  "XDP_TX and sockets share a queue's ring, which only that queue's NAPI works" },
	{ "igc", KNOWN_GOOD, "XDP_TX and sockets share a ring under its lock" },
	{ "igb", KNOWN_GOOD, "XDP_TX and sockets share a ring under its lock (6.14 and later)" },
	{ "ixgbe", KNOWN_ALONE,
	  "XDP_TX goes to the ring of the CPU it runs on, which another queue's sockets may be "
	  "using, without a lock" },
	{ "virtio_net", KNOWN_ALONE,
	  "beside zero copy what is sent by XDP_TX is lost (seen on 7.2; zero copy since 6.13, where "
	  "the host offers VIRTIO_F_ACCESS_PLATFORM)" },
	{ "ice", KNOWN_BAD,
	  "with fewer rings than CPUs XDP_TX locks those it shares and sockets do not, and panics "
	  "under load beside other traffic are reported, as late as 7.0" },
	{ "st_gmac", KNOWN_BAD,
	  "a queue that once ran out of frames may stand still until its socket is polled" },
	{ "ena", KNOWN_BAD, "only Amazon's own driver has it, and resets under load are reported" },
};

bool xfn_zero_copy__wanted(enum xfn_zero_copy policy, const char *driver, bool native, bool xdp_tx,
			   char *why, size_t len)
{
	const char *name = *driver ? driver : "no driver";

	if (policy == XFN_ZERO_COPY_NEVER) {
		snprintf(why, len, "--zero-copy never");
		return false;
	}
	if (!native) {
		snprintf(why, len, "zero copy wants the dispatcher in native mode");
		return false;
	}
	if (policy == XFN_ZERO_COPY_ALWAYS) {
		snprintf(why, len, "--zero-copy always");
		return true;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (strcmp(drivers[i].driver, driver))
			continue;
		snprintf(why, len, "%s%s: %s", name,
			 drivers[i].known == KNOWN_ALONE && xdp_tx ?
				 ", with functions in the kernel beside" :
				 "",
			 drivers[i].reason);
		return drivers[i].known == KNOWN_GOOD ||
		       (drivers[i].known == KNOWN_ALONE && !xdp_tx);
	}
	snprintf(why, len, "%s is not among the drivers whose zero copy is known", name);
	return false;
}
