/*
 * response.c - an HTTP response that somebody captured in a file
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "response.h"

/* Cut the next line off text, without its end; false: there is none. */
static bool
next_line(struct span *text, struct span *line)
{
	const char *end = text->n > 0 ? memchr(text->p, '\n', text->n) : NULL;

	if (end == NULL)
		return false;
	line->p = text->p;
	line->n = (size_t)(end - text->p);
	text->p = end + 1;
	text->n -= line->n + 1;
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* The rest of "HTTP/2 200": " 200"; absent for other lines. */
static struct span
after_http2(struct span line)
{
	struct span none = { NULL, 0 };

	if (line.n < 7 || memcmp(line.p, "HTTP/", 5) != 0 ||
	    (line.p[5] != '2' && line.p[5] != '3') || line.p[6] != ' ')
		return none;
	line.p += 6;
	line.n -= 6;
	return line;
}

/* A line with something before and behind it. */
static enum cimd_err
add(struct http_headers *h, struct span before, struct span line,
    struct span behind, struct cimd_error *err)
{
	struct span whole = { NULL, before.n + line.n + behind.n };
	enum cimd_err e;
	char *text;

	if ((text = malloc(whole.n + 1)) == NULL)
		return err_no_memory(err);
	memcpy(text, before.p, before.n);
	memcpy(text + before.n, line.p, line.n);
	memcpy(text + before.n + line.n, behind.p, behind.n);
	whole.p = text;
	e = http_headers_line(h, whole, err);
	free(text);
	return e;
}

static enum cimd_err
add_line(struct http_headers *h, struct span line, struct cimd_error *err)
{
	struct span rest = after_http2(line);

	if (rest.p == NULL)
		return add(h, span_of(""), line, span_of("\r\n"), err);
	/* HTTP/2 has no reason phrase, and its space may be missing. */
	return add(h, span_of("HTTP/1.1"), rest,
	    span_of(rest.p[rest.n - 1] == ' ' ? "\r\n" : " \r\n"), err);
}

enum cimd_err
response_read(struct span text, int64_t now, struct http_facts *facts,
    struct span *body, struct cimd_error *err)
{
	struct http_headers *h = http_headers_new();
	enum cimd_err e = CIMD_OK;
	struct span line;

	if (h == NULL)
		return err_no_memory(err);
	while (e == CIMD_OK && !http_headers_complete(h))
		if (next_line(&text, &line))
			e = add_line(h, line, err);
		else
			e = err_set(err, CIMD_E_STATUS, "5",
			    "the headers have no end: no empty line follows");
	if (e == CIMD_OK) {
		http_headers_facts(h, now, facts);
		*body = text;
	}
	http_headers_free(&h);
	return e;
}
