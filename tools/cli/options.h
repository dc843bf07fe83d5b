/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A verb is one table: what it is for, its options, its arguments. Parsing, --help, the manual page
 * and completion are made of it. Every value is checked here, with one wording:
 * "--rate '0': take 1 to 100000000". Must never know what an option means.
 */
#ifndef XFN_OPTIONS_H
#define XFN_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define XFN_OPTIONS_MAX 64 /* of a verb */

enum xfn_option_type {
	XFN_HEADING, /* no option: .help heads those behind it in --help */
	XFN_FLAG,    /* bool: given */
	XFN_COUNT,   /* int: how often */
	XFN_VALUE,   /* int: .value, of several options that set the same member */
	XFN_TEXT,    /* const char * */
	XFN_ADDRESS, /* const char *: IPv4 or IPv6, brackets taken off */
	XFN_CHOICE,  /* int: the value of one of .choices */
	XFN_NUMBER,  /* unsigned, or int where "not given" is below .min: .min to .max */
	XFN_REAL,    /* double: .min to .max */
	XFN_RANGE,   /* unsigned[2]: "N" or "N-MAX", .min to .max each */
	XFN_LIST,    /* uint16_t[.room], .count: "2,4-7", up to .max */
};

struct xfn_choice {
	const char *name; /* NULL behind the last */
	int value;
};

struct xfn_option {
	const char *name;     /* long */
	int key;	      /* its letter, 0: none */
	const char *argument; /* in --help; a choice's is made of its names */
	const char *help;
	enum xfn_option_type type;
	size_t offset; /* of the member in the verb's struct */
	size_t count;  /* of the unsigned that counts, for a list and for what is repeated */
	unsigned room; /* XFN_TEXT and XFN_ADDRESS: may be repeated so often; 0: the last counts */
	bool once;     /* of several values none twice */
	bool optional; /* the argument may be left out, and is "" then */
	bool zero;     /* 0 too, below .min */
	int value;
	double min, max;
	const char *unit;		  /* of a number: "microseconds"; of a list: "CPUs" */
	const struct xfn_choice *choices; /* of XFN_TEXT too, if the name is the value */
	/* XFN_TEXT and XFN_ADDRESS: what is wrong with a value, and what to give; NULL: nothing */
	const char *(*unfit)(const char *value);
	const char
		*completes;   /* "interface", "module", "shipped", "served", "rule", or ".c .xfn" */
	const char *needs;    /* one of these must be given too: "standalone offload" */
	const char *needed;   /* how those that need this one say so: "an interface; name ..." */
	const char *excludes; /* none of these may be given too: "rate flood" */
};

/*
 * A row of a table: name, letter or 0, argument's name or NULL, where the value goes, help, and any
 * members above that it has besides.
 */
#define XFN_OPTION(n, k, a, to, h, ...)                                                            \
	{                                                                                          \
		.name = (n), .key = (k), .argument = (a), to, .help = (h), __VA_ARGS__             \
	}
#define XFN_OPTIONS_HEADING(h)                                                                     \
	{                                                                                          \
		.help = (h)                                                                        \
	}

/* Where the value goes: member `m` of struct `s`, whose type is checked. */
#define XFN_AT_(t, ctype, s, m)                                                                    \
	.type = (t), .offset = offsetof(s, m) + 0 * sizeof(char[_Generic(&((s *)0)->m, ctype : 1)])
#define XFN_BETWEEN_(low, high) .min = (low), .max = (high)
#define XFN_TO_FLAG(s, m)	XFN_AT_(XFN_FLAG, bool *, s, m)
#define XFN_TO_COUNT(s, m)	XFN_AT_(XFN_COUNT, int *, s, m)
#define XFN_TO_TEXT(s, m)	XFN_AT_(XFN_TEXT, const char **, s, m)
#define XFN_TO_NUMBER(s, m, low, high)                                                             \
	XFN_AT_(XFN_NUMBER, unsigned *, s, m), XFN_BETWEEN_(low, high)
#define XFN_TO_INTEGER(s, m, low, high) XFN_AT_(XFN_NUMBER, int *, s, m), XFN_BETWEEN_(low, high)
#define XFN_TO_REAL(s, m, low, high)	XFN_AT_(XFN_REAL, double *, s, m), XFN_BETWEEN_(low, high)
#define XFN_TO_RANGE(s, m, low, high)                                                              \
	XFN_AT_(XFN_RANGE, unsigned(*)[2], s, m), XFN_BETWEEN_(low, high)
/* An int, or an enum of that size. */
#define XFN_TO_INT_(t, s, m)                                                                       \
	.type = (t),                                                                               \
	.offset = offsetof(s, m) + 0 * sizeof(char[sizeof(((s *)0)->m) == sizeof(int) ? 1 : -1])
