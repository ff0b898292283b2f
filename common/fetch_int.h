/*
 * fetch_int.h - what the files of fetch.h share
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 5
 */

#ifndef FETCH_INT_H
#define FETCH_INT_H

#include <curl/curl.h>

#include "dns.h"
#include "fetch.h"

/*
 * TLS sessions of earlier fetches, so that a second handshake with the same
 * host costs less.  They lie in slots, and a slot belongs to one fetch at a
 * time: no session is ever used by two threads at once.  None is used for
 * longer than CIMD_TLS_SHARE_MS, because resuming it skips the check of the
 * certificate.
 */
struct tls_sessions;
struct tls_slot;

/* NULL when out of memory. */
struct tls_sessions *tls_sessions_new(void);

/* No slot may be taken.  Accepts NULL; sets *s to NULL. */
void tls_sessions_free(struct tls_sessions **s);

/*
 * A slot for a fetch from host at now_ms (clock_ms()): that of its last
 * fetch if it is free, else the one that was used last.  NULL if all are
 * taken: the fetch then resumes nothing.  Thread-safe.
 */
struct tls_slot *tls_slot_take(struct tls_sessions *s, struct span host,
    int64_t now_ms);

/* Give it back; accepts NULL.  Thread-safe. */
void tls_slot_give(struct tls_sessions *s, struct tls_slot *slot);

/* For CURLOPT_SHARE; NULL without a slot, or if out of memory. */
CURLSH *tls_slot_share(const struct tls_slot *slot);

/* Where a proxy is. */
struct proxy {
	char *host;
	uint16_t port;
};

struct fetcher {
	struct fetch_settings settings;
	struct tls_sessions *sessions;
	struct proxy proxy; /* host NULL: none */
};

/* One GET: what the callbacks of libcurl share. */
struct transfer {
	const struct fetcher *fetcher;
	const struct fetch_request *req;
	struct span connect_host; /* of the server, or of the proxy */
	uint16_t connect_port;
	struct dns_addresses allowed; /* nothing else is connected to */
	int64_t connect_ms, total_ms; /* time left */
	struct http_headers *headers;
	struct fetch_response *out;
	enum cimd_err code; /* why a callback ended the transfer */
	struct cimd_error *err;
	bool enough; /* it ended well: the rest is of no interest */
};

/*
 * Perform t with a new easy handle.  Fails with the codes of fetch_get().
 */
enum cimd_err fetch_perform(struct transfer *t, CURLSH *share);

#endif /* FETCH_INT_H */
