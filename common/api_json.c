/*
 * api_json.c - building wire JSON without losing a failed allocation
 * SPDX-License-Identifier: Apache-2.0
 */

#include <json-c/json.h>

#include "api_json.h"

void
maker_init(struct maker *m)
{
	m->top = json_object_new_object();
	m->failed = m->top == NULL;
}

void
maker_clear(struct maker *m)
{
	json_object_put(m->top);
	m->top = NULL;
}

/* Give v to o; true: the tree owns it now. */
static bool
add(struct maker *m, struct json_object *o, const char *name,
    struct json_object *v)
{
	if (o == NULL)
		o = m->top;
	if (v == NULL || m->failed || json_object_object_add(o, name, v) != 0) {
		json_object_put(v);
		m->failed = true;
		return false;
	}
	return true;
}

void
put_tree(struct maker *m, struct json_object *o, const char *name,
    struct json_object *tree)
{
	(void)add(m, o, name, tree);
}

void
put_string(struct maker *m, struct json_object *o, const char *name,
    const char *value)
{
	put_span(m, o, name, span_of(value));
}

void
put_span(struct maker *m, struct json_object *o, const char *name,
    struct span value)
{
	if (value.p != NULL && !m->failed)
		(void)add(m, o, name,
		    json_object_new_string_len(value.p, (int)value.n));
}

void
put_int(struct maker *m, struct json_object *o, const char *name, int64_t value)
{
	if (!m->failed)
		(void)add(m, o, name, json_object_new_int64(value));
}

void
put_bool(struct maker *m, struct json_object *o, const char *name, bool value)
{
	if (!m->failed)
		(void)add(m, o, name, json_object_new_boolean(value));
}

struct json_object *
put_object(struct maker *m, struct json_object *o, const char *name)
{
	struct json_object *v;

	if (m->failed)
		return NULL;
	v = json_object_new_object();
	return add(m, o, name, v) ? v : NULL;
}

struct json_object *
put_array(struct maker *m, struct json_object *o, const char *name)
{
	struct json_object *v;

	if (m->failed)
		return NULL;
	v = json_object_new_array();
	return add(m, o, name, v) ? v : NULL;
}

static bool
push(struct maker *m, struct json_object *a, struct json_object *v)
{
	if (v == NULL || json_object_array_add(a, v) != 0) {
		json_object_put(v);
		m->failed = true;
		return false;
	}
	return true;
}

void
push_span(struct maker *m, struct json_object *a, struct span value)
{
	if (!m->failed)
		(void)push(m, a,
		    json_object_new_string_len(value.p, (int)value.n));
}

void
push_string(struct maker *m, struct json_object *a, const char *value)
{
	push_span(m, a, span_of(value));
}

struct json_object *
push_object(struct maker *m, struct json_object *a)
{
	struct json_object *v;

	if (m->failed)
		return NULL;
	v = json_object_new_object();
	return push(m, a, v) ? v : NULL;
}

const char *
maker_text(struct maker *m, size_t *len)
{
	if (m->failed)
		return NULL;
	return json_object_to_json_string_length(m->top,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len);
}

bool
get_span(struct json_object *o, const char *name, struct span *out,
    const char **why)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, name, &v) || v == NULL)
		return true;
	*why = name;
	if (!json_object_is_type(v, json_type_string))
		return false;
	out->p = json_object_get_string(v);
	out->n = (size_t)json_object_get_string_len(v);
	return out->p != NULL;
}

bool
get_int(struct json_object *o, const char *name, int64_t *out, const char **why)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, name, &v) || v == NULL)
		return true;
	*why = name;
	if (!json_object_is_type(v, json_type_int))
		return false;
	*out = json_object_get_int64(v);
	return true;
}
