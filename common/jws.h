/*
 * jws.h - compact JWS: reading and verifying (RFC 7515, RFC 8725)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of assertion.c; in: token, keys; out: payload; touches nothing
 */

#ifndef JWS_H
#define JWS_H

#include "jwks.h"

enum {
	JWS_MAX_TRIES = 8, /* signatures verified for one token */
};

/* A token that was taken apart; nothing of it is trusted before jws_verify. */
struct jws {
	uint32_t alg;             /* one ALG_* bit */
	const char *alg_name;     /* as in the header */
	const char *kid;          /* NULL: the header has none */
	const char *typ;          /* NULL: the header has none */
	struct span signed_bytes; /* borrowed from the token */
	struct span payload;      /* decoded; may be empty */
	struct span signature;    /* decoded */
	struct json_object *header;
	uint8_t *decoded;
};

/*
 * Take a token apart: three parts of strict base64url, a header that is one
 * strict JSON object with an alg of ours and without crit.  Other members of
 * the header (jku, x5u, jwk ...) are ignored.  The token must outlive *out.
 * Free with jws_free(), also after a failure.
 * Fails with: CIMD_E_ASSERTION, CIMD_E_NO_MEMORY.
 */
enum cimd_err jws_read(struct span token, struct jws *out,
    struct cimd_error *err);

/* Accepts a zeroed one; zeroes it. */
void jws_free(struct jws *j);

/*
 * Verify the signature with the keys that have the token's kid or, when it
 * has none, with all keys; only those that may do its alg, and of them the
 * first JWS_MAX_TRIES.  *unknown_kid: no key has its kid.  Fails as
 * jws_check().
 */
enum cimd_err jws_verify(const struct jws *j, const struct jwks *keys,
    bool *unknown_kid, struct cimd_error *err);

/*
 * Is signature that of bytes, by alg (RFC 7518 3, RFC 8037 3.1)?  The key is
 * of the kind that alg wants.  Empties OpenSSL's error queue of this thread.
 * Fails with: CIMD_E_ASSERTION, CIMD_E_NO_MEMORY, CIMD_E_INTERNAL (this
 * OpenSSL cannot do alg).  Where OpenSSL lacks memory and says nothing, a good
 * signature may be refused; a bad one never passes.
 */
enum cimd_err jws_check(struct evp_pkey_st *key, uint32_t alg,
    struct span bytes, struct span signature, struct cimd_error *err);

#endif /* JWS_H */
