#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Under a kernel that offload.sh booted
cat /proc/modules; mount -t debugfs debugfs /sys/kernel/debug
echo "1 1" > /sys/bus/netdevsim/new_device
ip -d link; bpftool version; bpftool net
ls /sys/kernel/debug/netdevsim/netdevsim1/ /sys/kernel/debug/netdevsim/netdevsim1/ports/0
cd /xfn; build/xfn check -i eth0
echo '[       OK ] x'
