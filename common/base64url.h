/*
 * base64url.h - base64url without padding (RFC 7515 section 2)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: bytes; out: bytes; touches nothing
 */

#ifndef BASE64URL_H
#define BASE64URL_H

#include "cimd_int.h"

/* Bytes of text for n bytes, and its NUL. */
static inline size_t
base64url_size(size_t n)
{
	return n / 3 * 4 + (n % 3 == 0 ? 0 : n % 3 + 1) + 1;
}

/* Write n bytes as text with a NUL; out has room for base64url_size(n). */
void base64url_encode(const uint8_t *p, size_t n, char *out);

/*
 * Decode at most max bytes into out.  False: a byte that is not of the
 * alphabet (so also padding), a length or last bits that no encoder writes,
 * or more than max bytes.  Each value has one text that is accepted.
 */
bool base64url_decode(struct span s, uint8_t *out, size_t max, size_t *n);

#endif /* BASE64URL_H */
