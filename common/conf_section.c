/*
 * conf_section.c - sections of configuration JSON and names nobody knows
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <json-c/json.h>

#include "conf.h"

enum {
	MAX_WORD = 32, /* letters of a name that suggestions are made for */
	MAX_NAME = 64, /* letters of a section's name */
};

size_t
conf_distance(const char *a, const char *b, size_t limit)
{
	size_t row[MAX_WORD + 1], na = strlen(a), nb = strlen(b), i, j;
	size_t corner, above, best;

	if (na > MAX_WORD || nb > MAX_WORD)
		return limit + 1;
	for (j = 0; j <= nb; j++)
		row[j] = j;
	for (i = 1; i <= na; i++) {
		corner = row[0];
		row[0] = i;
		for (j = 1; j <= nb; j++) {
			above = row[j];
			best = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			corner = above;
		}
	}
	return row[nb] > limit ? limit + 1 : row[nb];
}

const char *
conf_nearest(const char *word, conf_names_fn *names)
{
	/* One slip in three letters: else a suggestion is a riddle. */
	size_t i, d, best = strlen(word) / 3 + 1;
	const char *name, *out = NULL;

	for (i = 0; (name = names(i)) != NULL; i++) {
		if (name[0] == '\0')
			continue;
		d = conf_distance(word, name, best);
		if (d < best || (d == best && out == NULL)) {
			best = d;
			out = name;
		}
	}
	return out;
}

/* An empty name is none, whatever a table uses it for. */
static bool
is_known(const char *word, conf_names_fn *names)
{
	const char *name;
	size_t i;

	for (i = 0; (name = names(i)) != NULL; i++)
		if (name[0] != '\0' && strcmp(name, word) == 0)
			return true;
	return false;
}

enum cimd_err
conf_known(const struct conf *c, conf_names_fn *names)
{
	struct json_object_iterator it, end;
	const char *word, *near;

	it = json_object_iter_begin(c->json);
	end = json_object_iter_end(c->json);
	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		word = json_object_iter_peek_name(&it);
		if (strcmp(word, "@") == 0 || is_known(word, names))
			continue;
		near = conf_nearest(word, names);
		if (near != NULL)
			return conf_fail(c, word,
			    "no such setting; did you mean \"%s\"?", near);
		return conf_fail(c, word, "no such setting");
	}
	return CIMD_OK;
}

static bool
is_name(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	size_t n = strlen(s);

	return n > 0 && n <= MAX_NAME && strspn(s, allowed) == n;
}

struct sections {
	const struct conf *parent;
	const char *kind;
	conf_section_fn *fn;
	void *ctx;
};

static enum cimd_err
one_section(const struct sections *s, struct json_object *json,
    const char *name)
{
	struct conf c = { json, s->kind, name, s->parent->err };

	if (!json_object_is_type(json, json_type_object))
		return conf_fail(s->parent, s->kind,
		    "must be sections, each with a name");
	if (name == NULL) {
		enum cimd_err e;

		c.kind = NULL;
		e = conf_string(&c, "name", &c.name);
		if (e != CIMD_OK)
			return e;
		if (c.name == NULL)
			return conf_fail(&c, "", "a %s section without a name",
			    s->kind);
		c.kind = s->kind;
	} else if (conf_has(&c, "name")) {
		return conf_fail(&c, "name", "the section has a name already");
	}
	if (!is_name(c.name))
		return conf_fail(&c, "",
		    "a name is 1 to %d letters, digits, \".\", \"-\" or \"_\"",
		    MAX_NAME);
	return s->fn(&c, s->ctx);
}

static enum cimd_err
keyed_sections(const struct sections *s, struct json_object *json)
{
	struct json_object_iterator it, end;
	enum cimd_err e = CIMD_OK;

	it = json_object_iter_begin(json);
	end = json_object_iter_end(json);
	for (; e == CIMD_OK && !json_object_iter_equal(&it, &end);
	     json_object_iter_next(&it))
		e = one_section(s, json_object_iter_peek_value(&it),
		    json_object_iter_peek_name(&it));
	return e;
}

enum cimd_err
conf_sections(const struct conf *c, const char *member, conf_section_fn *fn,
    void *ctx)
{
	struct sections s = { c, member, fn, ctx };
	struct json_object *json = conf_get(c, member);
	enum cimd_err e = CIMD_OK;
	size_t i, n;

	if (!conf_has(c, member))
		return CIMD_OK;
	if (json_object_is_type(json, json_type_object))
		return keyed_sections(&s, json);
	if (!json_object_is_type(json, json_type_array))
		return conf_fail(c, member,
		    "must be sections, each with a name");
	n = json_object_array_length(json);
	for (i = 0; i < n && e == CIMD_OK; i++)
		e = one_section(&s, json_object_array_get_idx(json, i), NULL);
	return e;
}
