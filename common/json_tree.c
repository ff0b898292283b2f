/*
 * json_tree.c - a tree of text that json_scan() accepted
 * SPDX-License-Identifier: Apache-2.0
 *
 * json-c's own parser is not used for it: that of 0.16 does not look whether
 * an allocation failed, and would lose a member without a word.
 */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "error.h"
#include "json_lex.h"
#include "json_scan.h"

/*
 * open: arrays and objects that are still open; they belong to the tree.
 * text: room for a name and a value with their escapes resolved.
 */
struct tree {
	struct json_lex lex;
	struct json_object *root;
	struct json_object *open[CIMD_MAX_JSON_DEPTH];
	size_t depth;
	char *text;
	size_t name_size; /* of the name at the start of text, with its NUL;
			     0: none waits for its value */
};

/* Put value in its place in the tree, which owns it then; NULL is null. */
static bool
attach(struct tree *t, struct json_object *value)
{
	struct json_object *top;
	int status;

	if (t->depth == 0) {
		t->root = value;
		return true;
	}
	top = t->open[t->depth - 1];
	if (t->name_size == 0)
		status = json_object_array_add(top, value);
	else
		status = json_object_object_add_ex(top, t->text, value,
		    JSON_C_OBJECT_ADD_KEY_IS_NEW);
	t->name_size = 0;
	if (status != 0)
		json_object_put(value);
	return status == 0;
}

static bool
add_container(struct tree *t, struct json_object *made)
{
	if (made == NULL || !attach(t, made))
		return false;
	t->open[t->depth++] = made;
	t->lex.at++;
	return true;
}

/* A name, when the innermost level is an object that lacks one; or a value. */
static bool
add_string(struct tree *t)
{
	struct json_object *value;
	struct span raw;
	char *out = t->text + t->name_size;
	size_t n;

	(void)json_lex_string(&t->lex, &raw);
	n = json_unescape(raw, out);
	if (t->depth > 0 && t->name_size == 0 &&
	    json_object_is_type(t->open[t->depth - 1], json_type_object)) {
		out[n] = '\0';
		t->name_size = n + 1;
		return true;
	}
	value = json_object_new_string_len(out, (int)n);
	return value != NULL && attach(t, value);
}

static bool
add_number(struct tree *t)
{
	struct json_object *value;
	struct span text;
	char *out = t->text + t->name_size;
	bool integer;

	(void)json_lex_number(&t->lex, &text, &integer);
	if (integer) {
		value = json_object_new_int64(json_integer(text));
	} else {
		memcpy(out, text.p, text.n);
		out[text.n] = '\0';
		value = json_tokener_parse(out);
	}
	return value != NULL && attach(t, value);
}

static bool
add_literal(struct tree *t)
{
	struct json_object *value;
	struct span text;

	(void)json_lex_literal(&t->lex, &text);
	if (text.p[0] == 'n')
		return attach(t, NULL);
	value = json_object_new_boolean(text.p[0] == 't');
	return value != NULL && attach(t, value);
}

/* One token of text that is known to be valid; false: out of memory. */
static bool
add_token(struct tree *t)
{
	switch (t->lex.p[t->lex.at]) {
	case '{':
		return add_container(t, json_object_new_object());
	case '[':
		return add_container(t, json_object_new_array_ext(4));
	case '}':
	case ']':
		t->depth--;
		t->lex.at++;
		return true;
	case ':':
	case ',':
		t->lex.at++;
		return true;
	case '"':
		return add_string(t);
	case 't':
	case 'f':
	case 'n':
		return add_literal(t);
	default:
		return add_number(t);
	}
}

enum cimd_err
json_parse(struct span s, struct json_object **out, struct cimd_error *err)
{
	struct tree t = { .lex = { s.p, s.n, 0, err } };
	enum cimd_err e;

	*out = NULL;
	assert(s.n < INT_MAX); /* json-c counts in int */
	if ((e = json_scan(s, err)) != CIMD_OK)
		return e;
	json_lex_space(&t.lex);
	if (json_lex_peek(&t.lex) != '{')
		return json_lex_fail(&t.lex, "RFC 8259", "no object");
	t.text = malloc(s.n + 2);
	if (t.text == NULL)
		return err_no_memory(err);
	for (; t.lex.at < t.lex.n; json_lex_space(&t.lex)) {
		if (!add_token(&t)) {
			json_object_put(t.root);
			free(t.text);
			return err_no_memory(err);
		}
	}
	free(t.text);
	*out = t.root;
	return CIMD_OK;
}
