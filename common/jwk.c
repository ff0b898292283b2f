/*
 * jwk.c - one JWK: is it usable, and as what
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base64url.h"
#include "digest.h"
#include "error.h"
#include "json_out.h"
#include "jwk.h"
#include "jwk_key.h"

enum {
	MAX_KID = 256, /* bytes; an assertion's header has to repeat it */
	MAX_OPS = 16,  /* of key_ops; eight are registered */
	MAX_NUMBER = JWK_MAX_RSA_BITS / 8,
};

/*
 * A kind of key: what kty and crv say, and which algorithms may follow.
 * number: the members that are the key, in the order of RFC 7638; size: the
 * bytes that each must have, 0 for RSA.
 */
struct kind {
	const char *kty;
	const char *crv; /* NULL: has none */
	uint32_t algs;
	size_t size;
	const char *number[2];
};

static const struct kind kinds[] = {
	{ "RSA", NULL, ALG_RS256 | ALG_PS256, 0, { "e", "n" } },
	{ "EC", "P-256", ALG_ES256, 32, { "x", "y" } },
	{ "EC", "P-384", ALG_ES384, 48, { "x", "y" } },
	{ "OKP", "Ed25519", ALG_EDDSA, 32, { "x", NULL } },
};

/* What is read of a key before it is built. */
struct parts {
	const struct kind *kind;
	struct span text[2];  /* the numbers as they are written */
	struct span value[2]; /* and their bytes, in the buffers */
	struct span alg;      /* absent: any of its kind */
	struct span kid;
	bool use;
	uint32_t algs;
	unsigned char first[MAX_NUMBER];
	unsigned char second[MAX_NUMBER];
};

static struct json_object *
member(struct json_object *key, const char *name)
{
	return json_object_object_get(key, name);
}

/* A member that is a string; absent when there is none or it is no string. */
static struct span
text_of(struct json_object *key, const char *name)
{
	struct json_object *value = member(key, name);
	struct span out = { NULL, 0 };

	if (!json_object_is_type(value, json_type_string))
		return out;
	out.p = json_object_get_string(value);
	out.n = (size_t)json_object_get_string_len(value);
	return out;
}

static const struct kind *
find_kind(struct json_object *key)
{
	struct span kty = text_of(key, "kty"), crv = text_of(key, "crv");
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (span_is(kty, kinds[i].kty) &&
		    (kinds[i].crv == NULL || span_is(crv, kinds[i].crv)))
			return &kinds[i];
	return NULL;
}

/* key_ops, if there: strings, none twice, "verify" among them. */
static bool
ops_allow_verify(struct json_object *ops)
{
	size_t i, j, n = json_object_array_length(ops);
	bool verify = false;

	if (n > MAX_OPS)
		return false;
	for (i = 0; i < n; i++) {
		struct json_object *op = json_object_array_get_idx(ops, i);

		if (!json_object_is_type(op, json_type_string))
			return false;
		for (j = 0; j < i; j++)
			if (json_object_equal(op,
				json_object_array_get_idx(ops, j)))
				return false;
		if (strcmp(json_object_get_string(op), "verify") == 0)
			verify = true;
	}
	return verify;
}

/* use, key_ops, alg and kid; RFC 7517 section 4, RFC 7518 section 3.1. */
static bool
read_purpose(struct json_object *key, struct parts *out)
{
	struct json_object *ops = NULL;

	out->algs = out->kind->algs;
	if (json_object_object_get_ex(key, "use", NULL)) {
		out->use = true;
		if (!span_is(text_of(key, "use"), "sig"))
			return false;
	}
	if (json_object_object_get_ex(key, "key_ops", &ops) &&
	    (!json_object_is_type(ops, json_type_array) ||
		!ops_allow_verify(ops)))
		return false;
	if (json_object_object_get_ex(key, "alg", NULL)) {
		out->alg = text_of(key, "alg");
		out->algs &= jwks_alg_bit(out->alg);
	}
	out->kid = text_of(key, "kid");
	if (out->kid.n > MAX_KID ||
	    (out->kid.p == NULL && json_object_object_get_ex(key, "kid", NULL)))
		return false;
	return out->algs != 0;
}

/* Number i of the key: strict base64url, of the size that its kind wants. */
static bool
read_number(struct json_object *key, struct parts *out, size_t i)
{
	unsigned char *buffer = i == 0 ? out->first : out->second;
	size_t n;

	out->text[i] = text_of(key, out->kind->number[i]);
	if (out->text[i].n == 0 ||
	    !base64url_decode(out->text[i], buffer, MAX_NUMBER, &n))
		return false;
	out->value[i].p = (const char *)buffer;
	out->value[i].n = n;
	if (out->kind->size != 0)
		return n == out->kind->size;
	return buffer[0] != 0; /* RFC 7518 section 2: as few as possible */
}

