/*
 * fetch.h - one hardened GET (sections 5, 9.6, 9.7)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 5; in: URL, deadline; out: header facts and body; touches the network
 */

#ifndef FETCH_H
#define FETCH_H

#include "http_headers.h"
#include "netaddr.h"
#include "url.h"

/* Settings of a fetcher; strings are borrowed until fetcher_free(). */
struct fetch_settings {
	const char *ca_path;     /* hashed directory; NULL: the system's */
	const char *ca_file;     /* a bundle instead; NULL: none */
	const char *user_agent;  /* whole header value */
	const char *proxy;       /* NULL: none, and none from the environment */
	const char *dns_servers; /* NULL: the system's */
	bool loopback_ok;        /* development exception */
};

struct fetcher; /* shared by all threads: CA store, TLS sessions */

/* Fails with: CIMD_E_NO_MEMORY, CIMD_E_CONFIG (CA path cannot be read). */
enum cimd_err fetcher_new(const struct fetch_settings *settings,
    struct fetcher **out, struct cimd_error *err);

/* No fetch may be under way.  Accepts NULL; sets *f to NULL. */
void fetcher_free(struct fetcher **f);

struct fetch_request {
	struct span url; /* an https URL that url_parse() took */
	struct span host;
	uint16_t port;
	size_t max_bytes;          /* of the body */
	int64_t deadline_ms;       /* clock_ms() */
	const char *etag;          /* NULL or "": no condition */
	const char *last_modified; /* likewise */
};

struct fetch_response {
	struct http_facts facts; /* status 304 only after a condition of ours */
	char *body;              /* owned; NUL behind it, not counted */
	size_t body_len;
	struct netaddr peer;
};

/*
 * GET req->url: resolve all addresses, judge each, pin them, connect,
 * verify, read at most max_bytes.  No redirect is followed, no proxy of the
 * environment used, nothing but https spoken.  CIMD_OK for every complete
 * HTTP response whatever its status: http_judge() decides about it.
 * *out is emptied with fetch_response_clear().
 * Fails with: CIMD_E_ADDRESS, CIMD_E_CERT, CIMD_E_STATUS (no HTTP),
 * CIMD_E_TOO_BIG, CIMD_E_DNS, CIMD_E_CONNECT, CIMD_E_TLS, CIMD_E_TIMEOUT,
 * CIMD_E_NO_MEMORY, CIMD_E_INTERNAL.
 */
enum cimd_err fetch_get(struct fetcher *f, const struct fetch_request *req,
    struct fetch_response *out, struct cimd_error *err);

void fetch_response_clear(struct fetch_response *r);

#endif /* FETCH_H */
