/*
 * signer.h - keys and signatures for tests of client assertions
 * SPDX-License-Identifier: Apache-2.0
 *
 * The keys are made anew in each run; none is kept.  The functions fail the
 * test where something goes wrong.
 */

#ifndef SIGNER_H
#define SIGNER_H

#include "cimd_int.h"

struct signer;

/*
 * Keys with the kid "p256", "p256-b", "p384", "rsa", "ed25519", and "nokid",
 * a P-256 key whose JWK has no kid.
 */
struct signer *signer_new(void);
void signer_free(struct signer *s);

/* {"keys":[...]} of all keys but those in without ("rsa p384"); free it. */
char *signer_jwks(const struct signer *s, const char *without);

/*
 * The compact JWS of header and payload, as they are, signed with the key of
 * that kid.  alg is an algorithm of RFC 7518, "PS256-salt20" or
 * "ES256-der", which no JWS has.  The caller frees it.
 */
char *signer_sign(const struct signer *s, const char *kid, const char *alg,
    struct span header, struct span payload);

#endif /* SIGNER_H */
