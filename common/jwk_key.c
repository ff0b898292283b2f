/*
 * jwk_key.c - numbers of a JWK as a key of OpenSSL
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecerr.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "error.h"
#include "jwk_key.h"

/* What a span of bytes is to OpenSSL. */
static const unsigned char *
octets(struct span s)
{
	return (const unsigned char *)s.p;
}

/*
 * Does the error say that the key is at fault, or that this OpenSSL does not
 * offer its kind?  Sizes and numbers are checked before OpenSSL sees them.
 */
static bool
is_refusal(unsigned long error)
{
	int reason = ERR_GET_REASON(error);

	if (ERR_GET_LIB(error) == ERR_LIB_EC)
		return reason == EC_R_POINT_IS_NOT_ON_CURVE ||
		    reason == EC_R_INVALID_ENCODING;
	return ERR_GET_LIB(error) == ERR_LIB_EVP && reason == ERR_R_UNSUPPORTED;
}

/* Undo the caller's mark; without a key, say whether memory was lacking. */
static enum cimd_err
verdict(const EVP_PKEY *key, struct cimd_error *err)
{
	unsigned long last = ERR_peek_last_error();

	ERR_pop_to_mark();
	if (key == NULL && !is_refusal(last))
		return err_no_memory(err);
	return CIMD_OK;
}

/* A public key of that type from parameters; NULL: none. */
static EVP_PKEY *
from_params(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	if (ctx == NULL)
		return NULL;
	if (EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* Remainder of the big-endian number s by a small number. */
static uint32_t
remainder_of(struct span s, uint32_t divisor)
{
	uint32_t rest = 0;
	size_t i;

	for (i = 0; i < s.n; i++)
		rest = (rest << 8 | (unsigned char)s.p[i]) % divisor;
	return rest;
}

/* Is value a power of 65537 modulo the prime? */
static bool
is_power(uint32_t value, uint32_t prime)
{
	uint32_t power = 1;

	do {
		if (power == value)
			return true;
		power = power * (65537 % prime) % prime;
	} while (power != 1);
	return false;
}

/*
 * A modulus from the RSA library of CVE-2017-15361, whose factors are easy
 * to find: modulo each small prime it is a power of 65537.
 */
static bool
is_roca(struct span n)
{
	static const uint32_t primes[] = { 3, 5, 7, 11, 13, 17, 19, 23, 29, 31,
		37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
		103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163,
		167 };
	size_t i;

	for (i = 0; i < sizeof(primes) / sizeof(primes[0]); i++)
		if (!is_power(remainder_of(n, primes[i]), primes[i]))
			return false;
	return true;
}

static bool
is_odd(struct span s)
{
	return ((unsigned char)s.p[s.n - 1] & 1) == 1;
}

/* Number of bits of a number without leading zero bytes. */
static size_t
bit_length(struct span s)
{
	unsigned char first = (unsigned char)s.p[0];
	size_t bits = 8 * (s.n - 1);

	for (; first != 0; first >>= 1)
		bits++;
	return bits;
}

static bool
rsa_is_sound(struct span n, struct span e)
{
	if (bit_length(n) < JWK_MIN_RSA_BITS ||
	    bit_length(n) > JWK_MAX_RSA_BITS || !is_odd(n))
		return false;
	if (bit_length(e) > JWK_MAX_EXPONENT_BITS || bit_length(e) < 2 ||
	    !is_odd(e))
		return false;
	return !is_roca(n);
}

static EVP_PKEY *
rsa_from_numbers(struct span n, struct span e)
{
	BIGNUM *modulus = BN_bin2bn(octets(n), (int)n.n, NULL);
	BIGNUM *exponent = BN_bin2bn(octets(e), (int)e.n, NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (modulus != NULL && exponent != NULL && builder != NULL &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) ==
		1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) ==
		1)
		params = OSSL_PARAM_BLD_to_param(builder);
	if (params != NULL)
		key = from_params("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_free(exponent);
	BN_free(modulus);
	return key;
}

enum cimd_err
jwk_key_rsa(struct span n, struct span e, EVP_PKEY **out,
    struct cimd_error *err)
{
	*out = NULL;
	if (!rsa_is_sound(n, e))
		return CIMD_OK;
	(void)ERR_set_mark();
	*out = rsa_from_numbers(n, e);
	return verdict(*out, err);
}

enum cimd_err
jwk_key_ec(const char *group, struct span x, struct span y, EVP_PKEY **out,
    struct cimd_error *err)
{
	unsigned char point[1 + 2 * 48];
	char name[8];
	OSSL_PARAM params[3];

	assert(x.n == y.n && 1 + x.n + y.n <= sizeof(point));
	assert(strlen(group) < sizeof(name));
	memcpy(name, group, strlen(group) + 1);
	point[0] = 4; /* uncompressed (SEC 1 section 2.3.3) */
	memcpy(point + 1, x.p, x.n);
	memcpy(point + 1 + x.n, y.p, y.n);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
	    name, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
	    point, 1 + x.n + y.n);
	params[2] = OSSL_PARAM_construct_end();
	(void)ERR_set_mark();
	*out = from_params("EC", params);
	return verdict(*out, err);
}

enum cimd_err
jwk_key_ed25519(struct span x, EVP_PKEY **out, struct cimd_error *err)
{
	(void)ERR_set_mark();
	*out = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, octets(x),
	    x.n);
	return verdict(*out, err);
}

void
jwk_key_free(EVP_PKEY *key)
{
	EVP_PKEY_free(key);
}
