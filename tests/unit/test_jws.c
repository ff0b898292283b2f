/*
 * test_jws.c - signatures: Wycheproof, RFC 7520, and OpenSSL without memory
 * SPDX-License-Identifier: Apache-2.0
 *
 * What makes a token malformed is tested in cases/assertion-invalid.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "base64url.h"
#include "cases.h"
#include "jws.h"
#include "signer.h"

/* What became of the vectors of a file. */
struct tally {
	size_t accepted;
	size_t refused;
	size_t other; /* valid, but of an algorithm that is not ours */
};

static const char *
string_of(struct json_object *o, const char *name)
{
	struct json_object *m = json_object_object_get(o, name);

	return m == NULL ? NULL : json_object_get_string(m);
}

static struct json_object *
array_of(struct json_object *o, const char *name, size_t *n)
{
	struct json_object *m = json_object_object_get(o, name);

	assert_true(json_object_is_type(m, json_type_array));
	*n = json_object_array_length(m);
	return m;
}

/* NULL without the corpus. */
static struct json_object *
corpus_json(const char *path)
{
	struct span s = corpus_read(path);
	struct json_object *out;
	struct json_tokener *tok;

	if (s.p == NULL)
		return NULL;
	tok = json_tokener_new();
	assert_non_null(tok);
	out = json_tokener_parse_ex(tok, s.p, (int)s.n);
	assert_non_null(out);
	json_tokener_free(tok);
	corpus_free(&s);
	return out;
}

