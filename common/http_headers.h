/*
 * http_headers.h - the facts in response headers (RFC 9110, RFC 9111)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 5; in: header lines; out: facts; touches nothing
 */

#ifndef HTTP_HEADERS_H
#define HTTP_HEADERS_H

#include "cimd_int.h"

enum content_type {
	CONTENT_NONE = 0, /* no Content-Type, two, or one that is malformed */
	CONTENT_JSON,     /* application/json or application/...+json, UTF-8 */
	CONTENT_TEXT,     /* text/plain, UTF-8 or no charset */
	CONTENT_OTHER,
};

/*
 * Seconds; -1 where the response says nothing.  What is invalid counts as
 * RFC 9111 asks: 0 for lifetimes and for Expires, -1 for Age and for dates.
 */
struct http_facts {
	int status;
	enum content_type content_type;
	bool encoded; /* a content or transfer coding that nobody asked for */
	bool no_store, no_cache, is_private, vary_any;
	bool bot_wall; /* cf-mitigated is there */
	int64_t max_age, s_maxage, age;
	int64_t date, expires, last_modified_at; /* UTC */
	int64_t retry_after;                     /* seconds from now, or -1 */
	int64_t length; /* Content-Length, at most 2^31; -1: none */
	char etag[256]; /* empty: none, invalid, or longer than we keep */
	char last_modified[64]; /* empty: none, or no date */
	size_t bytes;           /* of headers so far, over all responses */
};

struct http_headers; /* collects lines of one exchange, 1xx included */

/* An empty collection.  NULL when out of memory. */
struct http_headers *http_headers_new(void);

/* Accepts NULL; sets *h to NULL. */
void http_headers_free(struct http_headers **h);

/*
 * One line as it came (status line, field or the empty line at the end),
 * CRLF included.  A status line may only come first and behind the empty
 * line of a 1xx response, whose fields are then forgotten, but not their
 * bytes.  Behind the empty line of a final response there may be trailer
 * fields; they are checked and counted but say nothing.
 * Fails with: CIMD_E_TOO_BIG above CIMD_MAX_HEADERS, CIMD_E_STATUS for what
 * is no HTTP/1.x header (RFC 9112: no CRLF at the end, control characters,
 * folded lines, no name, contradicting lengths, 101).
 */
enum cimd_err http_headers_line(struct http_headers *h, struct span line,
    struct cimd_error *err);

/* Has the final response's header ended? */
bool http_headers_complete(const struct http_headers *h);

/* The facts of the last response.  now (UTC) is for dates. */
void http_headers_facts(const struct http_headers *h, int64_t now,
    struct http_facts *out);

/*
 * May a body with these facts be a document (or JWK set): status 200, JSON
 * type (or text/plain with lenient), no encoding?  warnings gets
 * WARN_CONTENT_TYPE.  Fails with: CIMD_E_STATUS, CIMD_E_GONE,
 * CIMD_E_BOT_WALL, CIMD_E_SERVER, CIMD_E_TYPE, CIMD_E_ENCODING.
 */
enum cimd_err http_judge(const struct http_facts *facts, bool lenient,
    uint64_t *warnings, struct cimd_error *err);

/*
 * IMF-fixdate, RFC 850 and asctime dates (RFC 9110 5.6.7), exactly as they
 * are defined; -1: none, or before 1970.  now (UTC) tells the century of
 * RFC 850 dates.
 */
int64_t http_date(struct span text, int64_t now);

#endif /* HTTP_HEADERS_H */
