// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What makes two measurements on one machine alike: CPUs, sleep states, statistics. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include "machine.h"

void bench_machine__move(int cpu, bool idle)
{
	struct sched_param param = {};
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	sched_setscheduler(0, idle ? SCHED_IDLE : SCHED_OTHER, &param);
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

int bench_machine__quiet(void)
{
	const int32_t latency = 0;
	char stats[4] = "";
	FILE *f;
	int fd;

	setsid();
	write_to("/proc/self/autogroup", "-10");
	f = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");
	if (f && fscanf(f, "%3s", stats) == 1 && strcmp(stats, "0"))
		fprintf(stderr, "bench: kernel.bpf_stats_enabled is on and halves rates; `sysctl "
				"kernel.bpf_stats_enabled=0`\n");
	if (f)
		fclose(f);
	fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, &latency, sizeof(latency)) != sizeof(latency))
		fprintf(stderr, "bench: /dev/cpu_dma_latency: %s; round trips include waking up\n",
			strerror(errno));
	return fd;
}
