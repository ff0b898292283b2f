/*
 * test_assertion.c - client assertions
 * SPDX-License-Identifier: Apache-2.0
 *
 * A case states header and claims; they are signed here, with keys made for
 * this run.  What it leaves out is a good ES256 assertion.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "assertion.h"
#include "cases.h"
#include "jwks.h"
#include "signer.h"

#define ID "https://client.example.com/oauth/metadata.json"
#define AUDIENCE "https://idp.example.com/token"

static const int64_t now = 1785000000;

static const char *const audiences[] = { AUDIENCE, "https://idp.example.com" };

static const char header[] = "{\"alg\":\"ES256\",\"kid\":\"p256\"}";

static const char payload[] = "{\"iss\":\"" ID "\",\"sub\":\"" ID "\","
			      "\"aud\":\"" AUDIENCE "\",\"exp\":1785000300,"
			      "\"jti\":\"one\"}";

static struct signer *signer;

static struct span
value_or(struct test_case *c, const char *key, const char *otherwise)
{
	struct span s = case_value(c, key);

	return s.p == NULL ? span_of(otherwise) : s;
}

static const char *
string_or(struct test_case *c, const char *key, const char *otherwise)
{
	const char *s = case_string(c, key);

	return s == NULL ? otherwise : s;
}

static struct cimd_client *
record(struct span jwks, uint32_t methods, struct span signing_alg)
{
	struct cimd_client *out = NULL;
	struct client_fields f = { 0 };

	f.text[CLIENT_ID] = span_of(ID);
	f.text[CLIENT_JWKS] = jwks;
	f.text[CLIENT_SIGNING_ALG] = signing_alg;
	f.methods = methods;
	f.response_code = true;
	assert_int_equal(client_build(&f, &out, NULL), CIMD_OK);
	return out;
}

static struct cimd_client *
case_record(struct test_case *c)
{
	char *text = signer_jwks(signer, string_or(c, "without", ""));
	struct span jwks = value_or(c, "jwks", text);
	struct cimd_client *out;

	if (case_number(c, "no_jwks", 0))
		jwks = span_of(NULL);
	out = record(jwks,
	    span_is(case_value(c, "methods"), "none") ? METHOD_NONE :
							METHOD_PRIVATE_KEY_JWT,
	    case_value(c, "signing_alg"));
	free(text);
	return out;
}

/* The token of a case in a block of exactly its size; the caller frees it. */
static struct span
case_token(struct test_case *c)
{
	char *made = signer_sign(signer, string_or(c, "key", "p256"),
	    string_or(c, "sign", "ES256"), value_or(c, "header", header),
	    value_or(c, "payload", payload));
	struct span prefix = value_or(c, "prefix", "");
	struct span suffix = value_or(c, "suffix", "");
	struct span middle = value_or(c, "token", made);
	struct span sig = value_or(c, "signature", "");
	struct span out = { NULL, 0 };
	char *bytes;

	if (case_value(c, "signature").p != NULL)
		middle.n = (size_t)(strrchr(made, '.') + 1 - made);
	out.n = prefix.n + middle.n + sig.n + suffix.n;
	bytes = malloc(out.n);
	assert_true(bytes != NULL || out.n == 0);
	memcpy(bytes, prefix.p, prefix.n);
	memcpy(bytes + prefix.n, middle.p, middle.n);
	memcpy(bytes + prefix.n + middle.n, sig.p, sig.n);
	memcpy(bytes + out.n - suffix.n, suffix.p, suffix.n);
	out.p = bytes;
	free(made);
	return out;
}

static enum cimd_err
verify(struct test_case *c, struct assertion_claims *out, bool *unknown_kid,
    struct cimd_error *err)
{
	struct cimd_client *client = case_record(c);
	struct assertion_rules rules = { .client = client,
		.audiences = audiences,
		.n_audiences = 2,
		.now = now,
		.typ_required = case_number(c, "typ_required", 0) != 0 };
	const char *audience = case_string(c, "audience");
	struct span token = case_token(c);
	enum cimd_err e;

	if (audience != NULL) {
		rules.audiences = &audience;
		rules.n_audiences = 1;
	}
	if (case_number(c, "no_audience", 0))
		rules.n_audiences = 0;
	e = assertion_verify(token, &rules, out, unknown_kid, err);
	corpus_free(&token);
	cimd_client_free(&client);
	return e;
}

static void
valid_case(struct test_case *c)
{
	struct cimd_error err = { 0 };
	struct assertion_claims claims;
	bool unknown_kid = true;
	enum cimd_err e;

	e = verify(c, &claims, &unknown_kid, &err);
	case_check(c, e == CIMD_OK, "%s", err.text);
	case_check(c, err.code == CIMD_OK, "err is filled in");
	case_check(c, !unknown_kid, "unknown_kid");
	case_check(c, span_is(case_value(c, "jti"), claims.jti), "jti %s",
	    claims.jti);
	case_check(c, claims.keep_until == case_number(c, "keep_until", 0),
	    "keep_until %lld", (long long)claims.keep_until);
}

