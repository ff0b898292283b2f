/*
 * json_scan.c - strict JSON before any tree is built
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json_lex.h"
#include "json_scan.h"

static const char rfc8259[] = "RFC 8259";
static const char rfc7493[] = "RFC 7493";

/* What the grammar lets follow. */
enum want {
	WANT_VALUE,
	WANT_ELEMENT_OR_END, /* after [ */
	WANT_MEMBER_OR_END,  /* after { */
	WANT_MEMBER,         /* after a comma in an object */
	WANT_COMMA_OR_END,   /* after a value */
};

/* A member name with its escapes resolved, and where it stands. */
struct name {
	struct span text;
	size_t at;
};

/* An array or object that is still open. */
struct level {
	bool object;
	size_t names; /* index of its first name */
};

/*
 * names: those of all open objects, one object after the other, so that a
 * closed object's names are the last ones.  unescaped: room for the names
 * that have escapes; resolved they are shorter, so s.n bytes are enough.
 */
struct scan {
	struct json_lex lex;
	struct level level[CIMD_MAX_JSON_DEPTH];
	size_t depth;
	enum want want;
	struct name *names;
	size_t n_names, size_names;
	char *unescaped;
	size_t n_unescaped;
};

static enum cimd_err
resolve_name(struct scan *s, struct span raw, struct span *out)
{
	*out = raw;
	if (raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL)
		return CIMD_OK;
	if (s->unescaped == NULL && (s->unescaped = malloc(s->lex.n)) == NULL)
		return err_no_memory(s->lex.err);
	out->p = s->unescaped + s->n_unescaped;
	out->n = json_unescape(raw, s->unescaped + s->n_unescaped);
	s->n_unescaped += out->n;
	return CIMD_OK;
}

/* Keep one more name of the innermost object. */
static enum cimd_err
add_name(struct scan *s, struct span raw, size_t at)
{
	struct level *top = &s->level[s->depth - 1];
	struct name *more;
	struct span text;
	enum cimd_err e;
	size_t size;

	if (s->n_names - top->names == CIMD_MAX_JSON_MEMBERS)
		return json_lex_fail(&s->lex, rfc8259,
		    "an object of too many members");
	if ((e = resolve_name(s, raw, &text)) != CIMD_OK)
		return e;
	if (s->n_names == s->size_names) {
		size = s->size_names == 0 ? 32 : 2 * s->size_names;
		more = reallocarray(s->names, size, sizeof(*more));
		if (more == NULL)
			return err_no_memory(s->lex.err);
		s->names = more;
		s->size_names = size;
	}
	s->names[s->n_names].text = text;
	s->names[s->n_names].at = at;
	s->n_names++;
	return CIMD_OK;
}

/* Any total order will do; names of other lengths are other names. */
static int
compare_texts(const struct span *a, const struct span *b)
{
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return a->n == 0 ? 0 : memcmp(a->p, b->p, a->n);
}

