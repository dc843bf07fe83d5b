# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `make help` lists the targets. Everything built goes to build/.
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

CC = cc
CLANG := $(or $(CLANG),$(XFN_CLANG),clang)
export XFN_CLANG := $(CLANG)
BPFTOOL ?= bpftool
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
DESTDIR ?=
VERSION := 0.1# of the program, its pages and xfn.pc
BUILD := build$(if $(SANITIZE),/sanitize)

san := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer)
# with sanitizers gcc warns of paths that are none
ALL_CFLAGS = -std=gnu17 -Wall -Wextra $(if $(SANITIZE),,-Werror) -D_GNU_SOURCE -fPIC $(CFLAGS) $(san) -I$(BUILD)/skel
# the flags of functions, which `xfn build` has too
FLAGS_H := tools/compiler/compiler_flags.h
flags = $(shell $(CC) -E -dM $(FLAGS_H) | sed -n 's/^.define XFN_FLAGS_$(1) //p' | tr -d '",')
FLAGS_BPF := $(call flags,BPF)
FLAGS_BOTH := $(call flags,BOTH)
ZEROES := $(call flags,ZEROES)
BPF_CFLAGS = $(FLAGS_BPF) $(FLAGS_BOTH) -Wall -Werror -Ixdp

ifeq ($(V),1)
Q :=
say =
else
Q := @
say = @printf '  %-8s %s\n' '$(1)' '$(2)';
endif

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)))

# The rooms. Each is an archive, $(BUILD)/rooms/ROOM.a, of the folder's sources; behind the colon stand the rooms
# that it may include, which is what verifier-tests/arrows.sh holds the includes against. Programs link the rooms
# they need and no others: the worker knows no libbpf, since none of its rooms does. `make rooms` prints the table.
define ROOMS
functions:
xdp: functions
skel: xdp functions
userspace/host: skel/error.h skel/array_size.h xdp functions
userspace/sockets: userspace/host skel/error.h skel/array_size.h xdp functions
userspace/nic: userspace/host skel/error.h skel/array_size.h xdp functions
userspace/control: userspace/host skel/error.h skel/array_size.h
userspace/call: userspace/protocol/page.h userspace/host skel/module.h skel/error.h skel/array_size.h xdp functions
userspace/engine: userspace/call/datagram.h userspace/protocol/engine_stats.h userspace/host skel/error.h skel/array_size.h xdp functions
userspace/protocol: userspace/engine userspace/call userspace/host skel/error.h skel/array_size.h xdp functions
userspace/worker: skel/module.h skel/sealed_copy.h userspace/protocol userspace/engine userspace/call userspace/host skel/error.h skel/array_size.h xdp functions
userspace/supervisor/functions: userspace/supervisor/options.h userspace/sockets/udp_socket.h userspace/host/ip.h skel xdp functions
userspace/supervisor/interface: userspace/supervisor/options.h userspace/sockets/udp_socket.h userspace/host skel/error.h skel/array_size.h
userspace/supervisor/attachment: userspace/supervisor/functions userspace/supervisor/interface userspace/supervisor/options.h userspace/host skel xdp functions
userspace/supervisor/ingress: userspace/supervisor/attachment userspace/supervisor/interface userspace/supervisor/functions userspace/supervisor/options.h userspace/call/datagram.h userspace/control/control.h userspace/nic userspace/sockets userspace/host skel xdp functions
userspace/supervisor/workers: userspace/supervisor/ingress userspace/supervisor/attachment userspace/supervisor/interface userspace/supervisor/functions userspace/supervisor/options.h userspace/worker/sandbox.h userspace/protocol userspace/engine userspace/call userspace/sockets userspace/host skel xdp functions
userspace/supervisor/requests: userspace/supervisor/workers userspace/supervisor/ingress userspace/supervisor/attachment userspace/supervisor/interface userspace/supervisor/functions userspace/supervisor/options.h userspace/control/control.h userspace/protocol userspace/engine userspace/call userspace/nic userspace/sockets userspace/host skel xdp functions
userspace/supervisor: userspace/supervisor/requests userspace/supervisor/workers userspace/supervisor/ingress userspace/supervisor/attachment userspace/supervisor/interface userspace/supervisor/functions userspace/control/control.h userspace/nic userspace/sockets userspace/host skel xdp functions
tools/process: userspace/host skel/error.h skel/array_size.h
tools/arguments: userspace/sockets userspace/host skel/error.h skel/array_size.h functions
tools/host: tools/process userspace/engine userspace/nic userspace/host skel xdp
tools/load: userspace/worker/sandbox.h userspace/call userspace/host skel xdp functions
tools/cases: userspace/worker/sandbox.h userspace/call userspace/host skel xdp functions
tools/compiler: tools/arguments tools/process userspace/worker/sandbox.h userspace/supervisor userspace/sockets userspace/call userspace/host skel xdp functions
tools/cli: tools/compiler tools/cases tools/load tools/host tools/arguments tools/process userspace/supervisor userspace/supervisor/ingress/nic_features.h userspace/control userspace/engine userspace/protocol/engine_stats.h userspace/host skel xdp functions
tools/bench: tools/arguments tools/load tools/process skel/error.h skel/array_size.h
tools/demo: tools/process userspace/host skel/error.h skel/array_size.h
tools/man: userspace/protocol/engine_stats.h skel xdp
tools/templates: functions
endef
export ROOMS

