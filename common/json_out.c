/*
 * json_out.c - writing JSON text, with every allocation looked at
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json_out.h"

/* Append n bytes; there is always room for a NUL behind them. */
static void
put(struct json_out *o, const char *p, size_t n)
{
	size_t size = o->size == 0 ? 512 : o->size;
	char *more;

	if (o->failed || n == 0)
		return;
	while (size - o->n <= n && size <= SIZE_MAX / 2)
		size *= 2;
	if (size != o->size) {
		more = size - o->n > n ? realloc(o->p, size) : NULL;
		if (more == NULL) {
			o->failed = true;
			return;
		}
		o->p = more;
		o->size = size;
	}
	memcpy(o->p + o->n, p, n);
	o->n += n;
}

/* A comma, unless this is the first value or follows its name. */
static void
separate(struct json_out *o)
{
	char last = o->n == 0 ? '[' : o->p[o->n - 1];

	if (last != '{' && last != '[' && last != ':')
		put(o, ",", 1);
}

void
json_out_open(struct json_out *o, char bracket)
{
	separate(o);
	put(o, &bracket, 1);
}

void
json_out_close(struct json_out *o, char bracket)
{
	put(o, &bracket, 1);
}

static void
put_escaped(struct json_out *o, char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *special = c == '\0' ? NULL : strchr(plain, c);
	char escape[6] = { '\\', 'u', '0', '0', '0', '0' };

	if (special != NULL) {
		escape[1] = letters[special - plain];
		put(o, escape, 2);
		return;
	}
	escape[4] = hex[(unsigned char)c >> 4];
	escape[5] = hex[(unsigned char)c & 15];
	put(o, escape, 6);
}

void
json_out_string(struct json_out *o, struct span s)
{
	size_t i, start = 0;

	separate(o);
	put(o, "\"", 1);
	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		put(o, s.p + start, i - start);
		put_escaped(o, s.p[i]);
		start = i + 1;
	}
	if (start < s.n)
		put(o, s.p + start, s.n - start);
	put(o, "\"", 1);
}

void
json_out_raw(struct json_out *o, struct span json)
{
	separate(o);
	put(o, json.p, json.n);
}

void
json_out_name(struct json_out *o, const char *name)
{
	json_out_string(o, span_of(name));
	put(o, ":", 1);
}

void
json_out_member(struct json_out *o, const char *name, struct span s)
{
	if (s.p == NULL)
		return;
	json_out_name(o, name);
	json_out_string(o, s);
}

void
json_out_raw_member(struct json_out *o, const char *name, struct span json)
{
	if (json.p == NULL)
		return;
	json_out_name(o, name);
	json_out_raw(o, json);
}

enum cimd_err
json_out_take(struct json_out *o, char **text, size_t *n,
    struct cimd_error *err)
{
	*text = NULL;
	*n = 0;
	if (o->failed || o->p == NULL) {
		json_out_drop(o);
		return err_no_memory(err);
	}
	o->p[o->n] = '\0';
	*text = o->p;
	*n = o->n;
	o->p = NULL;
	json_out_drop(o);
	return CIMD_OK;
}

void
json_out_drop(struct json_out *o)
{
	free(o->p);
	memset(o, 0, sizeof(*o));
}
