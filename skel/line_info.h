/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside skel/: line information of a BPF object. */
#ifndef XFN_LINE_INFO_H
#define XFN_LINE_INFO_H

#include <stddef.h>
#include <stdint.h>

/*
 * The column, counted from 1, that the object's program has for `line` of `source` (a path, of
 * which the file's name is compared) at instruction `insn` or the last one before it; 0: none.
 */
uint32_t xfn_line_info__column(const void *obj, size_t len, const char *source, uint32_t line,
			       uint32_t insn);

#endif
