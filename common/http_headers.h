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

/* Seconds; -1 where the response says nothing (or nonsense, as 9111 asks). */
struct http_facts {
	int status;
	enum content_type content_type;
	bool encoded; /* a Content-Encoding other than identity */
	bool no_store, no_cache, is_private, vary_any;
	bool bot_wall; /* cf-mitigated is there */
	int64_t max_age, s_maxage, age;
	int64_t date, expires, last_modified_at; /* UTC; expires 0: invalid */
	int64_t retry_after;                     /* seconds from now, or -1 */
	char etag[256]; /* empty: none, or longer than we keep */
	char last_modified[64];
	size_t bytes; /* header bytes so far, over all responses */
};

struct http_headers; /* collects lines of one exchange, 1xx included */

/* An empty collection.  NULL when out of memory. */
struct http_headers *http_headers_new(void);

/* Accepts NULL; sets *h to NULL. */
void http_headers_free(struct http_headers **h);

/*
 * One line as it came (status line, header or the empty line at the end),
 * CRLF included.  A new status line forgets the headers before it, but not
 * their bytes.  Fails with: CIMD_E_TOO_BIG above CIMD_MAX_HEADERS,
 * CIMD_E_STATUS for what is no HTTP header, CIMD_E_NO_MEMORY.
 */
enum cimd_err http_headers_line(struct http_headers *h, struct span line,
    struct cimd_error *err);

/* The facts of the last response.  now (UTC) is for Retry-After dates. */
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

/* IMF-fixdate, RFC 850 and asctime dates (RFC 9110 5.6.7); -1: none. */
int64_t http_date(struct span text);

#endif /* HTTP_HEADERS_H */
