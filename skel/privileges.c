// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Capabilities that a process keeps. Must never know what for. */
#include <errno.h>
#include <stdbool.h>
#include <cap-ng.h>
#include "privileges.h"

#define SETS 3

int xfn_privileges__keep(const unsigned *caps, unsigned count)
{
	static const capng_type_t sets[SETS] = { CAPNG_EFFECTIVE, CAPNG_PERMITTED,
						 CAPNG_BOUNDING_SET };
	bool held[count ?: 1][SETS], may_bound;

	capng_get_caps_process();
	may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	for (unsigned i = 0; i < count; i++)
		for (unsigned s = 0; s < SETS; s++)
			held[i][s] = capng_have_capability(sets[s], caps[i]);
	/* inheritable capabilities, and with them ambient ones, are given up */
	capng_clear(CAPNG_SELECT_BOTH);
	for (unsigned i = 0; i < count; i++)
		for (unsigned s = 0; s < SETS; s++)
			if (held[i][s])
				capng_update(CAPNG_ADD, sets[s], caps[i]);
	/* first, while CAP_SETPCAP is held; a process without it keeps the bounding set it was
	 * given */
	if (may_bound)
		capng_apply(CAPNG_SELECT_BOUNDS);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}
