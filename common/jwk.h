/*
 * jwk.h - one JWK: is it usable, and as what
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 6; in: a JSON tree; out: a usable public key; touches nothing
 *
 * For jwks.c only.
 */

#ifndef JWK_H
#define JWK_H

#include "jwks.h"

/* Owns what its jwk borrows.  Zeroed: no key. */
struct jwk_own {
	struct jwk jwk;
	char *kid;
	char *json;
};

/*
 * Read one key.  *usable false with CIMD_OK: it is none of ours, and out
 * stays empty.  Free out with jwk_clear().  Fails with: CIMD_E_NO_MEMORY.
 */
enum cimd_err jwk_read(struct json_object *key, struct jwk_own *out,
    bool *usable, struct cimd_error *err);

void jwk_clear(struct jwk_own *k);

#endif /* JWK_H */
