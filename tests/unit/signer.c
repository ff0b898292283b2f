/*
 * signer.c - keys and signatures for tests of client assertions
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base64url.h"
#include "signer.h"

enum {
	KEYS = 6,
	MAX_SIGNATURE = 512,
	MAX_NUMBER = 512, /* as text */
	MAX_JWK = 1200,
};

struct signer {
	struct {
		const char *kid;
		EVP_PKEY *key;
		char jwk[MAX_JWK];
	} keys[KEYS];
};

/* One number of a key as base64url; size 0: as long as it is. */
static void
number(const EVP_PKEY *key, const char *name, int size, char out[MAX_NUMBER])
{
	unsigned char bytes[MAX_SIGNATURE];
	BIGNUM *n = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	if (size == 0)
		size = BN_num_bytes(n);
	assert_int_equal(BN_bn2binpad(n, bytes, size), size);
	base64url_encode(bytes, (size_t)size, out);
	BN_free(n);
}

static void
write_jwk(const char *kid, const EVP_PKEY *key, char out[MAX_JWK])
{
	char a[MAX_NUMBER], b[MAX_NUMBER], name[64] = "";
	unsigned char raw[32];
	size_t n = sizeof(raw);
	int size = EVP_PKEY_get_bits(key) / 8;

	if (strcmp(kid, "nokid") != 0)
		(void)snprintf(name, sizeof(name), "\"kid\":\"%s\",", kid);
	if (EVP_PKEY_is_a(key, "EC")) {
		number(key, OSSL_PKEY_PARAM_EC_PUB_X, size, a);
		number(key, OSSL_PKEY_PARAM_EC_PUB_Y, size, b);
		(void)snprintf(out, MAX_JWK,
		    "{%s\"kty\":\"EC\",\"crv\":\"P-%d\","
		    "\"x\":\"%s\",\"y\":\"%s\"}",
		    name, 8 * size, a, b);
	} else if (EVP_PKEY_is_a(key, "RSA")) {
		number(key, OSSL_PKEY_PARAM_RSA_N, 0, a);
		number(key, OSSL_PKEY_PARAM_RSA_E, 0, b);
		(void)snprintf(out, MAX_JWK,
		    "{%s\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}", name, a,
		    b);
	} else {
		assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &n), 1);
		base64url_encode(raw, n, a);
		(void)snprintf(out, MAX_JWK,
		    "{%s\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"}",
		    name, a);
	}
}

struct signer *
signer_new(void)
{
	static const char *const kids[KEYS] = { "p256", "p256-b", "p384", "rsa",
		"ed25519", "nokid" };
	struct signer *s = calloc(1, sizeof(*s));
	EVP_PKEY *key;
	size_t i;

	assert_non_null(s);
	for (i = 0; i < KEYS; i++) {
		if (strcmp(kids[i], "rsa") == 0)
			key = EVP_RSA_gen(2048U);
		else if (strcmp(kids[i], "ed25519") == 0)
			key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		else if (strcmp(kids[i], "p384") == 0)
			key = EVP_EC_gen("P-384");
		else
			key = EVP_EC_gen("P-256");
		assert_non_null(key);
		s->keys[i].kid = kids[i];
		s->keys[i].key = key;
		write_jwk(kids[i], key, s->keys[i].jwk);
	}
	return s;
}

void
signer_free(struct signer *s)
{
	size_t i;

	for (i = 0; i < KEYS; i++)
		EVP_PKEY_free(s->keys[i].key);
	free(s);
}

/* Is the word one of the list's? */
static bool
is_listed(const char *list, const char *word)
{
	size_t n = strlen(word);
	const char *p = list;

	while (p != NULL && (p = strstr(p, word)) != NULL) {
		if ((p == list || p[-1] == ' ') &&
		    (p[n] == '\0' || p[n] == ' '))
			return true;
		p += n;
	}
	return false;
}

char *
signer_jwks(const struct signer *s, const char *without)
{
	size_t size = sizeof(s->keys) + 64, n, i;
	char *out = malloc(size);
	const char *comma = "";

	assert_non_null(out);
	n = (size_t)snprintf(out, size, "{\"keys\":[");
	for (i = 0; i < KEYS; i++) {
		if (is_listed(without, s->keys[i].kid))
			continue;
		n += (size_t)snprintf(out + n, size - n, "%s%s", comma,
		    s->keys[i].jwk);
		comma = ",";
	}
	(void)snprintf(out + n, size - n, "]}");
	return out;
}

/* DER to the two integers of RFC 7518 3.4, each of size bytes. */
static size_t
der_to_raw(unsigned char sig[MAX_SIGNATURE], size_t n, int size)
{
	const unsigned char *p = sig;
	ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &p, (long)n);

	assert_non_null(parsed);
	(void)BN_bn2binpad(ECDSA_SIG_get0_r(parsed), sig, size);
	(void)BN_bn2binpad(ECDSA_SIG_get0_s(parsed), sig + size, size);
	ECDSA_SIG_free(parsed);
	return 2 * (size_t)size;
}

static const char *
digest_of(const char *alg)
{
	if (strcmp(alg, "EdDSA") == 0)
		return NULL;
	if (strstr(alg, "384") != NULL)
		return "SHA384";
	return strstr(alg, "512") != NULL ? "SHA512" : "SHA256";
}

static size_t
sign(EVP_PKEY *key, const char *alg, struct span s,
    unsigned char out[MAX_SIGNATURE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pkey = NULL;
	size_t n = MAX_SIGNATURE;

	assert_non_null(ctx);
	assert_int_equal(EVP_DigestSignInit_ex(ctx, &pkey, digest_of(alg), NULL,
			     NULL, key, NULL),
	    1);
	if (alg[0] == 'P') {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pkey,
				     RSA_PKCS1_PSS_PADDING),
		    1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey,
				     strstr(alg, "salt20") != NULL ?
					 20 :
					 RSA_PSS_SALTLEN_DIGEST),
		    1);
	}
	assert_int_equal(EVP_DigestSign(ctx, out, &n,
			     (const unsigned char *)s.p, s.n),
	    1);
	EVP_MD_CTX_free(ctx);
	if (strcmp(alg, "ES256") == 0 || strcmp(alg, "ES384") == 0)
		n = der_to_raw(out, n, EVP_PKEY_get_bits(key) / 8);
	return n;
}

static EVP_PKEY *
key_of(const struct signer *s, const char *kid)
{
	size_t i;

	for (i = 0; i < KEYS; i++)
		if (strcmp(s->keys[i].kid, kid) == 0)
			return s->keys[i].key;
	fail_msg("no key %s", kid);
	return NULL;
}

char *
signer_sign(const struct signer *s, const char *kid, const char *alg,
    struct span header, struct span payload)
{
	size_t size = base64url_size(header.n) + base64url_size(payload.n) +
	    base64url_size(MAX_SIGNATURE);
	unsigned char sig[MAX_SIGNATURE];
	char *out = malloc(size), *end;
	struct span text = { out, 0 };
	size_t n;

	assert_non_null(out);
	base64url_encode((const uint8_t *)header.p, header.n, out);
	end = out + strlen(out);
	*end++ = '.';
	base64url_encode((const uint8_t *)payload.p, payload.n, end);
	end += strlen(end);
	text.n = (size_t)(end - out);
	n = sign(key_of(s, kid), alg, text, sig);
	*end++ = '.';
	base64url_encode(sig, n, end);
	return out;
}
