/*
 * digest.c - SHA-256
 * SPDX-License-Identifier: Apache-2.0
 */

#include <openssl/err.h>
#include <openssl/evp.h>

#include "digest.h"
#include "error.h"

enum cimd_err
digest_sha256(struct span s, uint8_t out[32], struct cimd_error *err)
{
	int status;

	(void)ERR_set_mark();
	status = EVP_Digest(s.p, s.n, out, NULL, EVP_sha256(), NULL);
	ERR_pop_to_mark();
	return status == 1 ? CIMD_OK : err_no_memory(err);
}
