/*
 * http_headers.c - the facts in response headers (RFC 9110, RFC 9112)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "error.h"
#include "http_cache.h"
#include "http_field.h"
#include "http_headers.h"

enum position {
	AT_STATUS = 0, /* a status line must come */
	IN_FIELDS,
	IN_TRAILERS, /* behind the end of the final response's header */
};

struct http_headers {
	enum position position;
	int status;
	size_t bytes;
	/* From here on: what the present response says. */
	struct http_cache cache;
	unsigned int content_types;
	enum content_type content_type;
	bool encoded;
	bool chunked; /* or any other transfer coding */
	bool bot_wall;
	bool etag_seen;
	char etag[256];
	struct span length; /* of Content-Length, in length_text */
	char length_text[20];
};

struct http_headers *
http_headers_new(void)
{
	struct http_headers *h;

	h = calloc(1, sizeof(*h));
	if (h != NULL)
		http_cache_clear(&h->cache);
	return h;
}

void
http_headers_free(struct http_headers **h)
{
	if (h == NULL)
		return;
	free(*h);
	*h = NULL;
}

static bool
is_utf8(const struct field_value *charset)
{
	return field_value_is(charset, "utf-8");
}

/* The parameters of a media type; false: malformed, or charset twice. */
static bool
parameters(struct span *cur, bool *utf8)
{
	struct field_value value;
	struct span name;
	bool seen = false;

	*utf8 = true;
	for (;;) {
		field_ows(cur);
		if (cur->n == 0)
			return true;
		if (!field_char(cur, ';'))
			return false;
		field_ows(cur);
		if (cur->n == 0 || cur->p[0] == ';')
			continue;
		if (!field_token(cur, &name) || !field_char(cur, '=') ||
		    !field_value(cur, &value))
			return false;
		if (!span_is_nocase(name, "charset"))
			continue;
		if (seen)
			return false;
		seen = true;
		*utf8 = is_utf8(&value);
	}
}

static bool
is_json(struct span subtype)
{
	static const char suffix[] = "+json";
	size_t n = sizeof(suffix) - 1;
	struct span end;

	if (span_is_nocase(subtype, "json"))
		return true;
	if (subtype.n <= n)
		return false;
	end = (struct span){ subtype.p + subtype.n - n, n };
	return span_is_nocase(end, suffix);
}

static enum content_type
media_type(struct span value)
{
	struct span type, subtype;
	bool utf8;

	if (!field_token(&value, &type) || !field_char(&value, '/') ||
	    !field_token(&value, &subtype) || !parameters(&value, &utf8))
		return CONTENT_NONE;
	if (!utf8)
		return CONTENT_OTHER;
	if (span_is_nocase(type, "application") && is_json(subtype))
		return CONTENT_JSON;
	if (span_is_nocase(type, "text") && span_is_nocase(subtype, "plain"))
		return CONTENT_TEXT;
	return CONTENT_OTHER;
}

/* Does the list of codings hold anything but harmless? */
static bool
has_coding(struct span value, const char *harmless)
{
	struct span name;

	while (field_list_next(&value)) {
		if (!field_token(&value, &name) ||
		    !span_is_nocase(name, harmless) || !field_list_end(&value))
			return true;
	}
	return false;
}

/* RFC 9110 8.8.3, ASCII only, because it ends up in JSON and in a request. */
static bool
is_entity_tag(struct span value)
{
	size_t i;

	if (value.n >= 2 && value.p[0] == 'W' && value.p[1] == '/')
		value = (struct span){ value.p + 2, value.n - 2 };
	if (value.n < 2 || value.p[0] != '"' || value.p[value.n - 1] != '"')
		return false;
	for (i = 1; i < value.n - 1; i++)
		if (value.p[i] <= 0x20 || value.p[i] >= 0x7f ||
		    value.p[i] == '"')
			return false;
	return true;
}

/* The first one; none if there is another that differs. */
static void
note_etag(struct http_headers *h, struct span value)
{
	if (h->etag_seen && !span_is(value, h->etag))
		h->etag[0] = '\0';
	if (!h->etag_seen && value.n < sizeof(h->etag) &&
	    is_entity_tag(value)) {
		memcpy(h->etag, value.p, value.n);
		h->etag[value.n] = '\0';
	}
	h->etag_seen = true;
}

