/*
 * http_cache.h - what a response says about times (RFC 9111, RFC 9110)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 5; in: header fields; out: facts; touches nothing
 */

#ifndef HTTP_CACHE_H
#define HTTP_CACHE_H

#include "http_headers.h"

/* A date field as it came; dates are read when the time is known. */
struct date_field {
	char text[40]; /* the longest valid form has 33 bytes */
	size_t len;
	bool seen;
	bool bad; /* too long, or there twice with different values */
};

/* The fields about times of one response. */
struct http_cache {
	bool no_store, no_cache, is_private, vary_any;
	bool malformed;            /* Cache-Control breaks its grammar */
	int64_t max_age, s_maxage; /* -1: not there */
	bool age_seen;
	int64_t age; /* -1: not there or invalid */
	struct date_field date, expires, last_modified, retry_after;
};

/* No fields yet. */
void http_cache_clear(struct http_cache *c);

/*
 * Note a field: Age, Cache-Control, Date, Expires, Last-Modified,
 * Retry-After, Vary.  value has no space around it.
 */
void http_cache_control(struct http_cache *c, struct span value);
void http_cache_vary(struct http_cache *c, struct span value);
void http_cache_age(struct http_cache *c, struct span value);
void http_cache_date(struct date_field *f, struct span value);

/* Fill in the members of out that come from these fields. */
void http_cache_facts(const struct http_cache *c, int64_t now,
    struct http_facts *out);

#endif /* HTTP_CACHE_H */
