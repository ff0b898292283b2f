/*
 * jget.h - members of JSON that others wrote, without surprises
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: a tree; out: values, defaults for what is not there
 */

#ifndef JGET_H
#define JGET_H

#include "cimd_int.h"

struct json_object;

/* A member of any type; NULL when o is no object or has none. */
struct json_object *jget(struct json_object *o, const char *name);

/* The string; "" when it is none.  Borrowed. */
const char *jget_string(struct json_object *o, const char *name);

/* The number; 0 when it is none. */
int64_t jget_int(struct json_object *o, const char *name);

/* true only for true. */
bool jget_true(struct json_object *o, const char *name);

/* The array's length and items; 0 and NULL when it is none. */
size_t jget_count(struct json_object *o, const char *name);
struct json_object *jget_item(struct json_object *o, const char *name,
    size_t i);

/* Has the array this string? */
bool jget_lists(struct json_object *o, const char *name, const char *value);

#endif /* JGET_H */