/*
 * RFC 9112 6.3: lengths that differ, or are none, are an error that nothing
 * can mend.
 */
static bool
note_length(struct http_headers *h, struct span value)
{
	struct span length;

	while (field_list_next(&value)) {
		if (!field_token(&value, &length) || !field_list_end(&value) ||
		    length.n > sizeof(h->length_text) ||
		    field_number(length) == -1)
			return false;
		if (h->length.p != NULL && !span_eq(h->length, length))
			return false;
		memcpy(h->length_text, length.p, length.n);
		h->length = (struct span){ h->length_text, length.n };
	}
	return h->length.p != NULL;
}

/* False: a field that makes the whole response unusable. */
static bool
field(struct http_headers *h, struct span name, struct span value)
{
	if (span_is_nocase(name, "content-length"))
		return note_length(h, value);
	if (span_is_nocase(name, "content-type")) {
		h->content_types++;
		h->content_type = media_type(value);
	} else if (span_is_nocase(name, "content-encoding")) {
		h->encoded |= has_coding(value, "identity");
	} else if (span_is_nocase(name, "transfer-encoding")) {
		h->chunked = true;
		h->encoded |= has_coding(value, "chunked");
	} else if (span_is_nocase(name, "cf-mitigated")) {
		h->bot_wall = true;
	} else if (span_is_nocase(name, "etag")) {
		note_etag(h, value);
	}
	return true;
}

static void
time_field(struct http_cache *c, struct span name, struct span value)
{
	if (span_is_nocase(name, "cache-control"))
		http_cache_control(c, value);
	else if (span_is_nocase(name, "vary"))
		http_cache_vary(c, value);
	else if (span_is_nocase(name, "age"))
		http_cache_age(c, value);
	else if (span_is_nocase(name, "date"))
		http_cache_date(&c->date, value);
	else if (span_is_nocase(name, "expires"))
		http_cache_date(&c->expires, value);
	else if (span_is_nocase(name, "last-modified"))
		http_cache_date(&c->last_modified, value);
	else if (span_is_nocase(name, "retry-after"))
		http_cache_date(&c->retry_after, value);
}

/* Forget the fields of the response before. */
static void
forget(struct http_headers *h)
{
	size_t bytes = h->bytes;

	memset(h, 0, sizeof(*h));
	h->bytes = bytes;
	http_cache_clear(&h->cache);
}

/* RFC 9112 4: HTTP/1.0 or HTTP/1.1, SP, three digits, SP, a reason. */
static enum cimd_err
status_line(struct http_headers *h, struct span line, struct cimd_error *err)
{
	const char *p = line.p;

	if (line.n < 13 || memcmp(p, "HTTP/1.", 7) != 0 ||
	    (p[7] != '0' && p[7] != '1') || p[8] != ' ' || p[9] < '1' ||
	    p[9] > '9' || !ascii_digit(p[10]) || !ascii_digit(p[11]) ||
	    p[12] != ' ')
		return err_set(err, CIMD_E_STATUS, "5",
		    "the answer does not start with an HTTP/1.x status line");
	forget(h);
	h->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
	h->position = IN_FIELDS;
	if (h->status == 101)
		return err_set(err, CIMD_E_STATUS, "5",
		    "status 101: nobody asked for another protocol");
	return CIMD_OK;
}

/* name ":" OWS value OWS; RFC 9112 5. */
static enum cimd_err
field_line(struct http_headers *h, struct span line, struct cimd_error *err)
{
	struct span name;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return err_set(err, CIMD_E_STATUS, "5",
		    "a header field is folded over two lines");
	if (!field_token(&line, &name) || !field_char(&line, ':'))
		return err_set(err, CIMD_E_STATUS, "5",
		    "a header line is not a name and a colon");
	if (h->position == IN_TRAILERS)
		return CIMD_OK;
	line = field_trim(line);
	time_field(&h->cache, name, line);
	if (!field(h, name, line))
		return err_set(err, CIMD_E_STATUS, "5",
		    "the Content-Length is no number, or two that differ");
	return CIMD_OK;
}

