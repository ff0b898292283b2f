/*
 * conf_table.h - the names that cimd.conf(5) knows, and their types
 * SPDX-License-Identifier: Apache-2.0
 *
 * One table; what the values mean is judged by libcimd.
 */

#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* How the text of a value becomes JSON. */
enum conf_type {
	CONF_STRING = 0, /* one string */
	CONF_BOOL,       /* yes, no, true, false, on, off */
	CONF_NUMBER,     /* decimal, no sign, no leading zero */
	CONF_STRINGS,    /* list of strings */
	CONF_NUMBERS,    /* list of numbers */
	CONF_UIDS,       /* list of user names or numbers: numbers */
	CONF_GIDS,       /* list of group names or numbers: numbers */
	CONF_USER,       /* name of a user that is there: a string */
	CONF_GROUP,      /* name of a group, likewise */
};

/* Where a setting may stand; one bit each. */
enum {
	CONF_TOP = 1,      /* outside of any section */
	CONF_DAEMON = 2,   /* likewise, but it is cimdd's own */
	CONF_CLIENT = 4,   /* client "NAME" { } */
	CONF_CONSUMER = 8, /* consumer "NAME" { } */
};

struct conf_def {
	const char *name;
	enum conf_type type;
	unsigned int where;
};

/* A kind of section. */
struct conf_kind {
	const char *name;
	unsigned int where;
};

/* The i-th row; NULL past the last.  Rows are constants. */
const struct conf_def *conf_def_at(size_t i);
const struct conf_kind *conf_kind_at(size_t i);

/* By name, among those that may stand in one of where; NULL: none. */
const struct conf_def *conf_def_find(const char *name, unsigned int where);
const struct conf_kind *conf_kind_find(const char *name);

/* Does the type take a list? */
bool conf_is_list(enum conf_type type);

#endif /* CONF_TABLE_H */
