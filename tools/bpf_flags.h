/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How clang compiles a function for the kernel, whatever the object is for. */
#ifndef XFN_BPF_FLAGS_H
#define XFN_BPF_FLAGS_H

#include "command.h"

/*
 * Words of an argv[]: the compiler, and what holds for every kernel half (xdp/function_bpf.h). One
 * that crashes leaves no files behind.
 */
#define XFN_BPF_CLANG                                                                              \
	(char *)xfn_command__clang(), (char *)"-target", (char *)"bpf", (char *)"-mcpu=v3",        \
		(char *)"-O2", (char *)"-g", (char *)"-ffreestanding",                             \
		(char *)"-fno-delete-null-pointer-checks", (char *)"-fwrapv",                      \
		(char *)"-fsigned-char", (char *)"-fno-color-diagnostics",                         \
		(char *)"-fno-caret-diagnostics", (char *)"-fno-crash-diagnostics",                \
		(char *)"-Werror=implicit-function-declaration"

#endif