static bool
read_parts(struct json_object *key, struct parts *out)
{
	size_t i;

	out->kind = find_kind(key);
	if (out->kind == NULL || !read_purpose(key, out))
		return false;
	for (i = 0; i < 2 && out->kind->number[i] != NULL; i++)
		if (!read_number(key, out, i))
			return false;
	return true;
}

/* NULL with CIMD_OK: OpenSSL does not want it. */
static enum cimd_err
make_key(const struct parts *parts, struct evp_pkey_st **out,
    struct cimd_error *err)
{
	const struct span *value = parts->value;

	if (parts->kind->crv == NULL)
		return jwk_key_rsa(value[1], value[0], out, err);
	if (value[1].p == NULL)
		return jwk_key_ed25519(value[0], out, err);
	return jwk_key_ec(parts->kind->crv, value[0], value[1], out, err);
}

/*
 * The required members in the order of RFC 7638 section 3.2, without space;
 * a public key's thumbprint is the hash of exactly that.
 */
static enum cimd_err
make_thumbprint(const struct parts *parts, uint8_t out[32],
    struct cimd_error *err)
{
	bool rsa = parts->kind->crv == NULL;
	struct json_out o = { 0 };
	struct span s = { NULL, 0 };
	enum cimd_err e;
	char *text;

	json_out_open(&o, '{');
	json_out_member(&o, "crv", span_of(parts->kind->crv));
	if (rsa)
		json_out_member(&o, "e", parts->text[0]);
	json_out_member(&o, "kty", span_of(parts->kind->kty));
	if (!rsa)
		json_out_member(&o, "x", parts->text[0]);
	json_out_member(&o, rsa ? "n" : "y", parts->text[1]);
	json_out_close(&o, '}');
	if ((e = json_out_take(&o, &text, &s.n, err)) != CIMD_OK)
		return e;
	s.p = text;
	e = digest_sha256(s, out, err);
	free(text);
	return e;
}

static enum cimd_err
make_json(const struct parts *parts, struct jwk_own *out,
    struct cimd_error *err)
{
	struct json_out o = { 0 };
	enum cimd_err e;
	size_t i;

	json_out_open(&o, '{');
	json_out_member(&o, "kty", span_of(parts->kind->kty));
	json_out_member(&o, "crv", span_of(parts->kind->crv));
	for (i = 0; i < 2 && parts->kind->number[i] != NULL; i++)
		json_out_member(&o, parts->kind->number[i], parts->text[i]);
	json_out_member(&o, "kid", parts->kid);
	json_out_member(&o, "alg", parts->alg);
	json_out_member(&o, "use", span_of(parts->use ? "sig" : NULL));
	json_out_close(&o, '}');
	e = json_out_take(&o, &out->json, &out->jwk.json.n, err);
	out->jwk.json.p = out->json;
	return e;
}

static enum cimd_err
build(const struct parts *parts, struct jwk_own *out, struct cimd_error *err)
{
	enum cimd_err e;

	if ((e = make_key(parts, &out->jwk.key, err)) != CIMD_OK ||
	    out->jwk.key == NULL)
		return e;
	out->jwk.algs = parts->algs;
	if (parts->kid.p != NULL) {
		out->kid = strndup(parts->kid.p, parts->kid.n);
		if (out->kid == NULL)
			return err_no_memory(err);
		out->jwk.kid = out->kid;
	}
	if ((e = make_thumbprint(parts, out->jwk.thumbprint, err)) != CIMD_OK)
		return e;
	return make_json(parts, out, err);
}

enum cimd_err
jwk_read(struct json_object *key, struct jwk_own *out, bool *usable,
    struct cimd_error *err)
{
	struct parts *parts;
	enum cimd_err e = CIMD_OK;

	*usable = false;
	memset(out, 0, sizeof(*out));
	parts = calloc(1, sizeof(*parts));
	if (parts == NULL)
		return err_no_memory(err);
	if (read_parts(key, parts))
		e = build(parts, out, err);
	free(parts);
	if (e != CIMD_OK)
		jwk_clear(out);
	*usable = out->jwk.key != NULL;
	return e;
}

void
jwk_clear(struct jwk_own *k)
{
	jwk_key_free(k->jwk.key);
	free(k->kid);
	free(k->json);
	memset(k, 0, sizeof(*k));
}
