// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What verbs print: tables, JSON, errors. Must never know of any verb. */
#include "../../skel/error.h"
#include "../arguments/payload.h"
#include "output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../userspace/control/control.h"
#include "../../userspace/host/hex.h"
#include "../../userspace/host/limits.h"
#include "../../userspace/host/printable.h"

struct xfn_table {
	unsigned columns;
	size_t used, room; /* cells, the head row included */
	char **cells;
};

static void *must(void *p)
{
	if (!p) {
		fputs("xfn: no memory; free some\n", stderr);
		exit(XFN_EXIT_FAILED);
	}
	return p;
}

/* `cause`: "host", or NULL where it is what was given to the verb. */
static void fail(json_t *all, const char *verb, bool json, const char *cause, const char *format,
		 va_list args)
{
	char line[1024], shown[1024];

	vsnprintf(line, sizeof(line), format, args);
	xfn_limits__advise(line, sizeof(line), 0);
	xfn_printable(line, strlen(line), shown, sizeof(shown));
	if (json) {
		json_t *error = xfn_control__error(shown);
		json_t *object = json_pack("{s:o}", "error", error);

		if (cause)
			json_object_set_new(error, "cause", json_string(cause));
		if (all)
			json_array_append_new(all, object);
		else
			xfn_output__json(object);
		return;
	}
	fprintf(stderr, "xfn %s: %s\n", verb, shown);
}

void xfn_output__text(FILE *to, const char *text)
{
	char shown[2048];

	xfn_printable(text, strlen(text), shown, sizeof(shown));
	fputs(shown, to);
}

int xfn_output__fail(const char *verb, bool json, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(NULL, verb, json, NULL, format, args);
	va_end(args);
	return status;
}

int xfn_output__fail_host(const char *verb, bool json, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(NULL, verb, json, "host", format, args);
	va_end(args);
	return XFN_EXIT_FAILED;
}

int xfn_output__fail_one(json_t *all, const char *verb, bool json, int status, const char *format,
			 ...)
{
	va_list args;

	va_start(args, format);
	fail(all, verb, json, NULL, format, args);
	va_end(args);
	return status;
}

bool xfn_output__ask(const char *verb, const char *ifname, bool json, json_t *args, int *status)
{
	struct xfn_error err = { 0 };
	json_t *data = NULL;
	int ret = xfn_control__ask(ifname, verb, args, &data, &err);

	json_decref(args);
	if (ret)
		*status = xfn_output__fail(verb, json, XFN_EXIT_FAILED, "%s", err.line);
	else if (json)
		*status = xfn_output__json(json_incref(data));
	else
		*status = 0;
	json_decref(data);
	return !ret && !json;
}

int xfn_output__json(json_t *data)
{
	json_dumpf(must(data), stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(data);
	return 0;
}

void xfn_output__all(json_t *all)
{
	if (json_array_size(all) == 1)
		xfn_output__json(json_incref(json_array_get(all, 0)));
	else if (json_array_size(all))
		xfn_output__json(json_incref(all));
	json_decref(all);
}

struct xfn_table *xfn_table__new(const char *const *columns, unsigned count)
{
	struct xfn_table *table = must(calloc(1, sizeof(*table)));

	table->columns = count;
	table->room = 16 * (size_t)count;
	table->cells = must(calloc(table->room, sizeof(char *)));
	for (unsigned i = 0; i < count; i++)
		table->cells[table->used++] = must(strdup(columns[i]));
	return table;
}

static void add_cell(struct xfn_table *table, const char *text)
{
	size_t len = strlen(text ?: "");
	char *cell = must(malloc(len + 1));

	xfn_printable(text ?: "", len, cell, len + 1);
	table->cells[table->used++] = cell;
}

static void make_room(struct xfn_table *table)
{
	if (table->used + table->columns > table->room) {
		table->room *= 2;
		table->cells = must(reallocarray(table->cells, table->room, sizeof(char *)));
	}
}

void xfn_table__row(struct xfn_table *table, ...)
{
	va_list args;

	make_room(table);
	va_start(args, table);
	for (unsigned i = 0; i < table->columns; i++)
		add_cell(table, va_arg(args, const char *));
	va_end(args);
}

void xfn_table__cells(struct xfn_table *table, const char *const *cells)
{
	make_room(table);
	for (unsigned i = 0; i < table->columns; i++)
		add_cell(table, cells[i]);
}

/* Characters, not bytes: cells are UTF-8. */
static int width(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_row(const struct xfn_table *table, char **row, const int *widths)
{
	unsigned last = table->columns;

	while (last > 1 && !*row[last - 1]) /* no blanks at a line's end */
		last--;
	for (unsigned i = 0; i < last; i++) {
		bool right = *table->cells[i] == '>';
		const char *text = row == table->cells && right ? row[i] + 1 : row[i];
		int pad = widths[i] - width(text);

		if (right)
			printf("%*s%s", pad, "", text);
		else
			printf("%s%*s", text, i + 1 < last ? pad : 0, "");
		fputs(i + 1 < last ? "  " : "\n", stdout);
	}
}

void xfn_table__print(struct xfn_table *table, bool gap)
{
	int *widths = must(calloc(table->columns, sizeof(int)));

	for (size_t i = 0; i < table->used; i++) {
		int w = width(table->cells[i]) -
			(i < table->columns && *table->cells[i] == '>' ? 1 : 0);

		if (w > widths[i % table->columns])
			widths[i % table->columns] = w;
	}
	if (gap && table->used > table->columns)
		putchar('\n');
	for (size_t i = 0; table->used > table->columns && i < table->used; i += table->columns)
		print_row(table, table->cells + i, widths);
	for (size_t i = 0; i < table->used; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
	free(widths);
}

void xfn_output__payload(const uint8_t *data, size_t len, bool dump)
{
	if (!len)
		return;
	if (!dump && xfn_payload__printable(data, len)) {
		fwrite(data, 1, len, stdout);
		if (data[len - 1] != '\n')
			putchar('\n');
		return;
	}
	for (size_t off = 0; off < len; off += 16) {
		printf("%04zx ", off);
		for (size_t i = off; i < off + 16; i++)
			i < len ? printf(" %02x", data[i]) : printf("   ");
		printf("  ");
		for (size_t i = off; i < off + 16 && i < len; i++)
			putchar(data[i] > ' ' && data[i] < 0x7f ? data[i] : '.');
		putchar('\n');
	}
}

char *xfn_output__hex(const uint8_t *data, size_t len)
{
	char *hex = xfn_hex__text(data, len);

	if (!hex) {
		fputs("xfn: out of memory; free some\n", stderr);
		exit(XFN_EXIT_FAILED);
	}
	return hex;
}
