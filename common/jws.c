/*
 * jws.c - compact JWS: reading and verifying (RFC 7515, RFC 8725)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base64url.h"
#include "error.h"
#include "json_scan.h"
#include "jws.h"

enum {
	PARTS = 3,          /* header, payload, signature */
	PSS_SALT = 32,      /* bytes; RFC 7518 3.5: as long as the hash */
	MAX_ECDSA = 2 * 48, /* bytes; ES384 */
	MAX_ECDSA_DER = MAX_ECDSA + 16,
};

static enum cimd_err
refuse(struct cimd_error *err, const char *what)
{
	return err_set(err, CIMD_E_ASSERTION, "RFC 7515",
	    "client assertion: %s", what);
}

/* Cut the token at its dots; exactly two. */
static bool
split(struct span token, struct span part[PARTS])
{
	const char *p = token.p, *end = token.p + token.n, *dot;
	size_t i;

	for (i = 0; i < PARTS; i++, p = dot + 1) {
		dot = p == end ? NULL : memchr(p, '.', (size_t)(end - p));
		if ((dot == NULL) != (i == PARTS - 1))
			return false;
		part[i].p = p;
		part[i].n = (size_t)((dot == NULL ? end : dot) - p);
		if (dot == NULL)
			break;
	}
	return true;
}

/* A string member, or NULL without it; false: it is no string. */
static bool
read_string(struct json_object *o, const char *name, const char **out)
{
	struct json_object *m;

	*out = NULL;
	if (!json_object_object_get_ex(o, name, &m))
		return true;
	if (!json_object_is_type(m, json_type_string))
		return false;
	*out = json_object_get_string(m);
	return *out != NULL;
}

static enum cimd_err
read_header(struct span text, struct jws *out, struct cimd_error *err)
{
	struct cimd_error inner = { 0 };
	enum cimd_err e;

	e = json_parse(text, &out->header, &inner);
	if (e == CIMD_E_NO_MEMORY)
		return err_no_memory(err);
	if (e != CIMD_OK)
		return err_set(err, CIMD_E_ASSERTION, "RFC 7515",
		    "client assertion: header: %s", inner.text);
	if (json_object_object_get_ex(out->header, "crit", NULL))
		return refuse(err, "header has crit, which we do not know");
	if (!read_string(out->header, "kid", &out->kid))
		return refuse(err, "kid is no string");
	if (!read_string(out->header, "typ", &out->typ))
		return refuse(err, "typ is no string");
	if (!read_string(out->header, "alg", &out->alg_name) ||
	    out->alg_name == NULL)
		return refuse(err, "alg is missing or no string");
	out->alg = jwks_alg_bit(span_of(out->alg_name));
	if (out->alg == 0)
		return err_set(err, CIMD_E_ASSERTION, "RFC 8725",
		    "client assertion: alg %s is not allowed", out->alg_name);
	return CIMD_OK;
}

/* Decode one part behind what is decoded already. */
static bool
decode(struct span part, uint8_t *room, size_t size, size_t *used,
    struct span *out)
{
	size_t n;

	if (!base64url_decode(part, room + *used, size - *used, &n))
		return false;
	out->p = (const char *)room + *used;
	out->n = n;
	*used += n;
	return true;
}

enum cimd_err
jws_read(struct span token, struct jws *out, struct cimd_error *err)
{
	struct span part[PARTS], header;
	size_t used = 0;

	memset(out, 0, sizeof(*out));
	if (token.n > CIMD_MAX_ASSERTION)
		return err_set(err, CIMD_E_ASSERTION, "policy",
		    "client assertion is longer than %d bytes",
		    CIMD_MAX_ASSERTION);
	if (token.p == NULL || !split(token, part))
		return refuse(err, "it is not three parts with two dots");
	out->decoded = malloc(token.n);
	if (out->decoded == NULL)
		return err_no_memory(err);
	if (!decode(part[0], out->decoded, token.n, &used, &header))
		return refuse(err, "header is not base64url");
	if (!decode(part[1], out->decoded, token.n, &used, &out->payload))
		return refuse(err, "payload is not base64url");
	if (!decode(part[2], out->decoded, token.n, &used, &out->signature))
		return refuse(err, "signature is not base64url");
	out->signed_bytes.p = token.p;
	out->signed_bytes.n = part[0].n + 1 + part[1].n;
	return read_header(header, out, err);
}

void
jws_free(struct jws *j)
{
	json_object_put(j->header);
	free(j->decoded);
	memset(j, 0, sizeof(*j));
}

static const char *
digest_of(uint32_t alg)
{
	if (alg == ALG_EDDSA)
		return NULL;
	return alg == ALG_ES384 ? "SHA384" : "SHA256";
}

/* What the parameters of an RSA signature point to; OpenSSL wants no const. */
struct rsa_mode {
	char padding[8];
	int salt; /* bytes */
};

