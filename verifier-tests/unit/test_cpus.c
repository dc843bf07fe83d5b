// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which CPU handles a queue's interrupt, from /proc and /sys as drivers fill them. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../userspace/host/cpus.h"

static char root[64];

static void put(const char *path, const char *text)
{
	char whole[256], *slash;
	FILE *f;

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	for (slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(whole, 0755);
	}
	f = fopen(whole, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* A CPU that this process may run on. */
static int some_cpu(void)
{
	cpu_set_t set;
	int cpu = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	return cpu;
}

static void direct(unsigned irq, const char *to)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/irq/%u/effective_affinity_list", irq);
	put(path, to);
}

static int setup(void **state)
{
	char cpu[16];

	(void)state;
	strcpy(root, "/tmp/xfn-cpus-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	put("proc/interrupts",
	    "           CPU0       CPU1       \n"
	    "  8:          0          0   IO-APIC   8-edge      rtc0\n"
	    " 30:        397          0 PCI-MSIX-0000:00:03.0   0-edge      virtio2-config\n"
	    " 31:        397          0 PCI-MSIX-0000:00:03.0   1-edge      virtio2-input.0\n"
	    " 32:        397          0 PCI-MSIX-0000:00:03.0   2-edge      virtio2-output.1\n"
	    " 33:        397          0 PCI-MSIX-0000:00:03.0   3-edge      virtio2-input.1\n"
	    " 40:          9          0 PCI-MSIX-0000:08:00.0   0-edge      mlx5_async0@pci:0000:08:00.0\n"
	    " 41:          9          0 PCI-MSIX-0000:08:00.0   1-edge      mlx5_comp0@pci:0000:08:00.0\n"
	    " 42:          9          0 PCI-MSIX-0000:09:00.0   1-edge      mlx5_comp0@pci:0000:09:00.0\n"
	    " 50:          9          0 PCI-MSI 50-edge      i40e-rx7-TxRx-0\n"
	    " 51:          9          0 PCI-MSI 51-edge      rx7-tx-1\n"
	    " 52:          9          0 PCI-MSI 52-edge      rx7-Tx-Rx-11\n"
	    " 53:          9          0 PCI-MSI 53-edge      rx70-TxRx-2\n"
	    " 54:          9          0 PCI-MSI 54-edge      rx7-3\n"
	    " 60:          9          0 PCI-MSI 60-edge      away-rx-0\n"
	    " 70:          9          0 PCI-MSI 70-edge      wide-rx-0\n"
	    " 71:          9          0 PCI-MSI 71-edge      wide-rx-1\n"
	    " 72:          9          0 PCI-MSI 72-edge      wide-rx-2\n"
	    "NMI:          0          0   Non-maskable interrupts\n");
	snprintf(cpu, sizeof(cpu), "%d\n", some_cpu());
	for (unsigned irq = 30; irq < 70; irq++)
		direct(irq, cpu);
	direct(70, "0-1\n");
	direct(71, "1023\n");
	put("sys/bus/0/msi_irqs/31", "msix\n");
	put("sys/bus/0/msi_irqs/32", "msix\n");
	put("sys/bus/0/virtio2/vendor", "");
	put("sys/class/net/veth/mtu", "");
	put("sys/class/net/away/mtu", ""); /* in a namespace, named as another's device */
	put("sys/class/net/rx7/device/vendor", "");
	put("sys/class/net/wide/device/vendor", "");
	put("sys/class/net/mel/device/msi_irqs/42", "msix\n");
	put("sys/class/net/eth0/mtu", "");
	return 0;
}

static int teardown(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static int of(const char *ifname, unsigned queue)
{
	return xfn_cpus__of_queue(root, ifname, queue);
}

static void by_list_of_interrupts(void **state)
{
	char link[128];

	(void)state;
	/* virtio: the list belongs to the device above */
	snprintf(link, sizeof(link), "%s/sys/class/net/eth0/device", root);
	assert_int_equal(symlink("../../../bus/0/virtio2", link), 0);
	assert_int_equal(of("eth0", 0), some_cpu());
	assert_int_equal(of("eth0", 1), -1); /* 33 is not on the list, 32 sends */
	assert_int_equal(of("eth0", 2), -1);
	assert_int_equal(of("mel", 0), some_cpu());
	direct(42, "1023\n");
	assert_int_equal(of("mel", 0), -1); /* 41 is another card's */
}

static void by_name(void **state)
{
	(void)state;
	assert_int_equal(of("rx7", 0), some_cpu());
	assert_int_equal(of("rx7", 1), -1); /* of sending only, whatever the interface's name */
	assert_int_equal(of("rx7", 11), some_cpu());
	assert_int_equal(of("rx7", 2), -1); /* rx70's */
	assert_int_equal(of("rx7", 3), some_cpu());
}

static void none(void **state)
{
	(void)state;
	assert_int_equal(of("veth", 0), -1);
	assert_int_equal(of("away", 0), -1);
	assert_int_equal(of("nix0", 0), -1);
	assert_int_equal(of("wide", 0), -1); /* several CPUs */
	assert_int_equal(of("wide", 1), -1); /* not ours */
	assert_int_equal(of("wide", 2), -1); /* the kernel does not say */
	assert_int_equal(xfn_cpus__of_queue("", "lo", 0), -1);
}

static void allowed(void **state)
{
	(void)state;
	assert_true(xfn_cpus__allowed((unsigned)some_cpu()));
	assert_false(xfn_cpus__allowed(XFN_CPUS_MAX - 1));
	assert_false(xfn_cpus__allowed(UINT32_MAX));
}

static void of_process(void **state)
{
	cpu_set_t old, one;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(old), &old), 0);
	CPU_ZERO(&one);
	CPU_SET(some_cpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(xfn_cpus__of_process(getpid()), some_cpu());
	assert_int_equal(sched_setaffinity(0, sizeof(old), &old), 0);
	if (CPU_COUNT(&old) > 1)
		assert_int_equal(xfn_cpus__of_process(getpid()), -1);
	assert_int_equal(xfn_cpus__node(-1), -1);
	assert_true(xfn_cpus__node(some_cpu()) >= -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_list_of_interrupts),
		cmocka_unit_test(by_name),
		cmocka_unit_test(none),
		cmocka_unit_test(allowed),
		cmocka_unit_test(of_process),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
