/*
 * jwks.h - JWK sets: which keys are usable (RFC 7517, RFC 7518, RFC 8037)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 6; in: a JSON tree; out: usable public keys; touches nothing
 */

#ifndef JWKS_H
#define JWKS_H

#include "cimd_int.h"

struct json_object;
struct evp_pkey_st;

/* Signature algorithms that we verify, as bits; never none or HMAC. */
enum {
	ALG_ES256 = 1,
	ALG_ES384 = 2,
	ALG_PS256 = 4,
	ALG_RS256 = 8,
	ALG_EDDSA = 16, /* Ed25519 only */
};

/* Bit of an algorithm name; 0 when it is none of ours. */
uint32_t jwks_alg_bit(struct span name);

/*
 * Does a JSON object hold private or symmetric key members (d, p, q, dp, dq,
 * qi, oth, k), or call itself such a key ("kty":"oct")?
 */
bool jwks_is_secret(struct json_object *key);

/*
 * One usable key.  Strings and key live as long as the set.  Thumbprint:
 * RFC 7638, SHA-256, over the public members (so it names key material).
 */
struct jwk {
	const char *kid; /* NULL when absent */
	uint32_t algs;   /* ALG_* that it may verify */
	uint8_t thumbprint[32];
	struct evp_pkey_st *key;
	struct span json; /* its public members, as in jwks_json() */
};

struct jwks; /* a set; immutable */

/*
 * Judge {"keys":[...]}.  Private or symmetric members in any key refuse the
 * whole set (CIMD_E_SECRET); keys of unknown kty or crv, RSA of less than
 * 2048 or more than 8192 bits, with an exponent that is even, below 3 or
 * over 33 bits, or with the ROCA fingerprint (CVE-2017-15361), "use" other
 * than "sig", key_ops without "verify", alg at odds with kty/crv, points off
 * the curve, a kid over 256 bytes and anything but strict base64url are
 * skipped with WARN_KEY_UNUSABLE (RFC 7517 section 5).  A kid may stand
 * twice.  A set without usable keys is no fault here, one of more than
 * CIMD_MAX_KEYS is.  Free with jwks_free().
 * Fails with: CIMD_E_SECRET, CIMD_E_METADATA, CIMD_E_NO_MEMORY.
 */
enum cimd_err jwks_read(struct json_object *set, uint64_t *warnings,
    struct jwks **out, struct cimd_error *err);

/* json_parse() and jwks_read() in one; fails as both. */
enum cimd_err jwks_parse(struct span text, uint64_t *warnings,
    struct jwks **out, struct cimd_error *err);

/* Accepts NULL; sets *k to NULL. */
void jwks_free(struct jwks **k);

size_t jwks_count(const struct jwks *k);
const struct jwk *jwks_get(const struct jwks *k, size_t i);

/* OR of algs of all keys. */
uint32_t jwks_algs(const struct jwks *k);

/*
 * {"keys":[...]} with the usable keys' public members only (kty, crv, x, y,
 * n, e, kid, alg, use); borrowed from k.
 */
struct span jwks_json(const struct jwks *k);

#endif /* JWKS_H */