static void
invalid_case(struct test_case *c)
{
	static const struct assertion_claims zero = { 0 };
	struct cimd_error err = { 0 };
	struct assertion_claims claims;
	bool unknown_kid = true;

	memset(&claims, 0x55, sizeof(claims));
	case_check_error(c, verify(c, &claims, &unknown_kid, &err), &err);
	case_check(c, unknown_kid == (case_number(c, "unknown_kid", 0) != 0),
	    "unknown_kid");
	case_check(c, memcmp(claims.jti, zero.jti, sizeof(zero.jti)) == 0,
	    "claims of what was refused");
	case_check(c, claims.keep_until == 0, "keep_until");
}

static void
valid_assertions(void **state)
{
	(void)state;
	cases_run("assertion-valid", valid_case);
}

static void
invalid_assertions(void **state)
{
	(void)state;
	cases_run("assertion-invalid", invalid_case);
}

/* A good token, its record and rules, for what no case can say. */
struct good {
	char *jwks;
	char *token;
	struct cimd_client *client;
	struct assertion_rules rules;
};

static void
good_make(struct good *g)
{
	memset(g, 0, sizeof(*g));
	g->jwks = signer_jwks(signer, "rsa");
	g->token = signer_sign(signer, "p256", "ES256", span_of(header),
	    span_of(payload));
	g->client =
	    record(span_of(g->jwks), METHOD_PRIVATE_KEY_JWT, span_of(NULL));
	g->rules.client = g->client;
	g->rules.audiences = audiences;
	g->rules.n_audiences = 2;
	g->rules.now = now;
}

static void
good_clear(struct good *g)
{
	cimd_client_free(&g->client);
	free(g->token);
	free(g->jwks);
}

/* One bit of the token, and it is another token. */
static void
every_bit_counts(void **state)
{
	struct assertion_claims claims;
	bool unknown_kid;
	struct good g;
	size_t i, n;

	(void)state;
	good_make(&g);
	n = strlen(g.token);
	for (i = 0; i < 8 * n; i++) {
		struct span s = { g.token, n };

		g.token[i / 8] = (char)(g.token[i / 8] ^ 1 << i % 8);
		if (assertion_verify(s, &g.rules, &claims, &unknown_kid,
			NULL) != CIMD_E_ASSERTION)
			fail_msg("bit %zu", i);
		g.token[i / 8] = (char)(g.token[i / 8] ^ 1 << i % 8);
	}
	for (i = 0; i < n; i++) {
		struct span s = { g.token, i };

		assert_int_equal(assertion_verify(s, &g.rules, &claims,
				     &unknown_kid, NULL),
		    CIMD_E_ASSERTION);
	}
	assert_int_equal(assertion_verify(span_of(g.token), &g.rules, &claims,
			     &unknown_kid, NULL),
	    CIMD_OK);
	assert_int_equal(assertion_verify(span_of(NULL), &g.rules, &claims,
			     &unknown_kid, NULL),
	    CIMD_E_ASSERTION);
	good_clear(&g);
}

/* The same token over time: too early, good, expired. */
static void
time_passes(void **state)
{
	struct assertion_claims claims;
	bool unknown_kid, good;
	struct good g;
	int64_t t;

	(void)state;
	good_make(&g);
	for (t = now - 40; t < now + 340; t++) {
		g.rules.now = t;
		good = t >= now - 30 && t < now + 330;
		if ((assertion_verify(span_of(g.token), &g.rules, &claims,
			 &unknown_kid, NULL) == CIMD_OK) != good)
			fail_msg("at %lld", (long long)(t - now));
		if (good)
			assert_true(claims.keep_until > t);
	}
	good_clear(&g);
}

static bool
verify_good(void *ctx)
{
	struct good *g = ctx;
	struct cimd_error err = { 0 };
	struct assertion_claims claims;
	bool unknown_kid;
	enum cimd_err e;

	e = assertion_verify(span_of(g->token), &g->rules, &claims,
	    &unknown_kid, &err);
	if (e == CIMD_OK)
		return true;
	assert_int_equal(e, CIMD_E_NO_MEMORY);
	assert_int_equal(err.code, CIMD_E_NO_MEMORY);
	assert_false(unknown_kid);
	return false;
}

static void
without_memory(void **state)
{
	struct good g;

	(void)state;
	good_make(&g);
	assert_true(alloc_sweep(verify_good, &g) > 10);
	good_clear(&g);
}

static int
make_keys(void **state)
{
	(void)state;
	signer = signer_new();
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	signer_free(signer);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_assertions),
		cmocka_unit_test(invalid_assertions),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(time_passes),
		cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