sources = $(filter-out %.bpf.c,$(wildcard $(1)/*.c))
SUPERVISOR := $(addprefix userspace/supervisor/,requests workers ingress attachment interface functions)
rooms = $(patsubst %,$(BUILD)/rooms/%.a,$(1))
ARCHIVED := skel $(addprefix userspace/,host sockets nic control call engine protocol worker supervisor) \
	$(SUPERVISOR) $(addprefix tools/,process arguments host load cases compiler cli bench demo)
ALL_OBJS := $(foreach room,$(ARCHIVED),$(call objects,$(call sources,$(room))))

# in the order of the arrows: a room stands before those that it uses
WORKER_ROOMS := $(call rooms,userspace/worker userspace/protocol userspace/engine userspace/call userspace/host skel)
BASE_ROOMS := $(call rooms,$(addprefix tools/,compiler cases load host arguments process) \
	userspace/supervisor $(SUPERVISOR) $(addprefix userspace/,control nic worker protocol engine call sockets host) skel)
XFN_ROOMS := $(call rooms,tools/cli) $(BASE_ROOMS)
DEMO_ROOMS := $(call rooms,tools/demo tools/process userspace/host skel)
BENCH_ROOMS := $(call rooms,tools/bench tools/load tools/arguments tools/process userspace/host skel)
BENCH_LIBS := -lbpf -lxdp -ljansson -lm

XFN_LIBS := -lbpf -lxdp -lelf -lz -ljansson -lmnl -luring -lseccomp -lcap-ng -lcrypto -lpcap -ldl
WORKER_LIBS := -lseccomp -lcap-ng -luring -ldl
DEMO_LIBS := -ljansson -lnettle

BPF_OBJS := $(patsubst xdp/%.bpf.c,$(BUILD)/xdp/%.bpf.o,$(wildcard xdp/*.bpf.c))
SKELS := $(patsubst $(BUILD)/xdp/%.bpf.o,$(BUILD)/skel/%.skel.h,$(BPF_OBJS)) $(BUILD)/skel/bench.skel.h
MODULES := $(patsubst functions/%.c,$(BUILD)/functions/%.xfn,$(wildcard functions/*.c))
TESTS := $(foreach f,$(wildcard verifier-tests/*/test_*.c),$(BUILD)/tests/$(basename $(notdir $(f))))
LEDGER := $(BUILD)/tests/ledger
# both targets of the kernel-capable functions, for the suite that compares them
HALVES := $(foreach f,echo reverse time,$(BUILD)/functions/$(f).so $(BUILD)/functions/$(f).bpf.o)
FUZZERS := $(addprefix $(BUILD)/fuzz/,differential native parser)
LIBFUZZERS := $(addprefix $(BUILD)/fuzz/,libfuzzer libfuzzer-parser)
FUZZ_HEADERS := $(wildcard verifier-tests/*/*.h xdp/*.h userspace/*/*.h functions/*.h)
FUZZED := verifier-tests/fuzz/fuzz_native.c userspace/call/call.c userspace/call/native_load.c skel/error.c
NATIVES := $(patsubst functions/%.c,$(BUILD)/functions/%.so,$(wildcard functions/*.c))
zeroes = $(ZEROES) $(shell $(CLANG) $(ZEROES) -Werror -fsyntax-only -x c /dev/null 2>/dev/null || echo $(call flags,ZEROES_TWICE))
BOTH_CFLAGS = $(FLAGS_BOTH) -Wall -Werror $(zeroes) -Ifunctions -Ixdp
SHELL_TESTS := verifier-tests/arrows.sh verifier-tests/test_lint.sh $(wildcard verifier-tests/*/test_*.sh)
PROGRAMS := $(BUILD)/xfn $(BUILD)/xfn-worker $(BUILD)/demo $(BUILD)/bench

