/*
 * digest.h - SHA-256
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: bytes; out: their hash; touches nothing
 */

#ifndef DIGEST_H
#define DIGEST_H

#include "cimd_int.h"

/*
 * SHA-256 of s; OpenSSL's error queue is left as it was.
 * Fails with: CIMD_E_NO_MEMORY.
 */
enum cimd_err digest_sha256(struct span s, uint8_t out[32],
    struct cimd_error *err);

#endif /* DIGEST_H */
