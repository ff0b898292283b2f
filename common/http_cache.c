/*
 * http_cache.c - what a response says about times (RFC 9111, RFC 9110)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "http_cache.h"
#include "http_field.h"

void
http_cache_clear(struct http_cache *c)
{
	memset(c, 0, sizeof(*c));
	c->max_age = c->s_maxage = c->age = -1;
}

/*
 * A freshness lifetime.  RFC 9111 4.2.1: one that is invalid, and two that
 * differ, make the response stale.
 */
static void
note_life(int64_t *life, const struct field_value *v)
{
	int64_t seconds = field_value_number(v);

	if (seconds == -1 || (*life != -1 && *life != seconds))
		seconds = 0;
	*life = seconds;
}

static void
directive(struct http_cache *c, struct span name, const struct field_value *v)
{
	if (span_is_nocase(name, "max-age"))
		note_life(&c->max_age, v);
	else if (span_is_nocase(name, "s-maxage"))
		note_life(&c->s_maxage, v);
	else if (span_is_nocase(name, "no-store"))
		c->no_store = true;
	else if (span_is_nocase(name, "no-cache"))
		c->no_cache = true;
	else if (span_is_nocase(name, "private"))
		c->is_private = true;
}

void
http_cache_control(struct http_cache *c, struct span value)
{
	struct field_value v;
	struct span name;

	while (field_list_next(&value)) {
		v = (struct field_value){ { NULL, 0 }, false };
		if (!field_token(&value, &name) ||
		    (field_char(&value, '=') && !field_value(&value, &v)))
			c->malformed = true;
		else
			directive(c, name, &v);
		if (!field_list_end(&value))
			c->malformed = true;
	}
}

void
http_cache_vary(struct http_cache *c, struct span value)
{
	struct span name;

	while (field_list_next(&value)) {
		if (field_token(&value, &name) && span_is(name, "*"))
			c->vary_any = true;
		(void)field_list_end(&value);
	}
}

/* RFC 9111 5.1: the first member counts, and is ignored if it is invalid. */
void
http_cache_age(struct http_cache *c, struct span value)
{
	size_t n = 0;

	if (c->age_seen)
		return;
	c->age_seen = true;
	while (n < value.n && value.p[n] != ',')
		n++;
	value.n = n;
	c->age = field_number(field_trim(value));
}

void
http_cache_date(struct date_field *f, struct span value)
{
	struct span before = { f->text, f->len };

	if (value.n > sizeof(f->text) || (f->seen && !span_eq(before, value)))
		f->bad = true;
	f->seen = true;
	if (f->bad)
		return;
	if (value.n > 0)
		memcpy(f->text, value.p, value.n);
	f->len = value.n;
}

/* -1: not there, or no date. */
static int64_t
date_of(const struct date_field *f, int64_t now)
{
	struct span text = { f->text, f->len };

	return f->seen && !f->bad ? http_date(text, now) : -1;
}

static int64_t
retry_after(const struct date_field *f, int64_t now)
{
	struct span text = { f->text, f->len };
	int64_t delay, date;

	if (!f->seen || f->bad)
		return -1;
	delay = field_number(text);
	if (delay != -1)
		return delay;
	date = http_date(text, now);
	if (date == -1)
		return -1;
	if (date <= now)
		return 0;
	delay = date - now;
	return delay > FIELD_NUMBER_MAX ? FIELD_NUMBER_MAX : delay;
}

void
http_cache_facts(const struct http_cache *c, int64_t now,
    struct http_facts *out)
{
	out->no_store = c->no_store;
	out->no_cache = c->no_cache;
	out->is_private = c->is_private;
	out->vary_any = c->vary_any;
	out->max_age = c->malformed ? 0 : c->max_age;
	out->s_maxage = c->malformed ? 0 : c->s_maxage;
	out->age = c->age;
	out->date = date_of(&c->date, now);
	out->expires = date_of(&c->expires, now);
	if (c->expires.seen && out->expires == -1)
		out->expires = 0; /* RFC 9111 5.3: a time in the past */
	out->last_modified_at = date_of(&c->last_modified, now);
	if (out->last_modified_at != -1) {
		memcpy(out->last_modified, c->last_modified.text,
		    c->last_modified.len);
		out->last_modified[c->last_modified.len] = '\0';
	}
	out->retry_after = retry_after(&c->retry_after, now);
}