# install what is missing, then build $(1)
ready = $(Q)tools/packages.sh && $(MAKE) -j$$(nproc) --no-print-directory $(1)

all: $(PROGRAMS) $(BPF_OBJS) $(MODULES) $(BUILD)/man/made ## build everything (SANITIZE=address,undefined; V=1)

run: ## install what is missing, build, and show every tier answering
	$(call ready,all)
	$(Q)if [ "$$(id -u)" = 0 ]; then exec $(BUILD)/xfn lab run -n xfndemo -- $(BUILD)/demo; \
	else exec $(BUILD)/demo; fi

check: ## install what is missing, build and run the tests (KERNELS=0: none in QEMU; SANITIZE=address,undefined)
	$(call ready,all tests)
	$(Q)XFN_BUILD=$(BUILD) verifier-tests/run.sh $(TESTS) $(SHELL_TESTS)

# the unit suites that compile a hundred sources take a minute, the others seconds
SLOW_UNITS := classify rules author explain
UNITS := $(filter-out $(SLOW_UNITS:%=test_%),$(basename $(notdir $(wildcard verifier-tests/unit/test_*.[cs]*))))
QUICK_C := $(patsubst verifier-tests/unit/%.c,$(BUILD)/tests/%,$(wildcard $(UNITS:%=verifier-tests/unit/%.c)))
QUICK_SH := verifier-tests/arrows.sh verifier-tests/test_lint.sh $(wildcard $(UNITS:%=verifier-tests/unit/%.sh))

quick: ## unit tests, includes, format: what to run after each edit (under 30 s once it is built)
	$(call ready,all $(HALVES) $(NATIVES) $(QUICK_C))
	$(Q)XFN_BUILD=$(BUILD) verifier-tests/run.sh $(QUICK_C) $(QUICK_SH)

test: ## T=NAME: one suite, such as T=call, T=guard or T=arrows
	$(if $(T),,$(error name a suite: make test T=call; verifier-tests/*/test_*))
	$(eval suite := $(firstword $(wildcard verifier-tests/*/test_$(T).sh verifier-tests/*/test_$(T).c verifier-tests/test_$(T).sh verifier-tests/$(T).sh)))
	$(if $(suite),,$(error no suite of the name $(T); they are verifier-tests/*/test_*))
	$(call ready,all $(HALVES) $(NATIVES) $(if $(filter %.c,$(suite)),$(BUILD)/tests/test_$(T),tests))
	$(Q)XFN_BUILD=$(BUILD) verifier-tests/run.sh $(if $(filter %.c,$(suite)),$(BUILD)/tests/test_$(T),$(suite))

tests: $(TESTS) $(LEDGER) $(HALVES) $(FUZZERS) $(NATIVES) $(NATIVES:$(BUILD)/functions/%=$(BUILD)/fuzz/%)

fixtures: ## write verifier-tests/fixtures anew
	$(Q)mkdir -p $(BUILD)/fuzz verifier-tests/fixtures
	$(Q)$(CC) $(ALL_CFLAGS) -DXFN_NATIVE verifier-tests/unit/make_fixtures.c -o $(BUILD)/fuzz/make_fixtures
	$(Q)$(BUILD)/fuzz/make_fixtures verifier-tests/fixtures

fuzz: ## SECONDS=60: generated inputs against both targets, sanitizers and libFuzzer
	$(call ready,all tests $(LIBFUZZERS))
	$(Q)XFN_BUILD=$(BUILD) verifier-tests/fuzz/fuzz.sh $(or $(SECONDS),60)

soak: ## SECONDS=60: load above capacity and below in turn; then workers, frames and memory are counted
	$(call ready,all)
	$(Q)XFN_BUILD=$(BUILD) verifier-tests/lab/soak.sh $(or $(SECONDS),60)

