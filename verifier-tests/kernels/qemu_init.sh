#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Init of the machines that qemu.sh boots: what the tests need of a system, the tests, the end marker.
/bin/busybox --install -s /bin 2>/dev/null
export PATH=/bin HOME=/
mount -t devtmpfs devtmpfs /dev
exec </dev/ttyS0 >/dev/ttyS0 2>&1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir /run/netns
cd /xfn && while read -r module; do insmod "/modules/$module.ko"; done <modules
ip link set lo up
# shellcheck disable=SC2046 # they are words
verifier-tests/run.sh $(cat tests) | tee /tmp/out
tail -n 1 /tmp/out | sed -n "s/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped\$/KERNEL-CHECK-END $(uname -r) passed=\1 failed=\2 skipped=\3/p"
poweroff -f
