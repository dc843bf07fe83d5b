/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the compiler of functions is asked first, and how it leaves nothing of the stack in a reply. */
#ifndef XFN_COMPILER_H
#define XFN_COMPILER_H

#include <stddef.h>
#include "../../skel/error.h"
#include "../process/command.h"
#include "compiler_flags.h"

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

/* The flag beside XFN_FLAGS_ZEROES: XFN_FLAGS_ZEROES_TWICE for a clang that asks for it, else the
 * same once more. */
const char *xfn_compiler__zeroes(void);

/*
 * Words of an argv[]: the compiler, and what holds for every kernel half (xdp/function_bpf.h). One
 * that crashes leaves no files behind.
 */
#define XFN_COMPILER_BPF                                                                           \
	(char *)xfn_command__clang(), XFN_FLAGS_BPF, XFN_FLAGS_BOTH, XFN_FLAGS_ZEROES,             \
		(char *)xfn_compiler__zeroes(), "-fno-color-diagnostics",                          \
		"-fno-caret-diagnostics", "-fno-crash-diagnostics",                                \
		"-Werror=implicit-function-declaration"

#endif
