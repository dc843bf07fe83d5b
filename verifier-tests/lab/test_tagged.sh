#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What others see of tagged requests: each is answered with its tag and right checksums, in every mode and
# engine, and none of them by the slow path. Knows only the command line.
suite=tagged
# shellcheck source=verifier-tests/lab/in_lab.sh
. "$(dirname "$0")/in_lab.sh"
raise
tagged || {
	echo "[  SKIPPED ] tagged: this kernel has no 802.1Q"
	exit 0
}
whole_checksums
hosts='10.97.0.1 [fd97::1]' sizes='0 1 1399' functions='echo time sha256'
seen 'vlan 5 and udp' tagged_native --mode native
seen 'vlan 5 and udp' tagged_generic --mode generic
seen 'vlan 5 and udp' tagged_afxdp --tier afxdp
seen 'vlan 5 and udp' tagged_afxdp_generic --tier afxdp --mode generic
seen 'vlan 5 and udp' tagged_uring --tier socket --engine uring
seen 'vlan 5 and udp' tagged_mmsg --tier socket --engine mmsg
seen 'vlan 5 and udp' tagged_simple --tier socket --engine simple
seen 'vlan 5 and udp' tagged_packet --engine packet
exit $bad
