/*
 * reply.c - the bytes of an HTTP response, read strictly
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "reply.h"

enum {
	FIRST_ROOM = 2048, /* bytes; most answers fit */
	MAX_DIGITS = 7,    /* of REPLY_MAX_BODY */
};

static enum cimd_err
refuse(struct cimd_error *err, const char *what)
{
	return err_set(err, CIMD_E_INTERNAL, "RFC 9112",
	    "what answers is no cimdd: %s", what);
}

enum cimd_err
reply_room(struct reply *r, char **at, size_t *room, struct cimd_error *err)
{
	size_t size = r->size == 0 ? FIRST_ROOM : r->size;
	char *more;

	if (r->n == size)
		size *= 2;
	if (r->has_length && size < r->head + r->length)
		size = r->head + r->length;
	if (size != r->size) {
		if (size > 2 * ((size_t)REPLY_MAX_HEAD + REPLY_MAX_BODY))
			return refuse(err, "the answer is too large");
		if ((more = realloc(r->p, size)) == NULL)
			return err_no_memory(err);
		r->p = more;
		r->size = size;
	}
	*at = r->p + r->n;
	*room = r->size - r->n;
	return CIMD_OK;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK".  Interim responses: nobody asked for one. */
static enum cimd_err
read_status(struct reply *r, struct span line, struct cimd_error *err)
{
	static const char version[] = "HTTP/1.1 ";
	const size_t at = sizeof(version) - 1;

	if (line.n < at + 4 || memcmp(line.p, version, at) != 0 ||
	    line.p[at] < '2' || line.p[at] > '5' || !is_digit(line.p[at + 1]) ||
	    !is_digit(line.p[at + 2]) || line.p[at + 3] != ' ')
		return refuse(err, "no HTTP/1.1 status line");
	r->status = (line.p[at] - '0') * 100 + (line.p[at + 1] - '0') * 10 +
	    (line.p[at + 2] - '0');
	return CIMD_OK;
}

static enum cimd_err
read_length(struct reply *r, struct span value, struct cimd_error *err)
{
	size_t i;

	if (r->has_length)
		return refuse(err, "Content-Length twice");
	if (value.n == 0)
		return refuse(err, "no number in Content-Length");
	for (i = 0; i < value.n; i++) {
		if (!is_digit(value.p[i]))
			return refuse(err, "no number in Content-Length");
		if (i == MAX_DIGITS)
			return refuse(err, "the answer is too large");
		r->length = r->length * 10 + (size_t)(value.p[i] - '0');
	}
	if (r->length > REPLY_MAX_BODY)
		return refuse(err, "the answer is too large");
	r->has_length = true;
	return CIMD_OK;
}

/* A token character (RFC 9110 section 5.6.2). */
static bool
is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    is_digit(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static enum cimd_err
read_type(struct reply *r, struct span value, struct cimd_error *err)
{
	if (r->json || r->problem)
		return refuse(err, "Content-Type twice");
	r->json = span_is(value, "application/json");
	r->problem = span_is(value, "application/problem+json");
	if (!r->json && !r->problem)
		return refuse(err, "another Content-Type than JSON");
	return CIMD_OK;
}

/* What follows the colon, without the blanks around it. */
static struct span
value_of(struct span line, size_t colon)
{
	struct span value = { line.p + colon + 1, line.n - colon - 1 };

	for (; value.n > 0 && *value.p == ' '; value.p++)
		value.n--;
	while (value.n > 0 && value.p[value.n - 1] == ' ')
		value.n--;
	return value;
}

static bool
is_printable(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

static enum cimd_err
read_field(struct reply *r, struct span line, struct cimd_error *err)
{
	struct span name = { line.p, 0 }, value;

	while (name.n < line.n && is_token(line.p[name.n]))
		name.n++;
	if (name.n == 0 || name.n == line.n || line.p[name.n] != ':')
		return refuse(err, "a line that is no header field");
	value = value_of(line, name.n);
	if (!is_printable(value))
		return refuse(err, "a header field with an odd byte");
	if (span_is_nocase(name, "content-length"))
		return read_length(r, value, err);
	if (span_is_nocase(name, "content-type"))
		return read_type(r, value, err);
	if (span_is_nocase(name, "transfer-encoding") ||
	    span_is_nocase(name, "content-encoding"))
		return refuse(err, "a coding that nobody asked for");
	return CIMD_OK;
}

/* The head without its empty line, but with the end of its last line. */
static enum cimd_err
read_head(struct reply *r, struct cimd_error *err)
{
	struct span line = { r->p, 0 };
	const char *end = r->p + r->head - 2, *lf;
	enum cimd_err e = CIMD_OK;
	bool first = true;

	for (; e == CIMD_OK && line.p < end; line.p = lf + 1, first = false) {
		lf = memchr(line.p, '\n', (size_t)(end - line.p));
		if (lf == NULL || lf == line.p || lf[-1] != '\r')
			return refuse(err, "a line that does not end in CR LF");
		line.n = (size_t)(lf - line.p) - 1;
		e = first ? read_status(r, line, err) :
			    read_field(r, line, err);
	}
	if (e == CIMD_OK && !r->json && !r->problem)
		return refuse(err, "no Content-Type");
	return e;
}

/* Look for the end of the head in what is there, from byte "from" on. */
static enum cimd_err
find_head(struct reply *r, size_t from, struct cimd_error *err)
{
	static const char end[] = "\r\n\r\n";
	const char *at;

	from = from > 3 ? from - 3 : 0;
	at = memmem(r->p + from, r->n - from, end, 4);
	if (at == NULL && r->n <= REPLY_MAX_HEAD)
		return CIMD_OK;
	if (at == NULL || at + 4 - r->p > REPLY_MAX_HEAD)
		return refuse(err, "headers without an end");
	r->head = (size_t)(at + 4 - r->p);
	return read_head(r, err);
}

enum cimd_err
reply_add(struct reply *r, size_t n, bool *done, struct cimd_error *err)
{
	size_t before = r->n;
	enum cimd_err e;

	*done = false;
	r->n += n;
	if (r->head == 0 && (e = find_head(r, before, err)) != CIMD_OK)
		return e;
	if (r->head == 0)
		return CIMD_OK;
	if (r->n - r->head > (r->has_length ? r->length : REPLY_MAX_BODY))
		return refuse(err, "a body that is longer than it may be");
	*done = r->has_length && r->n - r->head == r->length;
	return CIMD_OK;
}

enum cimd_err
reply_end(const struct reply *r, struct cimd_error *err)
{
	if (r->head == 0 || r->has_length)
		return err_set(err, CIMD_E_CONNECT, "",
		    "cimdd ended the connection %s",
		    r->n == 0 ? "without an answer" : "amid its answer");
	return CIMD_OK;
}

struct span
reply_body(const struct reply *r)
{
	struct span body = { r->p + r->head, r->n - r->head };

	return body;
}

void
reply_clear(struct reply *r)
{
	free(r->p);
	*r = (struct reply){ 0 };
}
