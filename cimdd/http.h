/*
 * http.h - HTTP/1.1 over connected sockets, in front of cimd_call()
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: sockets; out: answers; touches sockets and threads.
 *
 * libmicrohttpd runs a few threads.  A call that cannot answer at once
 * suspends its connection and gives the thread back, so that slow lookups
 * never delay others.
 */

#ifndef HTTP_H
#define HTTP_H

#include "mux.h"
#include "request.h"
#include "say.h"

struct http;

/* Called for "reload": it owes the request an answer (request_answer()). */
typedef void http_reload_fn(void *ctx, struct request *r);

/* What it works with; all borrowed until http_stop(). */
struct http_parts {
	struct cimd *resolver;
	struct conns *conns;
	const struct say *say;
	struct mux *mux; /* for its figures; NULL: none */
	http_reload_fn *reload;
	void *ctx; /* of reload */
};

/* Start the threads.  Fails with: CIMD_E_STATE, CIMD_E_NO_MEMORY. */
enum cimd_err http_start(const struct http_parts *parts, struct http **out,
    struct cimd_error *err);

/*
 * Serve a connected socket; takes fd, also where the peer is turned away.
 * One thread at a time.
 */
void http_add(struct http *h, int fd, enum door door);

/*
 * Wait until all requests that were read have their answer, at most
 * timeout_ms; then answer the rest in their place.  Answers are the last of
 * their connection from now on.  http_add() must not be called any more.
 */
void http_drain(struct http *h, int64_t timeout_ms);

/*
 * End the threads and close all connections, after http_drain().  Returns
 * how many calls of the resolver still are without answer: while there are
 * any, neither resolver nor *h may be freed, and *h is not.
 */
unsigned int http_stop(struct http **h);

#endif /* HTTP_H */
