/*
 * jget.c - members of JSON that others wrote, without surprises
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <json-c/json.h>

#include "jget.h"

struct json_object *
jget(struct json_object *o, const char *name)
{
	struct json_object *v = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, name, &v);
	return v;
}

const char *
jget_string(struct json_object *o, const char *name)
{
	struct json_object *v = jget(o, name);

	return json_object_is_type(v, json_type_string) ?
	    json_object_get_string(v) :
	    "";
}

int64_t
jget_int(struct json_object *o, const char *name)
{
	struct json_object *v = jget(o, name);

	return json_object_is_type(v, json_type_int) ?
	    json_object_get_int64(v) :
	    0;
}

bool
jget_true(struct json_object *o, const char *name)
{
	struct json_object *v = jget(o, name);

	return json_object_is_type(v, json_type_boolean) &&
	    json_object_get_boolean(v);
}

size_t
jget_count(struct json_object *o, const char *name)
{
	struct json_object *v = jget(o, name);

	return json_object_is_type(v, json_type_array) ?
	    json_object_array_length(v) :
	    0;
}

struct json_object *
jget_item(struct json_object *o, const char *name, size_t i)
{
	if (i >= jget_count(o, name))
		return NULL;
	return json_object_array_get_idx(jget(o, name), i);
}

bool
jget_lists(struct json_object *o, const char *name, const char *value)
{
	size_t i, n = jget_count(o, name);
	struct json_object *v;

	for (i = 0; i < n; i++) {
		v = jget_item(o, name, i);
		if (json_object_is_type(v, json_type_string) &&
		    strcmp(json_object_get_string(v), value) == 0)
			return true;
	}
	return false;
}
