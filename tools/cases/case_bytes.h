/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes as an author writes them in a file of cases. Words between blanks:
 *
 *	"text"		with \n \r \t \0 \" \\ \xHH
 *	00 01a2ff	hexadecimal pairs
 *	u8:7 u16:53 u32:1 u64:0x10	big-endian numbers
 *	*1400		the word before, 1400 times in all
 *	??		any byte (replies only)
 *	@file		what a file holds, beside the file of cases; of a capture (pcap, pcapng) the
 *			payload of its first UDP datagram, of `@file#3` that of its third
 *
 * Must never know what a case is.
 */
#ifndef XFN_CASE_BYTES_H
#define XFN_CASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../../skel/error.h"
#include "../../xdp/abi.h"

#define XFN_CASE_BYTES_MAX XFN_PAYLOAD_MAX

struct xfn_case_bytes {
	uint8_t *data; /* NULL: nothing was written yet */
	bool *any;     /* which bytes may have any value */
	size_t len, room;
	size_t last; /* where the last word begins */
	bool repeated;
};

/*
 * Append the words of `text` (changed on the way). `folder` is where @files are, `wild` whether ??
 * is allowed. 0, or -errno with err saying what is wrong with which word. The caller frees also
 * after an error.
 */
int xfn_case_bytes__add(struct xfn_case_bytes *b, char *text, const char *folder, bool wild,
			struct xfn_error *err);
void xfn_case_bytes__free(struct xfn_case_bytes *b);

/* The first byte of `got` that `want` does not allow, its length where all are; want->any counts.
 * `prefix`: bytes behind want's do not matter. -1: alike. */
long xfn_case_bytes__differ(const struct xfn_case_bytes *want, bool prefix, const uint8_t *got,
			    size_t len);

/* case_capture.c: the payload of the `nth` (from 1) UDP datagram of a capture, to out[room]. Its
 * length, -ENOEXEC: no capture, or another -errno with err filled. */
long xfn_case_capture__payload(const char *path, unsigned nth, uint8_t *out, size_t room,
			       struct xfn_error *err);

#endif