/* The parameters of an RSA signature (RFC 7518 3.3, 3.5); none of others. */
static void
rsa_params(uint32_t alg, struct rsa_mode *mode, OSSL_PARAM params[3])
{
	static const struct rsa_mode pkcs1 = { OSSL_PKEY_RSA_PAD_MODE_PKCSV15,
		0 };
	static const struct rsa_mode pss = { OSSL_PKEY_RSA_PAD_MODE_PSS,
		PSS_SALT };
	size_t n = 0;

	*mode = alg == ALG_PS256 ? pss : pkcs1;
	if (alg == ALG_RS256 || alg == ALG_PS256)
		params[n++] = OSSL_PARAM_construct_utf8_string(
		    OSSL_SIGNATURE_PARAM_PAD_MODE, mode->padding, 0);
	if (alg == ALG_PS256)
		params[n++] =
		    OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN,
			&mode->salt);
	params[n] = OSSL_PARAM_construct_end();
}

/*
 * The two integers of a JWS signature (RFC 7518 3.4) as the DER that OpenSSL
 * wants.  The length; 0: out of memory.
 */
static size_t
ecdsa_to_der(struct span raw, uint8_t der[MAX_ECDSA_DER])
{
	const unsigned char *bytes = (const unsigned char *)raw.p;
	int half = (int)(raw.n / 2), n = 0;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(bytes, half, NULL);
	BIGNUM *s = BN_bin2bn(bytes + half, half, NULL);
	unsigned char *end = der;

	if (sig != NULL && r != NULL && s != NULL &&
	    ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL;
		n = i2d_ECDSA_SIG(sig, &end);
	}
	ECDSA_SIG_free(sig);
	BN_free(r);
	BN_free(s);
	return n < 0 ? 0 : (size_t)n;
}

/* Was one of the errors in OpenSSL's queue about memory?  Empties it. */
static bool
memory_lacked(void)
{
	unsigned long error;
	bool lacked = false;

	while ((error = ERR_get_error()) != 0)
		if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
			lacked = true;
	return lacked;
}

static enum cimd_err
evp_verify(struct evp_pkey_st *key, uint32_t alg, struct span bytes,
    struct span signature, struct cimd_error *err)
{
	int ready, good = 0;
	bool lacked;
	struct rsa_mode mode;
	OSSL_PARAM params[3];
	EVP_MD_CTX *ctx;

	rsa_params(alg, &mode, params);
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		return err_no_memory(err);
	EVP_MD_CTX_set_flags(ctx, EVP_MD_CTX_FLAG_FINALISE); /* no copy */
	ready = EVP_DigestVerifyInit_ex(ctx, NULL, digest_of(alg), NULL, NULL,
	    key, params);
	if (ready == 1)
		good = EVP_DigestVerify(ctx, (const unsigned char *)signature.p,
		    signature.n, (const unsigned char *)bytes.p, bytes.n);
	EVP_MD_CTX_free(ctx);
	lacked = memory_lacked();
	if (good == 1)
		return CIMD_OK;
	if (lacked)
		return err_no_memory(err);
	if (ready != 1)
		return err_set(err, CIMD_E_INTERNAL, "",
		    "OpenSSL cannot verify signatures of this algorithm");
	return refuse(err, "signature does not verify");
}

enum cimd_err
jws_check(struct evp_pkey_st *key, uint32_t alg, struct span bytes,
    struct span signature, struct cimd_error *err)
{
	uint8_t der[MAX_ECDSA_DER];

	ERR_clear_error();
	if (alg == ALG_ES256 || alg == ALG_ES384) {
		if (signature.n != (alg == ALG_ES384 ? 96 : 64))
			return refuse(err, "signature does not verify");
		signature.n = ecdsa_to_der(signature, der);
		signature.p = (const char *)der;
		if (signature.n == 0)
			return err_no_memory(err);
	}
	return evp_verify(key, alg, bytes, signature, err);
}

/* May the key verify the token, going by kid and alg? */
static bool
is_candidate(const struct jws *j, const struct jwk *key, bool *unknown_kid)
{
	if (j->kid != NULL) {
		if (key->kid == NULL || strcmp(key->kid, j->kid) != 0)
			return false;
		*unknown_kid = false;
	}
	return (key->algs & j->alg) != 0;
}

enum cimd_err
jws_verify(const struct jws *j, const struct jwks *keys, bool *unknown_kid,
    struct cimd_error *err)
{
	struct cimd_error inner = { 0 };
	enum cimd_err e;
	size_t i, tries = 0;

	*unknown_kid = j->kid != NULL;
	for (i = 0; i < jwks_count(keys); i++) {
		if (!is_candidate(j, jwks_get(keys, i), unknown_kid))
			continue;
		if (tries == JWS_MAX_TRIES)
			return refuse(err,
			    "the first 8 keys that may have signed it did "
			    "not; each key needs a kid of its own");
		tries++;
		e = jws_check(jwks_get(keys, i)->key, j->alg, j->signed_bytes,
		    j->signature, &inner);
		if (e == CIMD_OK)
			return CIMD_OK;
		if (e != CIMD_E_ASSERTION)
			return err_set(err, e, inner.section, "%s", inner.text);
	}
	if (tries > 0)
		return refuse(err, "signature does not verify");
	if (*unknown_kid)
		return refuse(err, "no key of the client has its kid");
	return err_set(err, CIMD_E_ASSERTION, "RFC 7515",
	    "client assertion: no key of the client can do %s", j->alg_name);
}
