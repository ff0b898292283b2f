/*
 * out.h - what is printed: styles, tables, complaints
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: text; out: standard output and error
 */

#ifndef OUT_H
#define OUT_H

#include <stdio.h>

#include "cimd_int.h"

struct json_object;

struct out {
	FILE *f;
	bool colour;
	bool json;
};

enum style {
	STYLE_PLAIN = 0,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_ADDED,
	STYLE_REMOVED,
};

/*
 * Standard output; in colour on a terminal where environment (as main()
 * gets it) has no NO_COLOR with a value.
 */
void out_init(struct out *o, char *const *environment);

/* The text, escaped (text.h) but for newlines in fmt itself being absent. */
void out_text(struct out *o, enum style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* out_text() and a newline. */
void out_line(struct out *o, enum style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A tree as one line of JSON, non-ASCII bytes as they are. */
void out_json(struct out *o, struct json_object *tree);

/* "cimdctl: " and the text, escaped, on standard error. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Rows of cells with aligned columns. */
enum {
	TABLE_COLUMNS = 10,
};
struct table_cell {
	char *text;
	size_t width;
	enum style style;
};
struct table_row {
	struct table_cell cell[TABLE_COLUMNS];
	size_t n;
};
struct table {
	struct table_row *row;
	size_t n;
	unsigned int right; /* bit i: column i is aligned to the right */
	bool failed;        /* out of memory */
};

/* Start a row. */
void table_row(struct table *t);

/* The next cell of the last row; the text is escaped. */
void table_cell(struct table *t, enum style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Print and empty it.  False: out of memory. */
bool table_print(struct table *t, struct out *o);

#endif /* OUT_H */