static int
compare_names(const void *left, const void *right)
{
	const struct name *a = left, *b = right;
	int order = compare_texts(&a->text, &b->text);

	if (order != 0)
		return order;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* Of all names that stand twice in the innermost object, the first repeat. */
static const struct name *
find_duplicate(struct scan *s)
{
	size_t first = s->level[s->depth - 1].names;
	size_t n = s->n_names - first;
	const struct name *found = NULL;
	struct name *names;
	size_t i;

	if (n < 2)
		return NULL;
	names = s->names + first;
	qsort(names, n, sizeof(*names), compare_names);
	for (i = 1; i < n; i++)
		if (compare_texts(&names[i - 1].text, &names[i].text) == 0 &&
		    (found == NULL || names[i].at < found->at))
			found = &names[i];
	return found;
}

static enum cimd_err
open_level(struct scan *s, bool object)
{
	if (s->depth == CIMD_MAX_JSON_DEPTH)
		return json_lex_fail(&s->lex, rfc8259, "nested too deep");
	s->level[s->depth].object = object;
	s->level[s->depth].names = s->n_names;
	s->depth++;
	s->lex.at++;
	s->want = object ? WANT_MEMBER_OR_END : WANT_ELEMENT_OR_END;
	return CIMD_OK;
}

static enum cimd_err
close_level(struct scan *s)
{
	const struct name *twice;

	if (s->level[s->depth - 1].object) {
		twice = find_duplicate(s);
		if (twice != NULL)
			return err_set(s->lex.err, CIMD_E_JSON, rfc7493,
			    "byte %zu: name \"%.*s\" a second time", twice->at,
			    twice->text.n > 64 ? 64 : (int)twice->text.n,
			    twice->text.p);
		s->n_names = s->level[s->depth - 1].names;
	}
	s->depth--;
	s->lex.at++;
	s->want = WANT_COMMA_OR_END;
	return CIMD_OK;
}

static enum cimd_err
scan_value(struct scan *s)
{
	struct span text;
	bool integer;
	int c = json_lex_peek(&s->lex);

	if (c == '{' || c == '[')
		return open_level(s, c == '{');
	s->want = WANT_COMMA_OR_END;
	if (c == '"')
		return json_lex_string(&s->lex, &text);
	if (c == '-' || (c >= '0' && c <= '9'))
		return json_lex_number(&s->lex, &text, &integer);
	return json_lex_literal(&s->lex, &text);
}

/* A name and its colon. */
static enum cimd_err
scan_name(struct scan *s)
{
	size_t at = s->lex.at;
	struct span raw;
	enum cimd_err e;

	if (json_lex_peek(&s->lex) != '"')
		return json_lex_fail(&s->lex, rfc8259, "no member name");
	if ((e = json_lex_string(&s->lex, &raw)) != CIMD_OK ||
	    (e = add_name(s, raw, at)) != CIMD_OK)
		return e;
	json_lex_space(&s->lex);
	if (json_lex_peek(&s->lex) != ':')
		return json_lex_fail(&s->lex, rfc8259, "no colon");
	s->lex.at++;
	s->want = WANT_VALUE;
	return CIMD_OK;
}

static enum cimd_err
scan_after_value(struct scan *s)
{
	bool object = s->level[s->depth - 1].object;
	int c = json_lex_peek(&s->lex);

	if (c == (object ? '}' : ']'))
		return close_level(s);
	if (c != ',')
		return json_lex_fail(&s->lex, rfc8259,
		    object ? "neither comma nor }" : "neither comma nor ]");
	s->lex.at++;
	s->want = object ? WANT_MEMBER : WANT_VALUE;
	return CIMD_OK;
}

static enum cimd_err
scan_step(struct scan *s)
{
	int c;

	json_lex_space(&s->lex);
	c = json_lex_peek(&s->lex);
	switch (s->want) {
	case WANT_ELEMENT_OR_END:
		return c == ']' ? close_level(s) : scan_value(s);
	case WANT_MEMBER_OR_END:
		return c == '}' ? close_level(s) : scan_name(s);
	case WANT_MEMBER:
		return scan_name(s);
	case WANT_COMMA_OR_END:
		return scan_after_value(s);
	case WANT_VALUE:
		break;
	}
	return scan_value(s);
}

/* One value, then nothing. */
static enum cimd_err
scan_text(struct scan *s)
{
	enum cimd_err e;

	if (s->lex.n >= 3 && memcmp(s->lex.p, "\xef\xbb\xbf", 3) == 0)
		return json_lex_fail(&s->lex, rfc8259, "a byte order mark");
	do {
		if ((e = scan_step(s)) != CIMD_OK)
			return e;
	} while (s->depth > 0);
	json_lex_space(&s->lex);
	if (s->lex.at < s->lex.n)
		return json_lex_fail(&s->lex, rfc8259, "more after the value");
	return CIMD_OK;
}

enum cimd_err
json_scan(struct span s, struct cimd_error *err)
{
	struct scan scan = { .lex = { s.p, s.n, 0, err } };
	enum cimd_err e;

	scan.want = WANT_VALUE;
	e = scan_text(&scan);
	free(scan.names);
	free(scan.unescaped);
	return e;
}
