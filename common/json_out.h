/*
 * json_out.h - writing JSON text, with every allocation looked at
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: values; out: text; touches nothing
 *
 * Zero a struct json_out, write, then take the text.  Commas come by
 * themselves; brackets must pair.  Nothing fails before json_out_take().
 */

#ifndef JSON_OUT_H
#define JSON_OUT_H

#include "cimd_int.h"

struct json_out {
	char *p;
	size_t n;
	size_t size;
	bool failed;
};

/* bracket: { or [, } or ]. */
void json_out_open(struct json_out *o, char bracket);
void json_out_close(struct json_out *o, char bracket);

/* A member name; its value comes next. */
void json_out_name(struct json_out *o, const char *name);

/* A string of UTF-8; quotes, backslashes and control characters escaped. */
void json_out_string(struct json_out *o, struct span s);

/* A value that is JSON already. */
void json_out_raw(struct json_out *o, struct span json);

/* Both of them a member with its name; nothing when the value is absent. */
void json_out_member(struct json_out *o, const char *name, struct span s);
void json_out_raw_member(struct json_out *o, const char *name,
    struct span json);

/*
 * The text with a NUL after it; the caller frees *text.  o is empty again.
 * Fails with: CIMD_E_NO_MEMORY (from any of the calls before).
 */
enum cimd_err json_out_take(struct json_out *o, char **text, size_t *n,
    struct cimd_error *err);

/* Drop what was written; for the way out after another fault. */
void json_out_drop(struct json_out *o);

#endif /* JSON_OUT_H */