static unsigned int
nibble(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Bytes of a hexadecimal member in a block of their size; free it. */
static struct span
bytes_of(struct json_object *o, const char *name)
{
	const char *hex = string_of(o, name);
	struct span out = { NULL, strlen(hex) / 2 };
	char *bytes = malloc(out.n == 0 ? 1 : out.n);
	size_t i;

	assert_non_null(bytes);
	for (i = 0; i < out.n; i++)
		bytes[i] =
		    (char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	out.p = bytes;
	return out;
}

/* "acceptable" may go either way. */
static void
count(struct json_object *test, bool accepted, struct tally *t)
{
	const char *result = string_of(test, "result");

	if (accepted != (strcmp(result, "valid") == 0) &&
	    strcmp(result, "acceptable") != 0)
		fail_msg("test %s is %s, and was %s", string_of(test, "tcId"),
		    result, accepted ? "accepted" : "refused");
	if (accepted)
		t->accepted++;
	else
		t->refused++;
}

static void
signature_group(struct json_object *group, uint32_t alg, struct tally *t)
{
	struct span der = bytes_of(group, "publicKeyDer");
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.n);
	struct json_object *tests;
	size_t i, n;

	assert_non_null(key);
	tests = array_of(group, "tests", &n);
	for (i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(tests, i);
		struct span msg = bytes_of(one, "msg");
		struct span sig = bytes_of(one, "sig");

		count(one, jws_check(key, alg, msg, sig, NULL) == CIMD_OK, t);
		corpus_free(&msg);
		corpus_free(&sig);
	}
	EVP_PKEY_free(key);
	corpus_free(&der);
}

static void
wycheproof_signatures(void **state)
{
	static const struct {
		const char *path;
		uint32_t alg;
	} files[] = {
		{ "wycheproof/ed25519_test.json", ALG_EDDSA },
		{ "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json",
		    ALG_ES256 },
		{ "wycheproof/ecdsa_secp384r1_sha384_p1363_test.json",
		    ALG_ES384 },
		{ "wycheproof/rsa_signature_2048_sha256_test.json", ALG_RS256 },
		{ "wycheproof/rsa_pss_2048_sha256_mgf1_32_test.json",
		    ALG_PS256 },
	};
	struct json_object *all, *groups;
	size_t f, i, n;

	(void)state;
	for (f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
		struct tally t = { 0, 0, 0 };

		all = corpus_json(files[f].path);
		if (all == NULL)
			continue;
		groups = array_of(all, "testGroups", &n);
		for (i = 0; i < n; i++)
			signature_group(json_object_array_get_idx(groups, i),
			    files[f].alg, &t);
		assert_int_equal(t.accepted + t.refused,
		    json_object_get_int(
			json_object_object_get(all, "numberOfTests")));
		print_message("# %s: %zu accepted, %zu refused\n",
		    files[f].path, t.accepted, t.refused);
		json_object_put(all);
	}
}

/* {"keys":[key]}, or key itself where it is a set already. */
static struct jwks *
set_of(struct json_object *key)
{
	const char *text = json_object_to_json_string(key);
	struct jwks *out = NULL;
	uint64_t warnings = 0;
	size_t size = strlen(text) + 16;
	char *set = malloc(size);

	assert_non_null(set);
	if (json_object_object_get_ex(key, "keys", NULL))
		(void)snprintf(set, size, "%s", text);
	else
		(void)snprintf(set, size, "{\"keys\":[%s]}", text);
	(void)jwks_parse(span_of(set), &warnings, &out, NULL);
	free(set);
	return out;
}

/* Is the alg of the token's header one of ours? */
static bool
is_ours(const char *token)
{
	struct span s = { token, strcspn(token, ".") };
	struct json_object *o;
	char text[256];
	bool ours;
	size_t n;

	if (!base64url_decode(s, (uint8_t *)text, sizeof(text) - 1, &n))
		return false;
	text[n] = '\0';
	o = json_tokener_parse(text);
	ours = o != NULL && jwks_alg_bit(span_of(string_of(o, "alg"))) != 0;
	json_object_put(o);
	return ours;
}

static bool
is_accepted(const char *token, const struct jwks *keys)
{
	struct jws j;
	bool unknown_kid;
	enum cimd_err e;

	e = jws_read(span_of(token), &j, NULL);
	if (e == CIMD_OK)
		e = jws_verify(&j, keys, &unknown_kid, NULL);
	jws_free(&j);
	return e == CIMD_OK;
}

static void
token_group(struct json_object *group, struct tally *t)
{
	struct json_object *key = json_object_object_get(group, "public");
	struct json_object *tests, *one;
	struct jwks *keys;
	const char *token;
	size_t i, n;
	bool good;

	if (key == NULL)
		key = json_object_object_get(group, "private");
	keys = set_of(key);
	tests = array_of(group, "tests", &n);
	for (i = 0; i < n; i++) {
		one = json_object_array_get_idx(tests, i);
		token = string_of(one, "jws");
		if (token == NULL) /* of JWE */
			continue;
		good = keys != NULL && is_accepted(token, keys);
		if (!good && !is_ours(token) &&
		    strcmp(string_of(one, "result"), "valid") == 0)
			t->other++;
		else
			count(one, good, t);
	}
	jwks_free(&keys);
}

static void
wycheproof_tokens(void **state)
{
	static const char *const files[] = {
		"wycheproof/json_web_signature_test.json",
		"wycheproof/json_web_key_test.json",
		"wycheproof/json_web_crypto_test.json",
	};
	struct json_object *all, *groups;
	size_t f, i, n;

	(void)state;
	for (f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
		struct tally t = { 0, 0, 0 };

		all = corpus_json(files[f]);
		if (all == NULL)
			continue;
		groups = array_of(all, "testGroups", &n);
		for (i = 0; i < n; i++)
			token_group(json_object_array_get_idx(groups, i), &t);
		assert_true(t.accepted > 0);
		print_message("# %s: %zu accepted, %zu refused, "
			      "%zu valid ones of other algorithms\n",
		    files[f], t.accepted, t.refused, t.other);
		json_object_put(all);
	}
}

/* RFC 7520 and RFC 8037: only the signatures by algorithms of ours. */
static void
cookbook(void **state)
{
	static const struct {
		const char *path;
		bool accepted;
	} files[] = {
		{ "jose-cookbook/jws/4_1.rsa_v15_signature.json", true },
		{ "jose-cookbook/curve25519/jws.json", true },
		{ "jose-cookbook/jws/4_2.rsa-pss_signature.json", false },
		{ "jose-cookbook/jws/4_3.ecdsa_signature.json", false },
		{ "jose-cookbook/jws/4_4.hmac-sha2_integrity_protection.json",
		    false },
		{ "jose-cookbook/jws/4_5.signature_with_detached_content.json",
		    false },
	};
	static const char *const secrets[] = { "d", "p", "q", "dp", "dq",
		"qi" };
	struct json_object *all, *key, *output;
	struct jwks *keys;
	size_t f, i;

	(void)state;
	for (f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
		all = corpus_json(files[f].path);
		if (all == NULL)
			continue;
		key =
		    json_object_object_get(json_object_object_get(all, "input"),
			"key");
		output = json_object_object_get(all, "output");
		for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
			json_object_object_del(key, secrets[i]);
		keys = set_of(key);
		if ((keys != NULL &&
			is_accepted(string_of(output, "compact"), keys)) !=
		    files[f].accepted)
			fail_msg("%s", files[f].path);
		jwks_free(&keys);
		json_object_put(all);
	}
}

/* The JWK of that kid of a set, without its kid; the caller puts it. */
static struct json_object *
key_without_kid(const char *set, const char *kid)
{
	struct json_object *all = json_tokener_parse(set);
	struct json_object *list, *out = NULL;
	size_t i, n;

	list = array_of(all, "keys", &n);
	for (i = 0; i < n && out == NULL; i++) {
		out = json_object_array_get_idx(list, i);
		if (string_of(out, "kid") == NULL ||
		    strcmp(string_of(out, "kid"), kid) != 0)
			out = NULL;
	}
	assert_non_null(out);
	json_object_get(out);
	json_object_object_del(out, "kid");
	json_object_put(all);
	return out;
}

/* That many keys that did not sign, then the one that did. */
static struct jwks *
set_with_strangers(const struct signer *s, size_t strangers)
{
	char *text = signer_jwks(s, "");
	struct json_object *other = key_without_kid(text, "p256-b");
	struct json_object *list = json_object_new_array();
	struct json_object *set = json_object_new_object();
	struct jwks *out = NULL;
	uint64_t warnings = 0;
	size_t i;

	for (i = 0; i < strangers; i++)
		json_object_array_add(list, json_object_get(other));
	json_object_array_add(list, key_without_kid(text, "p256"));
	json_object_object_add(set, "keys", list);
	assert_int_equal(jwks_read(set, &warnings, &out, NULL), CIMD_OK);
	json_object_put(set);
	json_object_put(other);
	free(text);
	return out;
}

/* Keys are the client's, and each may take a millisecond. */
static void
tries_are_limited(void **state)
{
	struct signer *s = signer_new();
	char *token = signer_sign(s, "p256", "ES256",
	    span_of("{\"alg\":\"ES256\"}"), span_of("{}"));
	struct cimd_error err = { 0 };
	struct jwks *keys;
	bool unknown_kid;
	struct jws j;

	(void)state;
	assert_int_equal(jws_read(span_of(token), &j, &err), CIMD_OK);
	keys = set_with_strangers(s, JWS_MAX_TRIES - 1);
	assert_int_equal(jws_verify(&j, keys, &unknown_kid, &err), CIMD_OK);
	jwks_free(&keys);
	keys = set_with_strangers(s, JWS_MAX_TRIES);
	assert_int_equal(jws_verify(&j, keys, &unknown_kid, &err),
	    CIMD_E_ASSERTION);
	assert_string_equal(err.text,
	    "client assertion: the first 8 keys that may have signed it did "
	    "not; each key needs a kid of its own");
	jwks_free(&keys);
	jws_free(&j);
	free(token);
	signer_free(s);
}

static size_t openssl_countdown;
static bool openssl_failed;

static bool
openssl_fails_now(void)
{
	if (openssl_countdown == 0 || --openssl_countdown > 0)
		return false;
	openssl_failed = true;
	return true;
}

static void *
openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return openssl_fails_now() ? NULL : malloc(size);
}

