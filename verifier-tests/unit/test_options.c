// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Numbers, lists and payloads of a command line, and a verb's table: what is stored, and every error line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../suite.h"
#include "../../tools/arguments/number.h"
#include "../../tools/arguments/payload.h"
#include "../../tools/cli/options.h"
#include "../../tools/cli/output.h"
#include "../../userspace/host/hex.h"

static void numbers(void **state)
{
	static const char *const none[] = { "",	  "-1",	 "+1",
					    " 1", "1 ",	 "0x1",
					    "1.", "one", "18446744073709551617" };
	unsigned n = 7;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(none); i++)
		assert_false(xfn_number__whole(none[i], 0, UINT64_MAX, &n));
	assert_int_equal(n, 7);
	assert_true(xfn_number__whole("0", 0, 9, &n) && n == 0);
	assert_true(xfn_number__whole("4294967295", 1, UINT64_MAX, &n) && n == UINT32_MAX);
	assert_false(xfn_number__whole("4294967296", 1, UINT64_MAX, &n));
	assert_false(xfn_number__whole("10", 0, 9, &n));
	assert_false(xfn_number__whole("0", 1, 9, &n));
}

static void reals(void **state)
{
	double n = 7;

	(void)state;
	assert_true(xfn_number__real("0.5", 0.1, 1, &n) && n == 0.5);
	assert_false(xfn_number__real("0.05", 0.1, 1, &n));
	assert_false(xfn_number__real("nan", 0.1, 1, &n));
	assert_false(xfn_number__real("1s", 0.1, 1, &n));
	assert_false(xfn_number__real("", 0, 1, &n));
}

static void ranges(void **state)
{
	static const char *const none[] = { "", "0", "9", "4-1", "1-9", "1-", "-4", "1-2-3" };
	unsigned first = 0, last = 0;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(none); i++)
		assert_false(xfn_number__range(none[i], 1, 8, &first, &last));
	assert_true(xfn_number__range("3", 1, 8, &first, &last) && first == 3 && last == 3);
	assert_true(xfn_number__range("1-8", 1, 8, &first, &last) && first == 1 && last == 8);
}

static void lists(void **state)
{
	static const char *const none[] = { "",	   "0-", "1-0",	  "a",	 "0,,1",  "0,",	 "-1",
					    "0x1", "64", "0-1-1", "1;2", "0-999", "1,1", "0-4" };
	uint16_t got[4];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(xfn_number__list(none[i], 63, true, got, 4), -EINVAL);
	assert_int_equal(xfn_number__list("18446744073709551616", 63, true, got, 4), -EINVAL);
	assert_int_equal(xfn_number__list("7,2-3", 63, true, got, 4), 3);
	assert_int_equal(got[0], 7);
	assert_int_equal(got[2], 3);
	assert_int_equal(xfn_number__list("1,1,0-1", 63, false, got, 4), 4);
}

static void hex(void **state)
{
	uint8_t got[3];

	(void)state;
	assert_int_equal(xfn_hex__read("01 aB:ff\n", got, 3), 3);
	assert_memory_equal(got, "\x01\xab\xff", 3);
	assert_int_equal(xfn_hex__read("", got, 3), 0);
	assert_int_equal(xfn_hex__read("012", got, 3), -EINVAL);
	assert_int_equal(xfn_hex__read("0g", got, 3), -EINVAL);
	assert_int_equal(xfn_hex__read("01020304", got, 3), -EMSGSIZE);
}

static const char *not_even(const char *value)
{
	return strlen(value) % 2 ? "an odd length; give an even one" : NULL;
}

struct options {
	bool flag, json;
	int verbose, family, choice, queue;
	unsigned number, names, addresses, workers[2], cpus;
	double seconds;
	const char *text, *engine, *name[2], *address[2];
	uint16_t cpu[4];
};

