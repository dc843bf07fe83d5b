# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `make help` lists the targets. Everything built goes to build/.
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

CC ?= cc
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu17 -Wall -Wextra -Werror $(CFLAGS)
BUILD := build

ifeq ($(V),1)
Q :=
say =
else
Q := @
say = @printf '  %-8s %s\n' '$(1)' '$(2)';
endif

TESTS := $(patsubst verifier-tests/%.c,$(BUILD)/tests/%,$(wildcard verifier-tests/test_*.c))

help: ## these lines
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' $(MAKEFILE_LIST)

check: ## install what is missing, build and run the tests
	$(Q)tools/packages.sh
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)verifier-tests/run.sh $(TESTS)

tests: $(TESTS)

$(BUILD)/tests/%: verifier-tests/%.c $(wildcard functions/*.h xdp/*.h skel/*.h userspace/*.h)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -DXFN_NATIVE $< -o $@ -lcmocka

clean: ## remove build/
	$(call say,CLEAN,$(BUILD))
	$(Q)rm -rf $(BUILD)

.PHONY: help check tests clean
.DEFAULT_GOAL := help