#define XFN_TO_CHOICE(s, m, list) XFN_TO_INT_(XFN_CHOICE, s, m), .choices = (list)
#define XFN_TO_VALUE(s, m, v)	  XFN_TO_INT_(XFN_VALUE, s, m), .value = (v)
/* An array, with the member `n` that counts. */
#define XFN_TO_EACH_(t, ctype, s, m, n)                                                            \
	.type = (t),                                                                               \
	.offset = offsetof(s, m) + 0 * sizeof(char[_Generic(&((s *)0)->m[0], ctype : 1)]),         \
	.count = offsetof(s, n) + 0 * sizeof(char[_Generic(&((s *)0)->n, unsigned * : 1)]),        \
	.room = sizeof(((s *)0)->m) / sizeof(((s *)0)->m[0])
#define XFN_TO_TEXTS(s, m, n)	  XFN_TO_EACH_(XFN_TEXT, const char **, s, m, n)
#define XFN_TO_ADDRESSES(s, m, n) XFN_TO_EACH_(XFN_ADDRESS, const char **, s, m, n)
#define XFN_TO_LIST(s, m, n, high, what)                                                           \
	XFN_TO_EACH_(XFN_LIST, uint16_t *, s, m, n), .max = (high), .unit = (what)

/* What most verbs have. */
#define XFN_NEEDED_INTERFACE  "an interface; name it with -i"
#define XFN_OPTION_JSON(s, m) XFN_OPTION("json", 'j', NULL, XFN_TO_FLAG(s, m), "Print JSON")
#define XFN_OPTION_INTERFACE(s, m, h)                                                              \
	XFN_OPTION("interface", 'i', "IFACE", XFN_TO_TEXT(s, m), h, .completes = "interface",      \
		   .needed = XFN_NEEDED_INTERFACE)

#define XFN_ANY_NUMBER UINT_MAX

/* The words that are no options, in order. */
struct xfn_words {
	char **word; /* NULL behind the last */
	unsigned count;
};

struct xfn_verb {
	const char *name;
	const char *summary;	 /* in `xfn --help` */
	const char *arguments;	 /* "NAME [PAYLOAD]", NULL: none is taken */
	unsigned least, most;	 /* of them */
	const char *missing;	 /* what is wrong with fewer, and what to give */
	const char *completes;	 /* as an option's; words to offer: "=up down" */
	bool command;		 /* behind the first word stands a command with its own options */
	const char *doc, *notes; /* --help, before the options and behind them */
	const char *example;	 /* of further lines each begins with two blanks */
	const struct xfn_option *options;		/* NULL name and help behind the last */
	size_t size;					/* of the struct that run() is given */
	const void *defaults;				/* such a struct, NULL: all zero */
	int (*run)(void *opts, struct xfn_words words); /* exit status */
};

/*
 * Defines a verb: its name, the type of the struct that run() is given, its table, run(), and
 * members above. XFN_WORDS is of its arguments.
 */
#define XFN_VERB(verb, s, table, function, ...)                                                    \
	const struct xfn_verb xfn_verb_##verb = { .name = #verb,                                   \
						  .options = (table),                              \
						  .size = sizeof(s),                               \
						  .run = (function),                               \
						  __VA_ARGS__ }
#define XFN_WORDS(usage, at_least, at_most, offered, otherwise)                                    \
	.arguments = (usage), .least = (at_least), .most = (at_most), .completes = (offered),      \
	.missing = (otherwise)

/*
 * Parse argv (argv[0] is the verb's name) and run the verb. Exit status; calls exit for --help and
 * for an option that there is not. Error lines, in JSON where -j stands anywhere among the options.
 */
int xfn_verb__run(const struct xfn_verb *verb, int argc, char **argv);

/*
 * The same without running: `opts` holds the verb's defaults. 0, or the exit status of a usage
 * error, which has been printed. words->word is the caller's to free.
 */
int xfn_options__parse(const struct xfn_verb *verb, int argc, char **argv, void *opts,
		       struct xfn_words *words);

/* A usage error "NAME 'VALUE': what to do"; value may be NULL. Returns XFN_EXIT_USAGE. */
int xfn_options__bad(const char *verb, bool json, const char *name, const char *value,
		     const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * One line for each option, for completion: its names, a tab, and what may be its value: "-" none,
 * "=" and words to choose from, else as .completes. The last line, ":", is of the arguments.
 */
void xfn_options__print(const struct xfn_verb *verb, FILE *to);

/* options_help.c: --help, or with `brief` its first line. */
void xfn_options__help(const struct xfn_verb *verb, bool brief, FILE *to);

/*
 * option_values.c: store one value. NULL, or what to give instead, written to next[len]; for a
 * choice the names, "take a, b or c".
 */
const char *xfn_option__store(const struct xfn_option *option, char *value, void *opts, char *next,
			      size_t len);

/* Its choices, with `between` between them and `last` before the last one. */
void xfn_option__choices(const struct xfn_option *option, const char *between, const char *last,
			 char *text, size_t len);

#endif
