#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The soak, as short as it can be and still have every load in every phase.
exec "$(dirname "$0")/soak.sh" 10
