/*
 * assertion.h - client assertions, private_key_jwt (RFC 7523, RFC 8725)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: token, record, audiences, given time; out: claims; touches
 * nothing (the jti is used up by the store)
 */

#ifndef ASSERTION_H
#define ASSERTION_H

#include "client.h"

enum {
	ASSERTION_SKEW_S = 30,
	ASSERTION_MAX_LIFE_S = 330, /* exp at most this far ahead */
	ASSERTION_MAX_JTI = 256,    /* bytes */
};

struct assertion_rules {
	const struct cimd_client *client;
	const char *const *audiences; /* exact; none: nothing is accepted */
	size_t n_audiences;
	int64_t now; /* UTC seconds */
	bool typ_required;
};

struct assertion_claims {
	char jti[ASSERTION_MAX_JTI + 1]; /* NUL-terminated, no other NUL */
	int64_t keep_until;              /* exp + skew */
};

/*
 * Verify the compact JWS of a client whose record allows private_key_jwt:
 * header and claims first, then the signature.  *unknown_kid is true when it
 * failed only because no key has its kid: the keys may have been rotated,
 * fetch them once.  On failure out is all zero.
 * Fails with: CIMD_E_ASSERTION (text: which check), CIMD_E_NO_MEMORY,
 * CIMD_E_INTERNAL (the keys of the record cannot be read, or OpenSSL cannot
 * do the algorithm).
 */
enum cimd_err assertion_verify(struct span token,
    const struct assertion_rules *rules, struct assertion_claims *out,
    bool *unknown_kid, struct cimd_error *err);

/*
 * Who the token says it is from, so that a request without client_id can be
 * looked up (RFC 7523 2.2); nothing is verified.  The caller frees *iss.
 * Fails with: CIMD_E_ASSERTION, CIMD_E_NO_MEMORY.
 */
enum cimd_err assertion_issuer(struct span token, char **iss,
    struct cimd_error *err);

#endif /* ASSERTION_H */
