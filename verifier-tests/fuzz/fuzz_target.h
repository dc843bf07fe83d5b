/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the two libFuzzer targets share. With FUZZER: a mutator that makes lengths and checksums
 * right again half of the time, so that what stands behind those checks is reached too. Without:
 * the replay of files (what libFuzzer left of a finding) and of generated inputs.
 */
#ifndef XFN_FUZZ_TARGET_H
#define XFN_FUZZ_TARGET_H

#include <stdio.h>
#include <stdlib.h>
#include "fuzz_input.h"

#ifdef FUZZER
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max, unsigned seed);

/* Lengths, port and checksums as a sender of these headers would have made them. */
static void fuzz_mend(uint8_t *f, size_t len)
{
	size_t l3 = 14, l4;
	int version;

	while (l3 + 4 <= len && l3 < 22 &&
	       (xfn_get_be16(f + l3 - 2) == 0x8100 || xfn_get_be16(f + l3 - 2) == 0x88a8))
		l3 += 4;
	if (len < l3 || (xfn_get_be16(f + l3 - 2) != 0x0800 && xfn_get_be16(f + l3 - 2) != 0x86dd))
		return;
	version = xfn_get_be16(f + l3 - 2) == 0x0800 ? 4 : 6;
	l4 = l3 + (version == 4 ? 20 : 40);
	if (len < l4 + 8)
		return;
	xfn_put_be16(f + l3 + (version == 4 ? 2 : 4),
		     (uint16_t)(version == 4 ? len - l3 : len - l4));
	xfn_put_be16(f + l4 + 2, 1232);
	xfn_put_be16(f + l4 + 4, (uint16_t)(len - l4));
	fuzz_repair(f, len, l3, version);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max, unsigned seed)
{
	len = LLVMFuzzerMutate(data, len, max);
	if (seed & 1)
		fuzz_mend(data, len);
	return len;
}
#else
/* Are the arguments COUNT SEED? A file whose name is a number is named as ./NUMBER. */
static bool fuzz_generated(int argc, char **argv)
{
	static const char digits[] = "0123456789";

	return argc == 2 && !argv[0][strspn(argv[0], digits)] && !argv[1][strspn(argv[1], digits)];
}

/* 0, or 1 where the file cannot be read. */
static int fuzz_file(const char *path, void (*one)(const uint8_t *data, size_t len))
{
	FILE *in = fopen(path, "re");
	uint8_t data[65536];
	size_t len;

	if (!in) {
		perror(path);
		return 1;
	}
	len = fread(data, 1, sizeof(data), in);
	if (ferror(in)) {
		perror(path);
		fclose(in);
		return 1;
	}
	fclose(in);
	one(data, len);
	return 0;
}

/* COUNT SEED or FILE...: runs those inputs. Returns how many, or -1 where a file cannot be read. */
static long fuzz_replay(int argc, char **argv, void (*one)(const uint8_t *data, size_t len))
{
	uint8_t frame[FUZZ_MAX];
	long count;

	if (!fuzz_generated(argc, argv)) {
		for (int i = 0; i < argc; i++)
			if (fuzz_file(argv[i], one))
				return -1;
		return argc;
	}
	count = strtol(argv[0], NULL, 10);
	fuzz_state = strtoul(argv[1], NULL, 10) | 1;
	for (long i = 0; i < count; i++)
		one(frame, fuzz_next(frame));
	return count;
}
#endif

#endif
