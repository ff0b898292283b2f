/*
 * out.c - what is printed: styles, tables, complaints
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "out.h"
#include "text.h"

enum {
	GAP = 2, /* columns between two cells */
};

static const char *const codes[] = {
	[STYLE_PLAIN] = "",
	[STYLE_BOLD] = "\033[1m",
	[STYLE_DIM] = "\033[2m",
	[STYLE_GOOD] = "\033[32m",
	[STYLE_WARN] = "\033[33m",
	[STYLE_BAD] = "\033[1;31m",
	[STYLE_ADDED] = "\033[32m",
	[STYLE_REMOVED] = "\033[31m",
};
static const char reset[] = "\033[0m";

void
out_init(struct out *o, char *const *environment)
{
	static const char no_color[] = "NO_COLOR=";
	size_t n = sizeof(no_color) - 1;

	*o = (struct out){ .f = stdout };
	o->colour = isatty(STDOUT_FILENO) == 1;
	for (; *environment != NULL; environment++)
		if (strncmp(*environment, no_color, n) == 0 &&
		    (*environment)[n] != '\0')
			o->colour = false;
}

/* fmt and its arguments, escaped; NULL: out of memory. */
static char *__attribute__((format(printf, 1, 0)))
format(const char *fmt, va_list ap)
{
	char *raw = NULL, *text;

	if (vasprintf(&raw, fmt, ap) == -1)
		return NULL;
	text = text_escape(span_of(raw));
	free(raw);
	return text;
}

static void
put_styled(struct out *o, enum style style, const char *text)
{
	bool dressed = o->colour && style != STYLE_PLAIN && *text != '\0';

	if (dressed)
		(void)fputs(codes[style], o->f);
	(void)fputs(text, o->f);
	if (dressed)
		(void)fputs(reset, o->f);
}

void
out_text(struct out *o, enum style style, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	put_styled(o, style, text != NULL ? text : "(out of memory)");
	free(text);
}

void
out_line(struct out *o, enum style style, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	put_styled(o, style, text != NULL ? text : "(out of memory)");
	(void)fputc('\n', o->f);
	free(text);
}

void
out_json(struct out *o, struct json_object *tree)
{
	const char *text = json_object_to_json_string_ext(tree,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text == NULL)
		complain("out of memory");
	else
		(void)fprintf(o->f, "%s\n", text);
}

void
complain(const char *fmt, ...)
{
	va_list ap;
	char *text;

	(void)fflush(stdout);
	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "cimdctl: %s\n",
	    text != NULL ? text : "out of memory");
	free(text);
}

void
table_row(struct table *t)
{
	struct table_row *more;

	if (t->failed)
		return;
	more = reallocarray(t->row, t->n + 1, sizeof(*more));
	if (more == NULL) {
		t->failed = true;
		return;
	}
	t->row = more;
	memset(&t->row[t->n++], 0, sizeof(*more));
}

void
table_cell(struct table *t, enum style style, const char *fmt, ...)
{
	struct table_cell *cell;
	struct table_row *row;
	va_list ap;
	char *text;

	if (t->failed)
		return;
	row = &t->row[t->n - 1];
	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	if (text == NULL || row->n == TABLE_COLUMNS) {
		free(text);
		t->failed = true;
		return;
	}
	cell = &row->cell[row->n++];
	cell->text = text;
	cell->width = text_width(text);
	cell->style = style;
}

static void
pad(struct out *o, size_t n)
{
	while (n-- > 0)
		(void)fputc(' ', o->f);
}

static void
print_row(const struct table *t, const struct table_row *row,
    const size_t *widths, struct out *o)
{
	const struct table_cell *cell;
	size_t i, room;
	bool right;

	for (i = 0; i < row->n; i++) {
		cell = &row->cell[i];
		room = widths[i] - cell->width;
		right = (t->right >> i & 1) != 0;
		if (right)
			pad(o, room);
		put_styled(o, cell->style, cell->text);
		if (i + 1 < row->n)
			pad(o, (right ? 0 : room) + GAP);
	}
	(void)fputc('\n', o->f);
}

bool
table_print(struct table *t, struct out *o)
{
	size_t widths[TABLE_COLUMNS] = { 0 };
	bool ok = !t->failed;
	size_t i, j;

	for (i = 0; i < t->n; i++)
		for (j = 0; j < t->row[i].n; j++)
			if (t->row[i].cell[j].width > widths[j])
				widths[j] = t->row[i].cell[j].width;
	for (i = 0; i < t->n; i++) {
		if (ok)
			print_row(t, &t->row[i], widths, o);
		for (j = 0; j < t->row[i].n; j++)
			free(t->row[i].cell[j].text);
	}
	free(t->row);
	*t = (struct table){ 0 };
	return ok;
}