check-kernels: ## fixtures, ledger, tiers, addresses and tagged requests under Debian's kernels 6.1 and 6.12 in QEMU
	$(call ready,all tests)
	$(Q)XFN_BUILD=$(BUILD) verifier-tests/kernels/kernels.sh

check-compilers: ## the same tiers, rules and lines, replies and loads with clang 14, 19 and 22
	$(call ready,all)
	$(Q)XFN_BUILD=$(BUILD) verifier-tests/compilers.sh

SOURCES := $(wildcard $(foreach d,/ /*/ /*/*/,$(addsuffix $(d)*.[ch],functions xdp skel userspace tools)))

lint: ## format and shell scripts, as clang-format 14 and shellcheck see them; long and deep functions
	$(Q)tools/packages.sh lint
	$(Q)verifier-tests/function_sizes.sh $(SOURCES)
	$(Q)clang-format --dry-run -Werror $(SOURCES) $(wildcard verifier-tests/*.[ch] $(addsuffix /*.[ch],$(addprefix verifier-tests/,unit lab fuzz kernels)))
	$(Q)shellcheck -x -S warning .ci/run tools/*.sh verifier-tests/*.sh verifier-tests/*/*.sh

ledger: ## write verifier-tests/kernels/ledger.csv anew: what each kernel program costs the verifier, kernel by kernel
	$(call ready,all tests)
	$(Q)XFN_BUILD=$(BUILD) verifier-tests/kernels/ledger.sh

check-offload: ## the path to a network card that runs programs, with the kernel's own stand-in (netdevsim) in QEMU
	$(call ready,all)
	$(Q)XFN_BUILD=$(BUILD) verifier-tests/kernels/offload.sh

logs: $(BUILD)/tests/write_logs ## write verifier-tests/logs anew: this kernel's verifier, and those of 6.1 and 6.12 in QEMU
	$(Q)tools/packages.sh kernels
	$(Q)XFN_BUILD=$(BUILD) verifier-tests/kernels/logs.sh

$(BUILD)/fuzz/differential: verifier-tests/fuzz/fuzz_differential.c $(BASE_ROOMS) | $(SKELS)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -DXFN_NATIVE -MMD -MP -rdynamic $< $(linked) -o $@ $(LDFLAGS) $(XFN_LIBS)

# their own copies of what they test, instrumented
$(BUILD)/fuzz/native: $(FUZZED)
$(BUILD)/fuzz/parser: verifier-tests/fuzz/fuzz_parser.c
$(BUILD)/fuzz/native $(BUILD)/fuzz/parser: $(FUZZ_HEADERS)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -DXFN_NATIVE -fsanitize=address,undefined -fno-sanitize-recover=all -rdynamic $(filter %.c,$^) -o $@ $(LDFLAGS) -ldl

bench: ## QUICK=1, ROUNDS=5: every tier, engine and peer side by side, with tables and plots
	$(Q)tools/packages.sh bench
	$(Q)$(MAKE) -j$$(nproc) --no-print-directory all
	$(Q)$(BUILD)/bench $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS)) -f $(BUILD)/figures
	$(Q)$(BUILD)/bench --report tools/bench_floors.csv -f $(BUILD)/figures || true

bench-check: ## hold the figures of the last bench against tools/bench_floors.csv
	$(Q)$(BUILD)/bench --report tools/bench_floors.csv -f $(BUILD)/figures

rooms: ## the rooms, each with those it may include
	@printf '%s\n' "$$ROOMS"

help: ## these lines
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(firstword $(MAKEFILE_LIST))

# A room stands before those it uses. Some tests use only parts that no other room needs: they get all of it.
linked = $(filter %.a,$^)

$(BUILD)/xfn: $(BUILD)/obj/tools/cli/xfn.o $(XFN_ROOMS)
	$(call say,LD,$@)
	$(Q)$(CC) $(san) -rdynamic $^ -o $@ $(LDFLAGS) $(XFN_LIBS)

$(BUILD)/xfn-worker: $(BUILD)/obj/userspace/worker/worker.o $(WORKER_ROOMS)
	$(call say,LD,$@)
	$(Q)$(CC) $(san) -rdynamic $^ -o $@ $(LDFLAGS) $(WORKER_LIBS)

