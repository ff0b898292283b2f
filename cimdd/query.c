/*
 * query.c - the query of a request target as JSON
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "fail.h"
#include "query.h"

enum {
	MAX_NAME = 32,  /* bytes of a decoded name; longer ones are unknown */
	MAX_DIGITS = 9, /* of a number; it fits 32 bits */
	MAX_ESCAPE = 6, /* bytes of JSON for one byte: \u001f */
};

/* One name or value on its way to JSON. */
struct decode {
	const char *at;
	const char *end;
	size_t number; /* of the parameter, from 1, for messages */
	struct cimd_error *err;
};

/* Room is reckoned beforehand; see query_json(). */
struct json {
	char *p;
	size_t n;
};

static void
add(struct json *j, const char *text)
{
	size_t n = strlen(text);

	memcpy(j->p + j->n, text, n);
	j->n += n;
}

/* One byte of a JSON string. */
static void
add_escaped(struct json *j, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\') {
		j->p[j->n++] = '\\';
	} else if (c < ' ') {
		add(j, "\\u00");
		j->p[j->n++] = hex[c >> 4];
		c = (unsigned char)hex[c & 15];
	}
	j->p[j->n++] = (char)c;
}

/* May c stand as it is in a query (RFC 3986 3.4)?  "&" was split off. */
static bool
is_query_byte(char c)
{
	return ascii_alpha(c) || ascii_digit(c) ||
	    (c != '\0' && strchr("-._~!$'()*+,;=:@/?", c) != NULL);
}

/* The next decoded byte; d->at is before d->end. */
static enum cimd_err
decode_byte(struct decode *d, unsigned char *out)
{
	int high, low;

	if (*d->at != '%') {
		if (!is_query_byte(*d->at))
			return fail(d->err, CIMD_E_REQUEST,
			    "parameter %zu: byte 0x%02x must be a percent "
			    "triplet",
			    d->number, (unsigned char)*d->at);
		*out = (unsigned char)*d->at++;
		return CIMD_OK;
	}
	high = d->end - d->at > 2 ? ascii_hex(d->at[1]) : -1;
	low = high >= 0 ? ascii_hex(d->at[2]) : -1;
	if (low < 0)
		return fail(d->err, CIMD_E_REQUEST,
		    "parameter %zu: \"%%\" without two hex digits", d->number);
	*out = (unsigned char)(high * 16 + low);
	if (*out == 0)
		return fail(d->err, CIMD_E_REQUEST, "parameter %zu: NUL byte",
		    d->number);
	d->at += 3;
	return CIMD_OK;
}

/* Find the decoded name among params; NULL: d->err says why not. */
static const struct query_param *
decode_name(struct decode *d, const struct query_param *params)
{
	unsigned char name[MAX_NAME + 1] = "", c = 0;
	size_t n = 0, i;

	while (d->at < d->end) {
		if (decode_byte(d, &c) != CIMD_OK)
			return NULL;
		if (n < MAX_NAME)
			name[n] = c;
		n++;
	}
	for (i = 0; n <= MAX_NAME && params[i].name != NULL; i++)
		if (strcmp((const char *)name, params[i].name) == 0)
			return &params[i];
	fail(d->err, CIMD_E_REQUEST,
	    "parameter %zu is not known here: \"%s%s\"", d->number,
	    (const char *)name, n > MAX_NAME ? "..." : "");
	return NULL;
}

static enum cimd_err
add_string(struct decode *d, struct json *j)
{
	unsigned char c = 0;
	enum cimd_err e;

	add(j, "\"");
	while (d->at < d->end) {
		if ((e = decode_byte(d, &c)) != CIMD_OK)
			return e;
		add_escaped(j, c);
	}
	add(j, "\"");
	return CIMD_OK;
}

static enum cimd_err
add_number(struct decode *d, struct json *j)
{
	const char *start = j->p + j->n;
	unsigned char c = 0;
	size_t digits = 0;
	enum cimd_err e;

	while (d->at < d->end) {
		if ((e = decode_byte(d, &c)) != CIMD_OK)
			return e;
		if (c < '0' || c > '9' || ++digits > MAX_DIGITS)
			break;
		j->p[j->n++] = (char)c;
	}
	if (digits == 0 || digits > MAX_DIGITS || c < '0' || c > '9' ||
	    (*start == '0' && digits > 1))
		return fail(d->err, CIMD_E_REQUEST,
		    "parameter %zu is not a number", d->number);
	return CIMD_OK;
}

/* One "name=value"; seen has a bit for each of params. */
static enum cimd_err
add_param(struct decode *d, const struct query_param *params,
    unsigned int *seen, struct json *j)
{
	const char *end = d->end;
	const char *equals = memchr(d->at, '=', (size_t)(end - d->at));
	const struct query_param *param;
	unsigned int bit;

	if (equals == NULL || equals == d->at)
		return fail(d->err, CIMD_E_REQUEST,
		    "parameter %zu is not \"name=value\"", d->number);
	d->end = equals;
	if ((param = decode_name(d, params)) == NULL)
		return CIMD_E_REQUEST;
	bit = 1U << (param - params);
	if ((*seen & bit) != 0)
		return fail(d->err, CIMD_E_REQUEST, "\"%s\" is there twice",
		    param->name);
	*seen |= bit;
	add(j, d->number == 1 ? "\"" : ",\"");
	add(j, param->name);
	add(j, "\":");
	d->at = equals + 1;
	d->end = end;
	return param->type == QUERY_NUMBER ? add_number(d, j) :
					     add_string(d, j);
}

static enum cimd_err
add_params(const char *query, size_t len, const struct query_param *params,
    struct json *j, struct cimd_error *err)
{
	struct decode d = { .at = query, .err = err };
	const char *end = query + len;
	unsigned int seen = 0;
	enum cimd_err e;

	for (;;) {
		d.number++;
		d.end = memchr(d.at, '&', (size_t)(end - d.at));
		if (d.end == NULL)
			d.end = end;
		if ((e = add_param(&d, params, &seen, j)) != CIMD_OK)
			return e;
		if (d.end == end)
			return CIMD_OK;
		d.at = d.end + 1;
	}
}

enum cimd_err
query_json(const char *query, size_t len, const struct query_param *params,
    char **json, size_t *json_len, struct cimd_error *err)
{
	struct json j = { NULL, 0 };
	enum cimd_err e = CIMD_OK;
	size_t names = 0, i;

	*json = NULL;
	for (i = 0; params[i].name != NULL; i++)
		names += strlen(params[i].name) + sizeof(",\"\":\"\"");
	if (i > QUERY_PARAMS || len > (SIZE_MAX - names - 3) / MAX_ESCAPE)
		return fail(err, CIMD_E_REQUEST, "the query is too long");
	if ((j.p = malloc(names + len * MAX_ESCAPE + 3)) == NULL)
		return fail_memory(err);
	add(&j, "{");
	if (query != NULL)
		e = add_params(query, len, params, &j, err);
	if (e != CIMD_OK) {
		free(j.p);
		return e;
	}
	add(&j, "}");
	j.p[j.n] = '\0';
	*json = j.p;
	*json_len = j.n;
	return CIMD_OK;
}
