/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the compiler of functions is asked first, and how it leaves nothing of the stack in a reply. */
#ifndef XFN_COMPILER_H
#define XFN_COMPILER_H

#include <stddef.h>
#include "../../skel/error.h"
#include "../process/command.h"

/*
 * Ask the compiler for its version (one line) and for how it zeroes variables. 0, or -errno with
 * one line in err. Call before the flags below are used.
 */
int xfn_compiler__probe(char *version, size_t len, struct xfn_error *err);

/* As xfn_command__fault, of the compiler. */
int xfn_compiler__fault(int ret, const char *said, struct xfn_error *err);

/* The same where it was asked for a syntax tree: any failure is the compiler's, not the source's.
 */
int xfn_compiler__no_tree(int ret, const char *said, struct xfn_error *err);

/*
 * Words of an argv[]: every automatic variable begins as zeroes, its padding too, so that no byte
 * that a function forgot tells what the stack held, and both targets answer alike.
 */
#define XFN_ZEROES "-ftrivial-auto-var-init=zero"
/* What clang 14 and 15 want besides; XFN_ZEROES once more for those that want nothing. */
const char *xfn_compiler__zeroes(void);

/*
 * Words of an argv[]: the compiler, and what holds for every kernel half (xdp/function_bpf.h). One
 * that crashes leaves no files behind.
 */
#define XFN_COMPILER_BPF                                                                           \
	(char *)xfn_command__clang(), (char *)"-target", (char *)"bpf", (char *)"-mcpu=v3",        \
		(char *)"-O2", (char *)"-g", (char *)"-ffreestanding",                             \
		(char *)"-fno-delete-null-pointer-checks", (char *)"-fwrapv",                      \
		(char *)"-fsigned-char", (char *)XFN_ZEROES, (char *)xfn_compiler__zeroes(),       \
		(char *)"-fno-color-diagnostics", (char *)"-fno-caret-diagnostics",                \
		(char *)"-fno-crash-diagnostics", (char *)"-Werror=implicit-function-declaration"

#endif