static const struct xfn_choice letters[] = { { "a", 1 }, { "b", 2 }, { "c", 3 }, {} };
static const struct xfn_choice speeds[] = { { "fast", 0 }, { "slow", 0 }, {} };
static const struct xfn_option options[] = {
	XFN_OPTION("flag", 0, NULL, XFN_TO_FLAG(struct options, flag), NULL, .needs = "text name"),
	XFN_OPTION("verbose", 'v', NULL, XFN_TO_COUNT(struct options, verbose), NULL),
	XFN_OPTIONS_HEADING("A heading:"),
	XFN_OPTION("four", '4', NULL, XFN_TO_VALUE(struct options, family, 4), NULL),
	XFN_OPTION("six", '6', NULL, XFN_TO_VALUE(struct options, family, 6), NULL),
	XFN_OPTION("choice", 0, NULL, XFN_TO_CHOICE(struct options, choice, letters), NULL),
	XFN_OPTION("engine", 0, NULL, XFN_TO_TEXT(struct options, engine), NULL, .choices = speeds),
	XFN_OPTION("queue", 0, "N", XFN_TO_INTEGER(struct options, queue, 0, 9), NULL),
	XFN_OPTION("number", 0, "N", XFN_TO_NUMBER(struct options, number, 10, 20), NULL,
		   .zero = true),
	XFN_OPTION("seconds", 0, "S", XFN_TO_REAL(struct options, seconds, 0.01, 5), NULL,
		   .unit = "seconds"),
	XFN_OPTION("workers", 0, "N", XFN_TO_RANGE(struct options, workers, 1, 8), NULL),
	XFN_OPTION("cpus", 0, "LIST", XFN_TO_LIST(struct options, cpu, cpus, 9, "CPUs"), NULL),
	XFN_OPTION("text", 0, "T", XFN_TO_TEXT(struct options, text), NULL, .optional = true,
		   .excludes = "number seconds"),
	XFN_OPTION("name", 'n', "NAME", XFN_TO_TEXTS(struct options, name, names), NULL,
		   .once = true),
	XFN_OPTION("address", 0, "ADDR", XFN_TO_ADDRESSES(struct options, address, addresses), NULL,
		   .unfit = not_even),
	XFN_OPTION("even", 0, "T", XFN_TO_TEXT(struct options, text), NULL, .unfit = not_even),
	XFN_OPTION_JSON(struct options, json),
	{}
};

static const struct xfn_verb verb = {
	.name = "try",
	.arguments = "ONE [TWO]",
	.least = 1,
	.most = 2,
	.missing = "names nothing; give ONE",
	.doc = "Tries.",
	.example = "xfn try it",
	.options = options,
	.size = sizeof(struct options),
};

/* What parsing a line of words (no blanks in any) comes to; `printed` is all that was printed. */
static int parse(const struct xfn_verb *of, const char *line, struct options *opts,
		 struct xfn_words *words, char printed[512])
{
	static char copy[256];
	char *argv[32] = { "try" }, *save = NULL;
	int argc = 1, status, out = dup(1), err = dup(2), pipes[2];
	ssize_t n;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	*opts = (struct options){ .queue = -1 };
	fflush(NULL);
	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], 1);
	dup2(pipes[1], 2);
	status = xfn_options__parse(of, argc, argv, opts, words);
	fflush(NULL);
	dup2(out, 1);
	dup2(err, 2);
	close(pipes[1]);
	n = read(pipes[0], printed, 511);
	printed[n < 0 ? 0 : n] = '\0';
	close(pipes[0]);
	close(out);
	close(err);
	return status;
}

