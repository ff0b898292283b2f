/*
 * conf_value.c - the values of one setting as JSON
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include <json-c/json.h>

#include "conf_value.h"

/* What a value is judged and reported by. */
struct value {
	const char *text;
	unsigned int line;
	struct conf_fault *fault;
};

typedef enum cimd_err make_fn(const struct value *v, struct json_object **out);

static enum cimd_err
made(struct json_object *json, struct json_object **out)
{
	*out = json;
	return json == NULL ? CIMD_E_NO_MEMORY : CIMD_OK;
}

static enum cimd_err
make_string(const struct value *v, struct json_object **out)
{
	return made(json_object_new_string(v->text), out);
}

static enum cimd_err
make_bool(const struct value *v, struct json_object **out)
{
	static const char *const words[] = { "no", "yes", "false", "true",
		"off", "on" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(v->text, words[i]) == 0)
			return made(json_object_new_boolean(i % 2 == 1), out);
	return conf_fault_set(v->fault, v->line, "\"%s\" is not yes or no",
	    v->text);
}

static bool
is_digits(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Decimal digits; bounded, because "0" and "17" are the only ways. */
static enum cimd_err
read_number(const struct value *v, int64_t *out)
{
	const char *c;
	int64_t n = 0;

	if (!is_digits(v->text))
		return conf_fault_set(v->fault, v->line,
		    "\"%s\" is not a number", v->text);
	if (v->text[0] == '0' && v->text[1] != '\0')
		return conf_fault_set(v->fault, v->line,
		    "\"%s\" begins with a zero: numbers are decimal", v->text);
	if (strlen(v->text) > 15)
		return conf_fault_set(v->fault, v->line, "\"%s\" is too large",
		    v->text);
	for (c = v->text; *c != '\0'; c++)
		n = n * 10 + (*c - '0');
	*out = n;
	return CIMD_OK;
}

static enum cimd_err
make_number(const struct value *v, struct json_object **out)
{
	int64_t n = 0;
	enum cimd_err e = read_number(v, &n);

	return e == CIMD_OK ? made(json_object_new_int64(n), out) : e;
}

/* The number of an id that is written as digits; -1 is no id. */
static enum cimd_err
make_id(const struct value *v, const char *what, struct json_object **out)
{
	int64_t n = 0;
	enum cimd_err e = read_number(v, &n);

	if (e != CIMD_OK)
		return e;
	if (n >= UINT32_MAX)
		return conf_fault_set(v->fault, v->line, "%s is no %s id",
		    v->text, what);
	return made(json_object_new_int64(n), out);
}

static enum cimd_err
no_name(const struct value *v, const char *what)
{
	if (errno != 0 && errno != ENOENT && errno != ESRCH)
		return conf_fault_set(v->fault, v->line,
		    "cannot look up the %s \"%s\": %s", what, v->text,
		    strerror(errno));
	return conf_fault_set(v->fault, v->line, "there is no %s \"%s\"", what,
	    v->text);
}

static enum cimd_err
make_uid(const struct value *v, struct json_object **out)
{
	const struct passwd *pw;

	if (is_digits(v->text))
		return make_id(v, "user", out);
	errno = 0;
	pw = getpwnam(v->text);
	if (pw == NULL)
		return no_name(v, "user");
	return made(json_object_new_int64(pw->pw_uid), out);
}

static enum cimd_err
make_gid(const struct value *v, struct json_object **out)
{
	const struct group *gr;

	if (is_digits(v->text))
		return make_id(v, "group", out);
	errno = 0;
	gr = getgrnam(v->text);
	if (gr == NULL)
		return no_name(v, "group");
	return made(json_object_new_int64(gr->gr_gid), out);
}

/* The daemon looks the name up again when it needs the number. */
static enum cimd_err
make_user(const struct value *v, struct json_object **out)
{
	errno = 0;
	if (getpwnam(v->text) == NULL)
		return no_name(v, "user");
	return make_string(v, out);
}

static enum cimd_err
make_group(const struct value *v, struct json_object **out)
{
	errno = 0;
	if (getgrnam(v->text) == NULL)
		return no_name(v, "group");
	return make_string(v, out);
}

static make_fn *const makers[] = {
	[CONF_STRING] = make_string,
	[CONF_BOOL] = make_bool,
	[CONF_NUMBER] = make_number,
	[CONF_STRINGS] = make_string,
	[CONF_NUMBERS] = make_number,
	[CONF_UIDS] = make_uid,
	[CONF_GIDS] = make_gid,
	[CONF_USER] = make_user,
	[CONF_GROUP] = make_group,
};

static enum cimd_err
make_list(make_fn *make, const struct conf_tree *t, const struct conf_row *row,
    size_t index, struct json_object **out, struct conf_fault *fault)
{
	struct json_object *list, *item;
	struct value v = { .fault = fault };
	enum cimd_err e;
	size_t i;

	if ((list = json_object_new_array()) == NULL)
		return CIMD_E_NO_MEMORY;
	for (i = 0; i < row->values; i++) {
		item = NULL;
		v.text = conf_tree_value(t, index, i);
		v.line = row->lines[i];
		e = make(&v, &item);
		if (e == CIMD_OK && json_object_array_add(list, item) != 0)
			e = CIMD_E_NO_MEMORY;
		if (e != CIMD_OK) {
			json_object_put(item);
			json_object_put(list);
			return e;
		}
	}
	*out = list;
	return CIMD_OK;
}

enum cimd_err
conf_value(const struct conf_def *def, const struct conf_tree *t,
    const struct conf_row *row, size_t index, struct json_object **out,
    struct conf_fault *fault)
{
	struct value v = { .fault = fault };

	*out = NULL;
	if (conf_is_list(def->type))
		return make_list(makers[def->type], t, row, index, out, fault);
	v.text = conf_tree_value(t, index, 0);
	v.line = row->lines[0];
	return makers[def->type](&v, out);
}
