#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The suites that boot machines of their own, where those can be had. KERNELS=0 leaves them out.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
if [ "${KERNELS:-1}" = 0 ]; then
	echo "[  SKIPPED ] kernels: KERNELS=0"
	exit 0
fi
if [ -n "${SANITIZE:-}" ]; then
	echo "[  SKIPPED ] kernels: sanitized programs are too slow in an emulated machine"
	exit 0
fi
for machines in kernels offload; do
	"verifier-tests/kernels/$machines.sh" || bad=1
done
exit $bad
