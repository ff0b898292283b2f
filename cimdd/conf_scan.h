/*
 * conf_scan.h - strict outline of a configuration file
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: the text of one file; out: names and lines, or the fault;
 * touches nothing.
 *
 * It runs before libconfuse, which alone would accept an unclosed section or
 * comment, skip stray characters, expand ${...} and take the last of two
 * settings.  Values are left to libconfuse; the two readings are compared.
 */

#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include "cimd.h"

enum {
	CONF_MAX_FILE = 262144,  /* bytes; a file of 1000 clients is 200 KB */
	CONF_MAX_ROWS = 16384,   /* settings and sections of one file */
	CONF_MAX_VALUES = 16384, /* of one list */
	CONF_MAX_TITLE = 64,     /* bytes; as libcimd's names of sections */
};

#define CONF_NO_SECTION ((size_t)-1)

/* A fault and its line; 0: it is the whole file's. */
struct conf_fault {
	unsigned int line;
	char text[224];
};

/* Fill in a fault, in printable ASCII; returns CIMD_E_CONFIG. */
enum cimd_err conf_fault_set(struct conf_fault *f, unsigned int line,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A setting, or the head of a section. */
struct conf_row {
	char *name;
	char *title;         /* NULL: a setting */
	size_t section;      /* the row of its section, or CONF_NO_SECTION */
	unsigned int line;   /* where the name stands */
	unsigned int values; /* how many a setting has */
	unsigned int *lines; /* where each of them stands */
	bool list;           /* they stand in braces */
};

struct conf_outline {
	struct conf_row *row;
	size_t n;
	size_t room; /* rows that row has memory for */
};

/*
 * Read the outline of text, which ends with a NUL that len does not count,
 * and turn its comments into blanks.  Free it with conf_outline_free(),
 * whatever this returns.  Fails with: CIMD_E_CONFIG, CIMD_E_NO_MEMORY.
 */
enum cimd_err conf_scan(char *text, size_t len, struct conf_outline *out,
    struct conf_fault *fault);

/* Release the rows and zero *o. */
void conf_outline_free(struct conf_outline *o);

#endif /* CONF_SCAN_H */