static void *
openssl_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return openssl_fails_now() ? NULL : realloc(p, size);
}

static void
openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/*
 * Let OpenSSL's n-th allocation fail for n = 1, 2 ... until none does.  What
 * it can do without is no fault; else we say that it was memory, where it
 * says so: in some places it takes a signature for bad without a word.
 */
static void
sweep(const struct jws *j, const struct jwks *keys, bool good)
{
	struct cimd_error err;
	bool unknown_kid;
	enum cimd_err e;
	size_t n, lacking = 0, silent = 0;

	for (n = 1;; n++) {
		memset(&err, 0, sizeof(err));
		openssl_failed = false;
		openssl_countdown = n;
		e = jws_verify(j, keys, &unknown_kid, &err);
		openssl_countdown = 0;
		if (!openssl_failed)
			break;
		if (cimd_err_class(e) == CIMD_BROKEN)
			lacking++;
		else if (e == CIMD_E_ASSERTION)
			silent += good;
		else
			assert_true(good && e == CIMD_OK);
		assert_int_equal(err.code, e);
	}
	assert_int_equal(e, good ? CIMD_OK : CIMD_E_ASSERTION);
	assert_true(lacking > silent);
	print_message("# %s, %s: %zu allocations, %zu faults, %zu silent\n",
	    j->alg_name, good ? "good" : "forged", n - 1, lacking, silent);
}

static void
openssl_without_memory(void **state)
{
	static const struct {
		const char *kid, *alg;
	} rows[] = { { "p256", "ES256" }, { "p384", "ES384" },
		{ "rsa", "PS256" }, { "rsa", "RS256" },
		{ "ed25519", "EdDSA" } };
	struct signer *s = signer_new();
	char *set = signer_jwks(s, ""), *token, header[64], *last;
	struct jwks *keys = NULL;
	uint64_t warnings = 0;
	struct jws j;
	size_t i;

	(void)state;
	assert_int_equal(jwks_parse(span_of(set), &warnings, &keys, NULL),
	    CIMD_OK);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(header, sizeof(header),
		    "{\"alg\":\"%s\",\"kid\":\"%s\"}", rows[i].alg,
		    rows[i].kid);
		token = signer_sign(s, rows[i].kid, rows[i].alg,
		    span_of(header), span_of("{}"));
		assert_int_equal(jws_read(span_of(token), &j, NULL), CIMD_OK);
		sweep(&j, keys, true);
		jws_free(&j);
		last = strrchr(token, '.') + 1;
		*last = *last == 'A' ? 'B' : 'A';
		assert_int_equal(jws_read(span_of(token), &j, NULL), CIMD_OK);
		sweep(&j, keys, false);
		jws_free(&j);
		free(token);
	}
	jwks_free(&keys);
	free(set);
	signer_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wycheproof_signatures),
		cmocka_unit_test(wycheproof_tokens),
		cmocka_unit_test(cookbook),
		cmocka_unit_test(tries_are_limited),
		cmocka_unit_test(openssl_without_memory),
	};

	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
		openssl_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
