/*
 * conf.h - members of configuration JSON, read with their place
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: a JSON object, member names; out: typed values, or a text
 * that names place, section and member; touches nothing.
 *
 * A section may hold the member "@": an object that maps member names (and
 * "" for the section itself) to places such as "/etc/cimd/cimd.conf:12".
 */

#ifndef CONF_H
#define CONF_H

#include "error.h"

struct json_object;

/* The section that is being read; all borrowed. */
struct conf {
	struct json_object *json;
	const char *kind; /* "client"; NULL: the top level */
	const char *name; /* of the section */
	struct cimd_error *err;
};

/* Is the member there (even as null)? */
bool conf_has(const struct conf *c, const char *member);

/* The member's value; NULL when it is absent or null. */
struct json_object *conf_get(const struct conf *c, const char *member);

/*
 * "/etc/cimd/cimd.conf:12": where the member, else the section, stands; ""
 * unknown.
 */
const char *conf_place(const struct conf *c, const char *member);

/* CIMD_E_CONFIG with "place: kind "name": member: " before the text. */
enum cimd_err conf_fail(const struct conf *c, const char *member,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * One value each.  An absent member leaves *out as it is.  Strings hold no
 * NUL and are borrowed from the JSON.  A bool may be written "yes" or "no".
 * Fail with: CIMD_E_CONFIG.
 */
enum cimd_err conf_bool(const struct conf *c, const char *member, bool *out);
enum cimd_err conf_string(const struct conf *c, const char *member,
    const char **out);

struct conf_range {
	int64_t min, max;
	const char *unit; /* "seconds"; "" for a plain number */
};
enum cimd_err conf_number(const struct conf *c, const char *member,
    const struct conf_range *range, int64_t *out);

/* A word of a fixed set; the last row has the name NULL. */
struct conf_word {
	const char *name;
	unsigned int value;
};
enum cimd_err conf_word(const struct conf *c, const char *member,
    const struct conf_word *words, unsigned int *out);

/* Is text a word of the set?  Else fails and lists the set. */
enum cimd_err conf_word_of(const struct conf *c, const char *member,
    const char *text, const struct conf_word *words, unsigned int *out);

/*
 * Lists.  A scalar is a list of one.  conf_each() calls fn for each item,
 * which is a string without NUL, and stops at the first failure.
 */
typedef enum cimd_err conf_item_fn(const struct conf *c, const char *member,
    const char *item, void *ctx);
size_t conf_count(const struct conf *c, const char *member);
enum cimd_err conf_each(const struct conf *c, const char *member,
    conf_item_fn *fn, void *ctx);

/*
 * Copy a list of strings; check (NULL: any) judges each.  *out is owned and
 * not NULL even for an empty list; free it with conf_free_strings().
 * An absent member leaves *out and *n as they are.
 */
struct conf_strings {
	char **v;
	size_t n;
};
enum cimd_err conf_strings(const struct conf *c, const char *member,
    conf_item_fn *check, void *ctx, struct conf_strings *out);
void conf_free_strings(char ***v, size_t n);

/* A deep copy; false: out of memory. */
bool conf_copy_strings(char *const *from, size_t n, char ***to);

/* Likewise for numbers in range; *out is owned (free()). */
enum cimd_err conf_numbers(const struct conf *c, const char *member,
    const struct conf_range *range, uint32_t **out, size_t *n);

/*
 * Fail on the first member that names() does not have ("@" aside), with the
 * nearest one as a suggestion.  names(i) is the i-th name, NULL past the
 * last.
 */
typedef const char *conf_names_fn(size_t i);
enum cimd_err conf_known(const struct conf *c, conf_names_fn *names);

/* The name nearest to word by edit distance, if near enough; else NULL. */
const char *conf_nearest(const char *word, conf_names_fn *names);

/* How many letters apart, at most limit + 1. */
size_t conf_distance(const char *a, const char *b, size_t limit);

/*
 * The sections below member: an array of objects with a "name", or an object
 * keyed by name.  Calls fn with kind (= member) and name set.  Names are 1
 * to 64 letters, digits or one of ".-_"; that no name comes twice is the
 * caller's to check.
 */
typedef enum cimd_err conf_section_fn(const struct conf *section, void *ctx);
enum cimd_err conf_sections(const struct conf *c, const char *member,
    conf_section_fn *fn, void *ctx);

#endif /* CONF_H */
