/*
 * jwk_key.h - numbers of a JWK as a key of OpenSSL
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 6; in: bytes; out: a key, or none; touches nothing
 *
 * For jwk.c only.  A key that OpenSSL does not want is NULL with CIMD_OK, and
 * OpenSSL's error queue is left as it was.
 */

#ifndef JWK_KEY_H
#define JWK_KEY_H

#include "cimd_int.h"

struct evp_pkey_st;

enum {
	JWK_MIN_RSA_BITS = 2048, /* RFC 7518 section 3.3 */
	JWK_MAX_RSA_BITS = 8192, /* a signature takes a millisecond at most */
	JWK_MAX_EXPONENT_BITS = 33, /* 2^32 + 1 and all that are in use */
};

/*
 * An RSA key of modulus n and exponent e, both big-endian without leading
 * zeros.  None: its size or exponent is not allowed (see jwks_read()), n is
 * even or has the ROCA fingerprint.  Fails with: CIMD_E_NO_MEMORY.
 */
enum cimd_err jwk_key_rsa(struct span n, struct span e,
    struct evp_pkey_st **out, struct cimd_error *err);

/*
 * The key of the point (x, y), both of the curve's size.  None: the point is
 * not on the curve.  Fails with: CIMD_E_NO_MEMORY.
 */
enum cimd_err jwk_key_ec(const char *group, struct span x, struct span y,
    struct evp_pkey_st **out, struct cimd_error *err);

/* The Ed25519 key of 32 bytes.  Fails with: CIMD_E_NO_MEMORY. */
enum cimd_err jwk_key_ed25519(struct span x, struct evp_pkey_st **out,
    struct cimd_error *err);

/* Accepts NULL. */
void jwk_key_free(struct evp_pkey_st *key);

#endif /* JWK_KEY_H */
