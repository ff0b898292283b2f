/*
 * http_field.c - the grammar that header fields share (RFC 9110 5.6)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "ascii.h"
#include "http_field.h"

static void
skip(struct span *cur, size_t n)
{
	cur->p += n;
	cur->n -= n;
}

static bool
is_ows(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_tchar(char c)
{
	return ascii_digit(c) || ascii_alpha(c) ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

void
field_ows(struct span *cur)
{
	while (cur->n > 0 && is_ows(cur->p[0]))
		skip(cur, 1);
}

struct span
field_trim(struct span text)
{
	field_ows(&text);
	while (text.n > 0 && is_ows(text.p[text.n - 1]))
		text.n--;
	return text;
}

bool
field_char(struct span *cur, char c)
{
	if (cur->n == 0 || cur->p[0] != c)
		return false;
	skip(cur, 1);
	return true;
}

bool
field_token(struct span *cur, struct span *out)
{
	size_t n = 0;

	while (n < cur->n && is_tchar(cur->p[n]))
		n++;
	if (n == 0)
		return false;
	*out = (struct span){ cur->p, n };
	skip(cur, n);
	return true;
}

/* What stands behind the quote at the front; RFC 9110 5.6.4. */
static bool
quoted_string(struct span *cur, struct span *out)
{
	size_t n;

	for (n = 1; n < cur->n && cur->p[n] != '"'; n++)
		if (cur->p[n] == '\\')
			n++;
	if (n >= cur->n)
		return false;
	*out = (struct span){ cur->p + 1, n - 1 };
	skip(cur, n + 1);
	return true;
}

bool
field_value(struct span *cur, struct field_value *out)
{
	out->quoted = cur->n > 0 && cur->p[0] == '"';
	if (out->quoted)
		return quoted_string(cur, &out->raw);
	return field_token(cur, &out->raw);
}

/* The next byte with a quoted pair undone; -1 at the end. */
static int
next_byte(struct field_value *v)
{
	unsigned char c;

	if (v->quoted && v->raw.n > 1 && v->raw.p[0] == '\\')
		skip(&v->raw, 1);
	if (v->raw.n == 0)
		return -1;
	c = (unsigned char)v->raw.p[0];
	skip(&v->raw, 1);
	return c;
}

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool
field_value_is(const struct field_value *v, const char *s)
{
	struct field_value rest = *v;

	for (; *s != '\0'; s++)
		if (lower(next_byte(&rest)) != lower((unsigned char)*s))
			return false;
	return next_byte(&rest) == -1;
}

int64_t
field_value_number(const struct field_value *v)
{
	struct field_value rest = *v;
	int64_t n = 0;
	int c;

	if (rest.raw.n == 0)
		return -1;
	while ((c = next_byte(&rest)) != -1) {
		if (c < '0' || c > '9')
			return -1;
		n = n * 10 + (c - '0');
		if (n > FIELD_NUMBER_MAX)
			n = FIELD_NUMBER_MAX;
	}
	return n;
}

int64_t
field_number(struct span text)
{
	struct field_value v = { text, false };

	return field_value_number(&v);
}

bool
field_list_next(struct span *cur)
{
	while (cur->n > 0 && (is_ows(cur->p[0]) || cur->p[0] == ','))
		skip(cur, 1);
	return cur->n > 0;
}

bool
field_list_end(struct span *cur)
{
	field_ows(cur);
	if (cur->n == 0 || cur->p[0] == ',')
		return true;
	while (cur->n > 0 && cur->p[0] != ',')
		skip(cur, 1);
	return false;
}
