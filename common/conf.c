/*
 * conf.c - members of configuration JSON, read with their place
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "conf.h"

static const char places[] = "@";

bool
conf_has(const struct conf *c, const char *member)
{
	return json_object_object_get_ex(c->json, member, NULL);
}

struct json_object *
conf_get(const struct conf *c, const char *member)
{
	struct json_object *out = NULL;

	(void)json_object_object_get_ex(c->json, member, &out);
	return out;
}

const char *
conf_place(const struct conf *c, const char *member)
{
	struct json_object *at, *place = NULL;

	at = conf_get(c, places);
	if (!json_object_is_type(at, json_type_object))
		return "";
	if (!json_object_object_get_ex(at, member, &place))
		(void)json_object_object_get_ex(at, "", &place);
	if (!json_object_is_type(place, json_type_string))
		return "";
	return json_object_get_string(place);
}

enum cimd_err
conf_fail(const struct conf *c, const char *member, const char *fmt, ...)
{
	char text[sizeof(c->err->text)];
	const char *place;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)err_set(c->err, CIMD_E_CONFIG, "policy", "%s", text);
	if (member[0] != '\0')
		err_prefix(c->err, "%s", member);
	if (c->kind != NULL)
		err_prefix(c->err, "%s \"%s\"", c->kind, c->name);
	place = conf_place(c, member);
	if (place[0] != '\0')
		err_prefix(c->err, "%s", place);
	return CIMD_E_CONFIG;
}

/* The bytes of a JSON string, unless it holds a NUL; NULL for other types. */
static const char *
string_of(struct json_object *json)
{
	const char *s;

	if (!json_object_is_type(json, json_type_string))
		return NULL;
	s = json_object_get_string(json);
	if (strlen(s) != (size_t)json_object_get_string_len(json))
		return NULL;
	return s;
}

enum cimd_err
conf_bool(const struct conf *c, const char *member, bool *out)
{
	struct json_object *json = conf_get(c, member);
	const char *s = string_of(json);

	if (!conf_has(c, member))
		return CIMD_OK;
	if (json_object_is_type(json, json_type_boolean)) {
		*out = json_object_get_boolean(json) != 0;
		return CIMD_OK;
	}
	if (s == NULL || (strcmp(s, "yes") != 0 && strcmp(s, "no") != 0))
		return conf_fail(c, member, "must be yes or no");
	*out = s[0] == 'y';
	return CIMD_OK;
}

enum cimd_err
conf_string(const struct conf *c, const char *member, const char **out)
{
	const char *s = string_of(conf_get(c, member));

	if (!conf_has(c, member))
		return CIMD_OK;
	if (s == NULL)
		return conf_fail(c, member, "must be a string without NUL");
	*out = s;
	return CIMD_OK;
}

static enum cimd_err
number_of(const struct conf *c, const char *member,
    const struct conf_range *range, struct json_object *json, int64_t *out)
{
	int64_t n = 0;
	bool good;

	good = json_object_is_type(json, json_type_int);
	if (good)
		n = json_object_get_int64(json);
	if (!good || n < range->min || n > range->max)
		return conf_fail(c, member,
		    "must be a whole number from %lld to %lld%s%s",
		    (long long)range->min, (long long)range->max,
		    range->unit[0] == '\0' ? "" : " ", range->unit);
	*out = n;
	return CIMD_OK;
}

enum cimd_err
conf_number(const struct conf *c, const char *member,
    const struct conf_range *range, int64_t *out)
{
	if (!conf_has(c, member))
		return CIMD_OK;
	return number_of(c, member, range, conf_get(c, member), out);
}

enum cimd_err
conf_word_of(const struct conf *c, const char *member, const char *text,
    const struct conf_word *words, unsigned int *out)
{
	char set[160];
	size_t i, at = 0;

	for (i = 0; words[i].name != NULL; i++)
		if (strcmp(words[i].name, text) == 0) {
			*out = words[i].value;
			return CIMD_OK;
		}
	set[0] = '\0';
	for (i = 0; words[i].name != NULL && at < sizeof(set); i++)
		at += (size_t)snprintf(set + at, sizeof(set) - at, "%s%s",
		    i == 0 ? "" : ", ", words[i].name);
	return conf_fail(c, member, "\"%.32s\" is none of: %s", text, set);
}

