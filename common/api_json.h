/*
 * api_json.h - building wire JSON without losing a failed allocation
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: values; out: json-c trees; touches nothing
 */

#ifndef API_JSON_H
#define API_JSON_H

#include "cimd_int.h"

struct json_object;

/*
 * A tree being built.  After any failure failed stays true and further puts
 * do nothing; who made it looks once, at the end.
 */
struct maker {
	struct json_object *top;
	bool failed;
};

/* An object to fill; release it with maker_clear(). */
void maker_init(struct maker *m);
void maker_clear(struct maker *m);

/*
 * Add a member to o (NULL: the top).  NULL strings and absent spans add
 * nothing.  put_object() and put_array() return the new container, which
 * the tree owns, or NULL after a failure (every put accepts that).
 */
void put_string(struct maker *m, struct json_object *o, const char *name,
    const char *value);
void put_span(struct maker *m, struct json_object *o, const char *name,
    struct span value);
void put_int(struct maker *m, struct json_object *o, const char *name,
    int64_t value);
void put_bool(struct maker *m, struct json_object *o, const char *name,
    bool value);
struct json_object *put_object(struct maker *m, struct json_object *o,
    const char *name);
struct json_object *put_array(struct maker *m, struct json_object *o,
    const char *name);

/* Add a tree that this takes, also on failure. */
void put_tree(struct maker *m, struct json_object *o, const char *name,
    struct json_object *tree);

/* Append to an array. */
void push_string(struct maker *m, struct json_object *a, const char *value);
void push_span(struct maker *m, struct json_object *a, struct span value);
struct json_object *push_object(struct maker *m, struct json_object *a);

/* The text of the tree, borrowed from it; NULL after a failure. */
const char *maker_text(struct maker *m, size_t *len);

/*
 * Read a member of a request.  False: it is there but no string (or number),
 * and *why names it.  Absent or null: *out is left alone.
 */
bool get_span(struct json_object *o, const char *name, struct span *out,
    const char **why);
bool get_int(struct json_object *o, const char *name, int64_t *out,
    const char **why);

#endif /* API_JSON_H */
