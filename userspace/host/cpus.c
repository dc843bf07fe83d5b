// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* CPUs: interrupts of queues, NUMA nodes. Changes nothing. */
#include <ctype.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cpus.h"

#define NODES_MAX 64

bool xfn_cpus__allowed(unsigned cpu)
{
	cpu_set_t set;

	return cpu < CPU_SETSIZE && !sched_getaffinity(0, sizeof(set), &set) &&
	       CPU_ISSET(cpu, &set);
}

/* The only number in a file, -1: none, or a list. */
static int only(const char *path)
{
	FILE *f = fopen(path, "re");
	int n = -1;
	char more;

	if (f) {
		if (fscanf(f, "%d%c", &n, &more) == 2 && more != '\n')
			n = -1;
		fclose(f);
	}
	return n;
}

/*
 * Does an interrupt of that name belong to the RX queue? Drivers say "eth0-TxRx-3", "ens5-Tx-Rx-3",
 * "eth0-rx-3", "i40e-eth0-TxRx-3", "virtio2-input.3", "mlx5_comp3@pci:0000:08:00.0", "eth0-3".
 */
static bool names_queue(const char *name, const char *ifname, unsigned queue)
{
	size_t len = strcspn(name, "@ \n"), digits = len, own = strlen(ifname);
	char kind[64];

	while (digits && isdigit((unsigned char)name[digits - 1]))
		digits--;
	if (digits == len || digits >= sizeof(kind) || strtoul(name + digits, NULL, 10) != queue)
		return false;
	memcpy(kind, name, digits);
	kind[digits] = '\0';
	if (digits == own + 1 && !strncmp(kind, ifname, own) && kind[own] == '-')
		return true;
	/* the interface's own name may hold anything */
	return strcasestr(strncmp(kind, ifname, own) ? kind : kind + own, "rx") ||
	       strstr(kind, "input") || strstr(kind, "_comp");
}

/* Is it the interface's? By its device's list of interrupts, else by its name in that of the
 * interrupt. */
static bool is_own(const char *root, const char *ifname, unsigned irq, const char *name)
{
	/* virtio's interrupts are those of the device above */
	static const char *const lists[] = { "msi_irqs", "../msi_irqs" };
	const char *at = strstr(name, ifname);
	char path[256];

	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/sys/class/net/%s/device/%s", root, ifname,
			 lists[i]);
		if (access(path, F_OK))
			continue;
		snprintf(path, sizeof(path), "%s/sys/class/net/%s/device/%s/%u", root, ifname,
			 lists[i], irq);
		return !access(path, F_OK);
	}
	return at && (at == name || at[-1] == '-') && at[strlen(ifname)] == '-';
}

static int cpu_of_irq(const char *root, unsigned irq)
{
	char path[256];
	int cpu;

	snprintf(path, sizeof(path), "%s/proc/irq/%u/effective_affinity_list", root, irq);
	cpu = only(path);
	return cpu >= 0 && xfn_cpus__allowed((unsigned)cpu) ? cpu : -1;
}

int xfn_cpus__of_queue(const char *root, const char *ifname, unsigned queue)
{
	char path[256], *line = NULL;
	size_t room = 0;
	int cpu = -1;
	FILE *f;

	/* A virtual link has no device, and another namespace's may have its name. */
	snprintf(path, sizeof(path), "%s/sys/class/net/%s/device", root, ifname);
	if (access(path, F_OK))
		return -1;
	snprintf(path, sizeof(path), "%s/proc/interrupts", root);
	f = fopen(path, "re");
	while (f && cpu < 0 && getline(&line, &room, f) > 0) {
		char *name, *end;
		unsigned long irq = strtoul(line, &end, 10);

		if (end == line || *end != ':')
			continue;
		line[strcspn(line, "\n")] = '\0';
		name = strrchr(line, ' ');
		if (name && names_queue(name + 1, ifname, queue) &&
		    is_own(root, ifname, (unsigned)irq, name + 1))
			cpu = cpu_of_irq(root, (unsigned)irq);
	}
	free(line);
	if (f)
		fclose(f);
	return cpu;
}

int xfn_cpus__node(int cpu)
{
	char path[96];

	for (int node = 0; cpu >= 0 && node < NODES_MAX; node++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/node%d", cpu, node);
		if (!access(path, F_OK))
			return node;
	}
	return -1;
}

int xfn_cpus__of_process(int pid)
{
	cpu_set_t set;

	if (sched_getaffinity(pid, sizeof(set), &set) || CPU_COUNT(&set) != 1)
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			return cpu;
	return -1;
}