/* Anything that RFC 9110 5.5 does not allow in a value? */
static bool
has_control(struct span line)
{
	size_t i;

	for (i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

enum cimd_err
http_headers_line(struct http_headers *h, struct span line,
    struct cimd_error *err)
{
	if (line.n > CIMD_MAX_HEADERS - h->bytes)
		return err_set(err, CIMD_E_TOO_BIG, "9.7",
		    "the headers have more than %d bytes", CIMD_MAX_HEADERS);
	h->bytes += line.n;
	if (line.n < 2 || memcmp(line.p + line.n - 2, "\r\n", 2) != 0)
		return err_set(err, CIMD_E_STATUS, "5",
		    "a header line does not end in CR LF");
	line.n -= 2;
	if (has_control(line))
		return err_set(err, CIMD_E_STATUS, "5",
		    "a header line holds a control character");
	if (h->position == AT_STATUS)
		return status_line(h, line, err);
	if (line.n > 0)
		return field_line(h, line, err);
	/* RFC 9112 6.3: such a message ought to be handled as an error. */
	if (h->position == IN_FIELDS && h->chunked && h->length.p != NULL)
		return err_set(err, CIMD_E_STATUS, "5",
		    "Content-Length and Transfer-Encoding are both there");
	h->position = h->status < 200 ? AT_STATUS : IN_TRAILERS;
	return CIMD_OK;
}

bool
http_headers_complete(const struct http_headers *h)
{
	return h->position == IN_TRAILERS;
}

void
http_headers_facts(const struct http_headers *h, int64_t now,
    struct http_facts *out)
{
	memset(out, 0, sizeof(*out));
	out->status = h->status;
	if (h->content_types == 1)
		out->content_type = h->content_type;
	out->encoded = h->encoded;
	out->bot_wall = h->bot_wall;
	memcpy(out->etag, h->etag, sizeof(out->etag));
	out->bytes = h->bytes;
	out->length = h->length.p != NULL ? field_number(h->length) : -1;
	http_cache_facts(&h->cache, now, out);
}

static enum cimd_err
judge_status(const struct http_facts *f, struct cimd_error *err)
{
	if (f->status == 200)
		return CIMD_OK;
	if (f->status == 404 || f->status == 410)
		return err_set(err, CIMD_E_GONE, "5",
		    "status %d: the document does not exist (any more)",
		    f->status);
	if (f->status == 403 && f->bot_wall)
		return err_set(err, CIMD_E_BOT_WALL, "5",
		    "status 403 with cf-mitigated: a bot wall stands in "
		    "front of the document");
	if (f->status == 429 || f->status >= 500)
		return err_set(err, CIMD_E_SERVER, "5",
		    "status %d: the server cannot answer now", f->status);
	if (f->status / 100 == 3 && f->status != 304)
		return err_set(err, CIMD_E_STATUS, "5",
		    "status %d: redirects are not followed", f->status);
	return err_set(err, CIMD_E_STATUS, "5", "status %d instead of 200",
	    f->status);
}

/* What is wrong with the media type; NULL: nothing. */
static const char *
type_fault(enum content_type type, bool lenient)
{
	switch (type) {
	case CONTENT_JSON:
		break;
	case CONTENT_TEXT:
		return lenient ? NULL : "the content type is text/plain";
	case CONTENT_OTHER:
		return "the content type is neither application/json nor "
		       "application/...+json in UTF-8";
	case CONTENT_NONE:
		return "there is no content type, more than one, or a "
		       "malformed one";
	}
	return NULL;
}

enum cimd_err
http_judge(const struct http_facts *facts, bool lenient, uint64_t *warnings,
    struct cimd_error *err)
{
	enum cimd_err e;
	const char *why;

	e = judge_status(facts, err);
	if (e != CIMD_OK)
		return e;
	why = type_fault(facts->content_type, lenient);
	if (why != NULL)
		return err_set(err, CIMD_E_TYPE, "4", "%s", why);
	if (facts->encoded)
		return err_set(err, CIMD_E_ENCODING, "4",
		    "the answer is encoded, though nobody asked for it");
	if (facts->content_type == CONTENT_TEXT)
		*warnings |= WARN_BIT(WARN_CONTENT_TYPE);
	return CIMD_OK;
}