enum cimd_err
conf_word(const struct conf *c, const char *member,
    const struct conf_word *words, unsigned int *out)
{
	const char *text = NULL;
	enum cimd_err e;

	e = conf_string(c, member, &text);
	if (e != CIMD_OK || text == NULL)
		return e;
	return conf_word_of(c, member, text, words, out);
}

size_t
conf_count(const struct conf *c, const char *member)
{
	struct json_object *json = conf_get(c, member);

	if (json_object_is_type(json, json_type_array))
		return json_object_array_length(json);
	return conf_has(c, member) ? 1 : 0;
}

/* Item i of a list; a scalar is a list of one. */
static struct json_object *
item(const struct conf *c, const char *member, size_t i)
{
	struct json_object *json = conf_get(c, member);

	if (json_object_is_type(json, json_type_array))
		return json_object_array_get_idx(json, i);
	return json;
}

enum cimd_err
conf_each(const struct conf *c, const char *member, conf_item_fn *fn, void *ctx)
{
	size_t i, n = conf_count(c, member);
	enum cimd_err e = CIMD_OK;
	const char *s;

	for (i = 0; i < n && e == CIMD_OK; i++) {
		s = string_of(item(c, member, i));
		if (s == NULL)
			return conf_fail(c, member,
			    "must be a list of strings without NUL");
		e = fn(c, member, s, ctx);
	}
	return e;
}

struct copying {
	conf_item_fn *check;
	void *ctx;
	struct conf_strings out;
};

static enum cimd_err
copy_item(const struct conf *c, const char *member, const char *text, void *ctx)
{
	struct copying *copying = ctx;
	enum cimd_err e = CIMD_OK;
	char *copy;

	if (copying->check != NULL)
		e = copying->check(c, member, text, copying->ctx);
	if (e != CIMD_OK)
		return e;
	copy = strdup(text);
	if (copy == NULL)
		return err_no_memory(c->err);
	copying->out.v[copying->out.n++] = copy;
	return CIMD_OK;
}

enum cimd_err
conf_strings(const struct conf *c, const char *member, conf_item_fn *check,
    void *ctx, struct conf_strings *out)
{
	struct copying copying = { check, ctx, { NULL, 0 } };
	enum cimd_err e;

	if (!conf_has(c, member))
		return CIMD_OK;
	copying.out.v = calloc(conf_count(c, member) + 1, sizeof(char *));
	if (copying.out.v == NULL)
		return err_no_memory(c->err);
	e = conf_each(c, member, copy_item, &copying);
	if (e != CIMD_OK) {
		conf_free_strings(&copying.out.v, copying.out.n);
		return e;
	}
	conf_free_strings(&out->v, out->n);
	*out = copying.out;
	return CIMD_OK;
}

void
conf_free_strings(char ***v, size_t n)
{
	size_t i;

	if (*v == NULL)
		return;
	for (i = 0; i < n; i++)
		free((*v)[i]);
	free(*v);
	*v = NULL;
}

bool
conf_copy_strings(char *const *from, size_t n, char ***to)
{
	char **v;
	size_t i;

	*to = NULL;
	v = calloc(n + 1, sizeof(*v));
	if (v == NULL)
		return false;
	for (i = 0; i < n; i++) {
		v[i] = strdup(from[i]);
		if (v[i] == NULL) {
			conf_free_strings(&v, i);
			return false;
		}
	}
	*to = v;
	return true;
}

enum cimd_err
conf_numbers(const struct conf *c, const char *member,
    const struct conf_range *range, uint32_t **out, size_t *n)
{
	size_t i, count = conf_count(c, member);
	enum cimd_err e = CIMD_OK;
	int64_t number = 0;
	uint32_t *v;

	assert(range->min >= 0 && range->max <= UINT32_MAX);
	if (!conf_has(c, member))
		return CIMD_OK;
	v = calloc(count + 1, sizeof(*v));
	if (v == NULL)
		return err_no_memory(c->err);
	for (i = 0; i < count && e == CIMD_OK; i++) {
		e = number_of(c, member, range, item(c, member, i), &number);
		v[i] = (uint32_t)number;
	}
	if (e != CIMD_OK) {
		free(v);
		return e;
	}
	free(*out);
	*out = v;
	*n = count;
	return CIMD_OK;
}