$(BUILD)/demo: $(BUILD)/obj/tools/demo/demo.o $(DEMO_ROOMS)
	$(call say,LD,$@)
	$(Q)$(CC) $(san) $^ -o $@ $(LDFLAGS) $(DEMO_LIBS)

$(BUILD)/bench: $(BUILD)/obj/tools/bench/bench.o $(BENCH_ROOMS)
	$(call say,LD,$@)
	$(Q)$(CC) $(san) $^ -o $@ $(LDFLAGS) $(BENCH_LIBS)

define archive
$(BUILD)/rooms/$(1).a: $(call objects,$(call sources,$(1)))
endef
$(foreach room,$(ARCHIVED),$(eval $(call archive,$(room))))

$(BUILD)/rooms/%.a:
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c | $(SKELS)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# what another compiler made is made again
$(BUILD)/compiler: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo "$(CLANG)" | cmp -s - $@ || echo "$(CLANG)" >$@

$(BPF_OBJS) $(BUILD)/xdp/bench.bpf.o $(MODULES) $(NATIVES) $(NATIVES:.so=.bpf.o): $(BUILD)/compiler $(FLAGS_H)

$(BUILD)/xdp/%.bpf.o: xdp/%.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

# holds what `xfn new` writes
$(BUILD)/obj/tools/cli/verb_new.o: $(wildcard tools/templates/*)

# the bench's own side of the wire
$(BUILD)/xdp/bench.bpf.o: tools/load/bench.bpf.c tools/load/bench_shared.h
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/skel/%.skel.h: $(BUILD)/xdp/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

# the rules' pages as string literals, one per rule
$(BUILD)/skel/rule_pages.h: $(wildcard tools/rules/*.txt)
	$(call say,PAGES,$@)
	$(Q)mkdir -p $(@D)
	$(Q)for f in $^; do echo "[XFN_RULE_$$(basename $$f .txt)] ="; \
		sed 's/\\/\\\\/g;s/"/\\"/g;s/^/"/;s/$$/\\n"/' $$f; echo ,; done >$@

$(BUILD)/obj/tools/cli/explain_rule.o: $(BUILD)/skel/rule_pages.h

$(BUILD)/skel/version.h: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '#define XFN_VERSION "$(VERSION)"' | cmp -s - $@ || echo '#define XFN_VERSION "$(VERSION)"' >$@

$(BUILD)/obj/tools/cli/xfn.o: $(BUILD)/skel/version.h

$(BUILD)/functions/%.xfn: functions/%.c functions/xfn.h $(wildcard xdp/*.h) userspace/call/function_native.h userspace/call/request.h \
		$(call rooms,tools/compiler tools/process skel) | $(BUILD)/xfn
	$(call say,XFN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BUILD)/xfn build $< -o $@

# what verbs say of themselves, and what tools/man has to add
$(BUILD)/man/tables: tools/man/tables.c skel/reason_text.c skel/rules.h xdp/reason.h xdp/abi.h userspace/protocol/engine_stats.h $(BUILD)/skel/rule_pages.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c,$^) -o $@

# what the program says of itself: new only where it says something else
$(BUILD)/man/said: $(BUILD)/xfn
	$(Q)mkdir -p $(@D)
	$(Q){ $< --help; for verb in $$($< --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'); do $< $$verb --help; done; } >$@.new
	$(Q)if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(BUILD)/man/made: $(BUILD)/man/said $(BUILD)/man/tables $(wildcard tools/man/*)
	$(call say,MAN,$(@D))
	$(Q)tools/man/pages.sh $(BUILD)/xfn $(BUILD)/man/tables $(@D) $(VERSION)
	$(Q)touch $@

define test_of
$(BUILD)/tests/$(basename $(notdir $(1))): $(1)
endef
$(foreach f,$(wildcard verifier-tests/*/test_*.c verifier-tests/kernels/*.c),$(eval $(call test_of,$(f))))

$(TESTS) $(LEDGER) $(BUILD)/tests/write_logs: $(XFN_ROOMS) | $(SKELS)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -DXFN_NATIVE -MMD -MP -rdynamic $(filter %.c,$^) $(linked) -o $@ $(LDFLAGS) $(XFN_LIBS) -lnettle -lcmocka

$(BUILD)/functions/%.so: functions/%.c functions/xfn.h $(wildcard xdp/*.h) userspace/call/function_native.h userspace/call/request.h
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BOTH_CFLAGS) -fPIC -shared -fvisibility=hidden -DXFN_NATIVE -Iuserspace \
		-include userspace/call/function_native.h $< -o $@ \
		$$(sed -n 's/^XFN_LINK("\(.*\)").*/\1/p' $< | xargs -r -d '\n' pkg-config --cflags --libs)

$(BUILD)/functions/%.bpf.o: functions/%.c functions/xfn.h $(wildcard xdp/*.h)
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FLAGS_BPF) $(BOTH_CFLAGS) -include xdp/function_bpf.h -c $< -o $@

# a function's native code, instrumented too
$(BUILD)/fuzz/%.so: functions/%.c functions/xfn.h $(wildcard xdp/*.h) userspace/call/function_native.h userspace/call/request.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS_BOTH) -O1 -fPIC -shared -fvisibility=hidden -DXFN_NATIVE -fsanitize=address,undefined \
		-fno-sanitize-recover=all $(ZEROES) -Ifunctions \
		-include userspace/call/function_native.h $< -o $@ \
		$$(sed -n 's/^XFN_LINK("\(.*\)").*/\1/p' $< | xargs -r -d '\n' pkg-config --cflags --libs)

$(BUILD)/fuzz/libfuzzer: $(FUZZED)
$(BUILD)/fuzz/libfuzzer-parser: verifier-tests/fuzz/fuzz_parser.c
$(LIBFUZZERS): $(FUZZ_HEADERS)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -std=gnu17 -D_GNU_SOURCE -O1 -g -DFUZZER -DXFN_NATIVE -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -rdynamic $(filter %.c,$^) -o $@ -ldl

install: all ## PREFIX=/usr/local DESTDIR=
	$(Q)install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin libexec/xfn include lib/xfn/functions lib/pkgconfig \
		share/xfn/xdp share/xfn/userspace/call share/xfn/functions \
		share/man/man1 share/man/man5 share/man/man7 share/bash-completion/completions)
	$(Q)install -m 755 $(BUILD)/xfn $(DESTDIR)$(PREFIX)/bin/
	$(Q)install -m 755 $(BUILD)/xfn-worker $(DESTDIR)$(PREFIX)/libexec/xfn/
	$(Q)install -m 644 $(MODULES) $(DESTDIR)$(PREFIX)/lib/xfn/functions/
	$(Q)install -m 644 functions/xfn.h $(DESTDIR)$(PREFIX)/include/
	$(Q)for h in xdp/*.h userspace/call/function_native.h userspace/call/request.h functions/xfn.h; do \
		install -m 644 $$h $(DESTDIR)$(PREFIX)/share/xfn/$$h || exit; done
	$(Q)for s in 1 5 7; do \
		install -m 644 $(BUILD)/man/man$$s/* $(DESTDIR)$(PREFIX)/share/man/man$$s/ || exit; done
	$(Q)install -m 644 tools/completion/xfn $(DESTDIR)$(PREFIX)/share/bash-completion/completions/
	$(Q)sed 's|@PREFIX@|$(PREFIX)|;s|@VERSION@|$(VERSION)|' xfn.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/xfn.pc

uninstall: ## remove what install put there
	$(Q)rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/xfn include/xfn.h lib/pkgconfig/xfn.pc share/bash-completion/completions/xfn)
	$(Q)rm -f $(foreach s,1 5 7,$(DESTDIR)$(PREFIX)/share/man/man$(s)/xfn.$(s) $(DESTDIR)$(PREFIX)/share/man/man$(s)/xfn-*.$(s))
	$(Q)rm -rf $(addprefix $(DESTDIR)$(PREFIX)/,libexec/xfn lib/xfn share/xfn)

clean: ## remove build/
	$(call say,CLEAN,$(BUILD))
	$(Q)rm -rf $(BUILD)

-include $(ALL_OBJS:.o=.d) $(BPF_OBJS:.o=.d) $(TESTS:=.d) $(LEDGER).d $(BUILD)/tests/write_logs.d $(BUILD)/fuzz/differential.d

.PHONY: all rooms quick test logs run bench bench-check check check-kernels check-offload check-compilers lint ledger soak tests fixtures fuzz help install uninstall clean FORCE
.DEFAULT_GOAL := all
