/*
 * question.h - a question as the bytes of an HTTP request
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: struct cimdclient_ask; out: bytes; touches nothing
 */

#ifndef QUESTION_H
#define QUESTION_H

#include "cimd_int.h"
#include "cimdclient.h"

/* One allocation of size bytes, in which the request stands somewhere. */
struct question {
	char *p;
	size_t n;
	char *whole;
	size_t size;
};

/*
 * Check ask and write the request.  verify: POST /v1/assertion instead of
 * /v1/client.  Release out with question_clear(), whatever this returns.
 * Fails with: CIMD_E_NOT_CIMD, CIMD_E_URL, CIMD_E_REDIRECT_URIS,
 * CIMD_E_ASSERTION (bytes that no such thing has), CIMD_E_REQUEST (the host
 * is at fault), CIMD_E_NO_MEMORY.
 */
enum cimd_err question_write(const struct cimdclient_ask *ask, bool verify,
    struct question *out, struct cimd_error *err);

/* Wipe and free. */
void question_clear(struct question *q);

#endif /* QUESTION_H */
