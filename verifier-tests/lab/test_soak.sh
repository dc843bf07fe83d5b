#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A minute of soak: every load in every phase.
exec "$(dirname "$0")/soak.sh" 60
