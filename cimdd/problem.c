/*
 * problem.c - refusals of the transport as problem documents (RFC 9457)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <json-c/json.h>

#include "problem.h"

static const char *
title(unsigned int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

static bool
put(struct json_object *o, const char *name, struct json_object *value)
{
	if (value != NULL && json_object_object_add(o, name, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static bool
put_string(struct json_object *o, const char *name, const char *text)
{
	return put(o, name, json_object_new_string(text));
}

static bool
fill(struct json_object *o, unsigned int status, const struct cimd_error *err)
{
	enum cimd_class kind = cimd_err_class(err->code);

	return put_string(o, "type", "about:blank") &&
	    put_string(o, "title", title(status)) &&
	    put(o, "status", json_object_new_int64(status)) &&
	    put_string(o, "detail", err->text) &&
	    put_string(o, "code", cimd_err_name(err->code)) &&
	    put_string(o, "class", cimd_class_name(kind)) &&
	    put_string(o, "summary", cimd_err_text(err->code)) &&
	    (err->section[0] == '\0' ||
		put_string(o, "section", err->section)) &&
	    put_string(o, "error", cimd_err_oauth(err->code));
}

char *
problem_text(unsigned int status, const struct cimd_error *err, size_t *len)
{
	struct json_object *o = json_object_new_object();
	const char *text = NULL;
	char *copy = NULL;

	if (o != NULL && fill(o, status, err))
		text = json_object_to_json_string_length(o,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		    len);
	if (text != NULL)
		copy = strdup(text);
	json_object_put(o);
	return copy;
}
