/*
 * fuzz_assertion.c - client assertions
 * SPDX-License-Identifier: Apache-2.0
 *
 * The input is a token, or, when it starts with "+", a header and claims
 * divided by the first newline, which are signed here with the key of
 * RFC 8037 A.1, so that the fuzzer gets past the signature.  What is accepted
 * has the claims that it must have, as json-c reads them.
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <openssl/evp.h>

#include "assertion.h"
#include "base64url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID "https://client.example.com/c"

static const char jwks[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
			   "\"kid\":\"a\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPap"
			   "iMlrwIaaPcHURo\"}]}";

static const char *const audiences[] = { "https://as.example.com" };

enum {
	NOW = 1785000000,
	MAX_PART = 2000, /* bytes of header or claims */
};

static void
must(bool good)
{
	if (!good)
		abort();
}

static struct cimd_client *
record(void)
{
	static struct cimd_client *client;
	struct client_fields f = { 0 };

	if (client == NULL) {
		f.text[CLIENT_ID] = span_of(ID);
		f.text[CLIENT_JWKS] = span_of(jwks);
		f.methods = METHOD_PRIVATE_KEY_JWT;
		must(client_build(&f, &client, NULL) == CIMD_OK);
	}
	return client;
}

static EVP_PKEY *
private_key(void)
{
	static const char d[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
	static EVP_PKEY *key;
	uint8_t bytes[32];
	size_t n;

	if (key == NULL) {
		must(base64url_decode(span_of(d), bytes, sizeof(bytes), &n));
		key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
		    bytes, n);
		must(key != NULL);
	}
	return key;
}

/* Is the member this string? */
static bool
is_string(struct json_object *claims, const char *name, const char *value)
{
	struct json_object *m = json_object_object_get(claims, name);

	return json_object_is_type(m, json_type_string) &&
	    strcmp(json_object_get_string(m), value) == 0;
}

static bool
has_audience(struct json_object *claims)
{
	struct json_object *aud = json_object_object_get(claims, "aud");
	size_t i;

	if (!json_object_is_type(aud, json_type_array))
		return is_string(claims, "aud", audiences[0]);
	for (i = 0; i < json_object_array_length(aud); i++)
		if (strcmp(json_object_get_string(
			       json_object_array_get_idx(aud, i)),
			audiences[0]) == 0)
			return true;
	return false;
}

static struct json_object *
decoded(const char *part, size_t n)
{
	struct span s = { part, n };
	static char text[CIMD_MAX_ASSERTION];
	struct json_object *o;
	size_t len;

	must(base64url_decode(s, (uint8_t *)text, sizeof(text) - 1, &len));
	text[len] = '\0';
	o = json_tokener_parse(text);
	must(json_object_is_type(o, json_type_object));
	return o;
}

static void
check(struct span token, const struct assertion_claims *out)
{
	const char *dot = memchr(token.p, '.', token.n);
	const char *dot2 =
	    memchr(dot + 1, '.', token.n - (size_t)(dot + 1 - token.p));
	struct json_object *header = decoded(token.p, (size_t)(dot - token.p));
	struct json_object *claims = decoded(dot + 1, (size_t)(dot2 - dot - 1));
	int64_t exp =
	    json_object_get_int64(json_object_object_get(claims, "exp"));

	must(is_string(header, "alg", "EdDSA"));
	must(!json_object_object_get_ex(header, "crit", NULL));
	must(is_string(claims, "iss", ID) && is_string(claims, "sub", ID));
	must(is_string(claims, "jti", out->jti) && out->jti[0] != '\0');
	must(has_audience(claims));
	must(exp > NOW - 30 && exp <= NOW + 330);
	must(out->keep_until == exp + 30);
#ifdef CIMD_PLANTED
	/* Wrong on purpose: takes iat for required. */
	must(json_object_object_get_ex(claims, "iat", NULL));
#endif
	json_object_put(claims);
	json_object_put(header);
}

static void
verify(struct span token)
{
	struct assertion_rules rules = { .client = record(),
		.audiences = audiences,
		.n_audiences = 1,
		.now = NOW };
	struct assertion_claims out;
	struct cimd_error err = { 0 };
	bool unknown_kid;
	enum cimd_err e;

	e = assertion_verify(token, &rules, &out, &unknown_kid, &err);
	if (e == CIMD_OK) {
		must(!unknown_kid);
		check(token, &out);
		return;
	}
	must(e == CIMD_E_ASSERTION && err.code == e && err.text[0] != '\0');
	must(out.jti[0] == '\0' && out.keep_until == 0);
}

static void
sign_and_verify(struct span header, struct span claims)
{
	static char token[2 * CIMD_MAX_ASSERTION];
	struct span s = { token, 0 };
	unsigned char sig[64];
	size_t n = sizeof(sig);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	base64url_encode((const uint8_t *)header.p, header.n, token);
	s.n = strlen(token);
	token[s.n++] = '.';
	base64url_encode((const uint8_t *)claims.p, claims.n, token + s.n);
	s.n += strlen(token + s.n);
	must(ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, private_key()) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, (const unsigned char *)token, s.n) ==
		1);
	EVP_MD_CTX_free(ctx);
	token[s.n++] = '.';
	base64url_encode(sig, n, token + s.n);
	s.n += strlen(token + s.n);
	verify(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = { (const char *)data, size }, header;
	const char *nl;

	if (size == 0 || data[0] != '+') {
		verify(s);
		return 0;
	}
	s.p++;
	s.n--;
	header = s;
	nl = s.n == 0 ? NULL : memchr(s.p, '\n', s.n);
	if (nl == NULL)
		return 0;
	header.n = (size_t)(nl - s.p);
	s.p = nl + 1;
	s.n -= header.n + 1;
	if (header.n <= MAX_PART && s.n <= MAX_PART)
		sign_and_verify(header, s);
	return 0;
}
