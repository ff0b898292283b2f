/*
 * reply.h - the bytes of an HTTP response, read strictly
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: bytes as they come; out: status and body; touches nothing
 *
 * No more than what cimdd sends is understood: HTTP/1.1, a status, one
 * Content-Length or the end of the connection.  Everything else is refused.
 */

#ifndef REPLY_H
#define REPLY_H

#include "cimd_int.h"

enum {
	REPLY_MAX_HEAD = 8192,    /* bytes; cimdd sends about 200 */
	REPLY_MAX_BODY = 1048576, /* bytes */
};
static_assert(REPLY_MAX_BODY > 2 * CIMD_MAX_RECORD, "an answer fits");

struct reply {
	char *p; /* owned */
	size_t n, size;
	size_t head;     /* bytes of the head; 0: it is not complete */
	int status;      /* 200 ... */
	bool json;       /* application/json */
	bool problem;    /* application/problem+json */
	bool has_length; /* of the body: */
	size_t length;
};

/*
 * Where the next bytes go: *room of them, at least 1.
 * Fails with: CIMD_E_INTERNAL (it is too large), CIMD_E_NO_MEMORY.
 */
enum cimd_err reply_room(struct reply *r, char **at, size_t *room,
    struct cimd_error *err);

/*
 * n bytes more have come.  *done: the response is complete.
 * Fails with: CIMD_E_INTERNAL.
 */
enum cimd_err reply_add(struct reply *r, size_t n, bool *done,
    struct cimd_error *err);

/*
 * The connection has ended.  Fails with: CIMD_E_CONNECT (too early).
 */
enum cimd_err reply_end(const struct reply *r, struct cimd_error *err);

/* Of a complete response. */
struct span reply_body(const struct reply *r);

void reply_clear(struct reply *r);

#endif /* REPLY_H */
