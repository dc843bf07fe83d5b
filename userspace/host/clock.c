// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* How far TAI is ahead of UTC here, and when that changes. */
#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "../../xdp/units.h"
#include "clock.h"

uint64_t xfn_clock__tai_offset_ns(void)
{
	struct timespec tai, utc;
	int64_t ns;

	clock_gettime(CLOCK_REALTIME, &utc);
	clock_gettime(CLOCK_TAI, &tai);
	ns = (tai.tv_sec - utc.tv_sec) * (int64_t)XFN_NSEC_PER_SEC + tai.tv_nsec - utc.tv_nsec;
	/* some time passed between the two readings */
	return ns > 0 ?
		       ((uint64_t)ns + XFN_NSEC_PER_SEC / 2) / XFN_NSEC_PER_SEC * XFN_NSEC_PER_SEC :
		       0;
}

/* Never runs out; ends with ECANCELED when the clock is set. */
static int arm(int fd)
{
	const struct itimerspec far = { .it_value = { .tv_sec = INT32_MAX } };

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

int xfn_clock__watch(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (arm(fd)) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

void xfn_clock__taken(int fd)
{
	uint64_t ticks;

	while (read(fd, &ticks, sizeof(ticks)) > 0)
		;
	arm(fd);
}
