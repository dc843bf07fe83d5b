/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flags that functions are compiled with, by `xfn build`, by the Makefile and by
 * verifier-tests/kernels/logs.sh. Must never include anything.
 */
#ifndef XFN_COMPILER_FLAGS_H
#define XFN_COMPILER_FLAGS_H

/* Both targets compute alike, and the compiler deletes no check as one of undefined behaviour. */
#define XFN_FLAGS_BOTH "-O2", "-g", "-fno-delete-null-pointer-checks", "-fwrapv", "-fsigned-char"
#define XFN_FLAGS_BPF  "-target", "bpf", "-mcpu=v3", "-ffreestanding"

/*
 * Every automatic variable begins as zeroes, its padding too, so that no byte that a function forgot
 * tells what the stack held, and both targets answer alike. clang 14 and 15 ask to be told twice.
 */
#define XFN_FLAGS_ZEROES "-ftrivial-auto-var-init=zero"
#define XFN_FLAGS_ZEROES_TWICE                                                                     \
	"-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang"

#endif