static void stored(void **state)
{
	struct options opts;
	struct xfn_words words;
	char printed[512];

	(void)state;
	assert_int_equal(parse(&verb,
			       "-vv one -6 --choice=b --engine slow --queue 0 --number 0 "
			       "--seconds 0.5 --workers 2-3 --cpus 9,1-2 -n x -ny --address [::12] "
			       "--address 10.0.0.1 two",
			       &opts, &words, printed),
			 0);
	assert_string_equal(printed, "");
	assert_int_equal(opts.verbose, 2);
	assert_int_equal(opts.family, 6);
	assert_int_equal(opts.choice, 2);
	assert_string_equal(opts.engine, "slow");
	assert_int_equal(opts.queue, 0);
	assert_int_equal(opts.number, 0);
	assert_true(opts.seconds == 0.5);
	assert_true(opts.workers[0] == 2 && opts.workers[1] == 3);
	assert_true(opts.cpus == 3 && opts.cpu[0] == 9 && opts.cpu[2] == 2);
	assert_true(opts.names == 2 && !strcmp(opts.name[1], "y"));
	assert_true(opts.addresses == 2 && !strcmp(opts.address[0], "::12"));
	assert_true(words.count == 2 && !strcmp(words.word[1], "two") && !words.word[2]);
	free(words.word);
	assert_int_equal(parse(&verb, "--text --flag -- -v", &opts, &words, printed), 0);
	assert_true(opts.flag && !strcmp(opts.text, "") && opts.queue == -1);
	assert_string_equal(words.word[0], "-v");
	free(words.word);
}

static void refused(void **state)
{
	static const char *const lines[][2] = {
		{ "one --queue 10", "--queue '10': take 0 to 9" },
		{ "one --number 9", "--number '9': take 10 to 20, or 0" },
		{ "one --seconds 6", "--seconds '6': take 0.01 to 5 seconds" },
		{ "one --workers 9", "--workers '9': take 1 to 8, or two of them, as 1-4" },
		{ "one --cpus 1-", "--cpus '1-': take CPUs and ranges of them up to 9, 4 at most, "
				   "as 2,4-7" },
		{ "one --choice d", "--choice 'd': take a, b or c" },
		{ "one --engine warp", "--engine 'warp': take fast or slow" },
		{ "one -n x -n x", "--name 'x': given twice; leave one out" },
		{ "one -n x -n y -n z", "--name 'z': give at most 2" },
		{ "one --address 10.0", "--address '10.0': no IPv4 or IPv6 address; give one" },
		{ "one --address ::1", "--address '::1': an odd length; give an even one" },
		{ "one --even x", "--even 'x': an odd length; give an even one" },
		{ "one --flag", "--flag: needs --text; add it" },
		{ "one --text --seconds 1", "give one of --text, --number and --seconds" },
		{ "", "names nothing; give ONE" },
		{ "one two three", "'three': takes ONE [TWO]" },
	};
	char printed[512], want[160], with_json[160];
	struct options opts;
	struct xfn_words words;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(parse(&verb, lines[i][0], &opts, &words, printed), XFN_EXIT_USAGE);
		snprintf(want, sizeof(want), "xfn try: %s\n", lines[i][1]);
		assert_string_equal(printed, want);
		free(words.word);
		/* -j at the end holds for what stands before it */
		snprintf(with_json, sizeof(with_json), "%s -j", lines[i][0]);
		assert_int_equal(parse(&verb, with_json, &opts, &words, printed), XFN_EXIT_USAGE);
		assert_non_null(strstr(printed, "{\n  \"error\": {\n    \"message\": \""));
		free(words.word);
	}
}

/* Behind the first word stands a command, whose options are its own. */
static void command(void **state)
{
	struct xfn_verb lab = verb;
	struct options opts;
	struct xfn_words words;
	char printed[512];

	(void)state;
	lab.command = true;
	lab.most = XFN_ANY_NUMBER;
	assert_int_equal(parse(&lab, "-v run -v -- ls -v --nonsense", &opts, &words, printed), 0);
	assert_int_equal(opts.verbose, 2);
	assert_int_equal(words.count, 4);
	assert_string_equal(words.word[1], "ls");
	assert_string_equal(words.word[3], "--nonsense");
	free(words.word);
}

XFN_SUITE(cmocka_unit_test(numbers), cmocka_unit_test(reals), cmocka_unit_test(ranges),
	  cmocka_unit_test(lists), cmocka_unit_test(hex), cmocka_unit_test(stored),
	  cmocka_unit_test(refused), cmocka_unit_test(command))
