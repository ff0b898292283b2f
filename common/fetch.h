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
	const char *user_agent;  /* whole header value; NULL: no such header */
	const char *proxy;       /* http: or https: URL; NULL or "": none, and
				    none from the environment either */
	const char *dns_servers; /* see dns_check_servers(); NULL or "": the
				    system's */
	bool loopback_ok;        /* development exception */
};

struct fetcher; /* shared by all threads; keeps TLS sessions for minutes */

/*
 * A fetcher.  The caller frees it with fetcher_free().
 * Fails with: CIMD_E_NO_MEMORY, CIMD_E_CONFIG (CA path that cannot be read,
 * proxy that is no http or https URL, malformed list of name servers).
 */
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
 * environment used, nothing but https spoken; no cookie, no authorization,
 * no referrer is sent and no compression offered.  Resolving and connecting
 * take at most CIMD_CONNECT_MS of the time until the deadline.
 *
 * With a proxy its own addresses are pinned, and the address check of names
 * is the proxy's job; a special-use IP literal is refused all the same.
 *
 * CIMD_OK for every complete HTTP response header, whatever it says:
 * http_judge() decides.  The body of one that http_judge() refuses even when
 * lenient is not read and is empty here.  *out is emptied with
 * fetch_response_clear(), also after a failure, where only peer may be set.
 * Thread-safe; SIGPIPE is kept from the caller.
 * Fails with: CIMD_E_ADDRESS, CIMD_E_CERT, CIMD_E_STATUS (no HTTP, or 304
 * without a condition), CIMD_E_TOO_BIG, CIMD_E_DNS, CIMD_E_CONNECT (also a
 * body that was cut), CIMD_E_TLS, CIMD_E_TIMEOUT, CIMD_E_CONFIG (the CA file
 * became unreadable), CIMD_E_NO_MEMORY, CIMD_E_INTERNAL.
 */
enum cimd_err fetch_get(struct fetcher *f, const struct fetch_request *req,
    struct fetch_response *out, struct cimd_error *err);

/* Free the body and zero all members. */
void fetch_response_clear(struct fetch_response *r);

#endif /* FETCH_H */
